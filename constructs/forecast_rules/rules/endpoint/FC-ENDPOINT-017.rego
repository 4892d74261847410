package forecast

import rego.v1

violation contains finding("FC-ENDPOINT-017", model, "Properties.VpcConfig.Subnets", message) if {
	some model in resources_of_type("AWS::SageMaker::Model")
	subnets := properties(model).VpcConfig.Subnets
	is_array(subnets)
	count(subnets) == 1
	every subnet in subnets {
		one_subnet(subnet)
	}
	message := "all instances are in the availability zone of one subnet"
}

one_subnet(subnet) if is_string(subnet)

one_subnet(subnet) if is_type(subnet.__ref, "AWS::EC2::Subnet")
