package forecast

import rego.v1

violation contains finding("FC-ALARM-001", alarm, "Properties.Threshold", message) if {
	some [alarm, path, metric] in metrics
	path == "Properties"
	metric.namespace == "AWS/SageMaker"
	metric.name in {"ModelLatency", "OverheadLatency", "ModelSetupTime"}
	threshold := number(properties(alarm).Threshold)
	threshold > 0
	threshold < 10000
	message := sprintf("%s is in microseconds: %v is %v ms", [metric.name, threshold, threshold / 1000])
}
