package forecast

import rego.v1

violation contains finding("FC-SERVERLESS-007", config, "Properties.DataCaptureConfig", message) if {
	some config in serverless
	capture := properties(config).DataCaptureConfig
	known(capture)
	not object.get(capture, "EnableCapture", true) in [false, "false"]
	message := "a serverless endpoint captures no requests"
}
