package forecast

import rego.v1

several_cores(variant) if {
	is_string(variant.InstanceType)
	not endswith(variant.InstanceType, ".medium")
}

several_cores(variant) if variant.InstanceType in {"ml.t2.medium", "ml.t3.medium"}

violation contains finding("FC-SCALING-008", policy, path, message) if {
	some variant
	some [policy, target] in scaling_policies
	tracking := properties(policy).TargetTrackingScalingPolicyConfiguration
	tracking.CustomizedMetricSpecification.MetricName == "CPUUtilization"
	number(tracking.TargetValue) <= 100
	scaled_variants[[target, _, _, variant]]
	several_cores(variant)
	path := "Properties.TargetTrackingScalingPolicyConfiguration.TargetValue"
	message := sprintf(
		"CPUUtilization is the sum over the cores of %s; a target of %v is reached when they are nearly idle",
		[variant.InstanceType, tracking.TargetValue],
	)
}
