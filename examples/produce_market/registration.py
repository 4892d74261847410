"""The trained model in MLflow: a run with its record, and a new version of the registered model."""

import argparse
import contextlib
import io
import logging
import os
import re
import shutil
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import xgboost as xgb

from produce_market.contract import FEATURES, OUTPUTS, write_json
from produce_market.errors import RegistrationError

_SQLITE = "sqlite:///"
_NOISY_LOGGERS = ("mlflow", "alembic")


@dataclass(frozen=True)
class TrainingRecord:
    """Everything about a training run that is worth keeping.

    Attributes:
        params: Settings and periods.
        metrics: Scores of the model, and of the simple forecasts under their own prefix.
        documents: JSON documents by file name, small, to travel with the model.
        data_version: Digest of the training data.
        example: Some rows of features, with the types of the signature.
    """

    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    documents: Mapping[str, Any]
    data_version: str
    example: pd.DataFrame


@dataclass(frozen=True)
class Registration:
    """Where the model is found in the registry."""

    name: str
    version: str
    alias: str
    run_id: str
    tracking_uri: str


def model_name(text: str) -> str:
    """The name of a registered model that an option gives.

    Raises:
        argparse.ArgumentTypeError: MLflow would refuse it, after the training.
    """
    if not text.strip() or set(text) & {"/", ":"}:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a name without / and :")
    return text


def alias_name(text: str) -> str:
    """The alias of a version that an option gives.

    Raises:
        argparse.ArgumentTypeError: MLflow would refuse it, after the training.
    """
    if not re.fullmatch(r"[\w-]+", text) or re.fullmatch(r"latest|v\d+", text, re.IGNORECASE):
        raise argparse.ArgumentTypeError(
            f"got {text!r}, expected letters, digits, _ and -, but not latest or a version like v1"
        )
    return text


def check_place(tracking_uri: str) -> None:
    """Check that a registry can be where it is said to be.

    Raises:
        RegistrationError: It is a database in a folder that does not exist.
    """
    folder = _sqlite_folder(absolute_uri(tracking_uri))
    if folder is not None and not folder.is_dir():
        raise RegistrationError(f"{tracking_uri}: no folder {folder}, expected an existing one")


def register(
    booster: xgb.Booster,
    record: TrainingRecord,
    *,
    tracking_uri: str,
    experiment: str,
    name: str,
    alias: str,
) -> Registration:
    """Log a run, register its model as a new version and point the alias to it.

    Args:
        booster: The trained model.
        record: What to log beside it.
        tracking_uri: MLflow's tracking and registry URI; a relative SQLite path starts at the
            working directory.
        experiment: Name of the experiment, made when it does not exist.
        name: Name of the registered model.
        alias: The alias that is moved to the new version.

    Raises:
        RegistrationError: MLflow cannot be reached or refuses a name.
    """
    check_place(tracking_uri)
    tracking_uri = absolute_uri(tracking_uri)
    folder = _sqlite_folder(tracking_uri)
    with _quiet_mlflow():
        import mlflow  # noqa: PLC0415  # seconds to import, and only after its noise is off

        try:
            mlflow.set_tracking_uri(tracking_uri)
            mlflow.set_registry_uri(tracking_uri)
            client = mlflow.MlflowClient()
            with mlflow.start_run(experiment_id=_experiment_id(client, experiment, folder)) as run:
                version = _log(mlflow, booster, record, name)
            client.set_registered_model_alias(name, alias, version)
        except mlflow.exceptions.MlflowException as error:
            reason = str(error).splitlines()[0]
            raise RegistrationError(f"MLflow at {tracking_uri} failed: {reason}") from error
    return Registration(name, version, alias, run.info.run_id, tracking_uri)


def _log(mlflow: ModuleType, booster: xgb.Booster, record: TrainingRecord, name: str) -> str:
    """Log everything to the active run; returns the new version of the registered model."""
    mlflow.set_tags(_tags(record))
    mlflow.log_params(dict(record.params))
    mlflow.log_metrics(dict(record.metrics))
    for file, document in record.documents.items():
        mlflow.log_text(write_json(document), f"artifacts/{file}")
    # It prints the new version, as the script does.
    with contextlib.redirect_stderr(io.StringIO()):
        model = mlflow.xgboost.log_model(
            xgb_model=booster,
            name="model",
            model_format="ubj",
            signature=_signature(),
            input_example=record.example,
            pip_requirements=[f"xgboost=={xgb.__version__}"],
            registered_model_name=name,
        )
    return str(model.registered_model_version)


def absolute_uri(tracking_uri: str) -> str:
    """The URI with a relative SQLite path taken from the working directory."""
    path = tracking_uri.removeprefix(_SQLITE)
    if path == tracking_uri or path.startswith("/"):
        return tracking_uri
    return f"{_SQLITE}{Path.cwd() / path}"


def code_reference(folder: Path) -> str | None:
    """The git commit of a folder, with `-dirty` when files differ from it; None without one."""
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or None if answer.returncode == 0 else None


def _tags(record: TrainingRecord) -> dict[str, str]:
    tags = {"data_version": record.data_version}
    reference = code_reference(Path(__file__).parent)
    return tags if reference is None else tags | {"code_reference": reference}


def _sqlite_folder(tracking_uri: str) -> Path | None:
    if not tracking_uri.startswith(_SQLITE):
        return None
    return Path(tracking_uri.removeprefix(_SQLITE)).parent


def _experiment_id(client: Any, experiment: str, folder: Path | None) -> str:
    found = client.get_experiment_by_name(experiment)
    if found is not None:
        return str(found.experiment_id)
    # MLflow's own default is relative: the files would be lost from another working directory.
    location = None if folder is None else (folder / "mlruns").as_uri()
    return str(client.create_experiment(experiment, artifact_location=location))


def _signature() -> Any:
    from mlflow.models import ModelSignature  # noqa: PLC0415  # see register
    from mlflow.types import ColSpec, Schema  # noqa: PLC0415

    columns = [ColSpec(feature.type, feature.name, feature.required) for feature in FEATURES]
    return ModelSignature(
        inputs=Schema(columns), outputs=Schema([ColSpec("float", each.name) for each in OUTPUTS])
    )


@contextlib.contextmanager
def _quiet_mlflow() -> Iterator[None]:
    """MLflow without its progress bars, hints and usage reports; errors still come through."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    loggers = [logging.getLogger(name) for name in _NOISY_LOGGERS]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow  # noqa: F401, PLC0415  # sets up its loggers, whose levels are set next

        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
