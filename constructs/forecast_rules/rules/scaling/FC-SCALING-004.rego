package forecast

import rego.v1

violation contains finding("FC-SCALING-004", target, "Properties.MinCapacity", message) if {
	some [target, config, _, variant] in scaled_variants
	number(properties(target).MinCapacity) == 0
	properties(target).ScalableDimension == "sagemaker:variant:DesiredInstanceCount"
	not config in asynchronous
	variant.ModelName
	message := sprintf("%s is a real-time variant and keeps one instance at least", [variant.VariantName])
}
