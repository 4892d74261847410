package forecast

import rego.v1

predefined_metrics := {
	"sagemaker:variant:DesiredInstanceCount": {
		"SageMakerVariantInvocationsPerInstance",
		"SageMakerVariantConcurrentRequestsPerModelHighResolution",
	},
	"sagemaker:variant:DesiredProvisionedConcurrency": {"SageMakerVariantProvisionedConcurrencyUtilization"},
	"sagemaker:inference-component:DesiredCopyCount": {
		"SageMakerInferenceComponentInvocationsPerCopy",
		"SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution",
	},
}

violation contains finding("FC-SCALING-007", policy, path, message) if {
	some [policy, target] in scaling_policies
	properties(target).ServiceNamespace == "sagemaker"
	tracking := properties(policy).TargetTrackingScalingPolicyConfiguration
	metric := tracking.PredefinedMetricSpecification.PredefinedMetricType
	is_string(metric)
	dimension := properties(target).ScalableDimension
	not metric in predefined_metrics[dimension]
	predefined_metrics[dimension]
	path := "Properties.TargetTrackingScalingPolicyConfiguration.PredefinedMetricSpecification"
	message := sprintf("%s is no metric of %s", [metric, dimension])
}
