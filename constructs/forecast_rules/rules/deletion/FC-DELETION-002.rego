package forecast

import rego.v1

violation contains finding("FC-DELETION-002", config, "Properties", message) if {
	some config in resources_of_type("AWS::SageMaker::EndpointConfig")
	not kept(config)
	message := "a replaced endpoint config is deleted at once; a rollback needs it"
}
