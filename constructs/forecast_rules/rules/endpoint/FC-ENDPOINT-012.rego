package forecast

import rego.v1

violation contains finding("FC-ENDPOINT-012", config, sprintf("%s.InitialInstanceCount", [path]), message) if {
	some [config, "ProductionVariants", path, variant] in variants
	number(variant.InitialInstanceCount) == 1
	not config in asynchronous
	message := sprintf("%v runs on one instance: it is down with its availability zone", [variant.VariantName])
}
