package forecast

import rego.v1

violation contains finding("FC-ENDPOINT-018", config, sprintf("%s.ModelName", [path]), message) if {
	some [config, _, path, variant] in variants
	is_string(variant.ModelName)
	some model in resources_of_type("AWS::SageMaker::Model")
	properties(model).ModelName == variant.ModelName
	not depends_on(config, model)
	message := sprintf("the config does not depend on %s, which it names", [model])
}

violation contains finding("FC-ENDPOINT-018", endpoint, "Properties.EndpointConfigName", message) if {
	some [endpoint, config] in runs
	is_string(properties(endpoint).EndpointConfigName)
	not depends_on(endpoint, config)
	message := sprintf("the endpoint does not depend on %s, which it names", [config])
}
