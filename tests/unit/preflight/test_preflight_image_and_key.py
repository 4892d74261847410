"""Images and keys that others own are looked at as far as they can be seen."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config.images import registry_accounts
from forecast_operations.preflight import image as image_check
from forecast_operations.preflight.encryption import look_at_key
from forecast_operations.preflight.image import look_at_image, look_at_support
from forecast_operations.preflight.scaling_role import look_at_scaling_role

if TYPE_CHECKING:
    from collections.abc import Callable

    Around = Callable[..., Any]

KEY = "arn:aws:kms:eu-central-1:111111111111:key/12345678-1234-1234-1234-123456789012"
SERVICES = ["logs.eu-central-1.amazonaws.com", "cloudwatch.amazonaws.com"]
DIGEST = f"sha256:{'0' * 64}"
REPOSITORY = "222222222222.dkr.ecr.eu-central-1.amazonaws.com/team/forecaster"


@pytest.fixture
def asked() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def image(around: Around, asked: list[dict[str, Any]]) -> Around:
    def look(answer: Any, settings: Any = None) -> Any:
        def batch_get_image(**given: Any) -> Any:
            asked.append(given)
            return answer

        changes = {} if settings is None else {"image": settings}
        (found,) = look_at_image(around(changes, ecr={"batch_get_image": batch_get_image}))
        return found

    return look


def test_an_image_of_aws_is_looked_for_in_aws_s_account(
    image: Around, asked: list[dict[str, Any]]
) -> None:
    assert image({"images": [{}], "failures": []}).status == "ok"
    assert asked == [
        {
            "registryId": registry_accounts()["eu-central-1"],
            "repositoryName": "sagemaker-xgboost",
            "imageIds": [{"imageTag": "3.2-0"}],
        }
    ]


@pytest.mark.parametrize(
    ("suffix", "wanted"),
    [(":7", {"imageTag": "7"}), (f"@{DIGEST}", {"imageDigest": DIGEST})],
)
def test_an_image_by_its_uri_is_looked_for_where_it_says(
    suffix: str, wanted: dict[str, str], image: Around, asked: list[dict[str, Any]]
) -> None:
    settings = {"kind": "ecr", "uri": f"{REPOSITORY}{suffix}"}

    assert image({"images": [{}]}, settings).status == "ok"
    assert asked[0]["registryId"] == "222222222222"
    assert asked[0]["repositoryName"] == "team/forecaster"
    assert asked[0]["imageIds"] == [wanted]


def test_an_image_that_is_not_there_fails(image: Around, refused: Around) -> None:
    failure = {"failureCode": "ImageNotFound", "failureReason": "Requested image not found"}

    found = image({"images": [], "failures": [failure]})
    without = image(refused("RepositoryNotFoundException"))

    assert (found.status, found.found) == ("failed", "Requested image not found")
    assert (without.status, without.found) == ("failed", "no such repository")


def test_an_owner_who_lets_nobody_look_proves_nothing(image: Around, refused: Around) -> None:
    found = image(refused("AccessDeniedException"))

    assert found.status == "skipped"
    assert found.found.startswith("not verifiable: the permission ecr:BatchGetImage")


def test_an_own_image_is_there_once_it_is_built(image: Around) -> None:
    assert image(None, {"kind": "own", "python": "3.11"}).status == "ok"


@pytest.mark.parametrize(("year", "status"), [(2026, "ok"), (2027, "warning"), (2028, "failed")])
def test_the_end_of_an_image_is_told(
    year: int, status: str, around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime(year, 4, 1, tzinfo=tz or UTC)

    monkeypatch.setattr(image_check, "datetime", Clock)

    (found,) = look_at_support(around())

    assert found.status == status


@pytest.fixture
def key(around: Around) -> Around:
    def look(principals: list[str] | None = None, answer: Any = None, **state: str) -> Any:
        metadata = {"KeyId": "12345678", "KeyState": "Enabled", "KeyUsage": "ENCRYPT_DECRYPT"}
        statements: list[dict[str, Any]] = [
            {"Effect": "Allow", "Principal": {"Service": principals or []}},
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}},
            {"Effect": "Deny", "Principal": {"Service": "cloudwatch.amazonaws.com"}},
        ]
        surroundings = around(
            {"encryption": {"kind": "existing", "arn": KEY}},
            kms={
                "describe_key": answer or {"KeyMetadata": {**metadata, **state}},
                "get_key_policy": {"Policy": json.dumps({"Statement": statements})},
            },
        )
        return {each.check: each for each in look_at_key(surroundings)}

    return look


def test_a_key_that_lets_everybody_in_is_fine(key: Around) -> None:
    assert {check: each.status for check, each in key(SERVICES).items()} == {
        "key": "ok",
        "key policy": "ok",
    }


@pytest.mark.parametrize(
    ("state", "advice"),
    [
        ({"KeyState": "Disabled"}, "enable-key --key-id 12345678 --region eu-central-1"),
        ({"KeyState": "PendingDeletion"}, "cancel-key-deletion"),
        ({"KeySpec": "RSA_2048"}, "take a symmetric key"),
        ({"KeyUsage": "SIGN_VERIFY"}, "take a symmetric key"),
    ],
)
def test_a_key_that_cannot_encrypt_fails(state: dict[str, str], advice: str, key: Around) -> None:
    found = key(SERVICES, **state)["key"]

    assert (found.status, advice in found.advice) == ("failed", True)


def test_a_service_that_the_policy_forgets_or_denies_is_a_warning(key: Around) -> None:
    found = key(SERVICES[:1])["key policy"]

    assert found.status == "warning"
    assert found.found == "names no cloudwatch.amazonaws.com (alarms)"


def test_a_key_that_is_not_there_fails(key: Around, refused: Around) -> None:
    (found,) = key(answer=refused("NotFoundException")).values()

    assert found.status == "failed"


def test_a_new_key_needs_nothing(around: Around) -> None:
    (found,) = look_at_key(around())

    assert found.status == "ok"


def test_the_role_for_scaling_is_needed_by_what_scales_only(
    around: Around, refused: Around
) -> None:
    gone = {"iam": {"get_role": refused("NoSuchEntity")}}
    targets = {"cpu": {"kind": "cpu_utilization", "percent": 70}}
    scaled = {"autoscaling": {"max_instance_count": 3, "targets": targets}}

    assert list(look_at_scaling_role(around(**gone))) == []
    (missing,) = look_at_scaling_role(around(scaled, **gone))
    (there,) = look_at_scaling_role(around(scaled, iam={"get_role": {}}))
    assert (missing.status, there.status) == ("warning", "ok")
    assert "create-service-linked-role" in missing.advice
