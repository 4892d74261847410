package forecast

import rego.v1

violation contains finding("FC-ENDPOINT-011", model, sprintf("%s.Image", [path]), message) if {
	is_string(input_region())
	some [model, path, container] in containers
	is_string(container.Image)
	some match in regex.find_all_string_submatch_n(`\.dkr\.ecr\.([a-z0-9-]+)\.`, container.Image, 1)
	match[1] != input_region()
	message := sprintf("the image is in %s, the stack in %s", [match[1], input_region()])
}
