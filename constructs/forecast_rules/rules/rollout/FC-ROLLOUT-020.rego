package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-020", endpoint, "Properties.RetainAllVariantProperties", message) if {
	some config
	some [target, endpoint, variant] in scales
	not retains_properties(endpoint)
	runs[[endpoint, config]]
	not config in perhaps_serverless
	message := sprintf("%s scales %s, and each update sets its instance count back", [target, variant])
}

retains_properties(endpoint) if properties(endpoint).RetainAllVariantProperties in [true, "true"]

retains_properties(endpoint) if marked(properties(endpoint).RetainAllVariantProperties)
