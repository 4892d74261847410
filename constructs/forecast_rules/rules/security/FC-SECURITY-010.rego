package forecast

import rego.v1

violation contains finding("FC-SECURITY-010", policy, sprintf("%s.Resource", [path]), message) if {
	some [_, policy, path, statement] in statements
	"iam:PassRole" in ensure_list(statement.Action)
	statement.Effect == "Allow"
	some resource in ensure_list(statement.Resource)
	resource in {"*", "arn:aws:iam::*:role/*"}
	message := sprintf("iam:PassRole is allowed on %s", [resource])
}
