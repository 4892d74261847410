"""SageMaker's models, endpoint configurations and endpoints, with everything that was asked for."""

from collections.abc import Mapping
from typing import Any

from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpoint, SageMakerModelBackend
from moto.sagemaker.utils import arn_formatter

from forecast_local import context
from forecast_local.applicationautoscaling.models import scaling_of
from forecast_local.cloudwatch.models import alarms_of
from forecast_local.sagemaker import limits, variant_limits
from forecast_local.sagemaker.access import check_alarm_access, check_model_data, check_role
from forecast_local.sagemaker.deployment_limits import (
    check_deployment,
    check_same_mode,
    check_same_variants,
    has_policy,
)
from forecast_local.sagemaker.endpoint import HostedEndpoint
from forecast_local.sagemaker.fleet import ServerPlan
from forecast_local.sagemaker.generation import Generation
from forecast_local.sagemaker.records import HostedEndpointConfig, HostedModel
from forecast_local.sagemaker.rollout import plan_rollout, rollback_alarms
from forecast_local.sagemaker.summaries import (
    counts_of,
    production_summaries,
    retain,
    rollout_counts,
    shadow_summaries,
)
from forecast_local.sagemaker.takeover import Takeover

_STARTUP_TIMEOUT_SECONDS = 480


class LocalSageMakerBackend(SageMakerModelBackend):
    """SageMaker of one account and region: hosting is this project's, the rest moto's."""

    def host_model(self, request: Mapping[str, Any]) -> HostedModel:
        """CreateModel: check limits, role and model data, and keep the model."""
        limits.check_shape("CreateModel", request)
        name = request["ModelName"]
        if name in self._models:
            raise ValidationError(
                message=f'Cannot create already existing model "{self._arn("model", name)}".'
            )
        model = HostedModel(request, account=self.account_id, region=self.region_name)
        limits.check_container(model.request)
        check_role(self._client("iam"), request.get("ExecutionRoleArn", ""))
        if not context.current().is_simulated:
            check_model_data(self._client("s3"), self._client("iam"), model, self.region_name)
        self._models[name] = model
        return model

    def host_endpoint_config(self, request: Mapping[str, Any]) -> HostedEndpointConfig:
        """CreateEndpointConfig: check limits and models, and keep the configuration."""
        limits.check_shape("CreateEndpointConfig", request)
        variant_limits.check_variants(request)
        name = request["EndpointConfigName"]
        if name in self.endpoint_configs:
            arn = self._arn("endpoint-config", name)
            raise ValidationError(
                message=f'Cannot create already existing endpoint configuration "{arn}".'
            )
        for variant in variant_limits.all_variants(request):
            model = self.hosted_model(variant["ModelName"])
            variant_limits.check_serverless_model(variant, model.request)
        config = HostedEndpointConfig(request, account=self.account_id, region=self.region_name)
        self.endpoint_configs[name] = config
        return config

    def host_endpoint(self, request: Mapping[str, Any]) -> HostedEndpoint:
        """CreateEndpoint: start the model servers in the background."""
        limits.check_shape("CreateEndpoint", request)
        name = request["EndpointName"]
        if name in self.endpoints:
            raise ValidationError(
                message=f'Cannot create already existing endpoint "{self._arn("endpoint", name)}".'
            )
        config = self.hosted_config(request["EndpointConfigName"])
        generation = self._generation(config, request.get("DeploymentConfig"))
        self._check_deployment(generation)
        endpoint = HostedEndpoint(
            name=name,
            arn=self._arn("endpoint", name),
            generation=generation,
            tags=list(request.get("Tags") or []),
        )
        self.endpoints[name] = endpoint
        context.current().in_background(self._takeover(endpoint, generation).first)
        return endpoint

    def redeploy_endpoint(self, request: Mapping[str, Any]) -> HostedEndpoint:
        """UpdateEndpoint: start new model servers, roll them out, then stop the old ones."""
        limits.check_shape("UpdateEndpoint", request)
        refused = limits.exclusion_error(request)
        if refused is not None:
            raise ValidationError(message=refused)
        endpoint = self.hosted_endpoint(request["EndpointName"])
        config = self.hosted_config(request["EndpointConfigName"])
        deployment = request.get("DeploymentConfig")
        if deployment is None and request.get("RetainDeploymentConfig"):
            deployment = endpoint.deployment
        if not endpoint.is_settled:
            raise ValidationError(message=f'Cannot update in-progress endpoint "{endpoint.arn}".')
        check_same_mode(endpoint.config, config.request)
        self._check_scaled_variants(endpoint, config)
        generation = self._generation(config, deployment)
        if has_policy(deployment):
            check_same_variants(endpoint.variants, generation.variants)
        retain(generation.variants, endpoint.variants, request)
        self._check_deployment(generation)
        plan = plan_rollout(
            deployment,
            rollout_counts(generation.variants),
            falls_back=variant_limits.falls_back(config.request),
        )
        alarms = alarms_of(self.account_id, self.region_name)
        takeover = self._takeover(endpoint, generation)
        endpoint.begin_update(generation)
        context.current().in_background(lambda: takeover.update(plan, alarms.tripped))
        return endpoint

    def delete_endpoint(self, endpoint_name: str) -> None:
        """Stop the model servers of an endpoint in the background and forget it."""
        endpoint = self.hosted_endpoint(endpoint_name)
        if endpoint.endpoint_status in {"Creating", "Updating", "RollingBack"}:
            raise ValidationError(message=f'Cannot delete in-progress endpoint "{endpoint.arn}".')
        fleet = endpoint.begin_deletion()
        # SageMaker developer guide, "Delete endpoints configured for auto scaling".
        scaling_of(self.account_id, self.region_name).forget_endpoint(endpoint_name)

        def work() -> None:
            if fleet is not None:
                fleet.stop()
            self.endpoints.pop(endpoint_name, None)

        context.current().in_background(work)

    def update_endpoint_weights_and_capacities(
        self, endpoint_name: str, desired_weights_and_capacities: list[dict[str, Any]]
    ) -> str:
        """Change what is given of each variant; moto's resets what is not."""
        endpoint = self.hosted_endpoint(endpoint_name)
        if not endpoint.is_settled:
            raise ValidationError(message=f'Cannot update in-progress endpoint "{endpoint.arn}".')
        for change in desired_weights_and_capacities:
            name = change["VariantName"]
            if name not in endpoint.variants:
                raise ValidationError(
                    message=f'The variant name(s) "{name}" is/are not present within endpoint '
                    f'configuration "{endpoint.endpoint_config_name}".'
                )
        for change in desired_weights_and_capacities:
            endpoint.resize(change)
        return endpoint.arn

    def add_tags(self, arn: str, tags: list[dict[str, str]]) -> list[dict[str, str]]:
        """Set tags by key; moto's appends a second tag of the same key."""
        resource = self._get_resource_from_arn(arn)
        merged = {tag["Key"]: tag["Value"] for tag in [*resource.tags, *tags]}
        resource.tags = [{"Key": key, "Value": value} for key, value in merged.items()]
        return list(resource.tags)

    def hosted_model(self, name: str) -> HostedModel:
        """Return a model or fail as DescribeModel does."""
        model = self._models.get(name)
        if not isinstance(model, HostedModel):
            raise ValidationError(message=f'Could not find model "{self._arn("model", name)}".')
        return model

    def hosted_config(self, name: str) -> HostedEndpointConfig:
        """Return an endpoint configuration or fail as DescribeEndpointConfig does."""
        config = self.endpoint_configs.get(name)
        if not isinstance(config, HostedEndpointConfig):
            arn = self._arn("endpoint-config", name)
            raise ValidationError(message=f'Could not find endpoint configuration "{arn}".')
        return config

    def hosted_endpoint(self, name: str) -> HostedEndpoint:
        """Return an endpoint or fail as DescribeEndpoint does."""
        endpoint: FakeEndpoint | None = self.endpoints.get(name)
        if not isinstance(endpoint, HostedEndpoint):
            arn = self._arn("endpoint", name)
            raise ValidationError(message=f'Could not find endpoint "{arn}".')
        return endpoint

    def _arn(self, kind: str, name: str) -> str:
        return arn_formatter(kind, name, self.account_id, self.region_name)

    def _client(self, service: str) -> Any:
        clients = context.current().clients
        return clients.client(service, account=self.account_id, region=self.region_name)

    def _generation(
        self, config: HostedEndpointConfig, deployment: Mapping[str, Any] | None
    ) -> Generation:
        images = self._images(config)
        return Generation(
            config.request,
            production_summaries(config.request, images),
            shadow_summaries(config.request, images),
            deployment,
        )

    def _takeover(self, endpoint: HostedEndpoint, generation: Generation) -> Takeover:
        config = self.hosted_config(generation.name)
        plans = [
            self._plan(endpoint, config, item)
            for item in variant_limits.all_variants(config.request)
        ]
        return Takeover(endpoint, generation, plans, self._client("s3"))

    def _plan(
        self, endpoint: HostedEndpoint, config: HostedEndpointConfig, variant: Mapping[str, Any]
    ) -> ServerPlan:
        model = self.hosted_model(variant["ModelName"])
        timeout = variant.get(
            "ContainerStartupHealthCheckTimeoutInSeconds", _STARTUP_TIMEOUT_SECONDS
        )
        return ServerPlan(
            endpoint=endpoint.endpoint_name,
            config=config.endpoint_config_name,
            variant=variant["VariantName"],
            model_data=model.model_data,
            environment=model.container.get("Environment", {}),
            timeout_seconds=float(timeout),
            account=self.account_id,
            region=self.region_name,
        )

    def _images(self, config: HostedEndpointConfig) -> dict[str, str]:
        return {
            variant["VariantName"]: str(
                self.hosted_model(variant["ModelName"]).container.get("Image", "")
            )
            for variant in variant_limits.all_variants(config.request)
        }

    def _check_deployment(self, generation: Generation) -> None:
        deployment, counts = generation.deployment, counts_of(generation.variants)
        check_deployment(deployment, generation.config, counts)
        names = rollback_alarms(deployment)
        known = alarms_of(self.account_id, self.region_name).alarms
        missing = [name for name in names if name not in known]
        if missing:
            raise ValidationError(
                message=f"The following CloudWatch alarms do not exist: {missing}."
            )
        roles = {
            str(self.hosted_model(item["ModelName"]).request.get("ExecutionRoleArn"))
            for item in generation.config["ProductionVariants"]
        }
        for role in sorted(roles) if names else ():
            check_alarm_access(self._client("iam"), role, [known[name] for name in names])

    def _check_scaled_variants(
        self, endpoint: HostedEndpoint, config: HostedEndpointConfig
    ) -> None:
        scaling = scaling_of(self.account_id, self.region_name)
        scaled = {name for targets in scaling.targets.values() for name in targets}
        new = {item["VariantName"]: item for item in config.production_variants}
        blocked = []
        for item in endpoint.config["ProductionVariants"]:
            name = item["VariantName"]
            resource = f"endpoint/{endpoint.endpoint_name}/variant/{name}"
            same = name in new and new[name].get("InstanceType") == item.get("InstanceType")
            if resource in scaled and not same:
                blocked.append(name)
        if blocked:
            raise ValidationError(
                message=f'The variant(s) "{", ".join(blocked)}" must be deregistered as scalable '
                "targets with AWS Auto Scaling before they can be removed or have their instance "
                "type updated."
            )
