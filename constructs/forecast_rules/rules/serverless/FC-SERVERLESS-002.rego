package forecast

import rego.v1

violation contains finding("FC-SERVERLESS-002", config, sprintf("%s.ServerlessConfig.MaxConcurrency", [path]), message) if {
	some [config, _, path, variant] in variants
	concurrency := number(variant.ServerlessConfig.MaxConcurrency)
	outside(concurrency, 1, 200)
	message := sprintf("MaxConcurrency is 1 to 200, got %v", [concurrency])
}
