package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-023", endpoint, "Properties.DeploymentConfig", message) if {
	some config, variant
	some [endpoint, _, _, kind] in steps
	runs[[endpoint, config]]
	variants[[config, _, _, variant]]
	startswith(variant.InstanceType, "ml.inf1.")
	message := sprintf("SageMaker ignores the %s update, as %v runs on Inf1", [kind, variant.VariantName])
}
