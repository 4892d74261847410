package forecast

import rego.v1

violation contains finding("FC-ENDPOINT-003", endpoint, "Properties", message) if {
	some endpoint in resources_of_type("AWS::SageMaker::Endpoint")
	missing(properties(endpoint), "EndpointName")
	message := "clients have to follow a generated name that changes with a replacement"
}
