"""Targets: the Python and the machine that wheels are chosen for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.tags import Tag, compatible_tags, cpython_tags

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEWEST_GLIBC = 28
_OLDEST_GLIBC = 17
"""Both are minors of glibc 2. The newest is what the images' own numpy and xgboost wheels ask for
(manylinux_2_28), so that every image has it; Debian 12, the base of own images, has 2.36."""


@dataclass(frozen=True)
class Target:
    """A CPython on Linux.

    Attributes:
        python: Its minor version, such as `3.12`.
        machine: `x86_64` or `aarch64`.
    """

    python: str
    machine: str = "x86_64"

    def __str__(self) -> str:
        return f"Python {self.python} on Linux {self.machine}"

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platform tags of wheels that run there, the newest first."""
        return (
            *(
                f"manylinux_2_{minor}_{self.machine}"
                for minor in range(_NEWEST_GLIBC, _OLDEST_GLIBC - 1, -1)
            ),
            f"manylinux2014_{self.machine}",
        )

    @property
    def tags(self) -> frozenset[Tag]:
        """All tags of wheels that run there."""
        return frozenset(self._tags())

    def _tags(self) -> Iterator[Tag]:
        version = tuple(map(int, self.python.split(".")))
        yield from cpython_tags(version, platforms=self.platforms)
        yield from compatible_tags(version, f"cp{self._digits}", self.platforms)

    @property
    def marker_environment(self) -> dict[str, str]:
        """What markers of requirements are evaluated against; the patch version is not known."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
            "extra": "",
        }

    @property
    def pip_options(self) -> tuple[str, ...]:
        """Options that make pip choose wheels for it, whatever Python pip runs on."""
        return (
            "--only-binary=:all:",
            "--implementation=cp",
            f"--python-version={self.python}",
            f"--abi=cp{self._digits}",
            "--abi=abi3",
            "--abi=none",
            *(f"--platform={platform}" for platform in self.platforms),
        )

    @property
    def _digits(self) -> str:
        return self.python.replace(".", "")
