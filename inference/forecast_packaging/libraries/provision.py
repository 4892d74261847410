"""Provision: how the container of an environment comes to have what a model needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast_config import ForecastError
from forecast_config.images import serving_images, serving_stack
from forecast_config.instances import is_graviton
from forecast_config.settings import AwsImage, EcrImage, OwnImage, ServerlessEndpoint
from forecast_packaging.errors import LockMismatchError, ModelError
from forecast_packaging.libraries.choose import CPU_BUILD, choose_wheels, held_version
from forecast_packaging.libraries.requirements import SAME_LIBRARY
from forecast_packaging.libraries.store import WheelStore
from forecast_packaging.libraries.target import Target

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forecast_config import EnvironmentSettings, LockedModel, LockedWheel
    from forecast_config.settings import ServingSettings

VENDOR_FOLDER = "code/vendor"
"""Where vendored libraries are in the archive."""

SERVING_PINS = {"msgspec": "0.22.0", "onnxruntime": "1.31.1"}
"""Libraries that serving settings ask for, in the versions that this project is tested with."""


class Provision:
    """What an environment's image holds for a locked model, and how the rest gets there.

    Args:
        root: The project's root; wheels are kept below `.forecast/wheels`.
        settings: The environment.
        serving: How the model is packed, which may need libraries besides the model's own.
    """

    def __init__(self, root: Path, settings: EnvironmentSettings, serving: ServingSettings) -> None:
        self._root = root
        self._settings = settings
        self._serving = serving
        self._image = settings.image

    def pin(self, lock: LockedModel, before: LockedModel | None = None) -> LockedModel:
        """The lock entry with the wheels that the image lacks, found in the package index.

        Nothing is asked for when nothing is to be vendored, built or downloaded.

        Args:
            lock: The entry without wheels.
            before: The environment's entry until now, whose wheels are kept while they fit.

        Raises:
            RegistryError: The package index does not give a wheel.
            ModelError: What the model needs does not go with what the image holds.
        """
        image, known = self._image, {} if before is None else before.wheels
        if isinstance(image, OwnImage):
            # The runtime itself needs numpy, which a booster's pins need not name.
            needed = {"numpy": None, **self._needed(lock)}
            return self._with_wheels(lock, choose_wheels(needed, {}, self._store(), before=known))
        if isinstance(image, AwsImage) and image.missing_libraries == "vendor":
            wheels = choose_wheels(self._needed(lock), self._inside(), self._store(), before=known)
            return self._with_wheels(lock, wheels)
        if isinstance(image, AwsImage) and image.missing_libraries == "download":
            self._check_download(lock)
        return self._with_wheels(lock, {})

    def check(self, lock: LockedModel) -> None:
        """Refuse a model that the environment's image could not run, from the lock alone.

        Raises:
            ForecastError: The image has another Python than code in the model needs, or lacks
                libraries that nothing would bring.
            LockMismatchError: The lock pins no wheel of what the image lacks.
        """
        self._check_python(lock)
        if isinstance(self._image, EcrImage):
            return
        missing = self._missing(lock)
        if isinstance(self._image, OwnImage) or self._image.missing_libraries == "vendor":
            self._check_pinned(lock, missing)
        elif self._image.missing_libraries == "refuse":
            self._refuse(lock, missing)
        else:
            self._check_serving_stack(missing)

    def check_archive(self, lock: LockedModel, vendored: Mapping[str, str]) -> None:
        """Refuse an archive that was packed for an image of other contents than this one's.

        Args:
            lock: The model version inside.
            vendored: The libraries that travel in the archive: version by name.

        Raises:
            ModelError: It does not bring what the image lacks.
            LockMismatchError: What it brings is not for the image.
        """
        if vendored and not isinstance(self._image, EcrImage):
            store = self._store()
            for locked in lock.wheels.values():
                store.check(locked)
        if not self.vendors:
            return
        for name, version in self._missing(lock).items():
            if vendored.get(name) != version:
                raise ModelError(
                    f"the archive {lock.archive_digest} brings "
                    f"{f'{name} {vendored[name]}' if name in vendored else f'no {name}'}, and the "
                    f"image of '{self._settings.name}' lacks {name} {version}: it was packed for "
                    "another image; give both environments the same one, or run: forecast resolve "
                    f"{self._settings.name}"
                )

    def vendored(self, lock: LockedModel) -> dict[str, Path]:
        """The files of the vendored libraries by their path in the archive.

        Raises:
            LockMismatchError: A pinned wheel is not for the image, or is not to be had any more.
            ModelError: A wheel is damaged, or two hold the same file.
        """
        if not self.vendors:
            return {}
        store = self._store()
        members: dict[str, Path] = {}
        for name, locked in sorted(lock.wheels.items()):
            content = store.unpacked(store.fetch(name, locked))
            for file in sorted(path for path in content.rglob("*") if path.is_file()):
                member = f"{VENDOR_FOLDER}/{file.relative_to(content).as_posix()}"
                if member in members:
                    raise ModelError(f"{locked.file} holds {member}, which another wheel holds too")
                members[member] = file
        return members

    @property
    def vendors(self) -> bool:
        """Whether libraries that the image lacks travel in the archive."""
        return isinstance(self._image, AwsImage) and self._image.missing_libraries == "vendor"

    @property
    def target(self) -> Target:
        """The Python and the machine of the image.

        Raises:
            ForecastError: The image's content is not known.
        """
        if isinstance(self._image, AwsImage):
            return Target(serving_images()[self._image.framework, self._image.version].python)
        if isinstance(self._image, OwnImage):
            endpoint = self._settings.endpoint
            # Serverless containers run on x86.
            arm = not isinstance(endpoint, ServerlessEndpoint) and is_graviton(
                endpoint.instance_type
            )
            return Target(self._image.python, "aarch64" if arm else "x86_64")
        raise ForecastError("an image by its URI has libraries that are not known here")

    def _store(self) -> WheelStore:
        return WheelStore(self._root, self.target)

    def _inside(self) -> Mapping[str, str | None]:
        if isinstance(self._image, AwsImage):
            return serving_images()[self._image.framework, self._image.version].inventory
        return {}

    def _needed(self, lock: LockedModel) -> dict[str, str]:
        needed = {name: version for name, version in lock.libraries.items() if name != "python"}
        if self._serving.codec == "fast":
            needed.setdefault("msgspec", SERVING_PINS["msgspec"])
        if self._serving.compile == "onnx":
            needed.setdefault("onnxruntime", SERVING_PINS["onnxruntime"])
        return needed

    def _missing(self, lock: LockedModel) -> dict[str, str]:
        inside = self._inside()
        return {
            name: version
            for name, version in sorted(self._needed(lock).items())
            if inside.get(name) != version
        }

    def _with_wheels(self, lock: LockedModel, wheels: dict[str, LockedWheel]) -> LockedModel:
        return lock.model_copy(update={"wheels": wheels})

    def _check_python(self, lock: LockedModel) -> None:
        python = (
            self._image.python
            if isinstance(self._image, EcrImage | OwnImage)
            else self.target.python
        )
        trained = ".".join(lock.libraries["python"].split(".")[:2])
        if not lock.cloudpickled or python is None or python == trained:
            return
        raise ForecastError(
            f"version {lock.version} of model '{lock.name}' holds functions pickled by value with "
            f"Python {trained}, and the image of '{self._settings.name}' has Python {python}, "
            f"which crashes on them: log it from Python {python}, put the functions into an "
            "installable library, log a data-only file (.txt, .ubj, .cbm, .onnx), or set "
            f"image.kind own with python '{trained}'"
        )

    def _check_pinned(self, lock: LockedModel, missing: Mapping[str, str]) -> None:
        for name, version in missing.items():
            pinned = lock.wheels.get(CPU_BUILD.get(name, name))
            if pinned is None or pinned.version != version:
                raise LockMismatchError(
                    f"the lock of '{self._settings.name}' pins no wheel of {name} {version}, which "
                    f"its image lacks; run: forecast resolve {self._settings.name}"
                )

    def _refuse(self, lock: LockedModel, missing: Mapping[str, str]) -> None:
        if missing and isinstance(self._image, AwsImage):
            image, inside = self._image, self._inside()
            shown = ", ".join(
                f"{name} {version} (the image holds {held_version(inside, name)})"
                for name, version in missing.items()
            )
            raise ForecastError(
                f"the {image.framework} image {image.version} of '{self._settings.name}' cannot "
                f"run version {lock.version} of model '{lock.name}' without further libraries: it "
                f"needs {shown}; log the model with the image's versions, choose another image, "
                "or set image.missing_libraries: vendor"
            )

    def _check_serving_stack(self, missing: Mapping[str, str]) -> None:
        inside = self._inside()
        replaced = [
            f"{name} {held_version(inside, name)} by {version}"
            for name, version in missing.items()
            if name in inside and name in serving_stack()
        ]
        if replaced:
            raise ForecastError(
                f"the container of '{self._settings.name}' would replace {', '.join(replaced)}, "
                "which the image's own server runs on: log the model with the image's versions, "
                "or choose image.kind own"
            )

    def _check_download(self, lock: LockedModel) -> None:
        needed, inside = self._needed(lock), self._inside()
        self._check_serving_stack(self._missing(lock))
        kept = {
            name: version
            for name, version in inside.items()
            if name in serving_stack() or name not in needed
        }
        choose_wheels(needed, kept, self._store(), as_pip=True)


def vendored_libraries(members: Mapping[str, Path]) -> dict[str, str]:
    """The libraries among vendored files: version by the name that requirements know them by."""
    found: dict[str, str] = {}
    for member in members:
        folder, _, file = member.removeprefix(f"{VENDOR_FOLDER}/").partition("/")
        if file == "METADATA" and folder.endswith(".dist-info"):
            name, _, version = folder.removesuffix(".dist-info").rpartition("-")
            name = name.replace("_", "-").replace(".", "-").lower()
            found[SAME_LIBRARY.get(name, name)] = version
    return dict(sorted(found.items()))
