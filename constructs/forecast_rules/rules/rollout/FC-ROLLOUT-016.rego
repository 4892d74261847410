package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-016", alarm, "Properties.TreatMissingData", message) if {
	some [_, alarm] in rollback_alarms
	properties(alarm).TreatMissingData == "breaching"
	message := "missing data undoes the rollout, and a new fleet has none at first"
}
