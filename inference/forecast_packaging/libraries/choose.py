"""Choosing: which wheels close the gap between what a model needs and what an image holds."""

from __future__ import annotations

import json
from collections import deque
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from forecast_packaging.errors import ModelError
from forecast_packaging.libraries.requirements import SAME_LIBRARY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast_config import LockedWheel
    from forecast_packaging.libraries.store import WheelStore
    from forecast_packaging.libraries.target import Target
    from forecast_packaging.libraries.wheel import Wheel

CPU_BUILD = {library: build for build, library in SAME_LIBRARY.items()}
"""Distributions that hold a library without its GPU code, taken in its place: `xgboost` brings
470 MB of CUDA libraries."""

MAX_WHEELS = 100


@cache
def unneeded() -> dict[str, dict[str, str]]:
    """Requirements of a library that predicting does without, and what they are for.

    Each was proven by loading a model and predicting with them absent, on Python 3.12 with the
    libraries of the scikit-learn image.
    """
    text = files("forecast_packaging").joinpath("libraries/unneeded.json").read_text("utf-8")
    table: dict[str, dict[str, str]] = json.loads(text)
    return table


def choose_wheels(
    needed: Mapping[str, str | None],
    inside: Mapping[str, str | None],
    store: WheelStore,
    *,
    before: Mapping[str, LockedWheel] | None = None,
    as_pip: bool = False,
) -> dict[str, LockedWheel]:
    """The wheels of what is needed and of what those require, as far as an image lacks it.

    Args:
        needed: Exact version by library; None takes the newest.
        inside: What the image holds: version by library, None where it is not known.
        store: Where wheels are found.
        before: Wheels chosen the last time, taken again while they are here and fit.
        as_pip: Whether a library's tools count as well, as they do when pip installs it.

    Returns:
        The wheels by distribution, sorted.

    Raises:
        ModelError: The image holds a library in a version that is not the one needed, or two
            wheels require what does not go together; each is named.
        RegistryError: The package index does not give a wheel.
    """
    choice = _Choice(inside, store, before or {}, spared={} if as_pip else unneeded())
    for name, version in sorted(needed.items()):
        specifier = "" if version is None else f"=={version}"
        choice.ask(Requirement(f"{name}{specifier}"), "the model")
    return choice.wheels()


class _Choice:
    def __init__(
        self,
        inside: Mapping[str, str | None],
        store: WheelStore,
        before: Mapping[str, LockedWheel],
        *,
        spared: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._inside = inside
        self._before = before
        self._spared = spared
        self._store = store
        self._chosen: dict[str, tuple[Wheel, LockedWheel]] = {}
        self._asked: deque[tuple[Requirement, str]] = deque()

    def ask(self, requirement: Requirement, asker: str) -> None:
        self._asked.append((requirement, asker))

    def wheels(self) -> dict[str, LockedWheel]:
        while self._asked:
            requirement, asker = self._asked.popleft()
            name = _known_name(requirement)
            if not self._is_there(name, requirement, asker):
                self._find(name, requirement)
        return {
            CPU_BUILD.get(name, name): locked for name, (_, locked) in sorted(self._chosen.items())
        }

    def _is_there(self, name: str, requirement: Requirement, asker: str) -> bool:
        if name in self._chosen:
            version = self._chosen[name][0].version
            if not requirement.specifier.contains(version, prereleases=True):
                raise ModelError(
                    f"{asker} requires {name}{requirement.specifier}, and {version} was chosen "
                    "already: log the model with versions that go together"
                )
            return True
        if name not in self._inside:
            return False
        held = self._inside[name]
        if held is None:
            # A range was met by the image's makers; an exact version can only be guessed.
            fits = not any(each.operator == "==" for each in requirement.specifier)
        else:
            fits = requirement.specifier.contains(held, prereleases=True)
        if not fits:
            raise ModelError(
                f"{asker} requires {name}{requirement.specifier}, and the image holds "
                f"{held_version(self._inside, name)}, which its own server may need: log the model "
                "with the image's version, choose another image, or image.kind own"
            )
        return True

    def _find(self, name: str, requirement: Requirement) -> None:
        if len(self._chosen) >= MAX_WHEELS:
            raise ModelError(f"the model needs more than {MAX_WHEELS} libraries besides the image")
        build = CPU_BUILD.get(name, name)
        found = self._again(build, requirement) or self._store.find(
            f"{build}{requirement.specifier}"
        )
        self._chosen[name] = found
        for required in required_on(self._store.target, found[0]):
            if _known_name(required) not in self._spared.get(name, {}):
                self.ask(required, f"{name} {found[0].version}")

    def _again(self, build: str, requirement: Requirement) -> tuple[Wheel, LockedWheel] | None:
        locked = self._before.get(build)
        if locked is None or not requirement.specifier.contains(locked.version, prereleases=True):
            return None
        kept = self._store.kept(locked)
        return None if kept is None else (kept, locked)


def required_on(target: Target, wheel: Wheel) -> list[Requirement]:
    """What a wheel requires on a target, without extras."""
    return [
        requirement
        for requirement in wheel.requires
        if requirement.marker is None or requirement.marker.evaluate(target.marker_environment)
    ]


def held_version(inside: Mapping[str, str | None], name: str) -> str:
    """What an image holds of a library, in words."""
    if name not in inside:
        return "none"
    return inside[name] or "a version not known here"


def _known_name(requirement: Requirement) -> str:
    name = canonicalize_name(requirement.name)
    return SAME_LIBRARY.get(name, str(name))
