package forecast

import rego.v1

violation contains finding("FC-ENDPOINT-002", config, "Properties.EndpointConfigName", message) if {
	some config in resources_of_type("AWS::SageMaker::EndpointConfig")
	is_string(properties(config).EndpointConfigName)
	message := sprintf("the name %s is taken when the next version replaces the config", [properties(config).EndpointConfigName])
}
