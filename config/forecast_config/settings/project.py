"""The whole configuration: the model, where it may run, and its environments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from forecast_config.settings.base import Settings
from forecast_config.settings.environment import EnvironmentSettings
from forecast_config.settings.fields import Matching, Region, StackPrefix
from forecast_config.settings.rules import PROJECT_RULES
from forecast_config.settings.serving import ServingSettings


class ApprovalTag(Settings):
    """A tag that a model version carries once it may be deployed."""

    name: Annotated[str, Field(min_length=1)]
    """Key of the tag."""

    value: Annotated[str, Field(min_length=1)]
    """Value of the tag."""


class CandidateSettings(Settings):
    """How `-c candidate_run_id=…` finds a model version."""

    run_id_tag: Annotated[str, Field(min_length=1)] = "candidate_run_id"
    """Tag of the model version that holds the candidate's run id."""

    approval: ApprovalTag | None = None
    """Tag that the version must carry besides; null asks for none."""


class ModelSettings(Settings):
    """The registered model, and the registry that it is in."""

    name: Annotated[
        str,
        Field(max_length=255),
        Matching(r"^[A-Za-z0-9._-]+$", "letters, digits, dots, underscores and hyphens"),
    ]
    """Name of the registered model."""

    tracking_uri: Annotated[str, Field(min_length=1)] = "sqlite:///mlflow.db"
    """MLflow tracking URI: sqlite, http or file; relative paths start at the project's root."""

    candidate: CandidateSettings = CandidateSettings()
    """How a candidate is found by its run id."""


class ForecastConfig(Settings):
    """Everything that `config/forecast.yaml` says."""

    source: Path
    """The file that this was read from."""

    model: ModelSettings
    """The registered model."""

    serving: ServingSettings = ServingSettings()
    """How the model is packed and answers."""

    allowed_regions: Annotated[tuple[Region, ...], Field(min_length=1)]
    """Regions that data may be stored and processed in."""

    stack_prefix: StackPrefix = "Forecast"
    """What the names of all stacks begin with; two projects in one account need two."""

    environments: dict[str, EnvironmentSettings]
    """Settings by environment."""

    rules = PROJECT_RULES

    @property
    def root(self) -> Path:
        """The project's folder: the nearest one above the file with a `cdk.json`, else its own."""
        folder = self.source.resolve().parent
        return next((up for up in (folder, *folder.parents) if (up / "cdk.json").is_file()), folder)

    @property
    def lock_path(self) -> Path:
        """The lock file that belongs to this configuration, beside it."""
        return self.source.resolve().parent / "models.lock.json"
