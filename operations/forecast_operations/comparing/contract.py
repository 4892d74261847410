"""What requests and answers of an endpoint look like, and which inputs say what is forecast."""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError
from forecast_operations.cloud.objects import read, split
from forecast_operations.cloud.refusals import silence
from forecast_operations.deployed.live import Live
from forecast_operations.records.place import addresses_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forecast_operations.cloud.cloud import Cloud

SCHEMA_FILE = "artifacts/feature_schema.json"
_DATES = ("date", "datetime")


@dataclass(frozen=True, kw_only=True)
class Output:
    """One value of a forecast.

    Attributes:
        name: Its key in an answer.
        column: Column of the model that it is made of, by which actuals may call it too.
        unit: What it counts; empty where the model does not say.
    """

    name: str
    column: str
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What is read of an exchange.

    Attributes:
        inputs: Names of the inputs, in the order of rows that are arrays.
        items: Inputs that together say which item a row is about; none: all rows are one item.
        date: Input that says which time point a row is about; None: there is none.
        outputs: What is forecast.
        level: Level of the intervals that are answered unasked; None: there are none.
        step_days: Days between the steps of a horizon.
    """

    inputs: tuple[str, ...]
    items: tuple[str, ...]
    date: str | None
    outputs: tuple[Output, ...]
    level: float | None = None
    step_days: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the outputs."""
        return tuple(output.name for output in self.outputs)


def read_contract(
    schema: Mapping[str, Any], items: Sequence[str] = (), date: str | None = None
) -> Contract:
    """The contract of a feature schema.

    Args:
        schema: The content of `artifacts/feature_schema.json`.
        items: Inputs that name the item, instead of the only text among the inputs.
        date: Input that names the time point, instead of the horizon's or the only date.

    Raises:
        ForecastError: An input of that name is not there, or it is not clear which one it is.
    """
    types = {entry["name"]: str(entry["type"]) for entry in schema["inputs"]}
    for name in (*items, *([] if date is None else [date])):
        if name not in types:
            raise ForecastError(
                f"the model has no input '{name}', expected one of {', '.join(types)}; choose with "
                "--item-column and --date-column"
            )
    horizon = schema.get("horizon") or {}
    intervals = schema.get("intervals") or {}
    dates = [name for name, kind in types.items() if kind in _DATES]
    texts = [name for name, kind in types.items() if kind == "string"]
    return Contract(
        inputs=tuple(types),
        items=tuple(items) or _only(texts, "text", "--item-column"),
        date=date
        or horizon.get("date_input")
        or next(iter(_only(dates, "date", "--date-column")), None),
        outputs=tuple(
            Output(
                name=entry["name"],
                column=entry.get("column", entry["name"]),
                unit=entry.get("unit") or "",
            )
            for entry in schema["outputs"]
        ),
        level=intervals.get("default_level"),
        step_days=7 if horizon.get("step") == "week" else 1,
    )


def _only(names: Sequence[str], what: str, option: str) -> tuple[str, ...]:
    if len(names) > 1:
        raise ForecastError(
            f"the model has several inputs that are a {what}: {', '.join(names)}; say which one "
            f"tells the forecasts apart: {option} {names[0]}"
        )
    return tuple(names)


def fetch_schema(cloud: Cloud, model_name: str) -> dict[str, Any]:
    """The feature schema of a model that is deployed, read from the archive it serves.

    Members of an archive are sorted, the model's files last: no more is read than what stands
    before the schema.

    Raises:
        ForecastError: The model or its archive is not there, or holds no such schema.
    """
    addresses = addresses_of(Live(cloud).sagemaker_model(model_name) or {})
    if not addresses:
        raise ForecastError(
            f"expected the model {model_name} and where its archive lies, got neither; deploy again"
        )
    address = str(addresses[0])
    if address.endswith("/"):
        return _parsed(_file(cloud, address + SCHEMA_FILE), address)
    return _parsed(_member(cloud, address), address)


def _file(cloud: Cloud, address: str) -> bytes:
    content = read(cloud, *split(address))
    if content is None:
        raise _nothing_at(address)
    return content


def _nothing_at(address: str) -> ForecastError:
    return ForecastError(
        f"expected the model's files at {address}, got nothing there; was the bucket emptied? "
        "deploy again"
    )


def _member(cloud: Cloud, address: str) -> bytes:
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - half a second

    bucket, key = split(address)
    found = cloud.ask("s3", "get_object", missing="NoSuchKey", Bucket=bucket, Key=key)
    if found is None:
        raise _nothing_at(address)
    try:
        with tarfile.open(fileobj=found["Body"], mode="r|gz") as archive:
            for member in archive:
                if member.name == SCHEMA_FILE and (file := archive.extractfile(member)):
                    return file.read()
    except BotoCoreError as error:
        raise silence(error) from None
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ForecastError(f"{address}: expected a model archive, got: {error}") from None
    raise ForecastError(
        f"{address} holds no {SCHEMA_FILE}, which says what requests look like; was it packed with "
        "forecast package?"
    )


def _parsed(content: bytes, address: str) -> dict[str, Any]:
    try:
        schema = json.loads(content)
        if schema["inputs"] and schema["outputs"]:
            return dict(schema)
    except (ValueError, KeyError, TypeError):
        pass
    raise ForecastError(
        f"expected inputs and outputs in {SCHEMA_FILE} of {address}, got none; pack the model again"
    )
