package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-003", endpoint, path, message) if {
	some config, variant
	some [endpoint, path, _, kind] in steps
	runs[[endpoint, config]]
	variants[[config, "ProductionVariants", _, variant]]
	number(variant.InitialInstanceCount) == 1
	message := sprintf("a %s update of %v cannot work with one instance", [kind, variant.VariantName])
}
