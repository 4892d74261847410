package forecast

import rego.v1

violation contains finding("FC-ENDPOINT-006", config, "Properties.ShadowProductionVariants", message) if {
	some config in resources_of_type("AWS::SageMaker::EndpointConfig")
	length(properties(config).ShadowProductionVariants) > 0
	some excluded in shadow_exclusions(config)
	message := sprintf("shadow tests exclude %s", [excluded])
}

shadow_exclusions(config) := {"asynchronous endpoints" | config in asynchronous} |
	({"serverless endpoints" | config in serverless} |
	({"Inf1 instances" |
		some variant
		variants[[config, _, _, variant]]
		startswith(variant.InstanceType, "ml.inf1.")
	} |
	{"multi-model and multi-container endpoints" |
		some model
		serves[[config, _, model]]
		several_models(model)
	}))

several_models(model) if properties(model).PrimaryContainer.Mode == "MultiModel"

several_models(model) if length(properties(model).Containers) > 1
