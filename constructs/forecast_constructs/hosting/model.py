"""A packed model as SageMaker knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnDeletionPolicy
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from forecast_constructs.acknowledgements import acknowledge_checkov, acknowledge_template_rule
from forecast_constructs.hosting.lineage import tag_lineage
from forecast_constructs.hosting.model_data import publish_model_data

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast_config.packaged import PackagedModel
    from forecast_constructs.hosting.execution_role import ExecutionRole
    from forecast_constructs.hosting.model_data import ModelData
    from forecast_constructs.hosting.network import Placement
    from forecast_constructs.hosting.serving_image import ContainerImage


class ForecastModel(Construct):
    """A model without a name of its own, made from an archive and an image.

    Every change makes a new model before the old one would go, which a fixed name would make
    impossible. The old one is kept (`UpdateReplacePolicy: Retain`): a rollout that SageMaker undoes
    by its alarms can leave the endpoint on it after CloudFormation has counted the update as done,
    and SageMaker neither patches nor scales an endpoint whose model is gone. Kept models and
    endpoint configurations cost nothing.

    Attributes:
        model_name: Name that AWS gave to the model.
        model_data_uri: `s3://` address of the archive, or the prefix of its files, which changes
            with the content only.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        packaged_model: PackagedModel,
        image: ContainerImage,
        environment: Mapping[str, str],
        execution_role: ExecutionRole,
        network_isolation: bool,
        placement: Placement | None = None,
        outlives_stack: bool = False,
        serverless: bool = False,
    ) -> None:
        """Define the model.

        Args:
            scope: Its stack's synthesizer must publish files under `models/`.
            construct_id: Id of the construct.
            packaged_model: The archive and its lineage.
            image: The serving image.
            environment: Variables of the container, laid over those of the image.
            execution_role: The role; it must be allowed to read the archive.
            network_isolation: Whether the container is cut off from every network.
            placement: Where in a VPC the container runs; default: in no VPC.
            outlives_stack: Whether it is kept when it leaves the stack. A challenger leaves with
                the update that ends the comparison, which can still be undone after that.
            serverless: Whether a serverless endpoint serves it, which fetches it otherwise.

        Raises:
            ForecastError: The stack publishes its files elsewhere.
        """
        super().__init__(scope, construct_id)
        model_data = publish_model_data(self, packaged_model, serverless=serverless)
        self.model_data_uri = model_data.uri
        resource = sagemaker.CfnModel(
            self,
            "Resource",
            execution_role_arn=execution_role.role.role_arn,
            enable_network_isolation=network_isolation,
            primary_container=self._render_container(image, environment, model_data),
            vpc_config=None if placement is None else placement.render_vpc_config(),
        )
        resource.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN
        resource.cfn_options.deletion_policy = (
            # Not on a creation that fails, of which nothing can be undone any more.
            CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE
            if outlives_stack
            else CfnDeletionPolicy.DELETE
        )
        resource.node.add_dependency(execution_role.policy)
        if not network_isolation:
            why = "the settings leave the container a network; a serverless one has no other"
            acknowledge_checkov(resource, ("CKV_AWS_370", why))
            if not serverless:
                acknowledge_template_rule(resource, "FC-SECURITY-001", why)
        tag_lineage(resource, packaged_model)
        self.model_name = resource.attr_model_name

    def _render_container(
        self, image: ContainerImage, environment: Mapping[str, str], model_data: ModelData
    ) -> sagemaker.CfnModel.ContainerDefinitionProperty:
        return sagemaker.CfnModel.ContainerDefinitionProperty(
            image=image.image_uri,
            environment={**image.image_environment, **environment},
            **model_data.render(),
        )
