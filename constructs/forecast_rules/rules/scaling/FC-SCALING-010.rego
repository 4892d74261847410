package forecast

import rego.v1

violation contains finding("FC-SCALING-010", target, "Properties.ResourceId", message) if {
	some target in resources_of_type("AWS::ApplicationAutoScaling::ScalableTarget")
	some other in resources_of_type("AWS::ApplicationAutoScaling::ScalableTarget")
	target > other
	is_string(properties(target).ResourceId)
	properties(target).ResourceId == properties(other).ResourceId
	properties(target).ScalableDimension == properties(other).ScalableDimension
	conditions_compatible(target, other)
	message := sprintf("%s registers the same variant", [other])
}
