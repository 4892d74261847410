# What the rules share: who runs what, which variants, metrics and statements there are.
#
# A value that is known at deployment only (a parameter, an import, a condition) is an object with
# one of the engine's markers. Comparisons with it fail and `missing` is not true of it, so that a
# rule stays silent about what it cannot know.
#
# Sets of tuples are joined by looking them up. The names that such a look-up binds are declared at the
# head of the rule: the engine refuses a declaration that it comes to a second time, in a loop.
package forecast

import rego.v1

violation contains v if {
	some v in []
}

finding(id, name, path, message) := make_diag_full(
	id, catalog[id].severity, name, path, message, catalog[id].fix, catalog[id].url,
)

properties(name) := input.resources[name].properties

is_type(name, type) if input.resources[name].resourceType == type

marked(value) if {
	is_object(value)
	some marker in ["__ref", "__dynamic", "__conditional", "__enum"]
	object.get(value, marker, null) != null
}

known(value) if {
	is_object(value)
	not marked(value)
}

missing(parent, key) if {
	known(parent)
	object.get(parent, key, null) == null
}

number(value) := coerce_to_number(value)

length(value) := count(value) if is_array(value)

# A name that is given, or that stands within a value which is put together.
text_of(value) := value if is_string(value)

text_of(value) := value.__dynamic if is_object(value)

endpoint_names contains [name, properties(name).EndpointName] if {
	some name in resources_of_type("AWS::SageMaker::Endpoint")
	is_string(properties(name).EndpointName)
}

# [endpoint, config]
runs contains [endpoint, config] if {
	some endpoint in resources_of_type("AWS::SageMaker::Endpoint")
	config := properties(endpoint).EndpointConfigName.__ref
	is_type(config, "AWS::SageMaker::EndpointConfig")
}

runs contains [endpoint, config] if {
	some endpoint in resources_of_type("AWS::SageMaker::Endpoint")
	some config in resources_of_type("AWS::SageMaker::EndpointConfig")
	is_string(properties(config).EndpointConfigName)
	properties(config).EndpointConfigName == properties(endpoint).EndpointConfigName
}

# [config, property, path, variant]
variants contains [config, property, path, variant] if {
	some config in resources_of_type("AWS::SageMaker::EndpointConfig")
	some property in ["ProductionVariants", "ShadowProductionVariants"]
	some i, variant in properties(config)[property]
	known(variant)
	path := sprintf("Properties.%s.%d", [property, i])
}

# [config, variant's path, model]
serves contains [config, path, model] if {
	some [config, _, path, variant] in variants
	model := variant.ModelName.__ref
	is_type(model, "AWS::SageMaker::Model")
}

variant_names(config) := names if {
	every variant in properties(config).ProductionVariants {
		is_string(variant.VariantName)
	}
	names := {variant.VariantName |
		some property in ["ProductionVariants", "ShadowProductionVariants"]
		some variant in properties(config)[property]
	}
}

serverless contains config if {
	some [config, _, _, variant] in variants
	is_object(variant.ServerlessConfig)
}

# Serverless, or not known to be otherwise.
perhaps_serverless contains config if {
	some config in serverless
}

perhaps_serverless contains config if {
	some config in resources_of_type("AWS::SageMaker::EndpointConfig")
	not is_array(properties(config).ProductionVariants)
}

perhaps_serverless contains config if {
	some config in resources_of_type("AWS::SageMaker::EndpointConfig")
	some variant in properties(config).ProductionVariants
	marked(variant)
}

asynchronous contains config if {
	some config in resources_of_type("AWS::SageMaker::EndpointConfig")
	is_object(properties(config).AsyncInferenceConfig)
}

# [endpoint, deployment config]
deployments contains [endpoint, deployment] if {
	some endpoint in resources_of_type("AWS::SageMaker::Endpoint")
	deployment := properties(endpoint).DeploymentConfig
	known(deployment)
}

# [endpoint, path, size of a step, "canary" | "linear" | "rolling"]
steps contains [endpoint, path, size, kind] if {
	some [endpoint, deployment] in deployments
	some kind, place in {
		"canary": ["BlueGreenUpdatePolicy", "TrafficRoutingConfiguration", "CanarySize"],
		"linear": ["BlueGreenUpdatePolicy", "TrafficRoutingConfiguration", "LinearStepSize"],
		"rolling": ["RollingUpdatePolicy", "MaximumBatchSize"],
	}
	size := object.get(deployment, place, null)
	known(size)
	path := sprintf("Properties.DeploymentConfig.%s.Value", [concat(".", place)])
}

# [target, endpoint, variant]
scales contains [target, endpoint, variant] if {
	some endpoint
	some target in resources_of_type("AWS::ApplicationAutoScaling::ScalableTarget")
	parts := regex.find_all_string_submatch_n(
		`^endpoint/([^/]+)/variant/([^/]+)$`, properties(target).ResourceId, 1,
	)
	name := parts[0][1]
	variant := parts[0][2]
	endpoint_names[[endpoint, name]]
}

scales contains [target, endpoint, variant] if {
	some target in resources_of_type("AWS::ApplicationAutoScaling::ScalableTarget")
	some edge in edges_from(target)
	startswith(edge.sourcePath, "Properties.ResourceId")
	endpoint := edge.target
	is_type(endpoint, "AWS::SageMaker::Endpoint")
	some match in regex.find_all_string_submatch_n(
		`/variant/([A-Za-z0-9-]+)$`, properties(target).ResourceId.__dynamic, 1,
	)
	variant := match[1]
}

# [policy, target]
scaling_policies contains [policy, target] if {
	some policy in resources_of_type("AWS::ApplicationAutoScaling::ScalingPolicy")
	target := properties(policy).ScalingTargetId.__ref
	is_type(target, "AWS::ApplicationAutoScaling::ScalableTarget")
}

# [resource, path, metric with name, namespace, dimensions, statistic, period and whether it is
# what the alarm compares]
metrics contains [name, "Properties", metric] if {
	some name in resources_of_type("AWS::CloudWatch::Alarm")
	p := properties(name)
	is_string(p.MetricName)
	metric := {
		"name": p.MetricName, "namespace": object.get(p, "Namespace", null),
		"dimensions": object.get(p, "Dimensions", []), "compared": true,
		"period": object.get(p, "Period", null),
	}
}

metrics contains [name, path, metric] if {
	some name in resources_of_type("AWS::CloudWatch::Alarm")
	some i, query in properties(name).Metrics
	stat := query.MetricStat
	is_string(stat.Metric.MetricName)
	path := sprintf("Properties.Metrics.%d.MetricStat.Metric", [i])
	metric := {
		"name": stat.Metric.MetricName, "namespace": object.get(stat.Metric, "Namespace", null),
		"dimensions": object.get(stat.Metric, "Dimensions", []),
		"compared": object.get(query, "ReturnData", true), "period": object.get(stat, "Period", null),
	}
}

metrics contains [name, path, metric] if {
	some name in resources_of_type("AWS::ApplicationAutoScaling::ScalingPolicy")
	tracking := properties(name).TargetTrackingScalingPolicyConfiguration
	custom := tracking.CustomizedMetricSpecification
	is_string(custom.MetricName)
	path := "Properties.TargetTrackingScalingPolicyConfiguration.CustomizedMetricSpecification"
	metric := {
		"name": custom.MetricName, "namespace": object.get(custom, "Namespace", null),
		"dimensions": object.get(custom, "Dimensions", []), "compared": true, "period": null,
	}
}

# Alarms of which it is not known what they watch.
obscure_alarms contains alarm if {
	some alarm in resources_of_type("AWS::CloudWatch::Alarm")
	some property in ["MetricName", "Dimensions", "Metrics"]
	marked(properties(alarm)[property])
}

obscure_alarms contains alarm if {
	some [alarm, _, metric] in metrics
	some dimension in metric.dimensions
	hides_something(dimension)
}

hides_something(dimension) if hides_name(dimension)

hides_something(dimension) if {
	marked(dimension.Value)
	not dimension.Value.__ref
}

hides_name(dimension) if marked(dimension)

hides_name(dimension) if marked(dimension.Name)

# Whether all that a metric is known by is known.
named_by_all(metric) if {
	every dimension in metric.dimensions {
		not hides_name(dimension)
	}
}

dimension_names(metric) := {dimension.Name | some dimension in metric.dimensions}

dimension_values(metric, name) := {dimension.Value |
	some dimension in metric.dimensions
	dimension.Name == name
}

# [resource, path, metric, endpoint]: metrics of an endpoint of this template
endpoint_metrics contains [name, path, metric, endpoint] if {
	some endpoint
	some [name, path, metric] in metrics
	some value in dimension_values(metric, "EndpointName")
	endpoint_names[[endpoint, value]]
}

endpoint_metrics contains [name, path, metric, endpoint] if {
	some [name, path, metric] in metrics
	some value in dimension_values(metric, "EndpointName")
	endpoint := value.__ref
	is_type(endpoint, "AWS::SageMaker::Endpoint")
}

# [endpoint, alarm]
rollback_alarms contains [endpoint, alarm] if {
	some [endpoint, deployment] in deployments
	some entry in deployment.AutoRollbackConfiguration.Alarms
	some alarm in resources_of_type("AWS::CloudWatch::Alarm")
	is_string(entry.AlarmName)
	properties(alarm).AlarmName == entry.AlarmName
}

rollback_alarms contains [endpoint, alarm] if {
	some [endpoint, deployment] in deployments
	some entry in deployment.AutoRollbackConfiguration.Alarms
	alarm := entry.AlarmName.__ref
	is_type(alarm, "AWS::CloudWatch::Alarm")
}

# [role, model]: the roles that SageMaker serves models with
hosting_roles contains [role, model] if {
	some model in resources_of_type("AWS::SageMaker::Model")
	role := properties(model).ExecutionRoleArn.__ref
	is_type(role, "AWS::IAM::Role")
}

# [role, resource, path, statement]
statements contains [role, role, path, statement] if {
	some role in resources_of_type("AWS::IAM::Role")
	some i, policy in properties(role).Policies
	some j, statement in ensure_list(policy.PolicyDocument.Statement)
	path := sprintf("Properties.Policies.%d.PolicyDocument.Statement.%d", [i, j])
}

statements contains [role, policy, path, statement] if {
	some type in ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"]
	some policy in resources_of_type(type)
	some reference in properties(policy).Roles
	role := reference.__ref
	some i, statement in ensure_list(properties(policy).PolicyDocument.Statement)
	path := sprintf("Properties.PolicyDocument.Statement.%d", [i])
}

statements contains [role, policy, path, statement] if {
	some policy in resources_of_type("AWS::IAM::RolePolicy")
	role := properties(policy).RoleName.__ref
	some i, statement in ensure_list(properties(policy).PolicyDocument.Statement)
	path := sprintf("Properties.PolicyDocument.Statement.%d", [i])
}

allows(statement, action) if {
	statement.Effect == "Allow"
	some pattern in ensure_list(statement.Action)
	is_string(pattern)
	expression := replace(replace(pattern, "*", ".*"), "?", ".")
	regex.match(sprintf("(?i)^%s$", [expression]), action)
}

# Statements of which it is not known what they allow.
obscure(statement) if marked(statement)

obscure(statement) if {
	some part in ["Effect", "Action", "Principal", "Condition"]
	marked(statement[part])
}

obscure(statement) if {
	some action in ensure_list(statement.Action)
	marked(action)
}

obscure(statement) if {
	some _, condition in statement.Condition
	marked(condition)
}

# Buckets that hold models, archives or captured requests: hosting refers to them, or they say so.
model_buckets contains bucket if {
	some type in ["AWS::SageMaker::Model", "AWS::SageMaker::EndpointConfig"]
	some name in resources_of_type(type)
	some edge in edges_from(name)
	bucket := edge.target
	is_type(bucket, "AWS::S3::Bucket")
}

model_buckets contains bucket if {
	some bucket in resources_of_type("AWS::S3::Bucket")
	name := object.get(properties(bucket), "BucketName", "")
	regex.match("(?i)model|artifact|sagemaker|data-?capture", sprintf("%s %v", [bucket, name]))
	not bucket in log_buckets
}

log_buckets contains bucket if {
	some source in resources_of_type("AWS::S3::Bucket")
	bucket := properties(source).LoggingConfiguration.DestinationBucketName.__ref
}

# Topics that alarms publish to.
alarm_topics contains [alarm, topic] if {
	some type in ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"]
	some alarm in resources_of_type(type)
	some action in properties(alarm).AlarmActions
	topic := action.__ref
	is_type(topic, "AWS::SNS::Topic")
}
