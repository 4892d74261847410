"""What all settings have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from typing import LiteralString


class Settings(BaseModel):
    """Literal values from the configuration: typed strictly, closed and never changed."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


def broken_rule(key: str, message: LiteralString | str) -> PydanticCustomError:
    """The error of a rule between several keys of one block, laid at the key named.

    Raise it inside a validator; the loader adds the file, the line and the path of the block.
    """
    return PydanticCustomError("broken_rule", "{message}", {"key": key, "message": message})
