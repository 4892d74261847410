package forecast

import rego.v1

violation contains finding("FC-ASYNC-005", config, "Properties.AsyncInferenceConfig.OutputConfig", message) if {
	some config in asynchronous
	output := properties(config).AsyncInferenceConfig.OutputConfig
	missing(output, "S3FailurePath")
	not tells_errors(output)
	message := "nobody learns of a failed request: there is no ErrorTopic and no S3FailurePath"
}

tells_errors(output) if output.NotificationConfig.ErrorTopic

tells_errors(output) if marked(output.NotificationConfig)
