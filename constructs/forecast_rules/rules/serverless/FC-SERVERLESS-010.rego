package forecast

import rego.v1

violation contains finding("FC-SERVERLESS-010", target, "Properties.ScalableDimension", message) if {
	some config
	properties(target).ScalableDimension == "sagemaker:variant:DesiredInstanceCount"
	some [target, endpoint, variant] in scales
	runs[[endpoint, config]]
	some entry in properties(config).ProductionVariants
	entry.VariantName == variant
	is_object(entry.ServerlessConfig)
	message := sprintf("%s is serverless and has no instances to scale", [variant])
}
