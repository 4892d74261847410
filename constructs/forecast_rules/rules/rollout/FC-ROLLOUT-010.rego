package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-010", endpoint, path, message) if {
	some [endpoint, deployment] in deployments
	policy := deployment.BlueGreenUpdatePolicy
	timeout := number(policy.MaximumExecutionTimeoutInSeconds)
	routing := policy.TrafficRoutingConfiguration
	waits := shifts(routing) * number(routing.WaitIntervalInSeconds)
	total := waits + number(object.get(policy, "TerminationWaitInSeconds", 0))
	timeout <= total
	path := "Properties.DeploymentConfig.BlueGreenUpdatePolicy.MaximumExecutionTimeoutInSeconds"
	message := sprintf("the waits alone take %v s, the timeout is %v s", [total, timeout])
}

violation contains finding("FC-ROLLOUT-010", endpoint, path, message) if {
	some [endpoint, deployment] in deployments
	policy := deployment.RollingUpdatePolicy
	timeout := number(policy.MaximumExecutionTimeoutInSeconds)
	policy.MaximumBatchSize.Type == "CAPACITY_PERCENT"
	batches := ceil(100 / number(policy.MaximumBatchSize.Value))
	total := (batches - 1) * number(policy.WaitIntervalInSeconds)
	timeout <= total
	path := "Properties.DeploymentConfig.RollingUpdatePolicy.MaximumExecutionTimeoutInSeconds"
	message := sprintf("the waits alone take %v s, the timeout is %v s", [total, timeout])
}

# Waits that certainly happen: between the shifts of traffic, not after the last.
shifts(routing) := 1 if routing.Type in ["ALL_AT_ONCE", "CANARY"]

shifts(routing) := ceil(100 / number(routing.LinearStepSize.Value)) - 1 if {
	routing.Type == "LINEAR"
	routing.LinearStepSize.Type == "CAPACITY_PERCENT"
}
