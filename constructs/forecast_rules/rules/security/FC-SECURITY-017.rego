package forecast

import rego.v1

violation contains finding("FC-SECURITY-017", group, sprintf("Properties.SecurityGroupIngress.%d", [i]), message) if {
	some model in resources_of_type("AWS::SageMaker::Model")
	some reference in properties(model).VpcConfig.SecurityGroupIds
	group := reference.__ref
	is_type(group, "AWS::EC2::SecurityGroup")
	some i, ingress in properties(group).SecurityGroupIngress
	some property in ["CidrIp", "CidrIpv6"]
	ingress[property] in {"0.0.0.0/0", "::/0"}
	message := sprintf("the network of %s admits %s", [model, ingress[property]])
}
