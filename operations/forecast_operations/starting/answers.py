"""What a new project is made of: the answers, and what follows from them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecast_config import names
from forecast_config.images import longest_patched, serving_images

if TYPE_CHECKING:
    from collections.abc import Mapping

PIPELINES = ("github", "circleci", "both", "none")
"""Pipelines that can be written."""

DEPLOY_SECONDS = 4 * 3600
"""How long a deployment may have its role: a rollout with its waiting times ends within these."""

PLAN_SECONDS = 3600
"""How long a plan may have its role."""

OPEN_ENVIRONMENT = "dev"
"""The environment that is deployed to without asking anybody, and that has one instance."""

CHAMPION = "champion"
"""Alias of the newest version that the first environment runs."""

_STAGING = "staging"
_NAME_LENGTH = 40
_PREFIX_LENGTH = 40
_NO_NAME = "forecast"


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The answers to all questions; whether they are right, `checking` says.

    Attributes:
        project: Name of the project; its endpoints are called after it.
        model_name: Name of the registered model.
        tracking_uri: MLflow registry that the model is in.
        framework: AWS image that serves it.
        environments: Names of the environments, in the order of their deployment.
        region: Region of all of them.
        accounts: Account ids by environment; one that is left out follows the credentials.
        instance_type: Type of the instances.
        scaling: Whether the environments other than dev scale with their load.
        min_instances: Fewest instances; without scaling, their number.
        max_instances: Most instances, when they scale.
        cpu_target: Share of the CPUs in use that scaling keeps, in percent.
        email: Mailbox that alarms reach; None for nobody.
        budget_usd: Planned cost of an environment and month; None for no plan.
        network: Kind of the network: none, new or existing.
        vpc_id: The existing VPC.
        subnet_ids: Its subnets.
        security_group_ids: Its security groups.
        team: Team that answers for the environments.
        cost_centre: Cost centre that pays.
        ci: Pipeline to write, one of `PIPELINES`.
    """

    project: str
    model_name: str
    tracking_uri: str
    framework: str
    environments: tuple[str, ...]
    region: str
    accounts: Mapping[str, str]
    instance_type: str
    scaling: bool
    min_instances: int
    max_instances: int
    cpu_target: float
    email: str | None
    budget_usd: float | None
    network: str
    vpc_id: str | None
    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]
    team: str
    cost_centre: str
    ci: str

    @property
    def image_version(self) -> str:
        """Version of the framework's image that AWS patches longest."""
        known = {framework for framework, _ in serving_images()}
        return longest_patched(self.framework).version if self.framework in known else "unknown"

    @property
    def stack_prefix(self) -> str:
        """What the names of the project's stacks begin with: its own name, in one word."""
        words = re.findall(r"[A-Za-z0-9]+", self.project)
        name = "".join(word[0].upper() + word[1:] for word in words)
        whole = name if name[:1].isalpha() else f"Forecast{name}"
        return names.bounded(whole, _PREFIX_LENGTH).replace("-", "")

    @property
    def deployment_policy(self) -> str:
        """Name of the policy that CloudFormation works with; none that a stack of it may change."""
        return f"{self.project.lower()}-deployment"

    @property
    def gated(self) -> tuple[str, ...]:
        """Environments that a person lets a deployment into."""
        return tuple(name for name in self.environments if name != OPEN_ENVIRONMENT)

    @property
    def on_github(self) -> bool:
        """Whether there is a pipeline for GitHub Actions."""
        return self.ci in {"github", "both"}

    @property
    def on_circleci(self) -> bool:
        """Whether there is a pipeline for CircleCI."""
        return self.ci in {"circleci", "both"}

    def next_environment(self, environment: str) -> str:
        """The environment that is deployed after another; the last one itself."""
        following = self.environments.index(environment) + 1
        return self.environments[min(following, len(self.environments) - 1)]

    def plan_role(self, environment: str) -> str:
        """Variable of GitHub that has the ARN of the role which looks at an environment."""
        return f"AWS_PLAN_ROLE_{environment.upper().replace('-', '_')}"

    def endpoint_name(self, environment: str) -> str:
        """Name of an environment's endpoint."""
        return f"{self.project}-{environment}"

    def bucket_stem(self, environment: str) -> str:
        """What the name of an environment's bucket begins with; account and region follow."""
        return names.artifact_bucket(self.endpoint_name(environment), "", "").removesuffix("--")

    def model_alias(self, environment: str) -> str:
        """Alias of the registry that an environment follows, which no other does.

        New versions come to the first environment; a promotion moves the alias of the next one.
        """
        return CHAMPION if environment == self.environments[0] else f"{CHAMPION}-{environment}"

    def scales(self, environment: str) -> bool:
        """Whether an environment scales with its load; dev has one instance."""
        return self.scaling and environment != OPEN_ENVIRONMENT

    def instance_count(self, environment: str) -> int:
        """Instances of an environment at its first deployment, and its fewest afterwards.

        One is enough for dev, and for a staging that can scale.
        """
        alone = environment == OPEN_ENVIRONMENT or (environment == _STAGING and self.scaling)
        return 1 if alone else self.min_instances


def project_name(folder: str) -> str:
    """A name for a project, from that of its folder."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.lower())[:_NAME_LENGTH].strip("-")
    return name or _NO_NAME
