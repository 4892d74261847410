package forecast

import rego.v1

violation contains finding("FC-ENDPOINT-001", model, "Properties.ModelName", message) if {
	some model in resources_of_type("AWS::SageMaker::Model")
	is_string(properties(model).ModelName)
	message := sprintf("the name %s is taken when the next version replaces the model", [properties(model).ModelName])
}
