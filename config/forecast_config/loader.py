"""The configuration file read into settings, with all its problems reported at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from forecast_config.errors import ConfigError, Problem
from forecast_config.explain import explain, unknown_key
from forecast_config.merge import merge
from forecast_config.settings import EnvironmentSettings, ForecastConfig, ModelSettings
from forecast_config.settings.rules import broken_rules
from forecast_config.yaml_source import YamlSource, dotted, type_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forecast_config.yaml_source import KeyPath

TOP_LEVEL_KEYS = ("model", "allowed_regions", "defaults", "environments")


def load_config(path: Path | str, *, accounts: Mapping[str, str] | None = None) -> ForecastConfig:
    """The settings of a configuration file.

    Args:
        path: The YAML file.
        accounts: Account ids by environment, which take the place of those in the file.

    Raises:
        ConfigError: Anything in the file that is wrong, all of it at once, each with its line.
    """
    return _Loader(Path(path), accounts or {}).load()


class _Loader:
    def __init__(self, path: Path, accounts: Mapping[str, str]) -> None:
        self._path = path
        self._accounts = accounts
        self._source = YamlSource.read(path)
        self._problems: list[Problem] = []
        self._origins: dict[KeyPath, KeyPath] = {}

    def load(self) -> ForecastConfig:
        data = self._source.data
        self._check_keys((), data, TOP_LEVEL_KEYS)
        model = self._validate(ModelSettings, data.get("model", {}), ("model",))
        regions = self._validate(
            _annotation(ForecastConfig, "allowed_regions"),
            data.get("allowed_regions", ()),
            ("allowed_regions",),
        )
        environments = {
            name: self._environment(name, block)
            for name, block in self._environment_blocks().items()
        }
        self._check_across(environments, regions or ())
        if self._problems or model is None or regions is None:
            raise ConfigError(str(self._path), self._problems)
        return ForecastConfig(
            source=self._path,
            model=model,
            allowed_regions=regions,
            environments={
                name: EnvironmentSettings(**values) for name, values in environments.items()
            },
        )

    def _environment_blocks(self) -> dict[str, dict[str, Any]]:
        data = self._source.data
        defaults = self._mapping(("defaults",), data.get("defaults", {}))
        environments = self._mapping(("environments",), data.get("environments", {}))
        if not environments:
            self._report(("environments",), "expected at least one environment, got none")
        self._check_keys(("defaults",), defaults, _environment_keys())
        for name in self._accounts.keys() - environments.keys():
            known = ", ".join(environments)
            self._report((), f"an account is given for '{name}', expected one of: {known}")
        blocks = {}
        for name, own in environments.items():
            path = ("environments", name)
            block, origins = merge(defaults, self._mapping(path, own), path, ("defaults",))
            self._origins |= origins
            if name in self._accounts:
                block["account"] = self._accounts[name]
            blocks[name] = block
        return blocks

    def _environment(self, name: str, block: dict[str, Any]) -> dict[str, Any]:
        """The valid values of one environment, all the others being reported."""
        path = ("environments", name)
        own_keys = {key: value for key, value in block.items() if (*path, key) not in self._origins}
        self._check_keys(path, own_keys, _environment_keys())
        values: dict[str, Any] = {}
        for key, field in EnvironmentSettings.model_fields.items():
            if key not in block and key != "name":
                if field.is_required():
                    self._report((*path, key), "is missing")
                else:
                    values[key] = field.get_default(call_default_factory=True)
                continue
            raw, at = (name, path) if key == "name" else (block[key], (*path, key))
            found = len(self._problems)
            value = self._validate(_annotation(EnvironmentSettings, key), raw, at)
            if len(self._problems) == found:
                values[key] = value
        for key, message in broken_rules(values):
            self._report((*path, *key.split(".")), message)
        return values

    def _check_across(
        self, environments: Mapping[str, Mapping[str, Any]], allowed: Iterable[str]
    ) -> None:
        owners: dict[str, str] = {}
        for name, values in environments.items():
            path = ("environments", name)
            region, endpoint = values.get("region"), values.get("endpoint")
            if region is not None and region not in allowed:
                expected = ", ".join(allowed)
                message = f"expected one of allowed_regions ({expected}), got '{region}'"
                self._report((*path, "region"), message)
            if endpoint is None:
                continue
            owner = owners.setdefault(endpoint.name.lower(), name)
            if owner != name:
                message = f"expected a name of its own, got '{endpoint.name}' as in {owner}"
                self._report((*path, "endpoint", "name"), message)

    def _validate(self, kind: Any, raw: Any, path: KeyPath) -> Any:
        try:
            return TypeAdapter(kind).validate_python(raw, strict=True)
        except ValidationError as error:
            for details in error.errors(include_url=False):
                location, message = explain(details, raw, kind)
                self._report((*path, *location), message)
            return None

    def _mapping(self, path: KeyPath, value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self._report(path, f"expected a mapping of keys, got {type_name(value)}")
        return {}

    def _check_keys(self, path: KeyPath, block: dict[str, Any], known: Iterable[str]) -> None:
        for key in block.keys() - set(known):
            self._report((*path, key), unknown_key(str(key), known))

    def _report(self, path: KeyPath, message: str) -> None:
        origin = path
        rest: KeyPath = ()
        while origin and origin not in self._origins:
            origin, rest = origin[:-1], (origin[-1], *rest)
        from_defaults = (*self._origins[origin], *rest) if origin in self._origins else path
        line = self._source.line_of(from_defaults)
        self._problems.append(Problem(line, dotted(path), message))


def _annotation(model: type[BaseModel], key: str) -> Any:
    field = model.model_fields[key]
    return Annotated[field.annotation, field]


def _environment_keys() -> list[str]:
    return [key for key in EnvironmentSettings.model_fields if key != "name"]
