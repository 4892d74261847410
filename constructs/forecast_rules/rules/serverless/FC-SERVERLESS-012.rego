package forecast

import rego.v1

violation contains finding("FC-SERVERLESS-012", model, "Properties.EnableNetworkIsolation", message) if {
	some model in serverless_models
	properties(model).EnableNetworkIsolation in [true, "true"]
	message := "a serverless endpoint cannot serve an isolated model"
}
