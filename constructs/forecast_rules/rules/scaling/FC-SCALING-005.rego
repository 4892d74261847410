package forecast

import rego.v1

violation contains finding("FC-SCALING-005", target, "Properties.MinCapacity", message) if {
	some target in resources_of_type("AWS::ApplicationAutoScaling::ScalableTarget")
	properties(target).ServiceNamespace == "sagemaker"
	low := number(properties(target).MinCapacity)
	high := number(properties(target).MaxCapacity)
	low > high
	message := sprintf("MinCapacity %v is above MaxCapacity %v", [low, high])
}

violation contains finding("FC-SCALING-005", target, path, message) if {
	some target in resources_of_type("AWS::ApplicationAutoScaling::ScalableTarget")
	properties(target).ServiceNamespace == "sagemaker"
	some i, scheduled in properties(target).ScheduledActions
	low := number(scheduled.ScalableTargetAction.MinCapacity)
	high := number(scheduled.ScalableTargetAction.MaxCapacity)
	low > high
	path := sprintf("Properties.ScheduledActions.%d.ScalableTargetAction", [i])
	message := sprintf("MinCapacity %v is above MaxCapacity %v", [low, high])
}
