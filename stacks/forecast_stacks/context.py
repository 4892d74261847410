"""What the command line asks of a synth: the app's context flags, typed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast_config.errors import ForecastError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from constructs import Node

    from forecast_config.settings import EnvironmentSettings, ForecastConfig

DEFAULT_CONFIG = Path("config/forecast.yaml")

_FLAGS = (
    "config",
    "environments",
    "accounts",
    "model_version",
    "model_alias",
    "candidate_run_id",
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
    """

    config: Path
    environments: tuple[str, ...] | None
    accounts: Mapping[str, str]
    model_version: str | None
    model_alias: str | None
    candidate_run_id: str | None

    @classmethod
    def from_node(cls, node: Node) -> SynthContext:
        """The flags in a construct's context.

        Raises:
            ForecastError: A flag is empty or malformed.
        """
        flags = {name: _text(name, node.try_get_context(name)) for name in _FLAGS}
        return cls(
            config=Path(flags["config"] or DEFAULT_CONFIG),
            environments=_names(flags["environments"]),
            accounts=dict(_pairs(flags["accounts"])),
            model_version=flags["model_version"],
            model_alias=flags["model_alias"],
            candidate_run_id=flags["candidate_run_id"],
        )

    def select(self, config: ForecastConfig) -> list[EnvironmentSettings]:
        """The environments to synthesize.

        Raises:
            ForecastError: One that was asked for is not in the configuration.
        """
        if self.environments is None:
            return list(config.environments.values())
        for name in self.environments:
            if name not in config.environments:
                known = ", ".join(config.environments)
                raise ForecastError(f"environments: expected one of {known}, got '{name}'")
        return [config.environments[name] for name in self.environments]


def _text(name: str, value: Any) -> str | None:
    if value is None:
        return None
    text = str(value).strip()
    if not text:
        raise ForecastError(f"{name}: expected a value, got none")
    return text


def _names(value: str | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(dict.fromkeys(_parts(value)))


def _pairs(value: str | None) -> Iterator[tuple[str, str]]:
    for part in () if value is None else _parts(value):
        name, equals, account = part.partition("=")
        if not (name and equals and account):
            raise ForecastError(
                f"accounts: expected environment=account such as dev=111111111111, got '{part}'"
            )
        yield name.strip(), account.strip()


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]
