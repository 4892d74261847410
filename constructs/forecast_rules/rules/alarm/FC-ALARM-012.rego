package forecast

import rego.v1

violation contains finding("FC-ALARM-012", alarm, "Properties.AlarmName", message) if {
	some alarm in sagemaker_alarms
	some other in resources_of_type("AWS::CloudWatch::Alarm")
	alarm != other
	name := properties(alarm).AlarmName
	is_string(name)
	properties(other).AlarmName == name
	conditions_compatible(alarm, other)
	message := sprintf("%s is also called %s: one overwrites the other", [other, name])
}
