"""What a stack shall become: a checked template with the values of its names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forecast_local.cloudformation.handler import StackIdentity
from forecast_local.cloudformation.intrinsics import Scope
from forecast_local.cloudformation.parameters import parameter_values, pseudo_parameters
from forecast_local.cloudformation.plan import Resource, check_template
from forecast_local.cloudformation.template import Template, TemplateError


@dataclass(frozen=True)
class Target:
    """What a stack shall become.

    Attributes:
        template: The template.
        names: Values of parameters and pseudo parameters.
        tags: Tags of the stack.
        exports: Values that other stacks export, by export name.
    """

    template: Template
    names: Mapping[str, Any]
    tags: Mapping[str, str]
    exports: Mapping[str, str]


@dataclass(frozen=True)
class Output:
    """An output of a stack."""

    key: str
    value: str
    description: str | None
    export_name: str | None


def build_target(
    identity: StackIdentity,
    *,
    body: str,
    given: Mapping[str, str],
    tags: Mapping[str, str],
    exports: Mapping[str, str],
    resources: Mapping[str, Resource],
) -> Target:
    """Read and check what a request wants a stack to become.

    Args:
        identity: The stack.
        body: The template's text.
        given: Parameters sent with the request.
        tags: Tags of the stack.
        exports: Values that stacks export, by export name.
        resources: What the stack owns.

    Raises:
        TemplateError: If CloudFormation would refuse the request.
    """
    template = Template.parse(body)
    pseudo = pseudo_parameters(
        account=identity.account,
        region=identity.region,
        stack_id=identity.stack_id,
        stack_name=identity.name,
    )

    def read(name: str) -> str:
        return _stored_parameter(identity, name)

    names = {**pseudo, **parameter_values(template, given, read)}
    # This only checks what needs no resource.
    scope = Scope(template=template, names=names, lookup=_no_lookup, exports=exports)
    check_template(template, scope, names)
    changed = [
        key
        for key, old in resources.items()
        if template.resources.get(key, {}).get("Type", old.cf_resource_type) != old.cf_resource_type
    ]
    if changed:
        raise TemplateError(
            "Update of resource type is not permitted. The new template modifies resource type of "
            f"the following resources: [{', '.join(changed)}]"
        )
    return Target(template, names, dict(tags), dict(exports))


def _stored_parameter(identity: StackIdentity, name: str) -> str:
    ssm = identity.clients.client("ssm", account=identity.account, region=identity.region)
    try:
        return str(ssm.get_parameter(Name=name, WithDecryption=False)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound as error:
        raise TemplateError(
            f"Unable to fetch parameters [{name}] from parameter store for this account."
        ) from error


def _no_lookup(logical_id: str, attribute: str | None) -> Any:
    raise TemplateError(
        f"Template format error: conditions and rules cannot refer to resources, got "
        f"{logical_id}.{attribute}"
    )
