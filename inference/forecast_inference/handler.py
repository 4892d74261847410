"""The predictor: one request body in, one answer out, whatever server stands in front of it."""

from __future__ import annotations

import json
import logging
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from forecast_inference.answers.encode import AnswerWriter, answer_type
from forecast_inference.answers.outputs import OutputFinisher
from forecast_inference.contract.schema import FeatureSchema, read_json
from forecast_inference.errors import ArtifactError, InferenceError, PredictionError
from forecast_inference.features.assemble import FeatureAssembler
from forecast_inference.models.loading import ModelInfo, load_model, verify_data, verify_file
from forecast_inference.requests.content import JSON, media_type, text_of
from forecast_inference.requests.decode import RowReader
from forecast_inference.requests.validate import RowValidator

if TYPE_CHECKING:
    from forecast_inference.models.loading import Predict

INFO_FILE: Final = "model-info.json"
SCHEMA_FILE: Final = "artifacts/feature_schema.json"
EXAMPLE_FILE: Final = "artifacts/input_example.json"
EXPECTED_FILE: Final = "artifacts/expected_output.json"
EXAMPLE_TOLERANCE: Final = 1e-3
"""Relative difference allowed between the example's answer here and where the model was packaged:
well above what library versions and processors change, well below a confusion of features."""

_LOG = logging.getLogger(__name__)


class Response(NamedTuple):
    """The HTTP answer to a request."""

    status: int
    body: bytes
    content_type: str


class Predictor:
    """A model with its contract: decodes, validates, derives, predicts and encodes."""

    def __init__(self, info: ModelInfo, schema: FeatureSchema, predict: Predict) -> None:
        validator = RowValidator(schema)
        assembler = FeatureAssembler(schema, validator.groups)
        if info.input == "array":
            assembler.check_array()
        self.info = info
        self.schema = schema
        self._predict = predict
        self._reader = RowReader(schema.inputs, validator.order)
        self._blocks = validator.blocks
        self._assemble = assembler.array if info.input == "array" else assembler.frame
        self._outputs = OutputFinisher(schema)
        self._writer = AnswerWriter(schema, self._outputs.columns, info.version)

    @classmethod
    def load(cls, model_dir: Path) -> Predictor:
        """Load the model of an extracted archive; digests are checked before anything is loaded.

        Raises:
            ArtifactError: the archive is damaged, incomplete or contradicts itself.
        """
        model_dir = Path(model_dir)
        info = ModelInfo.load(model_dir / INFO_FILE)
        verify_data(model_dir, info)
        schema = FeatureSchema.load(verify_file(model_dir, SCHEMA_FILE, info))
        names = [feature.name for feature in schema.features]
        return cls(info, schema, load_model(model_dir, info, names))

    def respond(
        self, body: bytes | str, content_type: str | None, accept: str | None = None
    ) -> Response:
        """The answer to a request; it never raises, and tells a client only what it may know.

        Args:
            body: the request's body, or the text that a serving stack has made of it.
            content_type: ``application/json`` (also when absent) or ``text/csv``.
            accept: ``text/csv`` for a CSV answer, anything else for JSON.
        """
        try:
            return self._answer(body, content_type, accept)
        except InferenceError as error:
            if isinstance(error, PredictionError):
                _LOG.error("prediction failed: %s", error.message)
            failure = error
        except Exception:  # noqa: BLE001 - the last line of defence: logged here, hidden from clients
            _LOG.exception("the request failed")
            failure = InferenceError("the request failed", code="internal_error")
        return Response(failure.status, failure.body(), JSON)

    def _answer(self, body: bytes | str, content_type: str | None, accept: str | None) -> Response:
        media = media_type(content_type)
        rows = self._reader.read(text_of(body), media)
        features = self._assemble(self._blocks(rows), len(rows))
        finished = self._outputs.finish(self._run(features), len(rows))
        answer = answer_type(accept)
        timestamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Response(200, self._writer.write(finished, answer, timestamp), answer)

    def _run(self, features: Any) -> Any:
        try:
            return self._predict(features)
        except Exception:  # noqa: BLE001 - a model may raise anything
            _LOG.exception("the model failed")
            raise PredictionError(
                "the model failed on a valid request", code="prediction_failed"
            ) from None

    def check_example(self, model_dir: Path) -> None:
        """Predict the archive's own input example and compare with its expected output.

        Raises:
            ArtifactError: the example gets no answer, or another one than where it was packaged.
        """
        model_dir = Path(model_dir)
        body = verify_file(model_dir, EXAMPLE_FILE, self.info).read_bytes()
        status, answer, _ = self.respond(body, JSON)
        if status != 200:  # noqa: PLR2004 - the status of success needs no name
            raise ArtifactError(f"the model cannot predict its own example: {answer.decode()}")
        if EXPECTED_FILE in self.info.digests:
            expected = read_json(verify_file(model_dir, EXPECTED_FILE, self.info))
            _compare(json.loads(answer), expected)


def _compare(answer: Any, expected: Any) -> None:
    found, wanted = answer["predictions"], expected["predictions"]
    if len(found) != len(wanted):
        raise ArtifactError(
            f"the model answers its example with {len(found)} predictions, expected {len(wanted)}"
        )
    for row, (got, want) in enumerate(zip(found, wanted, strict=True)):
        for name, value in want.items():
            if isinstance(value, float) and not math.isclose(
                got.get(name, math.nan), value, rel_tol=EXAMPLE_TOLERANCE, abs_tol=1e-6
            ):
                raise ArtifactError(
                    f"the model answers its example with {name} {got.get(name)} in row {row}, "
                    f"expected {value}: another library version may read the model differently"
                )
