"""What all settings have in common."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator

from forecast_config.settings.ruling import Rule, all_refused, broken_rules, values_of


class Settings(BaseModel):
    """Literal values from the configuration: typed strictly, closed and never changed."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )

    rules: ClassVar[tuple[Rule, ...]] = ()
    """Rules between the block's values; a file's are checked by `forecast_config.reading`."""

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        broken = list(broken_rules(self.rules, values_of(self)))
        if broken:
            raise all_refused(broken, self)
        return self
