package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-022", endpoint, path, message) if {
	some [target, endpoint, _] in scales
	some i, property in properties(endpoint).ExcludeRetainedVariantProperties
	property.VariantPropertyType == "DesiredInstanceCount"
	path := sprintf("Properties.ExcludeRetainedVariantProperties.%d.VariantPropertyType", [i])
	message := sprintf("each update sets back the instance count that %s scales", [target])
}
