package forecast

import rego.v1

violation contains finding("FC-SCALING-001", target, "Properties.ResourceId", message) if {
	some target in resources_of_type("AWS::ApplicationAutoScaling::ScalableTarget")
	properties(target).ServiceNamespace == "sagemaker"
	id := properties(target).ResourceId
	is_string(id)
	not regex.match(`^(endpoint/[^/]+/variant/[^/]+|inference-component/[^/]+)$`, id)
	message := sprintf("expected endpoint/<name>/variant/<variant>, got %s", [id])
}
