package forecast

import rego.v1

violation contains finding("FC-ENDPOINT-014", config, "Properties.ProductionVariants", message) if {
	some config in resources_of_type("AWS::SageMaker::EndpointConfig")
	production := properties(config).ProductionVariants
	length(production) > 0
	every variant in production {
		number(variant.InitialVariantWeight) == 0
	}
	message := "all weights are 0: no variant gets traffic"
}
