"""The stage: the files of an archive, put into a folder before they are packed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_packaging.building.contract import (
    COMPILATION_FILE,
    INFO_FILE,
    INFO_VERSION,
    REQUIREMENTS_FILE,
    answer_requests,
)
from forecast_packaging.building.sandbox import run_in_sandbox
from forecast_packaging.documents import readable, sha256_of
from forecast_packaging.errors import ContractError
from forecast_packaging.formats.compilation import compile_bundle
from forecast_packaging.libraries.provision import vendored_libraries
from forecast_packaging.libraries.requirements import render, serving_pins
from forecast_packaging.manifest import file_sha256
from forecast_packaging.publishing.clients import example_clients
from forecast_packaging.publishing.golden import GOLDEN_FILE, golden_document, golden_requests
from forecast_packaging.publishing.openapi import OPENAPI_FILE, openapi_document
from forecast_packaging.workspace import place_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forecast_config import LockedModel
    from forecast_config.settings import ServingSettings
    from forecast_packaging.building.plan import ArchivePlan
    from forecast_packaging.formats.parts import ServedPart


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
        self._files: dict[str, dict[str, Any]] = {}
        self._info: dict[str, Any] = {}

    @property
    def exact_libraries(self) -> dict[str, str]:
        """Libraries that must be installed here in exactly the version that pickled the model."""
        names = {part.library for part in self._plan.bundle.parts if part.pickled}
        if names:
            names.add("scikit-learn")
        known = self._plan.libraries
        return {name: known[name] for name in sorted(names & known.keys())}

    def write(
        self, runtime: Mapping[str, Path], serving: ServingSettings, vendored: Mapping[str, Path]
    ) -> set[str]:
        """Put everything in its place; files that exist are linked, not copied.

        The model answers the golden requests by the archive's own code; when it is compiled, the
        compiled one does.

        Args:
            runtime: The runtime's files by their path in the archive.
            serving: How the model is packed and answers.
            vendored: Files of libraries that travel in the archive, by their path in it.

        Returns:
            The paths that the archive must have, and no others.

        Raises:
            ContractError: The model cannot be converted, or does not answer its golden requests.
            ModelError: A library that the model needs is not pinned.
        """
        plan = self._plan
        schema = {**plan.schema, "row_errors": serving.row_errors}
        for path, source in {**runtime, **plan.artifacts, **vendored}.items():
            self._place(source, path)
        for part in plan.bundle.parts:
            self._place_model(part)
        self._write("artifacts/feature_schema.json", readable(schema))
        self._write("artifacts/metrics.json", readable(plan.metrics))
        self._write("artifacts/input_example.json", readable(plan.example))
        self._info = self._describe(serving, vendored)
        requests = [request._asdict() for request in golden_requests(schema, plan.example)]
        answers = self._ask(requests)
        self._write_requirements()
        answers = self._compile(requests, answers, serving)
        self._publish(schema, requests, answers)
        self._write_info()
        return {INFO_FILE, *self._files}

    def _ask(self, requests: list[dict[str, Any]]) -> list[Any]:
        """The answers by the first way of giving rows that the model takes."""
        *others, last = self._plan.bundle.inputs
        for kind in others:
            self._info["input"] = kind
            try:
                return self._answers(requests)
            except ContractError:
                continue
        self._info["input"] = last
        return self._answers(requests)

    def _answers(self, requests: list[dict[str, Any]]) -> list[Any]:
        self._write_info()
        return answer_requests(self.folder, requests, self._scratch, self.exact_libraries)

    def _compile(
        self, requests: list[dict[str, Any]], answers: list[Any], serving: ServingSettings
    ) -> list[Any]:
        """The answers of the compiled model if it is accepted, else those of the original."""
        compilation = compile_bundle(self.folder, self._scratch, serving)
        if compilation is None:
            return answers
        self._write(COMPILATION_FILE, readable(compilation.report))
        if not compilation.report["accepted"]:
            return answers
        flavors = [model["flavor"] for model in self._info["models"]]
        for model in self._info["models"]:
            self._remove(model["file"])
        for path, source in compilation.files.items():
            self._place(source, path)
        self._write(REQUIREMENTS_FILE, self._render(compilation.libraries))
        self._info |= {
            "models": compilation.models,
            "input": "array",
            "runs_code_on_load": False,
            "compiled": {"from": sorted(set(flavors)), "report": COMPILATION_FILE},
            "libraries": self._libraries(compilation.libraries),
        }
        return self._answers(requests)

    def _publish(
        self, schema: Mapping[str, Any], requests: list[dict[str, Any]], answers: list[Any]
    ) -> None:
        """Write what callers get: golden requests, the API document and clients."""
        name, version = self._lock.name, self._lock.version
        golden = [
            {**request, "answer": answer} for request, answer in zip(requests, answers, strict=True)
        ]
        self._write(GOLDEN_FILE, readable(golden_document(golden)))
        api = openapi_document(schema, name=name, version=version, golden=golden)
        self._write(OPENAPI_FILE, readable(api))
        example = self._plan.example
        for path, text in example_clients(schema, example, name=name, version=version).items():
            self._write(path, text.encode())

    def _describe(self, serving: ServingSettings, vendored: Mapping[str, Path]) -> dict[str, Any]:
        """The content of `model-info.json` but for the files and the way of giving rows."""
        lock, bundle = self._lock, self._plan.bundle
        return {
            "schema_version": INFO_VERSION,
            "name": lock.name,
            "version": lock.version,
            "run_id": lock.run_id,
            "data_version": lock.data_version,
            "code_reference": lock.code_reference,
            "models": [_described(part) for part in bundle.parts],
            "input": bundle.inputs[0],
            "runs_code_on_load": bundle.runs_code,
            "codec": serving.codec,
            "compiled": None,
            "libraries": self._libraries(self._plan.libraries),
            "vendored": vendored_libraries(vendored),
            "model_digest": lock.model_digest,
            "signature_digest": lock.signature_digest,
        }

    def _libraries(self, needed: Mapping[str, str]) -> dict[str, str]:
        """Versions that the model was made with: what it needs, and Python and numpy."""
        plan = self._plan
        numpy = plan.pins.get("numpy")
        libraries = {"python": plan.libraries["python"], **needed}
        return dict(sorted({**libraries, **({"numpy": numpy} if numpy else {})}.items()))

    def _write_requirements(self) -> None:
        plan = self._plan
        pins = serving_pins(plan.pins, plan.bundle, dataframe=self._info["input"] == "dataframe")
        self._write(REQUIREMENTS_FILE, self._render(pins))

    def _render(self, pins: Mapping[str, str]) -> bytes:
        # pip does not see what is vendored, and would look for it in a package index.
        vendored = self._info["vendored"]
        return render({name: version for name, version in pins.items() if name not in vendored})

    def _write_info(self) -> None:
        info = {**self._info, "files": dict(sorted(self._files.items()))}
        (self.folder / INFO_FILE).write_bytes(readable(info))

    def _place_model(self, part: ServedPart) -> None:
        if not part.skops:
            self._place(part.source, part.member)
            return
        once, again = self._scratch / "once.pkl", self._scratch / "again.pkl"
        self._convert(part, once)
        self._convert(part, again)
        if file_sha256(once) != file_sha256(again):
            raise ContractError(
                "the model's skops file cannot be converted to a pickle that is the same each "
                'time: log the model with serialization_format="cloudpickle"'
            )
        self._place(once, part.member)
        once.unlink()
        again.unlink()

    def _convert(self, part: ServedPart, target: Path) -> None:
        skops = self._plan.pins.get("skops")
        task = {
            "do": "convert",
            "source": str(part.source.absolute()),
            "target": str(target.absolute()),
            "trusted_types": list(part.trusted_types),
            "libraries": {**self.exact_libraries, **({"skops": skops} if skops else {})},
        }
        try:
            run_in_sandbox(task, self._scratch)
        except ContractError as error:
            raise ContractError(
                f"the model's skops file cannot be converted to a pickle: {error}"
            ) from None

    def _place(self, source: Path, path: str) -> None:
        """Link a file; the digest of one that is in the snapshot is known."""
        place_file(source, self.folder / path)
        known = self._plan.entries.get(source)
        if known is None:
            self._files[path] = {"sha256": file_sha256(source), "size": source.stat().st_size}
        else:
            self._files[path] = {"sha256": known.sha256, "size": known.size}

    def _remove(self, path: str) -> None:
        (self.folder / path).unlink()
        del self._files[path]

    def _write(self, path: str, data: bytes) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        self._files[path] = {"sha256": sha256_of(data).removeprefix("sha256:"), "size": len(data)}


def _described(part: ServedPart) -> dict[str, Any]:
    """A model file as `model-info.json` has it."""
    entry: dict[str, Any] = {
        "flavor": part.flavor,
        "file": part.member,
        "columns": list(part.columns),
    }
    return entry if part.features is None else {**entry, "features": list(part.features)}
