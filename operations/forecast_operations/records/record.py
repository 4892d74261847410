"""Deployment records: what an environment ran when it was verified, and what it answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from forecast_config.lock import Digest, LockedModel
from forecast_config.settings.base import Settings

Outcome = Literal["verified", "failed"]

RECORD_ID = r"^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}$"
"""What an id looks like."""


class ModelCard(Settings):
    """What a reviewer wants to know of a model version, read from its archive."""

    metrics: dict[str, float | None] = Field(default_factory=dict)
    """Metrics of its run, by name."""

    inputs: dict[str, str] = Field(default_factory=dict)
    """Type of each feature, in the order of the signature; it ends with `?` where one may miss."""

    outputs: dict[str, str] = Field(default_factory=dict)
    """Unit of each output, in the order of the signature; empty where none is declared."""


class ServedVariant(Settings):
    """One variant of the endpoint as it was found."""

    name: str
    """Name of the variant."""

    shadow: bool = False
    """Whether it gets copies of requests only."""

    model_version: str
    """Version that its model is tagged with, or `unknown`."""

    archive_digest: Digest | None
    """Digest of the archive that it serves; None for model data that are no archive of ours."""

    model_data: str
    """`s3://` address of the archive, or the prefix of its files."""

    image: str
    """The image as its model names it."""

    image_digest: str | None = None
    """Digest that the image was resolved to; None where SageMaker does not say."""

    instance_type: str | None = None
    """Its instance type; None for serverless."""

    instances: int | None = None
    """Instances in service; None for serverless."""


class Check(Settings):
    """One thing that was looked at."""

    name: str
    """What it is, such as "configuration" or "golden request csv"."""

    passed: bool
    """Whether it is as it should be."""

    expected: str
    """What should be."""

    found: str
    """What was found."""

    advice: str = ""
    """What to do about it; empty where it passed."""


class Exchange(Settings):
    """One golden request and what the endpoint answered."""

    name: str
    """Name of the golden request."""

    variant: str
    """Variant that was asked."""

    content_type: str
    """Type of the body."""

    accept: str
    """Type of the answer that was asked for."""

    body: str
    """The request's body."""

    status: int
    """HTTP status of the container's answer; 0 where SageMaker does not tell it."""

    answer: Any
    """The answer as the golden file holds one: a document, or text."""

    milliseconds: float
    """Time from the request to the whole answer, over the network."""


class DeploymentRecord(Settings):
    """What proved one deployment; written once, and never changed."""

    schema_version: Literal[1] = 1
    """Version of the document's layout."""

    record_id: Annotated[str, Field(pattern=RECORD_ID)]
    """When it was made, in UTC by the clock there, and part of the digest of what was found."""

    environment: str
    """The environment."""

    endpoint_name: str
    """Its endpoint."""

    account: str
    """Account that it runs in."""

    region: str
    """Region that it runs in."""

    outcome: Outcome
    """Whether every check passed."""

    started_at: datetime
    """When the verification began, in UTC."""

    seconds: float
    """How long it took."""

    caller: str
    """ARN of whoever verified it."""

    commit: str | None
    """Commit of the project, with `-dirty` when files differed from it; None outside git."""

    deployed_at: datetime | None
    """When the stack was last created or updated, in UTC."""

    endpoint_config_name: str | None
    """Configuration that the endpoint serves; None without an endpoint."""

    archive_digest: Digest
    """Digest of the archive that the lock packs to; what serves is in `variants`."""

    lock: LockedModel
    """The champion as it was locked."""

    challenger: LockedModel | None = None
    """The challenger as it was locked; None where there is none."""

    card: ModelCard
    """What is known of the champion."""

    variants: tuple[ServedVariant, ...]
    """What was found to serve."""

    checks: tuple[Check, ...]
    """What was looked at."""

    exchanges: tuple[Exchange, ...]
    """What was asked and answered."""

    @property
    def pinned(self) -> LockedModel:
        """The champion as a lock entry that pins the very archive which was verified."""
        return self.lock.model_copy(update={"archive_digest": self.archive_digest})
