package forecast

import rego.v1

alarm_names contains properties(alarm).AlarmName if {
	some type in ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"]
	some alarm in resources_of_type(type)
	is_string(properties(alarm).AlarmName)
}

hidden_alarm_names contains alarm if {
	some type in ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"]
	some alarm in resources_of_type(type)
	marked(properties(alarm).AlarmName)
}

violation contains finding("FC-ALARM-011", composite, "Properties.AlarmRule", message) if {
	some neighbour
	some [composite, name] in named_alarms
	not startswith(name, "arn:")
	not name in alarm_names
	count(hidden_alarm_names) == 0
	named_alarms[[composite, neighbour]]
	neighbour in alarm_names
	message := sprintf("the rule names %s, which is not in this template as the others are", [name])
}
