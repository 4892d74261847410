package forecast

import rego.v1

violation contains finding("FC-DELETION-003", bucket, sprintf("Properties.LifecycleConfiguration.Rules.%d", [i]), message) if {
	some bucket in model_buckets
	some i, rule in properties(bucket).LifecycleConfiguration.Rules
	rule.Status == "Enabled"
	expires(rule)
	covers_models(bucket, rule_prefix(rule))
	message := "the rule expires the artifacts of live models"
}

expires(rule) if rule.ExpirationInDays

expires(rule) if rule.ExpirationDate

rule_prefix(rule) := prefix if {
	missing(rule, "TagFilters")
	missing(rule, "ObjectSizeLessThan")
	missing(rule, "ObjectSizeGreaterThan")
	prefix := object.get(rule, "Prefix", "")
}

covers_models(_, prefix) if regex.match("^models?(/|$)", prefix)

covers_models(bucket, "") if {
	some model in resources_of_type("AWS::SageMaker::Model")
	bucket in {edge.target | some edge in edges_from(model)}
}

covers_models(bucket, "") if {
	name := object.get(properties(bucket), "BucketName", "")
	regex.match("(?i)model|artifact", sprintf("%s %v", [bucket, name]))
	not regex.match("(?i)capture|log", sprintf("%s %v", [bucket, name]))
}
