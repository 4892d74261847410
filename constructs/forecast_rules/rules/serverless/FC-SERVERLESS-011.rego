package forecast

import rego.v1

violation contains finding("FC-SERVERLESS-011", config, "Properties.ProductionVariants", message) if {
	some config in serverless
	length(properties(config).ProductionVariants) > 1
	message := "a serverless endpoint has one variant"
}
