package forecast

import rego.v1

containers contains [model, "Properties.PrimaryContainer", container] if {
	some model in resources_of_type("AWS::SageMaker::Model")
	container := properties(model).PrimaryContainer
	known(container)
}

containers contains [model, path, container] if {
	some model in resources_of_type("AWS::SageMaker::Model")
	some i, container in properties(model).Containers
	known(container)
	path := sprintf("Properties.Containers.%d", [i])
}

violation contains finding("FC-ENDPOINT-008", model, sprintf("%s.ModelDataUrl", [path]), message) if {
	some [model, path, container] in containers
	url := container.ModelDataUrl
	is_string(url)
	not endswith(url, ".tar.gz")
	object.get(container, "Mode", "SingleModel") == "SingleModel"
	message := sprintf("ModelDataUrl ends in .tar.gz, got %s", [url])
}
