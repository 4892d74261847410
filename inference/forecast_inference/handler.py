"""The predictor: one request body in, one answer out, whatever server stands in front of it."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from itertools import chain
from pathlib import Path
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from forecast_inference.answers.accept import answer_type
from forecast_inference.answers.finish import OutputFinisher, interleave
from forecast_inference.answers.write import AnswerWriter
from forecast_inference.contract.schema import FeatureSchema
from forecast_inference.errors import InferenceError, PredictionError
from forecast_inference.features.assemble import FeatureAssembler
from forecast_inference.golden import GOLDEN_FILE, replay
from forecast_inference.models.bundle import load_model
from forecast_inference.models.digests import verify_data, verify_file
from forecast_inference.models.info import ModelInfo
from forecast_inference.requests.content import JSON
from forecast_inference.requests.reader import RequestReader
from forecast_inference.telemetry.observation import Observation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast_inference.answers.finish import Finished
    from forecast_inference.models.given import Predict
    from forecast_inference.requests.batch import Batch
    from forecast_inference.telemetry.observation import Recorder

INFO_FILE: Final = "model-info.json"
SCHEMA_FILE: Final = "artifacts/feature_schema.json"
_LOG = logging.getLogger(__name__)


class Response(NamedTuple):
    """The HTTP answer to a request."""

    status: int
    body: bytes
    content_type: str


class _Course:
    """How far a request has come, and how long each stage took."""

    __slots__ = ("_since", "batch", "finished", "stages_ns")

    def __init__(self) -> None:
        self.batch: Batch | None = None
        self.finished: Finished | None = None
        self.stages_ns = [0, 0, 0, 0, 0]
        self._since = perf_counter_ns()

    def end(self, stage: int) -> None:
        """End a stage; one that recurs adds up."""
        now = perf_counter_ns()
        self.stages_ns[stage] += now - self._since
        self._since = now


_DECODE, _VALIDATE, _FEATURES, _PREDICT, _ENCODE = range(5)


class Predictor:
    """A model with its contract: decodes, validates, derives, predicts and encodes.

    Args:
        info: what the archive says of its model.
        schema: the contract.
        predict: the model's prediction.
        codec: ``fast`` reads and writes JSON with msgspec where it is installed, ``standard`` with
            the standard library; the answers are equal.
        recorder: takes what each request leaves behind for logs and metrics.
    """

    def __init__(
        self,
        info: ModelInfo,
        schema: FeatureSchema,
        predict: Predict,
        *,
        codec: str = "standard",
        recorder: Recorder | None = None,
    ) -> None:
        self.info = info
        self.schema = schema
        self._predict = predict
        self._recorder = recorder
        self._outputs = OutputFinisher(schema)
        try:
            self._reader = RequestReader(schema, codec)
            self._writer = AnswerWriter(schema, info.version, codec)
        except ImportError:
            _LOG.warning("msgspec is not installed: JSON is read with the standard library")
            self._reader = RequestReader(schema)
            self._writer = AnswerWriter(schema, info.version)
        assembler = FeatureAssembler(schema, self._reader.groups)
        self._assemble, self._assemble_one = assembler.ways(info.input)
        self._clock = _Clock()

    @classmethod
    def load(cls, model_dir: Path, recorder: Recorder | None = None) -> Predictor:
        """Load the model of an extracted archive; digests are checked before anything is loaded.

        The environment variable FORECAST_CODEC (``standard`` or ``fast``) comes before the codec
        that the archive names.

        Raises:
            ArtifactError: the archive is damaged, incomplete or contradicts itself.
        """
        model_dir = Path(model_dir)
        info = ModelInfo.load(model_dir / INFO_FILE)
        verify_data(model_dir, info)
        schema = FeatureSchema.load(verify_file(model_dir, SCHEMA_FILE, info))
        names = [feature.name for feature in schema.features]
        predict = load_model(model_dir, info, names, schema.columns)
        codec = os.environ.get("FORECAST_CODEC") or info.codec
        return cls(info, schema, predict, codec=codec, recorder=recorder)

    def warm_up(self, model_dir: Path) -> None:
        """Answer the archive's golden requests, and compare with the answers recorded in it.

        Raises:
            ArtifactError: a request gets no answer, or another one than where it was packaged.
        """
        replay(verify_file(Path(model_dir), GOLDEN_FILE, self.info), self._respond_unrecorded)

    def respond(
        self,
        body: bytes | str,
        content_type: str | None,
        accept: str | None = None,
        *,
        encoding: str | None = None,
        request_id: str | None = None,
    ) -> Response:
        """The answer to a request; it never raises, and tells a client only what it may know.

        Args:
            body: the request's body, or the text that a serving stack has made of it.
            content_type: ``application/json`` (also when absent), ``application/jsonlines`` or
                ``text/csv``; ``application/gzip`` where a stack hands over no encoding.
            accept: ``text/csv`` or ``application/jsonlines`` for such an answer, else JSON.
            encoding: ``gzip`` for a compressed body.
            request_id: the caller's or the server's id of the request, for the recorder.
        """
        course = _Course()
        response, code = self._try(course, body, content_type, accept, encoding)
        if self._recorder is not None:
            try:
                self._recorder.record(self._observe(course, response.status, code, request_id))
            except Exception:  # noqa: BLE001 - a recorder must not cost a client its answer
                _LOG.exception("the request was not recorded")
        return response

    def _respond_unrecorded(self, body: str, content_type: str, accept: str) -> Response:
        return self._try(_Course(), body.encode(), content_type, accept, None)[0]

    def _try(
        self,
        course: _Course,
        body: bytes | str,
        content_type: str | None,
        accept: str | None,
        encoding: str | None,
    ) -> tuple[Response, str]:
        try:
            return self._answer(course, body, content_type, accept, encoding), "ok"
        except InferenceError as error:
            if isinstance(error, PredictionError):
                _LOG.error("prediction failed: %s", error.message)
            failure = error
        except Exception:  # noqa: BLE001 - the last line of defence: logged here, hidden from clients
            _LOG.exception("the request failed")
            failure = InferenceError("the request failed", code="internal_error")
        return Response(failure.status, failure.body(), JSON), failure.code

    def _answer(
        self,
        course: _Course,
        body: bytes | str,
        content_type: str | None,
        accept: str | None,
        encoding: str | None,
    ) -> Response:
        rows = self._reader.decode(body, content_type, encoding)
        course.end(_DECODE)
        course.batch = batch = self._reader.check(rows)
        course.end(_VALIDATE)
        course.finished = finished = self._forecast(course, batch)
        media = answer_type(accept)
        answer = self._writer.write(finished, batch, media, self._clock.timestamp())
        course.end(_ENCODE)
        return Response(200, answer, media)

    def _forecast(self, course: _Course, batch: Batch) -> Finished:
        if batch.row is not None:
            return self._finish(course, batch, self._assemble_one(batch.row), 1)
        steps, horizon = batch.parameters.horizon, self.schema.horizon
        if steps is None or horizon is None or not horizon.carry:
            count = batch.predicted_count
            return self._finish(course, batch, self._assemble(batch.blocks, count), count)
        return self._carry_on(course, batch, steps, horizon.carry)

    def _carry_on(
        self, course: _Course, batch: Batch, steps: int, carry: Mapping[str, str]
    ) -> Finished:
        """The steps predicted one after the other, each from outputs of the one before."""
        outputs = [output.name for output in self.schema.outputs]
        carried: dict[str, list[float]] = {}
        found = []
        count = batch.predicted_count // steps
        for step in range(steps):
            blocks = self._reader.blocks_of_step(batch, slice(step, None, steps), carried)
            finished = self._finish(course, batch, self._assemble(blocks, count), count)
            carried = {
                name: finished.column(outputs.index(output)) for name, output in carry.items()
            }
            found.append(finished)
        return interleave(found)

    def _finish(self, course: _Course, batch: Batch, features: Any, count: int) -> Finished:
        course.end(_FEATURES)
        try:
            raw = self._predict(features)
        except InferenceError:
            raise
        except Exception:  # noqa: BLE001 - a model may raise anything
            _LOG.exception("the model failed")
            raise PredictionError(
                "the model failed on a valid request", code="prediction_failed"
            ) from None
        course.end(_PREDICT)
        finished = self._outputs.finish(raw, count, batch.parameters.levels)
        course.end(_ENCODE)
        return finished

    def _observe(
        self, course: _Course, status: int, code: str, request_id: str | None
    ) -> Observation:
        batch, finished = course.batch, course.finished
        decode, validate, features, predict, encode = course.stages_ns
        stages = (decode, validate, features, predict, encode)
        if batch is None:
            return Observation(status, code, stages_ns=stages, request_id=request_id)
        changes = Counter(chain.from_iterable(batch.adjusted.values())) if batch.adjusted else {}
        widths = None
        if finished is not None:
            widths = self._outputs.interval_width(finished, batch.parameters.levels)
        return Observation(
            status,
            code,
            batch.count,
            len(batch.refused),
            stages,
            batch.out_of_range or None,
            _count(changes, "clipped"),
            _count(changes, "imputed"),
            widths,
            request_id,
        )


def _count(changes: Mapping[tuple[str, str], int], action: str) -> dict[str, int] | None:
    return {name: count for (done, name), count in changes.items() if done == action} or None


class _Clock:
    """The time as text, made once a second."""

    def __init__(self) -> None:
        self._last = (0, "")

    def timestamp(self) -> str:
        """The time in UTC, to the second, in ISO 8601."""
        second = int(time.time())
        last, text = self._last
        if second != last:
            text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))
            self._last = (second, text)
        return text
