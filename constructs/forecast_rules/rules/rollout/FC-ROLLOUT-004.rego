package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-004", endpoint, path, message) if {
	some [endpoint, path, size, "linear"] in steps
	size.Type == "CAPACITY_PERCENT"
	outside(number(size.Value), 10, 50)
	message := sprintf("a linear step is 10 to 50 %% of the instances, got %v", [size.Value])
}

outside(value, lowest, _) if value < lowest

outside(value, _, highest) if value > highest
