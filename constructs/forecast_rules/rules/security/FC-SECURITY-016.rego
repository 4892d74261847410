package forecast

import rego.v1

violation contains finding("FC-SECURITY-016", topic, "Properties", message) if {
	some [alarm, topic] in alarm_topics
	alarm in sagemaker_alarms
	missing(properties(topic), "KmsMasterKeyId")
	message := sprintf("the topic that %s publishes to is not encrypted", [alarm])
}
