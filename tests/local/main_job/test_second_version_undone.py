"""`forecast rollback` against the local AWS: back to version 1 when its registry is gone."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Project

pytestmark = pytest.mark.local

UNTIMED = "prediction_timestamp"


def _locked(project: Project) -> dict[str, Any]:
    lock = json.loads((project.root / "config" / "models.lock.json").read_text())
    entry: dict[str, Any] = lock["environments"]["prod"]
    return entry


@pytest.fixture(scope="module")
def returned(updated: Project) -> Iterator[dict[str, Any]]:
    """What `forecast rollback` says of the way back from version 2, which was verified as well.

    Meanwhile there is no registry, and no copy of version 1 in the project.
    """
    if _locked(updated)["version"] == "1":
        updated.run("forecast", "resolve", "prod")
    updated.run("forecast", "verify", "prod")
    registry, away = updated.root / "mlflow.db", updated.root / "away"
    registry.rename(away)
    for name in ("cache", "archives"):
        shutil.rmtree(updated.root / ".forecast" / name)
    done = updated.run("forecast", "rollback", "prod", "--yes", "--json")
    yield {**json.loads(done.stdout), "said": done.stderr}
    away.rename(registry)


def _without_time(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: row[key] for key in row if key != UNTIMED} for row in rows]


def test_the_endpoint_answers_as_version_1_did(
    returned: dict[str, Any], updated: Project, first_answer: list[dict[str, Any]]
) -> None:
    answer = updated.forecast(updated.request(items=1))

    assert (returned["from"]["version"], returned["to"]["version"]) == ("2", "1")
    assert answer[0]["model_version"] == "1"
    assert _without_time(answer) == _without_time(first_answer)


def test_it_was_said_what_would_undo_it_and_that_nothing_else_changes(
    returned: dict[str, Any],
) -> None:
    assert "changes by its rollout (canary), which its alarms undo" in returned["said"]
    assert "beside the version" not in returned["said"]


def test_the_lock_names_the_very_archive_and_nothing_is_left_to_deploy(
    returned: dict[str, Any], updated: Project
) -> None:
    diff = updated.run("cdk", "diff", "ForecastProd", "--fail", "-c", "environments=prod")

    entry = _locked(updated)
    assert (entry["version"], entry["alias"]) == ("1", None)
    assert entry["archive_digest"] == returned["to"]["archive_digest"]
    assert "There were no differences" in diff.stdout + diff.stderr


def test_it_was_verified_and_written_down(returned: dict[str, Any], updated: Project) -> None:
    (newest, *_) = json.loads(updated.run("forecast", "history", "prod", "--json").stdout)

    assert newest["record_id"] == returned["verification"]["record"]
    assert (newest["outcome"], newest["live"]) == ("verified", True)


def test_a_second_step_back_does_not_lead_to_what_was_left(
    returned: dict[str, Any], updated: Project
) -> None:
    done = updated.run("forecast", "rollback", "prod", "--yes", check=False)

    assert returned["verification"]["outcome"] == "verified"
    assert done.returncode == 1
    assert "nothing was verified here before version 1" in done.stderr
    assert "--to 2: verified" in done.stderr
