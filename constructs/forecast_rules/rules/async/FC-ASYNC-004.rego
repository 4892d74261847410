package forecast

import rego.v1

violation contains finding("FC-ASYNC-004", target, "Properties.MinCapacity", message) if {
	some config
	some [target, endpoint, _] in scales
	number(properties(target).MinCapacity) == 0
	runs[[endpoint, config]]
	config in asynchronous
	not wakes(endpoint)
	message := sprintf("no alarm on HasBacklogWithoutCapacity wakes %s from zero instances", [endpoint])
}

wakes(_) if count(obscure_alarms) > 0

wakes(endpoint) if {
	some metric
	endpoint_metrics[[_, _, metric, endpoint]]
	metric.name == "HasBacklogWithoutCapacity"
}
