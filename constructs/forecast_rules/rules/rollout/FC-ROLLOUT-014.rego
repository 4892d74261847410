package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-014", alarm, "Properties", message) if {
	some [endpoint, alarm] in rollback_alarms
	depends_on(alarm, endpoint)
	message := sprintf("the alarm refers to %s, which needs the alarm before it can be updated", [endpoint])
}
