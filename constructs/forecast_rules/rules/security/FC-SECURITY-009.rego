package forecast

import rego.v1

violation contains finding("FC-SECURITY-009", role, path, message) if {
	some [role, _] in hosting_roles
	some i, statement in ensure_list(properties(role).AssumeRolePolicyDocument.Statement)
	"sagemaker.amazonaws.com" in ensure_list(statement.Principal.Service)
	not names_source(statement)
	path := sprintf("Properties.AssumeRolePolicyDocument.Statement.%d", [i])
	message := "SageMaker may take the role on behalf of any account that names it"
}

names_source(statement) if {
	some _, condition in statement.Condition
	some key, _ in condition
	lower(key) in {"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid"}
}

names_source(statement) if obscure(statement)
