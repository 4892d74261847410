package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-005", endpoint, path, message) if {
	some [endpoint, path, size, "rolling"] in steps
	size.Type == "CAPACITY_PERCENT"
	outside(number(size.Value), 5, 50)
	message := sprintf("a rolling batch is 5 to 50 %% of the instances, got %v", [size.Value])
}
