"""Rules between the environments of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_config import names
from forecast_config.settings.ruling import rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forecast_config.settings.ruling import Broken


@rule("environments")
def _there_is_an_environment(environments: Mapping[str, Any]) -> Iterator[Broken]:
    if not environments:
        yield ("environments",), "expected at least one environment, got none"


@rule("allowed_regions", "environments")
def _regions_are_allowed(
    allowed: tuple[str, ...], environments: Mapping[str, Mapping[str, Any]]
) -> Iterator[Broken]:
    for name, values in environments.items():
        region = values.get("region", allowed[0])
        if region not in allowed:
            yield (
                ("environments", name, "region"),
                f"expected one of allowed_regions ({', '.join(allowed)}), got '{region}'",
            )


@rule("environments")
def _endpoint_names_differ(environments: Mapping[str, Mapping[str, Any]]) -> Iterator[Broken]:
    owners: dict[str, str] = {}
    for name, values in environments.items():
        endpoint = values.get("endpoint.name")
        owner = name if endpoint is None else owners.setdefault(endpoint.lower(), name)
        if owner != name:
            yield (
                ("environments", name, "endpoint", "name"),
                f"expected a name of its own, got '{endpoint}' as in {owner}",
            )


@rule("environments")
def _stack_names_differ(environments: Mapping[str, Mapping[str, Any]]) -> Iterator[Broken]:
    # Without case, as the templates' files are named after the stacks.
    owners: dict[str, str] = {}
    for name, values in environments.items():
        if "name" not in values or "stack_prefix" not in values:
            continue
        prefix = values["stack_prefix"]
        stacks = (names.stack(prefix, name), names.stack(prefix, name, "Artifacts"))
        taken = [stack for stack in stacks if owners.setdefault(stack.lower(), name) != name]
        if taken:
            yield (
                ("environments", name),
                (
                    f"expected a name whose stacks are its own, got {taken[0]} "
                    f"as for '{owners[taken[0].lower()]}'"
                ),
            )


@rule("serving.model_data", "environments")
def _serverless_fetches_the_archive(
    model_data: str, environments: Mapping[str, Mapping[str, Any]]
) -> Iterator[Broken]:
    # SageMaker API reference, ContainerDefinition: no ModelDataSource for serverless endpoints.
    for name, values in environments.items():
        if model_data == "prefix" and values.get("endpoint.kind") == "serverless":
            yield (
                ("environments", name, "endpoint", "kind"),
                (
                    "expected another kind, as serving.model_data is prefix and a serverless "
                    "container can fetch an archive only; set serving.model_data to archive"
                ),
            )


PROJECT_RULES = (
    _there_is_an_environment,
    _regions_are_allowed,
    _endpoint_names_differ,
    _stack_names_differ,
    _serverless_fetches_the_archive,
)
