"""What an environment was before it was stopped, kept in its artifact bucket."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError

from forecast_config import ForecastError
from forecast_config.settings.base import Settings
from forecast_operations.cloud.objects import read

if TYPE_CHECKING:
    from forecast_operations.cloud.cloud import Cloud

How = Literal["scale", "delete"]


class TargetBefore(Settings):
    """What scaled, with everything that hung on it."""

    resource_id: str
    """The variant as Application Auto Scaling calls it."""

    dimension: str
    """What was scaled of it."""

    minimum: int
    """Fewest instances, or warm requests."""

    maximum: int
    """Most of them."""

    suspended: dict[str, bool]
    """What was suspended, as SuspendedState."""

    policies: tuple[dict[str, Any], ...] = ()
    """Its policies, as DescribeScalingPolicies tells them."""

    actions: tuple[dict[str, Any], ...] = ()
    """Its scheduled actions, as PutScheduledAction takes them."""

    @property
    def variant(self) -> str:
        """Name of the variant."""
        return self.resource_id.rpartition("/")[2]


class EndpointBefore(Settings):
    """What served."""

    config: str
    """The configuration that it served."""

    tags: dict[str, str] = Field(default_factory=dict)
    """Its own tags; those that CloudFormation gives cannot be given by others."""

    counts: dict[str, int] = Field(default_factory=dict)
    """Instances of each variant that has some."""

    warm: dict[str, int] = Field(default_factory=dict)
    """Requests that each serverless variant was kept warm for."""

    weights: dict[str, float] = Field(default_factory=dict)
    """Weight of each variant."""


class Stopped(Settings):
    """What an environment was before it was stopped: written first, and removed last."""

    schema_version: Literal[1] = 1
    """Version of the document's layout."""

    how: How
    """How it was stopped."""

    at: datetime
    """When, in UTC."""

    caller: str
    """ARN of whoever stopped it."""

    endpoint_name: str
    """Its endpoint."""

    endpoint: EndpointBefore | None
    """What served; None: it was away already."""

    targets: tuple[TargetBefore, ...] = ()
    """What scaled."""

    muted: tuple[str, ...] = ()
    """Alarms whose actions were on."""

    schedules: tuple[tuple[str, str], ...] = ()
    """Group and name of the schedules of the off hours that were on."""

    back: datetime | None = None
    """When an endpoint was created again with what is noted, in UTC; None: it was not."""


class StoppedStore:
    """The document of one environment in its artifact bucket.

    The bucket is versioned: what was removed can be found there for a while.
    """

    def __init__(self, cloud: Cloud, bucket: str, environment: str) -> None:
        """Point at the document; nothing is called.

        Args:
            cloud: Where the bucket is.
            bucket: The artifact bucket.
            environment: The environment.
        """
        self._cloud = cloud
        self._bucket, self._key = bucket, f"operations/{environment}/stopped.json"

    @property
    def address(self) -> str:
        """Its `s3://` address."""
        return f"s3://{self._bucket}/{self._key}"

    def read(self) -> Stopped | None:
        """What was noted; None when the environment is not stopped.

        Raises:
            ForecastError: It cannot be read.
        """
        found = read(self._cloud, self._bucket, self._key)
        if found is None:
            return None
        try:
            return Stopped.model_validate_json(found)
        except ValidationError as error:
            raise ForecastError(
                f"expected {self.address} to say what was before the stop, got a document that "
                f"cannot be read ({error.error_count()} errors); an earlier version of it is in "
                "the bucket"
            ) from None

    def write(self, stopped: Stopped) -> None:
        """Note what was."""
        self._cloud.ask(
            "s3",
            "put_object",
            Bucket=self._bucket,
            Key=self._key,
            Body=stopped.model_dump_json(indent=2).encode(),
            ContentType="application/json",
        )

    def remove(self) -> None:
        """Forget it: everything is as it was."""
        self._cloud.ask("s3", "delete_object", Bucket=self._bucket, Key=self._key)
