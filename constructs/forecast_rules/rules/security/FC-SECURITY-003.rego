package forecast

import rego.v1

violation contains finding("FC-SECURITY-003", config, "Properties.KmsKeyId", message) if {
	some variant
	some config in resources_of_type("AWS::SageMaker::EndpointConfig")
	properties(config).KmsKeyId
	variants[[config, _, _, variant]]
	has_local_storage(variant.InstanceType)
	message := sprintf("KmsKeyId does not encrypt the local storage of %s", [variant.InstanceType])
}
