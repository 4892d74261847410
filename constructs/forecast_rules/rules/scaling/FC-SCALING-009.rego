package forecast

import rego.v1

violation contains finding("FC-SCALING-009", policy, path, message) if {
	some variant, path, metric
	some [policy, target] in scaling_policies
	scales[[target, _, variant]]
	metrics[[policy, path, metric]]
	some name in dimension_values(metric, "VariantName")
	is_string(name)
	name != variant
	message := sprintf("the metric is that of variant %s, the target scales %s", [name, variant])
}

violation contains finding("FC-SCALING-009", policy, path, message) if {
	some endpoint, path, metric, endpoint_name
	some [policy, target] in scaling_policies
	scales[[target, endpoint, _]]
	metrics[[policy, path, metric]]
	some name in dimension_values(metric, "EndpointName")
	is_string(name)
	endpoint_names[[endpoint, endpoint_name]]
	name != endpoint_name
	message := sprintf("the metric is that of endpoint %s, the target scales %s", [name, endpoint_name])
}
