"""What the command line asks of a synth: the app's context flags, typed."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from forecast_config.errors import ForecastError
from forecast_config.rollouts import without_challenger
from forecast_config.settings import EcrImage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Node

    from forecast_config.settings import EnvironmentSettings, ForecastConfig

DEFAULT_CONFIG = Path("config/forecast.yaml")

LOG_DELIVERY_FLAG = "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy"
"""Feature flag without which access logs would need an ACL on a bucket that has none."""

_FLAGS = (
    "config",
    "environments",
    "accounts",
    "model_version",
    "model_alias",
    "candidate_run_id",
    "challenger",
    "image_uri",
    "reset_weights",
    "checks",
)


@dataclass(frozen=True, kw_only=True)
class SynthContext:
    """The flags of one synth, as in `cdk synth -c environments=dev,prod -c model_version=16`.

    Attributes:
        config: The configuration file (`config`).
        environments: Environments to synthesize (`environments`); default: all.
        accounts: Account ids by environment (`accounts=dev=111111111111,prod=222222222222`).
        model_version: Version that takes the place of the locked one.
        model_alias: Alias whose version takes the place of the locked one.
        candidate_run_id: Run id whose version takes the place of the locked one.
        without_challenger: Whether nobody is compared with the champion, whatever the rollouts say
            (`challenger=none`).
        image_uri: Image in Amazon ECR that takes the place of the configured one: one that was
            built elsewhere, where no Docker is at hand.
        reset_weights: Whether a split goes back to the share in the configuration
            (`reset_weights=true`); default: a shifted share survives the update.
        conformance: Whether cdk-nag's conformance packs check the templates (`checks=nag`).
    """

    config: Path
    environments: tuple[str, ...] | None
    accounts: Mapping[str, str]
    model_version: str | None
    model_alias: str | None
    candidate_run_id: str | None
    without_challenger: bool
    image_uri: str | None
    reset_weights: bool
    conformance: bool

    @classmethod
    def from_node(cls, node: Node) -> SynthContext:
        """The flags in a construct's context.

        Raises:
            ForecastError: A flag is unknown, empty or malformed, or the feature flags are missing.
        """
        _check_feature_flags(node)
        _check_flags(node.get_all_context())
        flags = {name: _text(name, node.try_get_context(name)) for name in _FLAGS}
        return cls(
            config=Path(flags["config"] or DEFAULT_CONFIG),
            environments=_names(flags["environments"]),
            accounts=_pairs(flags["accounts"]),
            model_version=flags["model_version"],
            model_alias=flags["model_alias"],
            candidate_run_id=flags["candidate_run_id"],
            without_challenger=_absence("challenger", flags["challenger"]),
            image_uri=_image(flags["image_uri"]),
            reset_weights=_truth("reset_weights", flags["reset_weights"]),
            conformance=_conformance(flags["checks"]),
        )

    def select(self, config: ForecastConfig) -> list[EnvironmentSettings]:
        """The environments to synthesize.

        Raises:
            ForecastError: One that was asked for is not in the configuration.
        """
        names = list(config.environments) if self.environments is None else self.environments
        for name in names:
            if name not in config.environments:
                known = ", ".join(config.environments)
                raise ForecastError(f"environments: expected one of {known}, got '{name}'")
        chosen = [config.environments[name] for name in names]
        return [without_challenger(each) for each in chosen] if self.without_challenger else chosen


def _check_feature_flags(node: Node) -> None:
    """Refuse to synthesize other templates than the CDK CLI does, which hands over cdk.json."""
    if node.try_get_context(LOG_DELIVERY_FLAG) is None:
        raise ForecastError(
            f"the feature flag {LOG_DELIVERY_FLAG} is not set: run the app with the CDK CLI, as in "
            "npx cdk synth, beside a cdk.json that has the recommended feature flags"
        )


def _check_flags(context: Mapping[str, Any]) -> None:
    """Refuse a flag that nobody reads, which would synthesize something else than was asked for.

    Keys with a colon, such as the feature flags in cdk.json, belong to the CDK.
    """
    for key in context:
        if key in _FLAGS or ":" in key:
            continue
        close = difflib.get_close_matches(key, _FLAGS, n=1)
        hint = f"did you mean {close[0]}" if close else f"expected one of: {', '.join(_FLAGS)}"
        raise ForecastError(f"-c {key}: unknown context flag; {hint}")


def _text(name: str, value: Any) -> str | None:
    if value is None:
        return None
    text = str(value).strip()
    if not text:
        raise ForecastError(f"{name}: expected a value, got none")
    return text


def _names(value: str | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = tuple(dict.fromkeys(_parts(value)))
    if not names:
        raise ForecastError(f"environments: expected at least one environment, got '{value}'")
    return names


def _pairs(value: str | None) -> dict[str, str]:
    accounts: dict[str, str] = {}
    for part in () if value is None else _parts(value):
        name, equals, account = part.partition("=")
        if not (name and equals and account):
            raise ForecastError(
                f"accounts: expected environment=account such as dev=111111111111, got '{part}'"
            )
        if accounts.setdefault(name.strip(), account.strip()) != account.strip():
            raise ForecastError(f"accounts: expected one account for '{name.strip()}', got two")
    return accounts


def _truth(name: str, value: str | None) -> bool:
    if value is None:
        return False
    if value.lower() not in {"true", "false"}:
        raise ForecastError(f"{name}: expected true or false, got '{value}'")
    return value.lower() == "true"


def _absence(name: str, value: str | None) -> bool:
    if value not in {None, "none"}:
        raise ForecastError(f"{name}: expected none, got '{value}'")
    return value is not None


def _conformance(value: str | None) -> bool:
    if value not in {None, "nag"}:
        raise ForecastError(f"checks: expected nag, got '{value}'")
    return value is not None


def _image(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        return EcrImage(kind="ecr", uri=value).uri
    except ValidationError as error:
        raise ForecastError(f"image_uri: {error.errors()[0]['msg']}") from None


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]
