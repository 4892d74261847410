package forecast

import rego.v1

violation contains finding("FC-SERVERLESS-009", config, "Properties.AsyncInferenceConfig", message) if {
	some config in asynchronous
	config in serverless
	message := "an asynchronous endpoint runs on instances"
}
