package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-019", endpoint, "Properties.DeploymentConfig.RollingUpdatePolicy", message) if {
	some config
	some [endpoint, deployment] in deployments
	known(deployment.RollingUpdatePolicy)
	runs[[endpoint, config]]
	length(properties(config).ProductionVariants) > 1
	message := sprintf("%s has several variants, which a rolling update excludes", [config])
}
