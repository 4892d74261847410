package forecast

import rego.v1

violation contains finding("FC-ALARM-003", name, path, message) if {
	some [name, path, metric] in metrics
	namespace_of(metric) == metric.namespace
	dimension_names(metric) == {"EndpointName"}
	named_by_all(metric)
	message := sprintf("%s is published by EndpointName and VariantName; by EndpointName alone it has no data", [metric.name])
}
