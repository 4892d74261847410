"""The exports of stacks: each name once, and none taken away that another stack imports."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from moto.cloudformation.exceptions import ValidationError

from forecast_local.cloudformation.stack import LocalStack
from forecast_local.cloudformation.target import Output
from forecast_local.cloudformation.template import TemplateError


def require_free(known: Mapping[str, Any], stack: LocalStack, outputs: Iterable[Output]) -> None:
    """Refuse an output whose export name another stack has taken.

    Args:
        known: All exports by name.
        stack: The stack that wants to export.
        outputs: Its new outputs.

    Raises:
        TemplateError: A name is taken.
    """
    for output in outputs:
        export = known.get(output.export_name) if output.export_name else None
        if export is not None and export.exporting_stack_id != stack.stack_id:
            raise TemplateError(
                f"Export with name {output.export_name} is already exported by stack "
                f"{export.exporting_stack_id}."
            )


def require_unused(stacks: Collection[Any], stack: LocalStack, keep: Mapping[str, str]) -> None:
    """Refuse to change or take away an export that another stack imports.

    Args:
        stacks: All stacks.
        stack: The stack that exports.
        keep: Names and values that it will export; empty when it is deleted.

    Raises:
        ValidationError: The stack is to be deleted, and an export is in use.
        TemplateError: An export that is in use would change or go.
    """
    for export in stack.exports:
        if keep.get(export.name) == export.value:
            continue
        users = [
            other.name
            for other in stacks
            if isinstance(other, LocalStack) and export.name in other.imported
        ]
        if users:
            verb = "updated" if export.name in keep else "deleted"
            message = f"Export {export.name} cannot be {verb} as it is in use by {', '.join(users)}"
            raise ValidationError(message=message) if not keep else TemplateError(message)
