package forecast

import rego.v1

violation contains finding("FC-ENDPOINT-016", model, sprintf("%s.Environment", [path]), message) if {
	some [model, path, container] in containers
	some given, needed in {
		"SAGEMAKER_PROGRAM": "SAGEMAKER_SUBMIT_DIRECTORY",
		"SAGEMAKER_SUBMIT_DIRECTORY": "SAGEMAKER_PROGRAM",
	}
	container.Environment[given]
	missing(container.Environment, needed)
	message := sprintf("%s is set without %s", [given, needed])
}
