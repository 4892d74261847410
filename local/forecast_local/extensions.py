"""Every place where moto is replaced, in one table.

moto keeps one backend class for each service and finds the actions of a backend in the module
``urls`` beside it. Replacing the class is enough for all but three methods, which are patched. Each
replacement derives from moto's class and overrides methods of it: a renamed method or parameter in
a new version of moto would silently bring moto's own behaviour back, so check_moto compares them.
"""

import inspect
from dataclasses import dataclass
from enum import Enum
from typing import Any

from moto.applicationautoscaling import models as autoscaling_models
from moto.applicationautoscaling import responses as autoscaling_responses
from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.awslambda.models import lambda_backends
from moto.cloudformation.models import cloudformation_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.base_backend import BackendDict
from moto.ecr.models import ECRBackend
from moto.s3.models import FakeBucket
from moto.sagemaker.models import sagemaker_backends
from moto.sagemakerruntime.models import sagemakerruntime_backends

from forecast_local.applicationautoscaling.limits import PROVISIONED_CONCURRENCY
from forecast_local.applicationautoscaling.models import LocalApplicationAutoscalingBackend
from forecast_local.applicationautoscaling.responses import LocalApplicationAutoScalingResponse
from forecast_local.awslambda.models import LocalLambdaBackend
from forecast_local.cloudformation.models import LocalCloudFormationBackend
from forecast_local.cloudformation.responses import LocalCloudFormationResponse
from forecast_local.cloudwatch.models import LocalCloudWatchBackend
from forecast_local.cloudwatch.responses import LocalCloudWatchResponse
from forecast_local.ecr.published import batch_get_image
from forecast_local.s3.policy import bucket_permission, log_delivery_allowed
from forecast_local.sagemaker.models import LocalSageMakerBackend
from forecast_local.sagemaker.responses import LocalSageMakerResponse
from forecast_local.sagemakerruntime.models import LocalSageMakerRuntimeBackend
from forecast_local.sagemakerruntime.responses import LocalSageMakerRuntimeResponse


@dataclass(frozen=True)
class Replacement:
    """One backend class of moto and what takes its place.

    Attributes:
        backends: moto's table of backends for the service.
        backend: The class that replaces moto's.
        reason: What moto lacks.
        overridden: Methods of moto's class that are overridden, with their parameters.
    """

    backends: BackendDict[Any]
    backend: type[Any]
    reason: str
    overridden: dict[str, str]


REPLACEMENTS: tuple[Replacement, ...] = (
    Replacement(
        cloudformation_backends,
        LocalCloudFormationBackend,
        "skips unknown types, updates in place what AWS replaces, has no rollback",
        {
            "create_stack": "name, template, parameters, notification_arns, tags, role_arn, "
            "enable_termination_protection, timeout_in_mins, stack_policy_body",
            "update_stack": "name, template, role_arn, parameters, tags",
            "delete_stack": "name_or_stack_id",
            "execute_change_set": "change_set_name, stack_name",
            "_resolve_update_parameters": "instance, incoming_params",
        },
    ),
    Replacement(
        sagemaker_backends,
        LocalSageMakerBackend,
        "keeps few properties, checks no limits, cannot update an endpoint, runs no model",
        {
            "delete_endpoint": "endpoint_name",
            "update_endpoint_weights_and_capacities": "endpoint_name, "
            "desired_weights_and_capacities",
            "add_tags": "arn, tags",
            "_get_resource_from_arn": "arn",
        },
    ),
    Replacement(
        lambda_backends,
        LocalLambdaBackend,
        "runs functions in Docker, and keeps no dead-letter queue",
        {
            "create_function": "spec",
            "invoke": "function_name, qualifier, body, headers, response_headers",
            "update_function_configuration": "function_name, qualifier, body",
        },
    ),
    Replacement(
        sagemakerruntime_backends,
        LocalSageMakerRuntimeBackend,
        "answers invocations from a queue",
        {},
    ),
    Replacement(
        applicationautoscaling_backends,
        LocalApplicationAutoscalingBackend,
        "registers targets that do not exist and keeps policies without a target",
        {
            "register_scalable_target": "namespace, r_id, dimension, min_capacity, max_capacity, "
            "role_arn, suspended_state",
            "deregister_scalable_target": "namespace, r_id, dimension",
            "delete_scaling_policy": "policy_name, service_namespace, resource_id, "
            "scalable_dimension",
            "put_scaling_policy": "policy_name, service_namespace, resource_id, "
            "scalable_dimension, policy_body, policy_type",
            "put_scheduled_action": "service_namespace, schedule, timezone, "
            "scheduled_action_name, resource_id, scalable_dimension, start_time, end_time, "
            "scalable_target_action",
        },
    ),
    Replacement(
        cloudwatch_backends,
        LocalCloudWatchBackend,
        "mixes metrics that share some dimensions, and new alarms are OK",
        {
            "get_metric_statistics": "namespace, metric_name, start_time, end_time, period, stats, "
            "dimensions, unit",
            "get_metric_data": "queries, start_time, end_time, scan_by",
            "get_all_metrics": "",
            "get_filtered_metrics": "metric_name, namespace, dimensions",
            "put_metric_data": "namespace, metric_data",
            "set_alarm_state": "alarm_name, reason, reason_data, state_value",
            "delete_alarms": "alarm_names",
            "tag_resource": "arn, tags",
        },
    ),
)

# The methods that are patched, because moto offers no other way to replace their class.
_PATCHES: tuple[tuple[type[Any], str, str, Any], ...] = (
    (FakeBucket, "get_permission", "action, resource", bucket_permission),
    (
        ECRBackend,
        "batch_get_image",
        "repository_name, registry_id, image_ids",
        batch_get_image,
    ),
    (
        FakeBucket,
        "_log_permissions_enabled_policy",
        "target_bucket, target_prefix",
        staticmethod(log_delivery_allowed),
    ),
)

# Actions that moto's dispatcher must find on moto's own classes, so that ours override them.
_ACTIONS: tuple[tuple[type[Any], tuple[str, ...]], ...] = (
    (
        LocalCloudFormationResponse,
        (
            "create_change_set",
            "describe_change_set",
            "delete_change_set",
            "list_change_sets",
            "describe_stack_resource",
            "describe_stack_resources",
            "list_stack_resources",
        ),
    ),
    (
        LocalSageMakerResponse,
        ("create_model", "describe_model", "create_endpoint_config", "create_endpoint"),
    ),
    (LocalSageMakerRuntimeResponse, ("invoke_endpoint", "invoke_endpoint_async")),
    (LocalApplicationAutoScalingResponse, ("register_scalable_target",)),
    (LocalCloudWatchResponse, ("put_metric_alarm",)),
)


_KNOWN_DIMENSIONS = autoscaling_models.ScalableDimensionValueSet


class MotoChangedError(Exception):
    """The installed moto is not the one that this package extends."""


def check_moto() -> None:
    """Check that everything overridden still exists in moto, with the same parameters.

    Raises:
        MotoChangedError: Naming each method that changed.
    """
    problems = []
    for replacement in REPLACEMENTS:
        original = replacement.backend.__mro__[1]
        for name, expected in replacement.overridden.items():
            problems.extend(_difference(original, name, expected))
    for owner, name, expected, _ in _PATCHES:
        problems.extend(_difference(owner, name, expected))
    for response, actions in _ACTIONS:
        original = response.__mro__[1]
        problems.extend(
            f"{original.__name__}.{action} is gone"
            for action in actions
            if not hasattr(original, action)
        )
    if problems:
        raise MotoChangedError(
            "moto changed what the local AWS extends: "
            + "; ".join(problems)
            + "; adapt forecast_local to it or pin the version of moto in pyproject.toml"
        )


def _difference(original: type[Any], name: str, expected: str) -> list[str]:
    method = getattr(original, name, None)
    if method is None:
        return [f"{original.__name__}.{name} is gone"]
    parameters = [item for item in inspect.signature(method).parameters if item != "self"]
    if ", ".join(parameters) == expected:
        return []
    return [f"{original.__name__}.{name} takes ({', '.join(parameters)}), not ({expected})"]


def install() -> None:
    """Put every replacement into its place; call it before the first request.

    Raises:
        MotoChangedError: If moto is not the version this was written for.
    """
    check_moto()
    for replacement in REPLACEMENTS:
        replacement.backends.clear()
        replacement.backends.backend = replacement.backend
    for owner, name, _, patch in _PATCHES:
        setattr(owner, name, patch)
    _know_provisioned_concurrency()


def _know_provisioned_concurrency() -> None:
    """Add the scalable dimension that moto's enumeration lacks."""
    members = {item.name: item.value for item in _KNOWN_DIMENSIONS}
    members["SAGEMAKER_VARIANT_DESIRED_PROVISIONED_CONCURRENCY"] = PROVISIONED_CONCURRENCY
    extended = Enum("ScalableDimensionValueSet", members)  # type: ignore[misc] # moto's members and one more
    for module in (autoscaling_models, autoscaling_responses):
        setattr(module, extended.__name__, extended)
