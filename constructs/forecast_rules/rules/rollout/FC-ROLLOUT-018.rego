package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-018", role, "Properties", message) if {
	some model, role
	some [endpoint, config] in runs
	properties(endpoint).DeploymentConfig.AutoRollbackConfiguration.Alarms
	serves[[config, _, model]]
	hosting_roles[[role, model]]
	all_policies_known(role)
	not may_describe_alarms(role)
	message := sprintf("no policy allows cloudwatch:DescribeAlarms, which the rollout of %s needs", [endpoint])
}

may_describe_alarms(role) if {
	some statement
	statements[[role, _, _, statement]]
	allows(statement, "cloudwatch:DescribeAlarms")
}

all_policies_known(role) if {
	statements[[role, _, _, _]]
	every policy in object.get(properties(role), "ManagedPolicyArns", []) {
		is_type(policy.__ref, "AWS::IAM::ManagedPolicy")
	}
	every entry in statements {
		readable(entry, role)
	}
}

readable(entry, role) if entry[0] != role

readable(entry, _) if not obscure(entry[3])
