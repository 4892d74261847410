package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-009", endpoint, path, message) if {
	some [endpoint, deployment] in deployments
	routing := deployment.BlueGreenUpdatePolicy.TrafficRoutingConfiguration
	some type, size in {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}
	routing.Type == type
	missing(routing, size)
	path := "Properties.DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration"
	message := sprintf("a routing of type %s needs %s", [type, size])
}
