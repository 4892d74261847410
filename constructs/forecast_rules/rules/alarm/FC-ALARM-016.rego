package forecast

import rego.v1

violation contains finding("FC-ALARM-016", topic, "Properties.KmsMasterKeyId", message) if {
	some [alarm, topic] in alarm_topics
	properties(topic).KmsMasterKeyId == "alias/aws/sns"
	message := sprintf("CloudWatch may not use alias/aws/sns: notifications of %s are lost", [alarm])
}

violation contains finding("FC-ALARM-016", key, "Properties.KeyPolicy", message) if {
	some [alarm, topic] in alarm_topics
	key := properties(topic).KmsMasterKeyId.__ref
	is_type(key, "AWS::KMS::Key")
	is_array(properties(key).KeyPolicy.Statement)
	not lets_cloudwatch_encrypt(key)
	message := sprintf("the key does not let CloudWatch publish to %s: notifications of %s are lost", [topic, alarm])
}

lets_cloudwatch_encrypt(key) if {
	some statement in properties(key).KeyPolicy.Statement
	obscure(statement)
}

lets_cloudwatch_encrypt(key) if {
	some statement in properties(key).KeyPolicy.Statement
	some service in ensure_list(statement.Principal.Service)
	opens_to_cloudwatch(service)
	allows(statement, "kms:GenerateDataKey")
}

lets_cloudwatch_encrypt(key) if {
	some statement in properties(key).KeyPolicy.Statement
	statement.Principal in ["*", {"AWS": "*"}]
	allows(statement, "kms:GenerateDataKey")
}

opens_to_cloudwatch(service) if service == "cloudwatch.amazonaws.com"

opens_to_cloudwatch(service) if marked(service)
