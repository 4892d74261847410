"""ECR repositories; the CDK's bootstrap stack has one."""

import json
from collections.abc import Mapping
from typing import Any

from forecast_local.cloudformation.handler import Handler, Request, tag_changes

_NAME_LIMIT = 256


class Repository(Handler):
    """AWS::ECR::Repository."""

    type_name = "AWS::ECR::Repository"
    applies = frozenset(
        {
            "EncryptionConfiguration",
            "ImageScanningConfiguration",
            "ImageTagMutability",
            "LifecyclePolicy",
            "RepositoryName",
            "RepositoryPolicyText",
            "Tags",
        }
    )
    create_only = frozenset({"EncryptionConfiguration", "RepositoryName"})
    attributes = frozenset({"Arn", "RepositoryUri"})
    name_property = "RepositoryName"
    tagged = True
    gone = frozenset({"RepositoryNotFoundException"})

    def create(self, request: Request) -> str:
        """Create the repository with its policies."""
        ecr, properties = request.client("ecr"), request.properties
        name = request.name(_NAME_LIMIT, property_name="RepositoryName").lower()
        given: dict[str, Any] = {}
        if "EncryptionConfiguration" in properties:
            encryption = properties["EncryptionConfiguration"]
            given["encryptionConfiguration"] = {
                key[0].lower() + key[1:]: value for key, value in encryption.items()
            }
        if "Tags" in properties:
            given["tags"] = properties["Tags"]
        ecr.create_repository(repositoryName=name, **given)
        self._apply(ecr, request.made(name), properties)
        return name

    def update(self, request: Request, physical_id: str, old: Mapping[str, Any]) -> None:
        """Change scanning, mutability, policies and tags."""
        ecr, new = request.client("ecr"), request.properties
        self._apply(ecr, physical_id, new)
        if "LifecyclePolicy" in old and "LifecyclePolicy" not in new:
            ecr.delete_lifecycle_policy(repositoryName=physical_id)
        if "RepositoryPolicyText" in old and "RepositoryPolicyText" not in new:
            ecr.delete_repository_policy(repositoryName=physical_id)
        tags, removed = tag_changes(old, new)
        arn = self.read(request, physical_id)["Arn"]
        if removed:
            ecr.untag_resource(resourceArn=arn, tagKeys=removed)
        if tags:
            ecr.tag_resource(resourceArn=arn, tags=tags)

    @staticmethod
    def _apply(ecr: Any, name: str, properties: Mapping[str, Any]) -> None:
        mutability = properties.get("ImageTagMutability", "MUTABLE")
        ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability=mutability)
        scanning = properties.get("ImageScanningConfiguration", {})
        on_push = str(scanning.get("ScanOnPush", False)).lower() == "true"
        ecr.put_image_scanning_configuration(
            repositoryName=name, imageScanningConfiguration={"scanOnPush": on_push}
        )
        if "LifecyclePolicy" in properties:
            text = properties["LifecyclePolicy"]["LifecyclePolicyText"]
            ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=text)
        if "RepositoryPolicyText" in properties:
            text = properties["RepositoryPolicyText"]
            policy = text if isinstance(text, str) else json.dumps(text)
            ecr.set_repository_policy(repositoryName=name, policyText=policy)

    def delete(self, request: Request, physical_id: str) -> None:
        """Delete the repository; it must be empty."""
        request.client("ecr").delete_repository(repositoryName=physical_id)

    def read(self, request: Request, physical_id: str) -> dict[str, Any]:
        """Return ARN and URI of the repository."""
        ecr = request.client("ecr")
        found = ecr.describe_repositories(repositoryNames=[physical_id])["repositories"][0]
        return {"Arn": found["repositoryArn"], "RepositoryUri": found["repositoryUri"]}
