package forecast

import rego.v1

violation contains finding("FC-DELETION-001", model, "Properties", message) if {
	some model in resources_of_type("AWS::SageMaker::Model")
	not kept(model)
	message := "a replaced model is deleted at once; a rollback needs it"
}

kept(name) if input.resources[name].updateReplacePolicy in {"Retain", "RetainExceptOnCreate"}
