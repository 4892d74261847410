package forecast

import rego.v1

has_local_storage(instance_type) if {
	is_string(instance_type)
	regex.match(
		`^ml\.([a-z]+\d+[a-z]*d[a-z]*|g4dn|g5|g6|g6e|g7|g7e|p4d|p4de|p5\w*|p6[\w-]*|trn\w+|dl1)\.`,
		instance_type,
	)
}

violation contains finding("FC-ENDPOINT-015", config, sprintf("%s.VolumeSizeInGB", [path]), message) if {
	some [config, _, path, variant] in variants
	variant.VolumeSizeInGB
	has_local_storage(variant.InstanceType)
	message := sprintf("%s has its own storage and takes no volume", [variant.InstanceType])
}
