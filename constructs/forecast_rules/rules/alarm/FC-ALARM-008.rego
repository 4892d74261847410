package forecast

import rego.v1

violation contains finding("FC-ALARM-008", alarm, "Properties.Threshold", message) if {
	some [alarm, path, metric] in metrics
	path == "Properties"
	metric.namespace == "/aws/sagemaker/Endpoints"
	metric.name in {"MemoryUtilization", "DiskUtilization"}
	properties(alarm).ComparisonOperator == "GreaterThanThreshold"
	number(properties(alarm).Threshold) >= 100
	message := sprintf("%s ends at 100 %%: %v is never exceeded", [metric.name, properties(alarm).Threshold])
}
