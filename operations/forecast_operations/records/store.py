"""The store of deployment records: one object each, in the artifact bucket of the environment."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from forecast_config import ForecastError
from forecast_operations.cloud.objects import read
from forecast_operations.cloud.refusals import CloudError
from forecast_operations.records.reading import read_ahead
from forecast_operations.records.record import RECORD_ID, DeploymentRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from forecast_config import EnvironmentSettings
    from forecast_operations.cloud.cloud import Cloud
    from forecast_operations.deployed.live import Live

PREFIX = "deployments/"
"""Where the records of all environments are in a bucket."""

LATEST = "latest"
"""What stands for the newest record's id."""

_SUFFIX = ".json"
_TAKEN = "PreconditionFailed"
_CLOSE = 3


class DamagedRecordError(ForecastError):
    """A record that cannot be read: cut off, changed, or made by another version of this tool."""


def _ignore(_: ForecastError) -> None:
    pass


@dataclass(frozen=True)
class RecordStore:
    """The records of one environment; every method raises CloudError when AWS refuses.

    Records are written once and never changed. The bucket keeps them: no rule expires them.

    Attributes:
        cloud: Where the bucket is.
        bucket: Its name.
        environment: The environment.
    """

    cloud: Cloud
    bucket: str
    environment: str

    @classmethod
    def of(cls, live: Live, settings: EnvironmentSettings) -> RecordStore | None:
        """The store of an environment; None when its artifacts stack is not deployed."""
        bucket = live.output(settings.artifacts_stack_name, "ArtifactBucketName")
        return None if bucket is None else cls(live.cloud, bucket, settings.name)

    @classmethod
    def needed(cls, live: Live, settings: EnvironmentSettings) -> RecordStore:
        """The store of an environment.

        Raises:
            ForecastError: Its artifacts stack, which has the bucket, is not deployed.
        """
        store = cls.of(live, settings)
        if store is None:
            raise ForecastError(
                f"expected the stack {settings.artifacts_stack_name} in "
                f"{settings.region}, whose bucket has the deployment records, got none; run: "
                f"forecast deploy {settings.name}"
            )
        return store

    def key(self, record_id: str) -> str:
        """The key of a record."""
        return f"{self._prefix}{record_id}{_SUFFIX}"

    def address(self, record_id: str) -> str:
        """The `s3://` address of a record."""
        return f"s3://{self.bucket}/{self.key(record_id)}"

    def keep(self, record: DeploymentRecord) -> str:
        """Write a record in one call: it is there as a whole, or not at all.

        Returns:
            Its key.

        Raises:
            ForecastError: There is another record of this id already.
            NotAllowedError: Writing into the bucket, or using its key, is not allowed.
        """
        key, body = self.key(record.record_id), record.model_dump_json(indent=2).encode()
        try:
            self.cloud.ask(
                "s3",
                "put_object",
                Bucket=self.bucket,
                Key=key,
                Body=body,
                ContentType="application/json",
                IfNoneMatch="*",
            )
        except CloudError as error:
            if error.code != _TAKEN:
                raise
            # A call whose answer was lost is repeated, and finds what it has written itself.
            if read(self.cloud, self.bucket, key) != body:
                raise ForecastError(
                    f"{self.address(record.record_id)} is there already, and a record is never "
                    "written over; verify again"
                ) from None
        return key

    def ids(self) -> list[str]:
        """Ids of the records, those first that were written last.

        When is for S3 to say: an id begins with the time of whoever verified, whose clock may be
        wrong. It decides within a second, which is as exact as S3 is.
        """
        found = []
        for each in self.cloud.pages(
            "s3", "list_objects_v2", "Contents", Bucket=self.bucket, Prefix=self._prefix
        ):
            name = each["Key"].removeprefix(self._prefix).removesuffix(_SUFFIX)
            if re.fullmatch(RECORD_ID, name):
                found.append((each["LastModified"].replace(microsecond=0), name))
        return [name for _, name in sorted(found, reverse=True)]

    def read(self, record_id: str) -> DeploymentRecord:
        """One record.

        Raises:
            ForecastError: There is none of this id; those that are most like it are named.
            DamagedRecordError: It cannot be read.
        """
        found = read(self.cloud, self.bucket, self.key(record_id))
        if found is None:
            raise ForecastError(self._unknown(record_id))
        try:
            return DeploymentRecord.model_validate_json(found)
        except ValidationError as error:
            raise DamagedRecordError(
                f"{self.address(record_id)} is no deployment record that can be read here "
                f"({_first(error)}); it was changed, or made by another version of this tool: "
                "its earlier versions are in the bucket"
            ) from None

    def records(
        self, limit: int | None = None, *, damaged: Callable[[ForecastError], None] = _ignore
    ) -> Iterator[DeploymentRecord]:
        """The records, newest first; the more are taken, the more are read at once.

        Args:
            limit: How many at most; None: all.
            damaged: Told of a record that cannot be read, which is left out.
        """
        for found in read_ahead(self._read, self.ids()[:limit]):
            if isinstance(found, DamagedRecordError):
                damaged(found)
            else:
                yield found

    def find(self, asked: str) -> DeploymentRecord:
        """A record by its id, or by `latest`.

        Raises:
            ForecastError: There is none.
            DamagedRecordError: It cannot be read.
        """
        if asked != LATEST:
            return self.read(asked)
        ids = self.ids()
        if not ids:
            raise ForecastError(self._unknown(asked))
        return self.read(ids[0])

    def _read(self, record_id: str) -> DeploymentRecord | DamagedRecordError:
        try:
            return self.read(record_id)
        except DamagedRecordError as error:
            return error

    @property
    def _prefix(self) -> str:
        return f"{PREFIX}{self.environment}/"

    def _unknown(self, asked: str) -> str:
        ids = self.ids()
        if not ids:
            return (
                f"there is no deployment record of {self.environment} in s3://{self.bucket}/"
                f"{self._prefix}; make one with: forecast verify {self.environment}"
            )
        close = difflib.get_close_matches(asked, ids, _CLOSE, cutoff=0) or ids[:_CLOSE]
        return (
            f"expected the id of a deployment record of {self.environment} or '{LATEST}', got "
            f"'{asked}'; the closest: {', '.join(close)}; all: forecast history {self.environment}"
        )


def _first(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else str(problem["msg"])
