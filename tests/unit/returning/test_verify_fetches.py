"""A verification of what the lock pins asks the bucket for the archive, and not the registry."""

from __future__ import annotations

from typing import Any

from forecast_operations.verifying.subject import find_subject
from forecast_packaging import write_lock
from forecast_packaging.building.kept import Archives

World = Any


def _nobody(*_: Any) -> None:
    return None


def test_a_pinned_archive_that_is_not_here_is_fetched_and_said(
    world: World,
) -> None:
    world.deploy("1")
    said: list[str] = []
    assert Archives(world.root).find(world.digest("1")) is None

    subject = find_subject(world.config, "prod", _nobody, said.append)
    again = find_subject(world.config, "prod", _nobody, said.append)

    assert subject.champion.archive_digest == world.digest("1")
    assert again.champion == subject.champion
    (line,) = said
    assert line == (
        f"the archive of version 1 ({world.digest('1')}) is not on this machine: fetching it from "
        "the bucket of prod"
    )


def test_a_pinned_challenger_is_fetched_too(world: World) -> None:
    world.configure(
        "prod",
        rollout={
            "kind": "shadow",
            "challenger": {"version": "2"},
            "initial_instance_count": 1,
            "sampling_percent": 10,
        },
    )
    world.deploy("1")
    world.publish("2")
    entry = world.versions["2"][1].model_copy(update={"alias": None})
    write_lock(world.lock, "prod", world.versions["1"][1], entry)
    said: list[str] = []

    subject = find_subject(world.config, "prod", _nobody, said.append)

    assert subject.challenger is not None
    assert subject.challenger.archive_digest == world.digest("2")
    assert sorted(line.partition(" (")[0] for line in said) == [
        "the archive of version 1",
        "the archive of version 2",
    ]
