"""Values of templates side by side are short, and never hold a secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from forecast_operations.changes.values import HIDDEN, differences


def _shown(before: Any, after: Any) -> list[tuple[str, str | None, str | None]]:
    return [(each.path, each.before, each.after) for each in differences(before, after)]


def test_leaves_are_told_by_their_names() -> None:
    before = {"Variants": [{"VariantName": "A", "Count": 1}, {"VariantName": "B", "Count": 1}]}
    after = {"Variants": [{"VariantName": "B", "Count": 2}, {"VariantName": "A", "Count": 1}]}

    assert _shown(before, after) == [("Variants/B/Count", "1", "2")]


def test_members_without_names_are_told_by_their_place() -> None:
    assert _shown([{"a": 1}, {"a": 2}], [{"a": 1}, {"a": 3}, {"a": 4}]) == [
        ("1/a", "2", "3"),
        ("2/a", None, "4"),
    ]


def test_functions_are_leaves_in_words() -> None:
    before = {"KmsKeyId": {"Fn::GetAtt": ["Key", "Arn"]}}
    after = {"KmsKeyId": {"Fn::ImportValue": "Other:Key"}}

    assert _shown(before, after) == [("KmsKeyId", "<Key.Arn>", "<Other:Key>")]


def test_what_is_the_same_is_no_difference() -> None:
    assert _shown({"a": [1, {"b": 0}]}, {"a": [1, {"b": 0}]}) == []
    assert _shown({"a": {}}, {"a": None}) == [("a", "{}", None)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "hunter2"),
        ("ApiToken", "hunter2"),
        ("CLIENT_SECRET", "hunter2"),
        ("api_key", "hunter2"),
        ("WebhookAddress", "https://chat.example/hunter2"),
        ("Plain", "AKIAHUNTER2HUNTER222"),
        ("Plain", "https://hunter2:hunter2@example.com"),
        ("Plain", "https://example.com/hook?sig=hunter2"),
        ("Plain", '{"password": "hunter2"}'),
    ],
)
@pytest.mark.parametrize("before", [{}, {"Environment": {"OTHER": "1"}}])
def test_a_secret_is_never_shown(name: str, value: str, before: dict[str, Any]) -> None:
    after = {"Environment": {name: value, "OTHER": "1"}}

    for pair in ((before, after), (after, before)):
        shown = json.dumps(_shown(*pair))
        assert "hunter2" not in shown.lower()
        assert HIDDEN in shown


def test_a_reference_to_a_secret_holds_none() -> None:
    reference = "{{resolve:secretsmanager:forecast/db:SecretString:password}}"

    assert _shown({"Password": "x"}, {"Password": reference}) == [
        ("Password", HIDDEN, reference),
    ]


def test_what_is_long_is_cut_where_it_tells_least() -> None:
    digest = "ab" * 32
    uri = f"s3://a-bucket-with-quite-a-long-name-eu-central-1-123456789012/models/{digest}.gz"

    ((_, before, after),) = _shown(uri, "x\ny")

    assert before is not None
    assert len(before) <= 80
    assert before.endswith("models/abababababab….gz")
    assert after == "text of 3 characters"
