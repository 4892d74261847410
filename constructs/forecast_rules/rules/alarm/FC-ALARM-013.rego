package forecast

import rego.v1

violation contains finding("FC-ALARM-013", alarm, "Properties.Threshold", message) if {
	some config, variant
	some [alarm, "Properties", metric, endpoint] in endpoint_metrics
	is_type(alarm, "AWS::CloudWatch::Alarm")
	metric.name == "CPUUtilization"
	startswith(properties(alarm).ComparisonOperator, "GreaterThan")
	number(properties(alarm).Threshold) <= 100
	runs[[endpoint, config]]
	variants[[config, _, _, variant]]
	variant.VariantName in dimension_values(metric, "VariantName")
	several_cores(variant)
	message := sprintf(
		"CPUUtilization is the sum over the cores of %s; %v is passed by a single busy one",
		[variant.InstanceType, properties(alarm).Threshold],
	)
}
