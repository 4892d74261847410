package forecast

import rego.v1

violation contains finding("FC-ROLLOUT-002", endpoint, path, message) if {
	some config, variant
	some [endpoint, path, size, "canary"] in steps
	runs[[endpoint, config]]
	variants[[config, "ProductionVariants", _, variant]]
	instances := number(variant.InitialInstanceCount)
	instances > 1
	taken := canary_instances(size, instances)
	taken * 2 > instances
	message := sprintf(
		"the canary takes %v of the %v instances of %v, as instances are whole; SageMaker allows half",
		[taken, instances, variant.VariantName],
	)
}

canary_instances(size, instances) := ceil((number(size.Value) * instances) / 100) if {
	size.Type == "CAPACITY_PERCENT"
	number(size.Value) <= 50
}

canary_instances(size, _) := number(size.Value) if size.Type == "INSTANCE_COUNT"
