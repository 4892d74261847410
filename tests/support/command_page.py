"""Writes the page of every subcommand of `forecast`, from the command itself.

python tests/support/command_page.py --write docs/commands.md
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from generated_page import print_or_write
from typer.main import get_command

from forecast_operations.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORDS = {str: "TEXT", int: "INTEGER", float: "NUMBER", Path: "PATH"}

HEAD = """\
# Commands

<!-- Generated: python tests/support/command_page.py --write docs/commands.md -->

Every subcommand of `forecast`, as `forecast COMMAND --help` explains it.

- Results go to standard output, progress and warnings to standard error; with `--json` standard
  output holds one document and nothing else.
- Exit codes: 0 is fine, 1 refused or a check failed, 2 a wrong configuration or usage, 130
  interrupted.
- Region and account come from the environment's settings; profile, endpoint and retries from the
  surroundings (`AWS_PROFILE`, `AWS_ENDPOINT_URL`, `AWS_MAX_ATTEMPTS`), as for every tool of AWS.
- `FORECAST_CONFIG` names the configuration file where `--config` does not.
- What a command needs of AWS is in [permissions](permissions.md).
"""


@dataclass(frozen=True)
class Subcommand:
    """A subcommand as it is typed, and what the command line knows of it."""

    path: str
    command: Any

    @property
    def anchor(self) -> str:
        """Anchor of its heading."""
        return self.path.replace(" ", "-")

    @property
    def help(self) -> str:
        """Its whole help, as it stands in the source."""
        return str(self.command.help or "").strip()

    @property
    def first_sentence(self) -> str:
        """What it is, in a line."""
        return " ".join(self.help.split("\n\n", maxsplit=1)[0].split())


def subcommands() -> list[Subcommand]:
    """Every subcommand that is not a group of others, in the order of the help."""
    return list(_below(get_command(app), "forecast"))


def _below(command: Any, path: str) -> Iterator[Subcommand]:
    children = getattr(command, "commands", None)
    if children is None:
        yield Subcommand(path, command)
        return
    for name, child in children.items():
        if not child.hidden:
            yield from _below(child, f"{path} {name}")


def document() -> str:
    """The page as Markdown."""
    found = subcommands()
    overview = "\n".join(
        f"| [`{each.path}`](#{each.anchor}) | {_cell(each.first_sentence)} |" for each in found
    )
    sections = "\n\n".join(_section(each) for each in found)
    return f"{HEAD}\n| command | what it does |\n|---|---|\n{overview}\n\n{sections}\n"


def _section(subcommand: Subcommand) -> str:
    parts = [f"## {subcommand.path}", _escaped(subcommand.help)]
    parameters = [each for each in subcommand.command.params if not getattr(each, "hidden", False)]
    arguments = [each for each in parameters if each.param_type_name == "argument"]
    options = [each for each in parameters if each.param_type_name == "option"]
    words = [*(_typed(each) for each in arguments), *(["[OPTIONS]"] if options else [])]
    parts.append(f"```sh\n{' '.join([subcommand.path, *words])}\n```")
    if arguments:
        rows = "\n".join(
            f"| `{_cell(_typed(each))}` | {_cell(each.help or '')}{_default(each)} |"
            for each in arguments
        )
        parts.append(f"| argument | meaning |\n|---|---|\n{rows}")
    if options:
        rows = "\n".join(
            f"| {_names(each)} | {_cell(each.help or '')}{_default(each)} |" for each in options
        )
        parts.append(f"| option | meaning |\n|---|---|\n{rows}")
    return "\n\n".join(parts)


def _typed(argument: Any) -> str:
    name = str(argument.metavar or argument.name.upper())
    if argument.required or name.startswith("["):
        return name
    return f"[{name}]"


def _names(option: Any) -> str:
    names = [*sorted(option.opts, key=len, reverse=True), *option.secondary_opts]
    shown = ", ".join(f"`{name}`" for name in names)
    return shown if option.is_flag else f"{shown} `{_value_of(option)}`"


def _value_of(option: Any) -> str:
    """What an option takes: choices, or a word for its type."""
    if option.metavar:
        return str(option.metavar)
    annotation = option.type_descriptor.annotation
    arguments = [each for each in get_args(annotation) if each is not type(None)]
    if arguments and all(isinstance(each, str) for each in arguments):
        return "\\|".join(arguments)
    kind = next((each for each in (annotation, *arguments) if each in _WORDS), str)
    return _WORDS[kind]


def _default(parameter: Any) -> str:
    if parameter.required:
        return "" if parameter.param_type_name == "argument" else " Must be given."
    value = parameter.default
    said = "repeat" in (parameter.help or "")
    many = " May be repeated." if getattr(parameter, "multiple", False) and not said else ""
    if value is None or value is False or callable(value) or value in ((), []):
        return many
    shown = parameter.opts[0] if value is True else getattr(value, "value", value)
    return f"{many} Default: `{shown}`."


def _cell(text: str) -> str:
    return _escaped(" ".join(text.split())).replace("|", "\\|")


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;")


if __name__ == "__main__":
    print_or_write(__doc__, document)
