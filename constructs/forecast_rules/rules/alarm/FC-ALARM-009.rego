package forecast

import rego.v1

violation contains finding("FC-ALARM-009", alarm, "Properties", message) if {
	some alarm in sagemaker_alarms
	no_actions(alarm)
	not in_composite(alarm)
	not undoes_rollout(alarm)
	message := "nothing happens when the alarm fires"
}

no_actions(alarm) if {
	every property in ["AlarmActions", "OKActions", "InsufficientDataActions"] {
		empty(object.get(properties(alarm), property, []))
	}
}

no_actions(alarm) if properties(alarm).ActionsEnabled in [false, "false"]

empty(value) if value == []

empty(value) if value == null

in_composite(alarm) if {
	some composite in resources_of_type("AWS::CloudWatch::CompositeAlarm")
	some target in ref_targets(composite)
	target == alarm
}

in_composite(alarm) if {
	some composite in resources_of_type("AWS::CloudWatch::CompositeAlarm")
	contains(text_of(properties(composite).AlarmRule), properties(alarm).AlarmName)
}

undoes_rollout(alarm) if {
	rollback_alarms[[_, alarm]]
}

undoes_rollout(alarm) if {
	some _, source in {edge.source | some edge in edges_to(alarm)}
	not is_type(source, "AWS::CloudWatch::CompositeAlarm")
}
