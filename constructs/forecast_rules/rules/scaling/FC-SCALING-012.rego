package forecast

import rego.v1

violation contains finding("FC-SCALING-012", target, "Properties.MinCapacity", message) if {
	some [target, _, _, variant] in scaled_variants
	properties(target).ScalableDimension == "sagemaker:variant:DesiredInstanceCount"
	low := number(properties(target).MinCapacity)
	high := number(properties(target).MaxCapacity)
	instances := number(variant.InitialInstanceCount)
	outside(instances, low, high)
	low > 0
	message := sprintf("%s starts with %v instances, outside of %v to %v", [variant.VariantName, instances, low, high])
}
