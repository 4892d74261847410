package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-012", endpoint, path, message) if {
	some [endpoint, deployment] in deployments
	alarms := deployment.AutoRollbackConfiguration.Alarms
	is_array(alarms)
	count(alarms) > 10
	path := "Properties.DeploymentConfig.AutoRollbackConfiguration.Alarms"
	message := sprintf("%d rollback alarms are named; SageMaker takes at most 10", [count(alarms)])
}
