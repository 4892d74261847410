package forecast

import rego.v1

violation contains finding("FC-SCALING-002", target, "Properties.ResourceId", message) if {
	some config
	some [target, endpoint, variant] in scales
	runs[[endpoint, config]]
	not variant in variant_names(config)
	variant_names(config)
	message := sprintf("%s has no variant %s, only %s", [endpoint, variant, concat(", ", variant_names(config))])
}
