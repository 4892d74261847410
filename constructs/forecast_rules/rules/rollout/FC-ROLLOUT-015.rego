package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-015", alarm, path, message) if {
	some path, metric
	some [_, alarm] in rollback_alarms
	metrics[[alarm, path, metric]]
	metric.namespace == "AWS/SageMaker"
	"EndpointName" in dimension_names(metric)
	not "EndpointConfigName" in dimension_names(metric)
	named_by_all(metric)
	message := sprintf("%s is watched over the old and the new fleet together", [metric.name])
}
