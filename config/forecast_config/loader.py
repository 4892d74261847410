"""The configuration file read into settings, with all its problems reported at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast_config.errors import ConfigError, Problem
from forecast_config.merge import merge
from forecast_config.reading import BlockReader
from forecast_config.settings import EnvironmentSettings, ForecastConfig
from forecast_config.settings.environment import OF_THE_FILE
from forecast_config.stages import stage_defaults
from forecast_config.words import dotted, type_name, unknown_key
from forecast_config.yaml_source import YamlSource

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from forecast_config.words import KeyPath

TOP_LEVEL_KEYS = (
    "model",
    "serving",
    "stack_prefix",
    "allowed_regions",
    "defaults",
    "environments",
)

ACCOUNTS_SOURCE = "-c accounts"
"""What account ids given for the file's stand in: the context flag of the app."""


def load_config(path: Path | str, *, accounts: Mapping[str, str] | None = None) -> ForecastConfig:
    """The settings of a configuration file.

    Args:
        path: The YAML file.
        accounts: Account ids by environment, which take the place of those in the file.

    Raises:
        ConfigError: Anything in the file that is wrong, all of it at once, each with its line.
    """
    return _Loader(Path(path), accounts or {}).load()


def load_environments(
    path: Path | str, names: Collection[str] | None
) -> tuple[ForecastConfig, dict[str, EnvironmentSettings]]:
    """The settings of a configuration file, and the environments named, in the file's order.

    Args:
        path: The YAML file.
        names: Names of environments; none: all of them.

    Raises:
        ConfigError: The configuration is wrong, or has no environment of a name.
    """
    config = load_config(path)
    unknown = [name for name in names or () if name not in config.environments]
    if unknown:
        known = ", ".join(config.environments)
        problems = [
            Problem(0, "environments", f"expected one of: {known}, got '{name}'")
            for name in unknown
        ]
        raise ConfigError(str(path), problems)
    return config, {
        name: settings
        for name, settings in config.environments.items()
        if not names or name in names
    }


class _Loader:
    def __init__(self, path: Path, accounts: Mapping[str, str]) -> None:
        self._path = path
        self._accounts = accounts
        self._source = YamlSource.read(path)
        self._problems: list[Problem] = []
        self._origins: dict[KeyPath, KeyPath] = {}
        self._built_in: set[KeyPath] = set()

    def load(self) -> ForecastConfig:
        data = self._source.data
        self._check_keys((), data, TOP_LEVEL_KEYS)
        whole: dict[str, Any] = {
            key: data[key]
            for key in ("model", "serving", "stack_prefix", "allowed_regions")
            if key in data
        }
        whole["source"], whole["environments"] = self._path, self._environments()
        BlockReader(self._report).read(ForecastConfig, whole)
        if self._problems:
            raise ConfigError(str(self._path), self._problems)
        return ForecastConfig.model_validate(whole)

    def _environments(self) -> Any:
        """The environments over the defaults; what is no mapping stays as it is, to be refused."""
        environments = self._source.data.get("environments", {})
        if not isinstance(environments, dict):
            return environments
        defaults = self._defaults()
        for name in self._accounts.keys() - environments.keys():
            known = ", ".join(environments)
            message = f"an account is given for '{name}', expected one of: {known}"
            self._problems.append(Problem(0, "", message, ACCOUNTS_SOURCE))
        return {
            name: self._environment(name, own, defaults) if isinstance(own, dict) else own
            for name, own in environments.items()
        }

    def _defaults(self) -> dict[str, Any]:
        defaults = self._source.data.get("defaults", {})
        if not isinstance(defaults, dict):
            message = f"expected a mapping of keys, got {type_name(defaults)}"
            self._report(("defaults",), message)
            return {}
        known = _environment_keys()
        self._check_keys(("defaults",), defaults, known)
        return {key: value for key, value in defaults.items() if key in known}

    def _environment(
        self, name: str, own: dict[str, Any], defaults: dict[str, Any]
    ) -> dict[str, Any]:
        path = ("environments", name)
        block, origins = merge(defaults, own, path, ("defaults",))
        self._origins |= origins
        block, built_in = merge(stage_defaults(name, block), block, path, ())
        self._built_in |= built_in.keys()
        for key in OF_THE_FILE:
            if key in block:
                self._report_in_file((*path, key), unknown_key(key, _environment_keys()))
        prefix = self._source.data.get("stack_prefix")
        if isinstance(prefix, str):
            block["stack_prefix"] = prefix
        if name in self._accounts:
            block["account"] = self._accounts[name]
        return {**block, "name": name}

    def _check_keys(self, path: KeyPath, block: dict[str, Any], known: Iterable[str]) -> None:
        for key in block.keys() - set(known):
            self._report((*path, key), unknown_key(str(key), known))

    def _report(self, path: KeyPath, message: str) -> None:
        match path:
            case ("environments", name, "account") if name in self._accounts:
                self._problems.append(Problem(0, dotted(path), message, ACCOUNTS_SOURCE))
            case ("environments", name, "name"):
                self._report_in_file(path[:2], message)
            case ("environments", _, "stack_prefix"):
                pass  # told of the file's own key
            case _:
                self._report_in_file(path, message)

    def _report_in_file(self, path: KeyPath, message: str) -> None:
        origin = path
        rest: KeyPath = ()
        while origin and origin not in self._origins:
            origin, rest = origin[:-1], (origin[-1], *rest)
        from_defaults = (*self._origins[origin], *rest) if origin in self._origins else path
        line = self._source.line_of(from_defaults)
        if any(path[:length] in self._built_in for length in range(1, len(path) + 1)):
            message = f"{message} (a default that is built in for environments of this name)"
        self._problems.append(Problem(line, dotted(path), message))


def _environment_keys() -> list[str]:
    return [key for key in EnvironmentSettings.model_fields if key not in OF_THE_FILE]
