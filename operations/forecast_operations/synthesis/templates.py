"""Synthesized CloudFormation templates, read without the CDK."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError

if TYPE_CHECKING:
    from pathlib import Path

    from forecast_config import EnvironmentSettings

_PSEUDO = {
    "AWS::AccountId": "<account>",
    "AWS::Partition": "aws",
    "AWS::Region": "<region>",
    "AWS::URLSuffix": "amazonaws.com",
}


def read_template(path: Path) -> dict[str, Any]:
    """A template in JSON, as `cdk synth` writes it.

    Raises:
        ForecastError: There is no such file, or it is not a template.
    """
    try:
        template: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ForecastError(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise ForecastError(f"{path}: expected a template in JSON, got {error}") from None
    resources = template.get("Resources") if isinstance(template, dict) else None
    if not isinstance(resources, dict) or not all(
        isinstance(resource, dict) and isinstance(resource.get("Type"), str)
        for resource in resources.values()
    ):
        raise ForecastError(f"{path}: expected a CloudFormation template with Resources, got none")
    return template


def templates_of(settings: EnvironmentSettings, folder: Path) -> list[Path]:
    """The templates of an environment's stacks in the output of a synth, the stateful one first.

    Raises:
        ForecastError: They are not there.
    """
    paths = [
        folder / f"{stack}.template.json"
        for stack in (settings.artifacts_stack_name, settings.stack_name)
    ]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise ForecastError(f"{' and '.join(missing)}: no such file; run: cdk synth")
    return paths


def flatten(value: Any) -> str:
    """A value of a template as text; what is known at deployment only stands in angle brackets."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and len(value) == 1:
        ((function, argument),) = value.items()
        flattened = _flatten_function(function, argument)
        if flattened is not None:
            return flattened
    return json.dumps(value)


def _flatten_function(function: str, argument: Any) -> str | None:
    if function == "Ref":
        return _PSEUDO.get(argument, f"<{argument}>")
    if function == "Fn::GetAtt":
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        return f"<{'.'.join(parts)}>"
    if function == "Fn::Join":
        separator, parts = argument
        return str(separator).join(flatten(part) for part in parts)
    if function == "Fn::Sub":
        text, known = argument if isinstance(argument, list) else (argument, {})
        return re.sub(
            r"\$\{([^}!]+)\}",
            lambda found: flatten(known.get(found[1], {"Ref": found[1]})),
            text,
        )
    return f"<{flatten(argument)}>" if function == "Fn::ImportValue" else None
