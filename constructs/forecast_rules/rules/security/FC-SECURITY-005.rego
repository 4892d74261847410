package forecast

import rego.v1

violation contains finding("FC-SECURITY-005", config, "Properties.AsyncInferenceConfig.OutputConfig", message) if {
	some config in asynchronous
	missing(properties(config).AsyncInferenceConfig.OutputConfig, "KmsKeyId")
	message := "forecasts are written without a key of your own"
}
