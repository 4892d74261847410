package forecast

import rego.v1

# [target, config, path, variant]
scaled_variants contains [target, config, path, variant] if {
	some config, path, variant
	some [target, endpoint, name] in scales
	runs[[endpoint, config]]
	variants[[config, _, path, variant]]
	variant.VariantName == name
}

violation contains finding("FC-SCALING-003", target, "Properties.ResourceId", message) if {
	some [target, _, _, variant] in scaled_variants
	startswith(variant.InstanceType, "ml.t")
	not startswith(variant.InstanceType, "ml.trn")
	message := sprintf("%s runs on %s, which cannot be scaled", [variant.VariantName, variant.InstanceType])
}
