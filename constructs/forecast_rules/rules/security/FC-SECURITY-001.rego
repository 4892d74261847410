package forecast

import rego.v1

violation contains finding("FC-SECURITY-001", model, "Properties.EnableNetworkIsolation", message) if {
	some model in resources_of_type("AWS::SageMaker::Model")
	not model in serverless_models
	every config in perhaps_serverless {
		config in serverless
	}
	not_isolated(properties(model))
	message := "the model's container is not isolated from the network"
}

not_isolated(p) if missing(p, "EnableNetworkIsolation")

not_isolated(p) if p.EnableNetworkIsolation in [false, "false"]
