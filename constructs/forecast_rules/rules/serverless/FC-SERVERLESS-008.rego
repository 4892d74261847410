package forecast

import rego.v1

violation contains finding("FC-SERVERLESS-008", endpoint, "Properties.DeploymentConfig", message) if {
	some config
	some [endpoint, _] in deployments
	runs[[endpoint, config]]
	config in serverless
	message := "a serverless endpoint takes no rollout policy"
}
