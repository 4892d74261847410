package forecast

import rego.v1

hidden_actions contains alarm if {
	some alarm in resources_of_type("AWS::CloudWatch::Alarm")
	some actions in [properties(alarm).AlarmActions]
	some action in ensure_list(actions)
	marked(action)
	not action.__ref
}

violation contains finding("FC-SCALING-011", policy, "Properties.StepScalingPolicyConfiguration", message) if {
	some [policy, target] in scaling_policies
	properties(target).ServiceNamespace == "sagemaker"
	properties(policy).PolicyType == "StepScaling"
	callers := {edge.source | some edge in edges_to(policy)}
	count(callers) == 0
	count(hidden_actions) == 0
	message := "no alarm of this template triggers the policy"
}
