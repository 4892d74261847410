package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-011", endpoint, "Properties.DeploymentConfig", message) if {
	some [endpoint, deployment] in deployments
	missing(deployment, "AutoRollbackConfiguration")
	message := "no alarm undoes a bad rollout"
}

violation contains finding("FC-ROLLOUT-011", endpoint, path, message) if {
	some [endpoint, deployment] in deployments
	rollback := deployment.AutoRollbackConfiguration
	known(rollback)
	no_alarms(rollback)
	path := "Properties.DeploymentConfig.AutoRollbackConfiguration"
	message := "no alarm undoes a bad rollout"
}

no_alarms(rollback) if missing(rollback, "Alarms")

no_alarms(rollback) if rollback.Alarms == []
