package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-021", endpoint, path, message) if {
	some endpoint in resources_of_type("AWS::SageMaker::Endpoint")
	some i, property in properties(endpoint).ExcludeRetainedVariantProperties
	property.VariantPropertyType == "DataCaptureConfig"
	path := sprintf("Properties.ExcludeRetainedVariantProperties.%d.VariantPropertyType", [i])
	message := "DataCaptureConfig cannot be excluded; it is taken from the new config in any case"
}
