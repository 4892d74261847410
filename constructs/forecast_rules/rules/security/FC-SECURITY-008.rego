package forecast

import rego.v1

violation contains finding("FC-SECURITY-008", policy, sprintf("%s.Action", [path]), message) if {
	some policy, path, statement
	some [role, _] in hosting_roles
	statements[[role, policy, path, statement]]
	statement.Effect == "Allow"
	some action in ensure_list(statement.Action)
	is_string(action)
	regex.match(`^(\*|[\w-]+:\*)$`, action)
	message := sprintf("%s serves models and may do %s", [role, action])
}
