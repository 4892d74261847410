"""What an update does to every resource of a stack, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from forecast_operations.changes.values import differences
from forecast_operations.synthesis.create_only import create_only, value_at
from forecast_operations.synthesis.hosted import ENDPOINT, Template
from forecast_operations.synthesis.references import short_id
from forecast_operations.synthesis.replacement import Renewed, renewed_exports, replacements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from forecast_operations.synthesis.replacement import Replacement
    from forecast_operations.updates.obstacles import Obstacle, Templates

Action = Literal["new", "in place", "replaced", "removed", "kept", "unchanged", "unknown"]
"""What happens to a resource: kept is what leaves its stack and stays in the account; unknown is a
change of a type whose create-only properties are not known here."""

_HARM = {
    "AWS::EC2::Subnet": "what runs in it has to move first",
    "AWS::EC2::VPC": "what runs in it has to move first",
    "AWS::KMS::Key": "what only the old key encrypted cannot be read when it is gone",
    "AWS::Logs::LogGroup": "the events in the old one are lost",
    "AWS::S3::Bucket": "nothing is copied, and CloudFormation deletes none that holds objects",
    "AWS::SNS::Topic": "subscriptions that are not in the stack are lost",
    "AWS::SQS::Queue": "the messages in the old one are lost",
    "AWS::SageMaker::Endpoint": "whoever calls the old one is cut off",
}
"""What is lost or interrupted when a resource of a type goes or is replaced."""

_KEPT_HARM = "the old one is kept with what is in it, and nothing is copied"
_POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")
_LET_GO = "it is no longer kept when its stack is deleted, or it leaves its stack or is replaced"
_UNPROTECTED = "whoever may delete the stack can do so at once"
_STACK = "AWS::CloudFormation::Stack"
_PROTECTION = "TerminationProtection"
_WORDS = {True: "on", False: "off"}
_NO_TEMPLATE: Template = {"Resources": {}}


@dataclass(frozen=True)
class PropertyChange:
    """One property that changes.

    Attributes:
        path: Where it is, the property's name first.
        before: What was there; None for nothing.
        after: What will be there; None for nothing.
        replaces: Whether the change replaces the resource.
        follows: Logical id or import whose replacement is the reason; None: the value itself.
    """

    path: str
    before: str | None
    after: str | None
    replaces: bool
    follows: str | None = None


@dataclass(frozen=True)
class ResourceChange:
    """What happens to one resource.

    Attributes:
        stack: Name of its stack.
        logical_id: Its logical id.
        type: Its type.
        action: What happens.
        properties: The properties because of which.
        certain: Whether a replacement happens whatever the values are.
        harm: What is lost or interrupted; empty for nothing.
        blocked: Kinds of the obstacles that are in its way.
    """

    stack: str
    logical_id: str
    type: str
    action: Action
    properties: tuple[PropertyChange, ...] = ()
    certain: bool = True
    harm: str = ""
    blocked: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The logical id without the hash that the CDK appends."""
        return short_id(self.logical_id)

    @property
    def place(self) -> str:
        """Its stack and its name; the stack alone for the stack itself."""
        return self.stack if self.logical_id == self.stack else f"{self.stack}/{self.name}"


def resource_changes(
    deployed: Templates,
    wanted: Templates,
    obstacles: Sequence[Obstacle],
    stacks: tuple[str, str],
) -> tuple[ResourceChange, ...]:
    """What happens to every resource of an environment, those that stay as they are included.

    Args:
        deployed: What is deployed now.
        wanted: What has been synthesized.
        obstacles: What AWS would refuse.
        stacks: Names of the stateful stack and of the endpoint's.
    """
    renewed: set[str] = set()
    found: list[ResourceChange] = []
    for stack, old, new in (
        (stacks[0], deployed.artifacts, wanted.artifacts),
        (stacks[1], deployed.endpoint, wanted.endpoint),
    ):
        before, after = old or _NO_TEMPLATE, new or _NO_TEMPLATE
        comparison = _Comparison(stack, before, after, frozenset(renewed), obstacles)
        found.extend(comparison.changes())
        renewed |= renewed_exports(before, after)
    return tuple(found)


def protection_changes(
    protection: Mapping[str, tuple[bool, bool]],
) -> tuple[ResourceChange, ...]:
    """The stacks that get termination protection or lose it, as resources of themselves.

    Args:
        protection: Whether a stack has it and whether it is to have it, by the stack's name.
    """
    return tuple(
        ResourceChange(
            stack,
            stack,
            _STACK,
            "in place",
            (PropertyChange(_PROTECTION, _WORDS[was], _WORDS[wanted], replaces=False),),
            harm="" if wanted else _UNPROTECTED,
        )
        for stack, (was, wanted) in protection.items()
    )


class _Comparison:
    """A stack before and after."""

    def __init__(
        self,
        stack: str,
        old: Template,
        new: Template,
        imports: frozenset[str],
        obstacles: Sequence[Obstacle],
    ) -> None:
        self._stack = stack
        self._old, self._new = old["Resources"], new["Resources"]
        self._replaced = replacements(old, new, imports)
        self._renewed = Renewed(frozenset(self._replaced), imports)
        self._obstacles = obstacles

    def changes(self) -> Iterator[ResourceChange]:
        for logical_id in dict.fromkeys((*self._new, *self._old)):
            old, new = self._old.get(logical_id), self._new.get(logical_id)
            if old is None and new is not None:
                yield self._change(logical_id, new, "new")
            elif old is not None and new is None:
                yield self._leaving(logical_id, old)
            elif old is not None and new is not None:
                yield self._changed(logical_id, old, new)

    def _leaving(self, logical_id: str, old: Mapping[str, Any]) -> ResourceChange:
        if _is_kept(old, "DeletionPolicy"):
            return self._change(logical_id, old, "kept")
        return self._change(logical_id, old, "removed", harm=_HARM.get(old["Type"], ""))

    def _changed(
        self, logical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> ResourceChange:
        replacement = self._replaced.get(logical_id)
        properties = tuple(self._properties(old, new, replacement))
        if old["Type"] != new["Type"]:
            return self._change(logical_id, new, "replaced", harm=_HARM.get(old["Type"], ""))
        if replacement is not None:
            harm = _HARM.get(new["Type"], "")
            return self._change(
                logical_id,
                new,
                "replaced",
                properties=properties,
                certain=replacement.certain,
                harm=_KEPT_HARM if harm and _is_kept(new, "UpdateReplacePolicy") else harm,
            )
        if not properties:
            return self._change(logical_id, new, "unchanged")
        known = create_only(new["Type"]) is not None
        let_go = any(_is_kept(old, each) and not _is_kept(new, each) for each in _POLICIES)
        return self._change(
            logical_id,
            new,
            "in place" if known else "unknown",
            properties=properties,
            harm=_LET_GO if let_go else "",
        )

    def _properties(
        self, old: Mapping[str, Any], new: Mapping[str, Any], replacement: Replacement | None
    ) -> Iterator[PropertyChange]:
        before, after = old.get("Properties", {}), new.get("Properties", {})
        paths = () if replacement is None else replacement.properties
        for key in dict.fromkeys((*before, *after)):
            for each in differences(before.get(key), after.get(key), key):
                yield PropertyChange(each.path, each.before, each.after, _within(each.path, paths))
            if before.get(key) != after.get(key):
                continue
            for cause in self._renewed.among(after.get(key)):
                replaces = any(
                    cause in self._renewed.among(value_at(after, path))
                    for path in paths
                    if path.split("/")[0] == key
                )
                yield PropertyChange(key, None, None, replaces, cause)
        for key in _POLICIES:
            if _policy(old, key) != _policy(new, key):
                yield PropertyChange(key, _policy(old, key), _policy(new, key), replaces=False)

    def _change(
        self, logical_id: str, resource: Mapping[str, Any], action: Action, **rest: Any
    ) -> ResourceChange:
        kind = str(resource["Type"])
        blocked = tuple(
            obstacle.kind
            for obstacle in self._obstacles
            if logical_id in obstacle.resources or (not obstacle.resources and kind == ENDPOINT)
        )
        return ResourceChange(self._stack, logical_id, kind, action, blocked=blocked, **rest)


def _within(path: str, paths: tuple[str, ...]) -> bool:
    """Whether a leaf is in a create-only property, or holds one."""
    return any(
        f"{path}/".startswith(f"{each}/") or f"{each}/".startswith(f"{path}/")
        for each in (other.partition("/*")[0] for other in paths)
    )


def _is_kept(resource: Mapping[str, Any], policy: str) -> bool:
    return _policy(resource, policy).startswith("Retain")


def _policy(resource: Mapping[str, Any], policy: str) -> str:
    return str(resource.get(policy, "Delete"))
