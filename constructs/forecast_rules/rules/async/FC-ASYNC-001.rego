package forecast

import rego.v1

violation contains finding("FC-ASYNC-001", name, path, message) if {
	some config
	some [name, path, metric, endpoint] in endpoint_metrics
	metric.name in {"Invocations", "InvocationsPerInstance", "OverheadLatency"}
	runs[[endpoint, config]]
	config in asynchronous
	message := sprintf("%s is asynchronous and publishes no %s", [endpoint, metric.name])
}
