package forecast

import rego.v1

violation contains finding("FC-ALARM-015", alarm, "Properties.TreatMissingData", message) if {
	some [alarm, _, metric] in metrics
	metric.compared == true
	metric.namespace == "AWS/SageMaker"
	metric.name in {
		"ModelLatency", "OverheadLatency", "Invocation4XXErrors", "Invocation5XXErrors",
		"InvocationModelErrors",
	}
	startswith(properties(alarm).ComparisonOperator, "GreaterThan")
	properties(alarm).TreatMissingData == "breaching"
	not undoes_rollout(alarm)
	message := sprintf("without requests there is no %s, and the alarm fires", [metric.name])
}
