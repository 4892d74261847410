package forecast

import rego.v1

violation contains finding("FC-ALARM-014", alarm, "Properties.Metrics", message) if {
	some alarm in sagemaker_alarms
	queries := properties(alarm).Metrics
	is_array(queries)
	every query in queries {
		known(query)
		is_boolean(object.get(query, "ReturnData", true))
	}
	results := [query | some query in queries; object.get(query, "ReturnData", true)]
	count(results) != 1
	message := sprintf("one query returns data, got %d", [count(results)])
}
