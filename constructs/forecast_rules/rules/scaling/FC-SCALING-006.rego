package forecast

import rego.v1

violation contains finding("FC-SCALING-006", target, "Properties.ResourceId", message) if {
	some [target, endpoint, _] in scales
	not depends_on(target, endpoint)
	message := sprintf("the target does not depend on %s, which it names", [endpoint])
}
