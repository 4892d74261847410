package forecast

import rego.v1

violation contains finding("FC-ALARM-017", alarm, "Properties.Threshold", message) if {
	some config
	some [alarm, "Properties", metric, endpoint] in endpoint_metrics
	is_type(alarm, "AWS::CloudWatch::Alarm")
	metric.name in {"ModelLatency", "OverheadLatency"}
	number(properties(alarm).Threshold) > 480000000
	runs[[endpoint, config]]
	not config in asynchronous
	message := sprintf("%v microseconds are more than any request takes", [properties(alarm).Threshold])
}
