package forecast

import rego.v1

violation contains finding("FC-SECURITY-006", role, sprintf("Properties.ManagedPolicyArns.%d", [i]), message) if {
	some [role, _] in hosting_roles
	some i, arn in properties(role).ManagedPolicyArns
	contains(text_of(arn), ":iam::aws:policy/")
	message := sprintf("the role that serves models has the AWS-managed policy %s", [regex.replace(text_of(arn), "^.*/", "")])
}
