package forecast

import rego.v1

violation contains finding("FC-ASYNC-002", name, path, message) if {
	some [name, path, metric] in metrics
	metric.namespace == "AWS/SageMaker"
	metric.name in {
		"ApproximateBacklogSize", "ApproximateBacklogSizePerInstance",
		"HasBacklogWithoutCapacity", "ApproximateAgeOfOldestRequest",
	}
	"VariantName" in dimension_names(metric)
	message := sprintf("%s is published by EndpointName alone; by VariantName it has no data", [metric.name])
}
