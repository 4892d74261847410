package forecast

import rego.v1

violation contains finding("FC-SECURITY-014", bucket, "Properties.PublicAccessBlockConfiguration", message) if {
	some bucket in model_buckets
	some setting in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"]
	properties(bucket).PublicAccessBlockConfiguration[setting] in [false, "false"]
	message := sprintf("%s is off: the bucket can be made public", [setting])
}
