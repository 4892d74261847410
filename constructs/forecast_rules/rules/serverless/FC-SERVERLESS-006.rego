package forecast

import rego.v1

violation contains finding("FC-SERVERLESS-006", config, "Properties.KmsKeyId", message) if {
	some config in serverless
	properties(config).KmsKeyId
	message := "a serverless endpoint has no volumes to encrypt and takes no KmsKeyId"
}
