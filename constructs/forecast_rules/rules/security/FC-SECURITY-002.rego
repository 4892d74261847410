package forecast

import rego.v1

violation contains finding("FC-SECURITY-002", config, "Properties", message) if {
	some variant
	some config in resources_of_type("AWS::SageMaker::EndpointConfig")
	missing(properties(config), "KmsKeyId")
	variants[[config, _, _, variant]]
	is_string(variant.InstanceType)
	not variant.ServerlessConfig
	not has_local_storage(variant.InstanceType)
	message := sprintf("the volumes of %v are not encrypted with a key of your own", [variant.VariantName])
}
