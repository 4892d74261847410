package forecast

import rego.v1

violation contains finding("FC-ENDPOINT-004", config, "Properties.ShadowProductionVariants", message) if {
	some config in resources_of_type("AWS::SageMaker::EndpointConfig")
	length(properties(config).ShadowProductionVariants) > 0
	length(properties(config).ProductionVariants) > 1
	message := sprintf("a shadow needs exactly one production variant, got %d", [count(properties(config).ProductionVariants)])
}
