package forecast

import rego.v1

named_alarms contains [composite, name] if {
	some composite in resources_of_type("AWS::CloudWatch::CompositeAlarm")
	rule := text_of(properties(composite).AlarmRule)
	some match in regex.find_all_string_submatch_n(
		`(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*["']?([^"'(){}]+?)["']?\s*\)`, rule, -1,
	)
	name := match[1]
}

violation contains finding("FC-ALARM-010", composite, "Properties.AlarmRule", message) if {
	some [composite, name] in named_alarms
	some type in ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"]
	some alarm in resources_of_type(type)
	properties(alarm).AlarmName == name
	not depends_on(composite, alarm)
	message := sprintf("the rule names %s, which may not exist yet", [name])
}
