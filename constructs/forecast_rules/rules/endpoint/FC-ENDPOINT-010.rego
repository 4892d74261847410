package forecast

import rego.v1

violation contains finding("FC-ENDPOINT-010", model, sprintf("%s.Image", [path]), message) if {
	some [model, path, container] in containers
	is_string(container.Image)
	regex.match(`^[^@]*(:latest|/[^:@]+)$`, container.Image)
	message := sprintf("instances can run different code: %s names no fixed image", [container.Image])
}
