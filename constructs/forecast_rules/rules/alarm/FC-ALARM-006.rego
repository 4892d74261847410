package forecast

import rego.v1

violation contains finding("FC-ALARM-006", alarm, "Properties.DatapointsToAlarm", message) if {
	some alarm in sagemaker_alarms
	needed := number(properties(alarm).DatapointsToAlarm)
	periods := number(properties(alarm).EvaluationPeriods)
	needed > periods
	message := sprintf("%v of %v periods can never breach", [needed, periods])
}
