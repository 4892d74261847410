package forecast

import rego.v1

violation contains finding("FC-SECURITY-013", bucket, "Properties", message) if {
	some bucket in model_buckets
	not kms_encrypted(properties(bucket))
	message := "the bucket does not encrypt its objects with a KMS key"
}

kms_encrypted(p) if marked(p.BucketEncryption)

kms_encrypted(p) if marked(p.BucketEncryption.ServerSideEncryptionConfiguration)

kms_encrypted(p) if {
	some rule in p.BucketEncryption.ServerSideEncryptionConfiguration
	marked(rule.ServerSideEncryptionByDefault)
}

kms_encrypted(p) if {
	some rule in p.BucketEncryption.ServerSideEncryptionConfiguration
	marked(rule)
}

kms_encrypted(p) if {
	some rule in p.BucketEncryption.ServerSideEncryptionConfiguration
	marked(rule.ServerSideEncryptionByDefault.SSEAlgorithm)
}

kms_encrypted(p) if {
	some rule in p.BucketEncryption.ServerSideEncryptionConfiguration
	startswith(rule.ServerSideEncryptionByDefault.SSEAlgorithm, "aws:kms")
}
