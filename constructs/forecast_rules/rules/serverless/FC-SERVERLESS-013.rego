package forecast

import rego.v1

violation contains finding("FC-SERVERLESS-013", model, "Properties", message) if {
	some model in serverless_models
	several_models(model)
	message := "a serverless endpoint serves one container with one model"
}

violation contains finding("FC-SERVERLESS-013", model, sprintf("%s.ImageConfig", [path]), message) if {
	some path, container
	some model in serverless_models
	containers[[model, path, container]]
	container.ImageConfig.RepositoryAccessMode == "Vpc"
	message := "a serverless endpoint takes no image from a private registry"
}
