"""The entry point of AWS's framework images: packaging ships this file as ``code/inference.py``.

The images differ in the server that calls the two hooks, and only this module knows them:

* gunicorn with Flask (scikit-learn image; the XGBoost image's single-model path) calls
  ``transform_fn`` with four arguments and passes a ``flask.Response`` on as it is;
* the Multi Model Server calls it through ``sagemaker-inference``, which hands over its context when
  the function takes five arguments; older copies of that code take a status only as an exception.
"""

from __future__ import annotations

import atexit
import sys
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forecast_inference.handler import Predictor, Response


def model_fn(model_dir: str) -> Predictor:
    """The predictor of the archive in ``model_dir``, after it has answered the archive's requests.

    Raises:
        ArtifactError: the archive cannot be served; the container then never becomes healthy.
    """
    code = str(Path(model_dir) / "code")
    if code not in sys.path:
        # Some images install this file away from the package that travels beside it.
        sys.path.insert(0, code)
    from forecast_inference.server.startup import load_predictor  # noqa: PLC0415 - on that path
    from forecast_inference.telemetry.recorder import RequestRecorder  # noqa: PLC0415

    recorder = RequestRecorder.from_environment()
    predictor = load_predictor(Path(model_dir), recorder)
    recorder.set_model(predictor.info.version)
    recorder.start()
    atexit.register(recorder.stop)
    return predictor


def transform_fn(
    model: Predictor,
    body: bytes | str,
    content_type: str | None,
    accept: str | None,
    context: Any = None,
) -> Any:
    """The answer to one request, in the form that the serving stack at hand takes."""
    from forecast_inference.server.limits import within_limit  # noqa: PLC0415 - as above
    from forecast_inference.server.routes import request_id_of  # noqa: PLC0415

    headers: dict[str, str] = {}
    # The Multi Model Server passes a bytearray.
    payload = body if isinstance(body, str) else bytes(body)
    if (request := _flask_request()) is not None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        # The stack has decoded the body as text whatever it is, with U+FFFD for what is none; the
        # bytes are kept by the request object of its own that has read them.
        reader = request.environ.get("werkzeug.request", request)
        payload = reader.get_data() or payload
    response = model.respond(
        payload,
        content_type,
        accept,
        encoding=headers.get("content-encoding"),
        request_id=request_id_of(headers),
    )
    return _hand_over(within_limit(response), context)


def _flask_request() -> Any:
    """The request of the Flask server that has called, if one has."""
    flask: Any = sys.modules.get("flask")
    return flask.request if flask is not None and flask.has_request_context() else None


def _hand_over(response: Response, context: Any) -> Any:
    """Give the status, the body and its type to the server: the one place where they leave."""
    phrase = HTTPStatus(response.status).phrase
    if context is not None:
        context.set_response_status(code=response.status, phrase=phrase, idx=0)
        return response.body, response.content_type
    if _flask_request() is not None:
        return sys.modules["flask"].Response(
            response.body, status=response.status, content_type=response.content_type
        )
    if response.status != HTTPStatus.OK:
        toolkit: Any = sys.modules.get("sagemaker_inference.errors")
        if toolkit is not None and hasattr(toolkit, "BaseInferenceToolkitError"):
            raise toolkit.BaseInferenceToolkitError(response.status, response.body.decode(), phrase)
        raise RuntimeError(f"no known serving stack takes status {response.status}")
    return response.body, response.content_type
