package forecast

import rego.v1

violation contains finding("FC-ASYNC-003", policy, path, message) if {
	some endpoint, config
	some [policy, target] in scaling_policies
	scales[[target, endpoint, _]]
	runs[[endpoint, config]]
	config in asynchronous
	tracking := properties(policy).TargetTrackingScalingPolicyConfiguration
	tracking.PredefinedMetricSpecification.PredefinedMetricType == "SageMakerVariantInvocationsPerInstance"
	path := "Properties.TargetTrackingScalingPolicyConfiguration.PredefinedMetricSpecification"
	message := sprintf("%s is asynchronous and publishes no invocations per instance", [endpoint])
}
