"""The stage: the files of an archive, written to a folder before they are packed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from forecast_packaging.building.contract import INFO_FILE, answer_example
from forecast_packaging.building.sandbox import run_in_sandbox
from forecast_packaging.documents import readable
from forecast_packaging.errors import ContractError
from forecast_packaging.libraries.requirements import render, serving_pins
from forecast_packaging.manifest import file_sha256, scan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forecast_config import LockedModel
    from forecast_packaging.building.plan import ArchivePlan

INFO_VERSION = 1


class Stage:
    """The content of one archive in the making.

    Args:
        folder: An existing, empty folder for the files.
        scratch: An existing folder for the sandbox.
        lock: The model version that is packed.
        plan: What its snapshot says.
    """

    def __init__(
        self, folder: Path, scratch: Path, *, lock: LockedModel, plan: ArchivePlan
    ) -> None:
        self.folder = folder
        self._scratch = scratch
        self._lock = lock
        self._plan = plan

    @property
    def exact_libraries(self) -> dict[str, str]:
        """Libraries that must be installed here in exactly the version that pickled the model."""
        served = self._plan.served
        if not served.pickled:
            return {}
        names = {served.library, "scikit-learn"} & self._plan.libraries.keys()
        return {name: self._plan.libraries[name] for name in sorted(names)}

    def write(self, runtime: Mapping[str, Path]) -> set[str]:
        """Write everything, the answer to the input example and `model-info.json` last.

        Returns:
            The paths that the archive must have, and no others.

        Raises:
            ContractError: The model cannot be converted, or does not answer its input example.
            ModelError: A library that the model needs is not pinned.
        """
        for path, source in {**runtime, **self._plan.artifacts}.items():
            self._copy(source, path)
        self._write_model()
        self._write("artifacts/feature_schema.json", readable(self._plan.schema))
        self._write("artifacts/metrics.json", readable(self._plan.metrics))
        self._write("artifacts/input_example.json", readable(self._plan.example))
        kind, answer = self._ask()
        self._write("artifacts/expected_output.json", readable(answer))
        self._write("code/requirements.txt", self._requirements(kind))
        self._write_info(kind)
        return {
            *runtime,
            *self._plan.artifacts,
            self._plan.served.member,
            "artifacts/expected_output.json",
            "artifacts/feature_schema.json",
            "artifacts/input_example.json",
            "artifacts/metrics.json",
            "code/requirements.txt",
            INFO_FILE,
        }

    def _write_model(self) -> None:
        served = self._plan.served
        if not served.skops:
            self._copy(served.source, served.member)
            return
        target = self.folder / served.member
        target.parent.mkdir(parents=True, exist_ok=True)
        again = self._scratch / "again.pkl"
        self._convert(target)
        self._convert(again)
        if file_sha256(target) != file_sha256(again):
            raise ContractError(
                "the model's skops file cannot be converted to a pickle that is the same each "
                'time: log the model with serialization_format="cloudpickle"'
            )

    def _convert(self, target: Path) -> None:
        skops = self._plan.pins.get("skops")
        task = {
            "do": "convert",
            "source": str(self._plan.served.source.absolute()),
            "target": str(target.absolute()),
            "trusted_types": list(self._plan.served.trusted_types),
            "libraries": {**self.exact_libraries, **({"skops": skops} if skops else {})},
        }
        try:
            run_in_sandbox(task, self._scratch)
        except ContractError as error:
            raise ContractError(
                f"the model's skops file cannot be converted to a pickle: {error}"
            ) from None

    def _ask(self) -> tuple[str, dict[str, Any]]:
        """The first way of giving rows that the model answers, and its answer."""
        inputs = self._plan.served.inputs
        for kind in inputs[:-1]:
            self._write_info(kind)
            try:
                return kind, answer_example(self.folder, self._scratch, self.exact_libraries)
            except ContractError:
                continue
        self._write_info(inputs[-1])
        return inputs[-1], answer_example(self.folder, self._scratch, self.exact_libraries)

    def _requirements(self, kind: str) -> bytes:
        pins = serving_pins(self._plan.pins, self._plan.served, dataframe=kind == "dataframe")
        return render(pins)

    def _write_info(self, kind: str) -> None:
        (self.folder / INFO_FILE).unlink(missing_ok=True)
        lock, plan = self._lock, self._plan
        files = {
            entry.path: {"sha256": entry.sha256, "size": entry.size}
            for entry in scan(self.folder, "the archive")
        }
        numpy = plan.pins.get("numpy")
        libraries = {**plan.libraries, **({"numpy": numpy} if numpy else {})}
        info = {
            "schema_version": INFO_VERSION,
            "name": lock.name,
            "version": lock.version,
            "run_id": lock.run_id,
            "data_version": lock.data_version,
            "code_reference": lock.code_reference,
            "flavor": plan.served.flavor,
            "model_file": plan.served.member,
            "input": kind,
            "libraries": dict(sorted(libraries.items())),
            "model_digest": lock.model_digest,
            "signature_digest": lock.signature_digest,
            "files": files,
        }
        self._write(INFO_FILE, readable(info))

    def _copy(self, source: Path, path: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)

    def _write(self, path: str, data: bytes) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
