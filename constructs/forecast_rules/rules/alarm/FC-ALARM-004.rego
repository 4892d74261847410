package forecast

import rego.v1

plain_statistics := {"SampleCount", "Average", "Sum", "Minimum", "Maximum"}

violation contains finding("FC-ALARM-004", alarm, "Properties.Statistic", message) if {
	some alarm in sagemaker_alarms
	statistic := properties(alarm).Statistic
	is_string(statistic)
	not statistic in plain_statistics
	message := sprintf("%s belongs into ExtendedStatistic", [statistic])
}

violation contains finding("FC-ALARM-004", alarm, "Properties.ExtendedStatistic", message) if {
	some alarm in sagemaker_alarms
	properties(alarm).ExtendedStatistic in plain_statistics
	message := sprintf("%s belongs into Statistic", [properties(alarm).ExtendedStatistic])
}

# Alarms on metrics of endpoints.
sagemaker_alarms contains alarm if {
	some [alarm, _, metric] in metrics
	metric.namespace in {"AWS/SageMaker", "/aws/sagemaker/Endpoints"}
	is_type(alarm, "AWS::CloudWatch::Alarm")
}
