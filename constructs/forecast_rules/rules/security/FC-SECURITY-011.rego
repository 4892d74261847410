package forecast

import rego.v1

violation contains finding("FC-SECURITY-011", bucket, "Properties", message) if {
	some bucket in model_buckets
	not requires_tls(bucket)
	message := "no bucket policy denies requests without TLS"
}

requires_tls(bucket) if {
	some policy in resources_of_type("AWS::S3::BucketPolicy")
	may_be_of(policy, bucket)
	some statement in ensure_list(properties(policy).PolicyDocument.Statement)
	denies_plain_http(statement)
}

requires_tls(bucket) if {
	some policy in resources_of_type("AWS::S3::BucketPolicy")
	may_be_of(policy, bucket)
	marked(properties(policy).PolicyDocument)
}

may_be_of(policy, bucket) if properties(policy).Bucket.__ref == bucket

may_be_of(policy, _) if {
	marked(properties(policy).Bucket)
	not properties(policy).Bucket.__ref
}

may_be_of(policy, bucket) if {
	is_string(properties(policy).Bucket)
	properties(policy).Bucket == properties(bucket).BucketName
}

denies_plain_http(statement) if obscure(statement)

denies_plain_http(statement) if marked(statement.Condition.Bool["aws:SecureTransport"])

denies_plain_http(statement) if {
	statement.Effect == "Deny"
	statement.Condition.Bool["aws:SecureTransport"] in ["false", false]
}
