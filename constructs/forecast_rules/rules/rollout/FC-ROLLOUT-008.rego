package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-008", endpoint, path, message) if {
	some [endpoint, deployment] in deployments
	missing(deployment.BlueGreenUpdatePolicy.TrafficRoutingConfiguration, "WaitIntervalInSeconds")
	path := "Properties.DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration"
	message := "WaitIntervalInSeconds is missing; the SageMaker API requires it"
}
