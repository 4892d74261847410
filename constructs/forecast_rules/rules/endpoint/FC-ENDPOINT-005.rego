package forecast

import rego.v1

violation contains finding("FC-ENDPOINT-005", config, "Properties.ShadowProductionVariants", message) if {
	some config in resources_of_type("AWS::SageMaker::EndpointConfig")
	length(properties(config).ShadowProductionVariants) > 1
	message := sprintf("an endpoint takes one shadow, got %d", [count(properties(config).ShadowProductionVariants)])
}
