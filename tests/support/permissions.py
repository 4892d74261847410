"""Reads every call to AWS from the source of `forecast`; writes the page of permissions.

python tests/support/permissions.py --write docs/permissions.md
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from call_graph import CallGraph, read_modules
from generated_page import print_or_write
from permission_policies import CAPTURES, LOOKS, OPERATES, REMOVES, policy

from forecast_operations.cli import app
from forecast_operations.cloud.cloud import permission_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import typer

ASKING = ("ask", "pages")
"""Methods of Cloud that call AWS."""

READING = ("BatchGet", "Describe", "Filter", "Get", "Head", "List", "Lookup", "Search")
READING_ALL_THE_SAME = frozenset({"kms:Decrypt", "logs:StartQuery", "logs:StopQuery"})
"""Permissions that change nothing, though they are not called so."""

NEEDS_NONE = frozenset({"sts:GetCallerIdentity"})
"""What everybody may ask (AWS STS API reference)."""

BESIDES = {
    "create_endpoint": ("kms:CreateGrant", "sagemaker:AddTags"),
    "delete_endpoint": ("application-autoscaling:DeregisterScalableTarget",),
    "delete_objects": ("s3:DeleteObjectVersion",),
    "get_object": ("kms:Decrypt", "s3:ListBucket"),
    "get_schedule": ("kms:Decrypt",),
    "put_object": ("kms:GenerateDataKey",),
    "update_schedule": ("iam:PassRole", "kms:DescribeKey", "kms:GenerateDataKey"),
}
"""Permissions that operations need besides: Amazon S3's for single versions, for what the
environment's key encrypts (Amazon S3 user guide, SSE-KMS), and to be told of an object that it is
not there (Amazon S3 API reference, GetObject); DeleteEndpoint to take the scaling along (Amazon
SageMaker developer guide, "Delete endpoints configured for auto scaling"); CreateEndpoint for its
tags, and for its volumes (Amazon SageMaker developer guide, "Amazon SageMaker AI API Permissions");
UpdateSchedule to name the role again that the schedule has, and for the key of its input
(EventBridge Scheduler user guide, "Setting up" and "Encryption at rest")."""


@dataclass(frozen=True, order=True)
class Call:
    """One call to AWS in the source.

    Attributes:
        service: The service, as boto3 calls it.
        operation: The operation, as boto3 calls it.
        paged: Whether its answers come in pages.
        unit: The function that it stands in.
        line: Line of its module.
    """

    service: str
    operation: str
    paged: bool
    unit: str
    line: int

    @property
    def permissions(self) -> tuple[str, ...]:
        """What the call needs."""
        named = permission_of(self.service, self.operation)
        return () if named in NEEDS_NONE else (named, *BESIDES.get(self.operation, ()))


def read_calls(graph: CallGraph) -> tuple[list[Call], list[str]]:
    """Every call to AWS, and the places where its names are no literals."""
    calls, unreadable = [], []
    for unit in graph.units.values():
        for node in unit.calls(ASKING):
            literals = [getattr(each, "value", None) for each in node.args[:2]]
            match literals:
                case [str(service), str(operation)]:
                    paged = node.func.attr == "pages"
                    calls.append(Call(service, operation, paged, unit.name, node.lineno))
                case _ if "cloud" in ast.unparse(node.func):
                    unreadable.append(f"{unit.name}:{node.lineno}")
    return sorted(calls), unreadable


def changes_nothing(permission: str) -> bool:
    """Whether a permission only lets look."""
    action = permission.partition(":")[2]
    return permission in READING_ALL_THE_SAME or action.startswith(READING)


def needed_by_command(graph: CallGraph, calls: Iterable[Call]) -> dict[str, list[str]]:
    """Permissions by command: what the functions that it reaches ask for."""
    known = list(calls)
    needed = {}
    for name, callback in sorted(commands()):
        reached = graph.reached_from(callback)
        needed[name] = sorted(
            {each for call in known if call.unit in reached for each in call.permissions}
        )
    return needed


def commands() -> Iterator[tuple[str, str]]:
    """Every subcommand as it is typed, and the function behind it."""
    yield from _commands_in(app, "forecast")


def _commands_in(group: typer.Typer, path: str) -> Iterator[tuple[str, str]]:
    for info in group.registered_commands:
        function = info.callback
        assert function is not None
        name = info.name or function.__name__.replace("_", "-")
        yield f"{path} {name}", f"{function.__module__}.{function.__qualname__}"
    for info in group.registered_groups:
        assert info.typer_instance is not None
        yield from _commands_in(info.typer_instance, f"{path} {info.name}")


def document() -> str:
    """The page as Markdown."""
    graph = CallGraph(read_modules())
    calls, _ = read_calls(graph)
    needed = needed_by_command(graph, calls)
    everything = {each for permissions in needed.values() for each in permissions}
    looks = {each for each in everything if changes_nothing(each)}
    commands_table = "\n".join(
        f"| `{name}` | {_shown(each for each in permissions if each in looks)} "
        f"| {_shown(each for each in permissions if each not in looks)} |"
        for name, permissions in needed.items()
        if permissions
    )
    nothing = ", ".join(f"`{name}`" for name, permissions in needed.items() if not permissions)
    places = "\n".join(_places(calls))
    return f"""\
# Permissions

<!-- Generated: python tests/support/permissions.py --write docs/permissions.md -->

What the `forecast` command asks of AWS with the credentials of whoever runs it, read from its
source: every call is in it, and a test compares. What a command was not allowed to see, it names.

- `sts:GetCallerIdentity` needs no permission.
- Deploying itself is done with the roles of the CDK's bootstrap; who may take them on is in
  [security](security.md#who-deploys).
- A command calls what its options ask for, which is often less than its row.
- The policies are for one environment, prod of the reference configuration, in account
  `111111111111` and region `ap-southeast-1`: put yours in their places. Several environments of an
  account need one policy each. In China and GovCloud ARNs begin with `arn:aws-cn` and
  `arn:aws-us-gov`.
- `*` alone stands only where an action knows no resource, or lists and describes. CloudFormation
  ends names of schedules, configurations, models, parameters and of the bucket of access logs at
  random: what is bound to a pattern or a tag there can be bound to the very names once they are
  deployed. So can `key/*`, to the ARN of the environment's key.
- They were checked against the AWS Service Authorization Reference, and not seen at work on AWS.

## By command

| command | looks at | changes or invokes |
|---|---|---|
{commands_table}

No permission at all: {nothing}.

## Who looks

Enough for every command that only looks, such as `status`, `logs`, `plan`, `cost` and `preflight`.
What clients sent is not among it.

```json
{policy(LOOKS, looks)}
```

## Who reads captures

`forecast compare` reads [what clients sent and were answered](security.md#data-protection), so that
it is a policy of its own, besides what is above. Actuals in another bucket need `s3:GetObject` and
`s3:ListBucket` there.

```json
{policy(CAPTURES, {"s3:GetObject"})}
```

## Who operates

Besides what is above:

```json
{policy(OPERATES, (everything - looks) | {"s3:GetObject"})}
```

`async/` is for an asynchronous endpoint only, `iam:PassRole` for one with off hours: a schedule
that is switched off or on is given its role again.

## Who removes

An environment for good: `forecast endpoints delete` and `forecast prune --everything`. Besides what
is above; better lent than given.

```json
{policy(REMOVES, everything - looks)}
```

## Where each is asked for

| permission | rooms |
|---|---|
{places}
"""


def _places(calls: list[Call]) -> Iterator[str]:
    rooms: dict[str, set[str]] = {}
    for call in calls:
        room = call.unit.removeprefix("forecast_operations.").partition(".")[0]
        for permission in call.permissions:
            rooms.setdefault(permission, set()).add(room)
    for permission in sorted(rooms):
        yield f"| `{permission}` | {', '.join(sorted(rooms[permission]))} |"


def _shown(permissions: Iterable[str]) -> str:
    by_service: dict[str, list[str]] = {}
    for permission in permissions:
        service, _, action = permission.partition(":")
        by_service.setdefault(service, []).append(action)
    return "; ".join(f"{service}: {', '.join(each)}" for service, each in by_service.items())


if __name__ == "__main__":
    print_or_write(__doc__, document)
