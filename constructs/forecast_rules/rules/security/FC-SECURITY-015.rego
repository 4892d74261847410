package forecast

import rego.v1

violation contains finding("FC-SECURITY-015", key, "Properties.EnableKeyRotation", message) if {
	some key in resources_of_type("AWS::KMS::Key")
	p := properties(key)
	object.get(p, "KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"
	object.get(p, "Origin", "AWS_KMS") == "AWS_KMS"
	not_rotated(p)
	message := "the key is never rotated"
}

not_rotated(p) if missing(p, "EnableKeyRotation")

not_rotated(p) if p.EnableKeyRotation in [false, "false"]
