package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-006", endpoint, "Properties.DeploymentConfig", message) if {
	some [endpoint, deployment] in deployments
	known(deployment.BlueGreenUpdatePolicy)
	known(deployment.RollingUpdatePolicy)
	message := "both BlueGreenUpdatePolicy and RollingUpdatePolicy are given; SageMaker takes one of them"
}
