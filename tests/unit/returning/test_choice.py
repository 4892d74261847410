"""A step back is one that was proved, and never one to what was left."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config import ForecastError
from forecast_operations.returning.choice import choose
from forecast_operations.returning.standing import Standing

if TYPE_CHECKING:
    from conftest import World


def _standing(world: World, version: str, challenger: str | None = None) -> Standing:
    return Standing(
        configuration="config",
        answers="config",
        champion=_variant(world, version),
        challenger=None if challenger is None else _variant(world, challenger),
        answering=_variant(world, version),
    )


def _undone(world: World, version: str, answering: str | None) -> Standing:
    """A version was deployed, and SageMaker went back to another one."""
    return Standing(
        configuration="config",
        answers="before",
        champion=_variant(world, version),
        answering=None if answering is None else _variant(world, answering),
    )


def _variant(world: World, version: str) -> Any:
    return SimpleNamespace(version=version, archive_digest=world.digest(version))


def _records(world: World, *versions: str) -> list[Any]:
    """Records newest first: `2` is a verified one, `2!` a failed one."""
    made = []
    for version in reversed(versions):
        world.records += 1
        outcome = "failed" if version.endswith("!") else "verified"
        made.append(world.made(version.rstrip("!"), outcome))
    return made[::-1]


@pytest.mark.parametrize(
    ("deployed", "records", "expected"),
    [
        ("2", ["2", "1"], "1"),
        ("2", ["1"], "1"),
        ("2", ["2!", "1"], "1"),
        ("3", ["3", "2!", "1"], "1"),
        ("3", ["2", "1"], "2"),
        # After a return from 2 to 1, a step back does not lead to 2.
        ("3", ["3", "1", "2", "1"], "1"),
    ],
)
def test_a_step_back_is_to_what_was_verified_before(
    world: World, deployed: str, records: list[str], expected: str
) -> None:
    world.train("3")

    found = choose(
        _records(world, *records), _standing(world, deployed), world.versions[deployed][1]
    )

    assert found.lock.version == expected


@pytest.mark.parametrize("records", [["1", "2", "1"], ["1", "2"], ["1"], ["1!"], []])
def test_there_is_no_step_from_what_came_first(world: World, records: list[str]) -> None:
    made = _records(world, *records)
    if records == ["1", "2"]:
        made = made[:1]

    with pytest.raises(ForecastError, match="nothing was verified here before version 1") as caught:
        choose(made, _standing(world, "1"), world.versions["1"][1])

    assert ("--to 2: verified" in str(caught.value)) == ("2" in records and len(made) > 1)


def test_after_a_deployment_that_failed_the_lock_goes_back_to_what_is_deployed(
    world: World,
) -> None:
    world.train("3")
    records = _records(world, "2", "1")
    standing = replace(_standing(world, "2"), failed=True)

    assert choose(records, standing, world.versions["3"][1]).lock.version == "2"
    # What is locked is what is deployed: it is that which is to be left.
    assert choose(records, standing, world.versions["2"][1]).lock.version == "1"


@pytest.mark.parametrize("locked", ["1", "3"])
def test_a_lock_that_names_something_else_does_not_keep_what_is_deployed(
    world: World, locked: str
) -> None:
    world.train("3")
    records = _records(world, "2", "1")

    found = choose(records, _standing(world, "2"), world.versions[locked][1])

    assert found.lock.version == "1"


@pytest.mark.parametrize("locked", ["1", "2"])
@pytest.mark.parametrize("records", [["2", "1"], ["2", "1", "3"], ["1", "2", "1"]])
def test_what_sagemaker_has_undone_leads_to_what_answers(
    world: World, records: list[str], locked: str
) -> None:
    world.train("3")

    found = choose(_records(world, *records), _undone(world, "1", "2"), world.versions[locked][1])

    assert found.lock.version == "2"


@pytest.mark.parametrize(
    ("answering", "says"), [("2", "version 2, which answers now"), (None, "what answers now")]
)
def test_what_answers_and_was_never_verified_is_no_way_back(
    world: World, answering: str | None, says: str
) -> None:
    world.train("3")
    records = _records(world, "2!", "1")
    match = f"has undone the .* version 3, .* proves {says}"

    with pytest.raises(ForecastError, match=match) as got:
        choose(records, _undone(world, "3", answering), None)

    assert "--to 1: verified" in str(got.value)


def test_what_is_deployed_and_cannot_be_told_is_not_guessed(world: World) -> None:
    records = _records(world, "2", "1")
    standing = Standing(configuration="config", answers="config")

    with pytest.raises(ForecastError, match="the model of config is gone") as caught:
        choose(records, standing, world.versions["2"][1])

    assert "--to 2: verified" in str(caught.value)
    assert choose(records, standing, None, version="1").lock.version == "1"


def test_without_a_stack_the_last_verified_version_is_the_one(world: World) -> None:
    records = _records(world, "2!", "1")

    assert choose(records, Standing(), None).lock.version == "1"


def test_a_comparison_ends_before_the_champion_changes(world: World) -> None:
    world.train("3")
    records = _records(world, "2", "1")

    found = choose(records, _standing(world, "2", challenger="3"), world.versions["2"][1])

    assert found.lock.version == "2"


def test_a_version_is_the_newest_verified_one_of_its_number(world: World) -> None:
    records = _records(world, "2", "1!", "1", "1")

    found = choose(records, _standing(world, "2"), None, version="1")

    assert found.record_id == records[2].record_id


def test_what_was_never_verified_is_refused_with_what_was(world: World) -> None:
    records = _records(world, "2", "1!")

    with pytest.raises(ForecastError, match="version 1 was never verified here") as caught:
        choose(records, _standing(world, "1"), None, version="1")

    assert (
        f"--to 2: verified 2027-01-04 08:02 UTC by somebody, --record {records[0].record_id}"
        in (str(caught.value))
    )


def test_a_record_that_failed_or_is_not_there_is_refused(world: World) -> None:
    records = _records(world, "2!", "1")

    with pytest.raises(ForecastError, match=r"failed its verification \(endpoint\)"):
        choose(records, _standing(world, "2"), None, record_id=records[0].record_id)
    with pytest.raises(ForecastError, match="there is no record 20270101T000000Z-00000000 here"):
        choose(records, _standing(world, "2"), None, record_id="20270101T000000Z-00000000")
    found = choose(records, _standing(world, "2"), None, record_id=records[1].record_id)
    assert found.lock.version == "1"


def test_many_ways_back_are_cut_short(world: World) -> None:
    for number in range(3, 9):
        world.train(str(number))
    records = _records(world, *(str(number) for number in range(8, 0, -1)))

    with pytest.raises(ForecastError, match="and 2 more: forecast history") as caught:
        choose(records, _standing(world, "1"), None, version="99")

    assert "--to 8: " in str(caught.value)
    assert "--to 3: " not in str(caught.value)
