package forecast

import rego.v1

serverless_models contains model if {
	some [config, _, model] in serves
	config in serverless
}

violation contains finding("FC-SERVERLESS-005", model, "Properties.VpcConfig", message) if {
	some model in serverless_models
	known(properties(model).VpcConfig)
	message := "a serverless endpoint cannot serve a model with a VpcConfig"
}
