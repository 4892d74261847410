package forecast

import rego.v1

violation contains finding("FC-SERVERLESS-001", config, sprintf("%s.ServerlessConfig.MemorySizeInMB", [path]), message) if {
	some [config, _, path, variant] in variants
	size := number(variant.ServerlessConfig.MemorySizeInMB)
	not size in {1024, 2048, 3072, 4096, 5120, 6144}
	message := sprintf("memory is 1024 to 6144 MB in steps of 1024, got %v", [size])
}
