"""What every declaration is: a frozen document whose unknown keys and loose types are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from forecast_packaging.documents import read_json
from forecast_packaging.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

Name = Annotated[str, Field(min_length=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Declaration(BaseModel):
    """A part of a document that a run logs."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


Document = TypeVar("Document", bound=Declaration)


def read_declaration(folder: Path, path: str, kind: type[Document]) -> Document | None:
    """The document of a snapshot; None when the run logged none.

    Args:
        folder: The snapshot.
        path: The document's path in it, which is also its name in messages.
        kind: What the document must be.

    Raises:
        ModelError: The file breaks a rule; every broken one is named.
    """
    file = folder / path
    if not file.is_file():
        return None
    document = read_json(file, path)
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        lines = [_explain(path, problem) for problem in error.errors(include_url=False)]
        raise ModelError("\n".join(lines)) from None


def _explain(path: str, problem: Any) -> str:
    place = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    message = f"{message[:1].lower()}{message[1:]}"
    got = problem["input"]
    shown = f", got {got!r}" if isinstance(got, str | int | float) else ""
    return f"{path}: {f'{place}: ' if place else ''}{message}{shown}"
