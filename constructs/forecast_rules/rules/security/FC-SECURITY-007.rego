package forecast

import rego.v1

violation contains finding("FC-SECURITY-007", role, "Properties.Policies", message) if {
	some [role, _] in hosting_roles
	length(properties(role).Policies) > 0
	message := "the role that serves models has an inline policy"
}

violation contains finding("FC-SECURITY-007", policy, "Properties", message) if {
	some policy
	some [role, _] in hosting_roles
	statements[[role, policy, _, _]]
	input.resources[policy].resourceType in {"AWS::IAM::Policy", "AWS::IAM::RolePolicy"}
	message := sprintf("the policy is inline in %s, which serves models", [role])
}
