"""SageMaker's models, endpoint configurations and endpoints, with everything that was asked for."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpoint, SageMakerModelBackend
from moto.sagemaker.utils import arn_formatter

from forecast_local import context
from forecast_local.sagemaker import limits
from forecast_local.sagemaker.access import check_model_data, check_role
from forecast_local.sagemaker.endpoint import HostedEndpoint
from forecast_local.sagemaker.fleet import Fleet, ServerPlan
from forecast_local.sagemaker.records import HostedEndpointConfig, HostedModel

_STARTUP_TIMEOUT_SECONDS = 480
_DIMENSION = "sagemaker:variant:DesiredInstanceCount"


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
        check_model_data(self._client("s3"), self._client("iam"), model, self.region_name)
        self._models[name] = model
        return model

    def host_endpoint_config(self, request: Mapping[str, Any]) -> HostedEndpointConfig:
        """CreateEndpointConfig: check limits and models, and keep the configuration."""
        limits.check_shape("CreateEndpointConfig", request)
        limits.check_variants(request)
        name = request["EndpointConfigName"]
        if name in self.endpoint_configs:
            arn = self._arn("endpoint-config", name)
            raise ValidationError(
                message=f'Cannot create already existing endpoint configuration "{arn}".'
            )
        for variant in request["ProductionVariants"]:
            self.hosted_model(variant["ModelName"])
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
        self._check_deployment(request.get("DeploymentConfig"), _initial_counts(config))
        endpoint = HostedEndpoint(
            name=name,
            arn=self._arn("endpoint", name),
            config=config.request,
            images=self._images(config),
            deployment=request.get("DeploymentConfig"),
            tags=list(request.get("Tags") or []),
        )
        self.endpoints[name] = endpoint
        self._in_background(lambda: self._bring_up(endpoint, config))
        return endpoint

    def redeploy_endpoint(self, request: Mapping[str, Any]) -> HostedEndpoint:
        """UpdateEndpoint: start the new model servers, switch, then stop the old ones."""
        limits.check_shape("UpdateEndpoint", request)
        refused = limits.exclusion_error(request)
        if refused is not None:
            raise ValidationError(message=refused)
        endpoint = self.hosted_endpoint(request["EndpointName"])
        config = self.hosted_config(request["EndpointConfigName"])
        deployment = request.get("DeploymentConfig")
        if deployment is None and request.get("RetainDeploymentConfig"):
            deployment = endpoint.deployment
        if endpoint.endpoint_status.endswith("ing"):
            raise ValidationError(message=f'Cannot update in-progress endpoint "{endpoint.arn}".')
        self._check_scaled_variants(endpoint, config)
        if deployment is not None:
            limits.check_same_variants(endpoint.variants, _initial_counts(config))
        summaries = endpoint.next_variants(config.request, self._images(config), request)
        counts = {
            name: int(summary["DesiredInstanceCount"])
            for name, summary in summaries.items()
            if "DesiredInstanceCount" in summary
        }
        self._check_deployment(deployment, counts)
        endpoint.begin_update(config.endpoint_config_name)

        def work() -> None:
            self._bring_up(endpoint, config, summaries, deployment)

        self._in_background(work)
        return endpoint

    def delete_endpoint(self, endpoint_name: str) -> None:
        """Stop the model servers of an endpoint in the background and forget it."""
        endpoint = self.hosted_endpoint(endpoint_name)
        if endpoint.endpoint_status in {"Creating", "Updating"}:
            raise ValidationError(message=f'Cannot delete in-progress endpoint "{endpoint.arn}".')
        fleet = endpoint.begin_deletion()

        def work() -> None:
            if fleet is not None:
                fleet.stop()
            self.endpoints.pop(endpoint_name, None)

        self._in_background(work)

    def update_endpoint_weights_and_capacities(
        self, endpoint_name: str, desired_weights_and_capacities: list[dict[str, Any]]
    ) -> str:
        """Change what is given of each variant; moto's resets what is not."""
        endpoint = self.hosted_endpoint(endpoint_name)
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

    @staticmethod
    def _in_background(work: Callable[[], None]) -> None:
        threading.Thread(target=work, daemon=True).start()

    def _bring_up(
        self,
        endpoint: HostedEndpoint,
        config: HostedEndpointConfig,
        summaries: Mapping[str, dict[str, Any]] | None = None,
        deployment: Mapping[str, Any] | None = None,
    ) -> None:
        try:
            plans = [self._plan(endpoint, config, item) for item in config.production_variants]
            fleet = Fleet(plans, context.current().state_dir)
            fleet.start(self._client("s3"))
        except Exception as error:  # noqa: BLE001 - whatever it is, the endpoint must not stay "Creating"
            endpoint.fail(str(error))
            return
        if summaries is None:
            endpoint.enter_service(fleet)
            return
        endpoint.switch(
            fleet,
            config=config.request,
            variants=summaries,
            deployment=deployment,
        )

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
        )

    def _images(self, config: HostedEndpointConfig) -> dict[str, str]:
        return {
            variant["VariantName"]: str(
                self.hosted_model(variant["ModelName"]).container.get("Image", "")
            )
            for variant in config.production_variants
        }

    def _check_deployment(
        self, deployment: Mapping[str, Any] | None, counts: Mapping[str, int]
    ) -> None:
        limits.check_deployment(deployment, counts)
        rollback = (deployment or {}).get("AutoRollbackConfiguration") or {}
        names = [alarm["AlarmName"] for alarm in rollback.get("Alarms", [])]
        known = cloudwatch_backends[self.account_id][self.region_name].alarms
        missing = [name for name in names if name not in known]
        if missing:
            raise ValidationError(
                message=f"The following CloudWatch alarms do not exist: {missing}."
            )

    def _check_scaled_variants(
        self, endpoint: HostedEndpoint, config: HostedEndpointConfig
    ) -> None:
        scaling = applicationautoscaling_backends[self.account_id][self.region_name]
        new = {item["VariantName"]: item for item in config.production_variants}
        blocked = []
        for item in endpoint.config["ProductionVariants"]:
            name = item["VariantName"]
            resource = f"endpoint/{endpoint.endpoint_name}/variant/{name}"
            same = new.get(name, {}).get("InstanceType") == item.get("InstanceType")
            if resource in scaling.targets.get(_DIMENSION, {}) and not same:
                blocked.append(name)
        if blocked:
            raise ValidationError(
                message=f'The variant(s) "{", ".join(blocked)}" must be deregistered as scalable '
                "targets with AWS Auto Scaling before they can be removed or have their instance "
                "type updated."
            )


def _initial_counts(config: HostedEndpointConfig) -> dict[str, int]:
    return {
        item["VariantName"]: int(item["InitialInstanceCount"])
        for item in config.production_variants
        if "InitialInstanceCount" in item
    }
