package forecast

import rego.v1

violation contains finding("FC-ENDPOINT-007", config, path, message) if {
	some other_path, other
	some [config, _, path, variant] in variants
	variants[[config, _, other_path, other]]
	path > other_path
	is_string(variant.VariantName)
	variant.VariantName == other.VariantName
	message := sprintf("the variant name %s is used twice", [variant.VariantName])
}
