package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-017", alarm, path, message) if {
	some path, metric
	some [_, alarm] in rollback_alarms
	metrics[[alarm, path, metric]]
	metric.name == "Invocation4XXErrors"
	metric.compared == true
	message := "requests that clients got wrong undo the rollout of a good model"
}
