package forecast

import rego.v1

invocation_metrics := {
	"Invocations", "InvocationsPerInstance", "Invocation4XXErrors", "Invocation5XXErrors",
	"InvocationModelErrors", "ModelLatency", "OverheadLatency",
}

instance_metrics := {
	"CPUUtilization", "MemoryUtilization", "DiskUtilization", "GPUUtilization",
	"GPUMemoryUtilization",
}

namespace_of(metric) := "AWS/SageMaker" if metric.name in invocation_metrics

namespace_of(metric) := "/aws/sagemaker/Endpoints" if metric.name in instance_metrics

violation contains finding("FC-ALARM-002", name, path, message) if {
	some [name, path, metric] in metrics
	is_string(metric.namespace)
	lower(metric.namespace) in {"aws/sagemaker", "/aws/sagemaker/endpoints", "aws/sagemaker/endpoints"}
	dimension_names(metric) - {"EndpointName", "VariantName", "EndpointConfigName"} == set()
	expected := namespace_of(metric)
	metric.namespace != expected
	message := sprintf("%s is published in %s, not in %s", [metric.name, expected, metric.namespace])
}
