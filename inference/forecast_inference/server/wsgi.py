"""The predictor as a WSGI application, for the scikit-learn image instead of its own Flask one.

The image starts ``gunicorn`` behind nginx with the application that ``SAGEMAKER_SERVING_MODULE``
names (sagemaker_containers/_server.py). With ``forecast_inference.server.wsgi:application`` there,
``PYTHONPATH=/opt/ml/model/code`` and no ``SAGEMAKER_PROGRAM``, nothing is installed at the start
and requests take neither Flask nor the transformer of the image. The model is loaded when gunicorn
asks for the application: until then nginx has nobody to ask, and ``/ping`` is no 200.
"""

from __future__ import annotations

import atexit
import os
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from forecast_inference.server.documents import metadata
from forecast_inference.server.head import Head, RefusedError, body_length
from forecast_inference.server.routes import INVOCATIONS, Routes, request_id_of
from forecast_inference.server.startup import load_predictor, prepare
from forecast_inference.telemetry.recorder import RequestRecorder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from forecast_inference.handler import Response

    StartResponse = Callable[[str, list[tuple[str, str]]], Any]

_HEADERS: Final = {
    "CONTENT_TYPE": "content-type",
    "CONTENT_LENGTH": "content-length",
    "HTTP_ACCEPT": "accept",
    "HTTP_CONTENT_ENCODING": "content-encoding",
    "HTTP_TRANSFER_ENCODING": "transfer-encoding",
    "HTTP_X_AMZN_REQUESTID": "x-amzn-requestid",
    "HTTP_X_REQUEST_ID": "x-request-id",
}
_STATUS_LINES: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Application:
    """Answers the paths of the container contract.

    Args:
        routes: what each path answers.
    """

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    def __call__(self, environ: Mapping[str, Any], start_response: StartResponse) -> list[bytes]:
        """Answer one request."""
        headers = {
            name: environ[variable] for variable, name in _HEADERS.items() if environ.get(variable)
        }
        request_id = request_id_of(headers)
        sent = [("X-Request-Id", request_id)]
        method = environ["REQUEST_METHOD"]
        try:
            response = self._answer(environ, headers, request_id)
        except RefusedError as refused:
            if refused.allow:
                sent.append(("Allow", refused.allow))
            invocation = environ.get("PATH_INFO") == INVOCATIONS
            response = self._routes.refused(refused, request_id, invocation=invocation)
        sent.append(("Content-Length", str(len(response.body))))
        if response.content_type:
            sent.append(("Content-Type", response.content_type))
        start_response(_STATUS_LINES[response.status], sent)
        return [b"" if method == "HEAD" else response.body]

    def _answer(
        self, environ: Mapping[str, Any], headers: dict[str, str], request_id: str
    ) -> Response:
        path = environ.get("PATH_INFO", "")
        length = body_length(headers)
        head = Head(environ["REQUEST_METHOD"], path, headers, length, True, False)  # noqa: FBT003
        self._routes.check(head)
        if path != INVOCATIONS:
            return self._routes.about(path)
        body = environ["wsgi.input"].read(length)
        if len(body) < (length or 0):
            raise RefusedError(
                HTTPStatus.BAD_REQUEST, "incomplete_body", "the body is shorter than announced"
            )
        return self._routes.invoke(head, body, request_id)


def load(model_dir: Path) -> Application:
    """The application of an extracted archive.

    Raises:
        ArtifactError: the archive cannot be served.
    """
    prepare(model_dir)
    recorder = RequestRecorder.from_environment()
    routes = Routes(recorder)
    predictor = load_predictor(model_dir, recorder)
    recorder.set_model(predictor.info.version)
    routes.metadata = metadata(model_dir)
    routes.predictor = predictor
    recorder.start()
    atexit.register(recorder.stop)
    return Application(routes)


@cache
def _of_this_container() -> Application:
    return load(Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")) / "model")


def __getattr__(name: str) -> Any:
    """``application``, made when it is first asked for."""
    if name == "application":
        return _of_this_container()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
