package forecast

import rego.v1

violation contains finding("FC-ALARM-007", name, path, message) if {
	some config
	some [name, path, metric, endpoint] in endpoint_metrics
	some variant in dimension_values(metric, "VariantName")
	is_string(variant)
	runs[[endpoint, config]]
	not variant in variant_names(config)
	variant_names(config)
	message := sprintf("%s has no variant %s, only %s", [endpoint, variant, concat(", ", variant_names(config))])
}
