package forecast

import rego.v1

violation contains finding("FC-SECURITY-004", config, "Properties.DataCaptureConfig", message) if {
	some config in resources_of_type("AWS::SageMaker::EndpointConfig")
	missing(properties(config).DataCaptureConfig, "KmsKeyId")
	message := "captured requests are written without a key of your own"
}
