package forecast

import rego.v1

violation contains finding("FC-ENDPOINT-013", config, sprintf("%s.InitialInstanceCount", [path]), message) if {
	some [config, _, path, variant] in variants
	variant.ModelName
	number(variant.InitialInstanceCount) < 1
	message := sprintf("%v starts with %v instances; SageMaker needs one at least", [variant.VariantName, variant.InitialInstanceCount])
}
