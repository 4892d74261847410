package forecast

import rego.v1

violation contains finding("FC-SCALING-009", policy, path, message) if {
	some [policy, target] in scaling_policies
	some variant
	scales[[target, _, variant]]
	some path, metric
	metrics[[policy, path, metric]]
	some name in dimension_values(metric, "VariantName")
	is_string(name)
	name != variant
	message := sprintf("the metric is that of variant %s, the target scales %s", [name, variant])
}

violation contains finding("FC-SCALING-009", policy, path, message) if {
	some [policy, target] in scaling_policies
	some endpoint
	scales[[target, endpoint, _]]
	some path, metric
	metrics[[policy, path, metric]]
	some name in dimension_values(metric, "EndpointName")
	is_string(name)
	some endpoint_name
	endpoint_names[[endpoint, endpoint_name]]
	name != endpoint_name
	message := sprintf("the metric is that of endpoint %s, the target scales %s", [name, endpoint_name])
}
