package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-001", endpoint, path, message) if {
	some [endpoint, path, size, "canary"] in steps
	size.Type == "CAPACITY_PERCENT"
	number(size.Value) > 50
	message := sprintf("the canary takes %v %% of the instances; SageMaker allows at most 50", [size.Value])
}
