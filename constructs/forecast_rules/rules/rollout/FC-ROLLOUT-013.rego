package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-013", endpoint, path, message) if {
	some [endpoint, alarm] in rollback_alarms
	not depends_on(endpoint, alarm)
	not depends_on(alarm, endpoint)
	path := "Properties.DeploymentConfig.AutoRollbackConfiguration"
	message := sprintf("the endpoint does not depend on its rollback alarm %s", [alarm])
}
