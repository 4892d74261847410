package forecast

import rego.v1

violation contains finding("FC-SERVERLESS-004", config, sprintf("%s.ServerlessConfig", [path]), message) if {
	some [config, _, path, variant] in variants
	is_object(variant.ServerlessConfig)
	some property in ["InstanceType", "InstancePools", "InitialInstanceCount"]
	variant[property]
	message := sprintf("a serverless variant takes no %s", [property])
}
