package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-007", endpoint, "Properties", message) if {
	some [endpoint, config] in runs
	not config in perhaps_serverless
	missing(properties(endpoint), "DeploymentConfig")
	message := "updates shift all traffic at once, and no alarm undoes a bad one"
}

violation contains finding("FC-ROLLOUT-007", endpoint, "Properties.DeploymentConfig", message) if {
	some [endpoint, deployment] in deployments
	missing(deployment, "BlueGreenUpdatePolicy")
	missing(deployment, "RollingUpdatePolicy")
	message := "neither BlueGreenUpdatePolicy nor RollingUpdatePolicy is given: updates shift all traffic at once"
}
