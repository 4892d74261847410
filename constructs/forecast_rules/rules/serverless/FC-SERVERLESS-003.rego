package forecast

import rego.v1

violation contains finding("FC-SERVERLESS-003", config, sprintf("%s.ServerlessConfig.ProvisionedConcurrency", [path]), message) if {
	some [config, _, path, variant] in variants
	provisioned := number(variant.ServerlessConfig.ProvisionedConcurrency)
	concurrency := number(variant.ServerlessConfig.MaxConcurrency)
	provisioned > concurrency
	message := sprintf("%v are provisioned, but MaxConcurrency is %v", [provisioned, concurrency])
}
