"""What the `forecast` command may need of AWS is what its source asks for, and is documented."""

from __future__ import annotations

import ast
import json
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name
from call_graph import CallGraph, read_modules
from permission_policies import BUCKET, ENDPOINT, ENVIRONMENT, REGION, UNBOUND
from permissions import Call, changes_nothing, document, needed_by_command, read_calls

from forecast_config import load_config

DOCS = Path(__file__).parents[2] / "docs"
SERVICES_OF_THE_KEY = ["s3.ap-southeast-1.amazonaws.com", "scheduler.ap-southeast-1.amazonaws.com"]
CLOUD = "forecast_operations.cloud.cloud"


@cache
def _graph() -> CallGraph:
    return CallGraph(read_modules())


@cache
def _calls() -> list[Call]:
    return read_calls(_graph())[0]


@cache
def _needed() -> dict[str, list[str]]:
    return needed_by_command(_graph(), _calls())


def test_the_page_of_permissions_is_current() -> None:
    current = (DOCS / "permissions.md").read_text(encoding="utf-8")

    assert current == document(), (
        "run: python tests/support/permissions.py --write docs/permissions.md"
    )


def test_every_call_names_service_and_operation_in_the_source() -> None:
    assert read_calls(_graph())[1] == []


def test_every_operation_is_one_of_aws() -> None:
    session = boto3.Session(region_name="eu-central-1")
    unknown = []
    for service in sorted({call.service for call in _calls()}):
        client = session.client(service)
        known = {xform_name(name) for name in client.meta.service_model.operation_names}
        unknown += [
            f"{service}.{call.operation}"
            for call in _calls()
            if call.service == service
            and (
                call.operation not in known
                or (call.paged and not client.can_paginate(call.operation))
            )
        ]

    assert unknown == []


def test_nobody_calls_aws_by_another_way() -> None:
    elsewhere = []
    for name, tree in read_modules().items():
        if name == CLOUD or not name.startswith("forecast_operations"):
            continue
        for node in ast.walk(tree):
            match node:
                case ast.Import(names=names) if any(each.name == "boto3" for each in names):
                    elsewhere.append(f"{name}:{node.lineno}")
                case ast.Call(func=ast.Attribute(attr="client")):
                    elsewhere.append(f"{name}:{node.lineno}")

    assert elsewhere == []


def test_every_call_is_behind_some_command() -> None:
    known = {permission for permissions in _needed().values() for permission in permissions}

    assert {each for call in _calls() for each in call.permissions} <= known


@pytest.mark.parametrize(
    ("command", "changes"),
    [
        ("forecast preflight", False),
        ("forecast status", False),
        ("forecast plan", False),
        ("forecast logs", False),
        ("forecast stop", True),
        ("forecast verify", True),
    ],
)
def test_commands_that_look_change_nothing(command: str, *, changes: bool) -> None:
    permissions = _needed()[command]

    assert permissions
    assert any(not changes_nothing(each) for each in permissions) is changes


def test_the_policy_for_deploying_allows_what_is_asked_and_no_more() -> None:
    section = (DOCS / "security.md").read_text("utf-8").partition("## Who deploys")[2]
    statements = json.loads(section.partition("```json\n")[2].partition("```")[0])["Statement"]
    page = (DOCS / "updates.md").read_text("utf-8")
    needed = set(_needed()["forecast deploy"])

    assert statements[0]["Action"] == "sts:AssumeRole"
    assert needed == {action for each in statements[1:] for action in each["Action"]}
    assert [action for action in sorted(needed) if f"`{action}`" not in page] == []


def _policies() -> dict[str, list[dict[str, Any]]]:
    """Statements of the page's policies, by the heading that they are below."""
    sections = (DOCS / "permissions.md").read_text("utf-8").split("\n## ")[1:]
    return {
        section.splitlines()[0]: json.loads(section.partition("```json\n")[2].partition("```")[0])[
            "Statement"
        ]
        for section in sections
        if "```json" in section
    }


def test_the_pages_policies_allow_all_that_is_asked_and_no_more() -> None:
    allowed = {
        title: {action for each in statements for action in each["Action"]}
        for title, statements in _policies().items()
    }
    needed = {permission for permissions in _needed().values() for permission in permissions}

    assert list(allowed) == ["Who looks", "Who reads captures", "Who operates", "Who removes"]
    assert set.union(*allowed.values()) == needed
    assert {each for each in needed if changes_nothing(each)} == allowed["Who looks"]


def test_no_policy_of_the_page_lets_change_or_read_data_anywhere() -> None:
    everywhere = {
        action
        for statements in _policies().values()
        for each in statements
        if each["Resource"] == "*"
        for action in each["Action"]
    }

    assert everywhere == UNBOUND
    assert [each for each in everywhere if not changes_nothing(each)] == []
    assert [each for each in everywhere if each.startswith(("s3:", "kms:", "iam:"))] == []


@pytest.mark.parametrize("title", ["Who looks", "Who reads captures", "Who operates"])
def test_only_who_removes_may_delete_stacks_or_what_is_kept_of_objects(title: str) -> None:
    actions = {action for each in _policies()[title] for action in each["Action"]}

    assert not actions & {"cloudformation:DeleteStack", "s3:DeleteObjectVersion"}


def test_captures_are_readable_by_their_own_policy_alone() -> None:
    may = {
        title
        for title, statements in _policies().items()
        for each in statements
        if "s3:GetObject" in each["Action"]
        if any(
            fnmatchcase(f"{BUCKET}/data-capture/endpoint/x.jsonl", pattern)
            for pattern in each["Resource"]
        )
    }

    assert may == {"Who reads captures"}


@pytest.mark.parametrize(
    ("action", "operator", "key", "value"),
    [
        ("iam:PassRole", "StringEquals", "iam:PassedToService", "scheduler.amazonaws.com"),
        ("kms:CreateGrant", "Bool", "kms:GrantIsForAWSResource", "true"),
        ("kms:Decrypt", "StringEquals", "kms:ViaService", SERVICES_OF_THE_KEY),
        ("kms:GenerateDataKey", "StringEquals", "kms:ViaService", SERVICES_OF_THE_KEY),
        ("sagemaker:DeleteModel", "StringEquals", "aws:ResourceTag/environment", "prod"),
    ],
)
def test_what_no_name_can_bind_a_condition_does(
    action: str, operator: str, key: str, value: str | list[str]
) -> None:
    conditions = [
        each.get("Condition")
        for statements in _policies().values()
        for each in statements
        if action in each["Action"]
    ]

    assert conditions == [{operator: {key: value}}]


def test_the_pages_names_are_those_of_the_reference_configuration() -> None:
    config = load_config(DOCS.parent / "config" / "forecast.yaml")
    settings = config.environments[ENVIRONMENT]

    assert (settings.endpoint.name, settings.region) == (ENDPOINT, REGION)


SOURCE = """
from forecast_operations.cloud.cloud import Cloud
TABLE = {"a": None}

class Store:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def write(self) -> None:
        self._cloud.ask("s3", "put_object")

    def read(self) -> None:
        self._cloud.ask(
            "s3",
            "get_object",
            Bucket="x",
        )

def look(store: Store) -> None:
    store.read()

def change(cloud: Cloud, name: str) -> None:
    Store(cloud).write()
    cloud.ask("sagemaker", name)

HANDLERS = (change,)

def by_table() -> None:
    for handler in HANDLERS:
        handler()
"""


@pytest.mark.parametrize(
    ("start", "operations"),
    [("look", {"get_object"}), ("change", {"put_object"}), ("by_table", {"put_object"})],
)
def test_a_function_needs_what_it_reaches(start: str, operations: set[str]) -> None:
    graph = CallGraph({"forecast_operations.sample": ast.parse(SOURCE)})

    calls, unreadable = read_calls(graph)

    reached = graph.reached_from(f"forecast_operations.sample.{start}")
    assert {call.operation for call in calls if call.unit in reached} == operations
    assert unreadable == ["forecast_operations.sample.change:24"]


def test_what_a_key_encrypts_and_single_versions_ask_for_more() -> None:
    def permissions(service: str, operation: str) -> tuple[str, ...]:
        return Call(service, operation, paged=False, unit="x", line=1).permissions

    # Without the permission to list, what is not there is refused.
    assert permissions("s3", "get_object") == ("s3:GetObject", "kms:Decrypt", "s3:ListBucket")
    assert permissions("sagemaker", "delete_endpoint") == (
        "sagemaker:DeleteEndpoint",
        "application-autoscaling:DeregisterScalableTarget",
    )
    assert permissions("s3", "list_objects_v2") == ("s3:ListBucket",)
    assert permissions("scheduler", "update_schedule") == (
        "scheduler:UpdateSchedule",
        "iam:PassRole",
        "kms:DescribeKey",
        "kms:GenerateDataKey",
    )
    assert permissions("stepfunctions", "start_execution") == ("states:StartExecution",)
    assert permissions("sts", "get_caller_identity") == ()
