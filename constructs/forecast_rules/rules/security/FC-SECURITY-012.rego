package forecast

import rego.v1

violation contains finding("FC-SECURITY-012", bucket, "Properties", message) if {
	some bucket in model_buckets
	not versioned(properties(bucket))
	message := "the bucket keeps no versions of its models"
}

versioned(p) if p.VersioningConfiguration.Status == "Enabled"

versioned(p) if marked(p.VersioningConfiguration)

versioned(p) if marked(p.VersioningConfiguration.Status)
