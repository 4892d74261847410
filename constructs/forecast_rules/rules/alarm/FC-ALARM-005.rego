package forecast

import rego.v1

violation contains finding("FC-ALARM-005", alarm, "Properties.Period", message) if {
	some alarm in sagemaker_alarms
	period := number(properties(alarm).Period)
	not period in {10, 20, 30}
	period % 60 != 0
	message := sprintf("a period is 10, 20 or 30 s or a multiple of 60, got %v", [period])
}

violation contains finding("FC-ALARM-005", alarm, "Properties.EvaluationPeriods", message) if {
	some alarm in sagemaker_alarms
	period := number(properties(alarm).Period)
	span := period * number(properties(alarm).EvaluationPeriods)
	span > longest_span(period)
	message := sprintf("the periods span %v s, CloudWatch evaluates at most %v", [span, longest_span(period)])
}

longest_span(period) := 86400 if period < 3600

longest_span(period) := 604800 if period >= 3600
