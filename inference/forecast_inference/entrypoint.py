"""The entry point of AWS's framework images: packaging ships this file as ``code/inference.py``.

The images differ in the server that calls the two hooks, and only this module knows them:

* gunicorn with Flask (scikit-learn image; the XGBoost image's single-model path) calls
  ``transform_fn`` with four arguments and passes a ``flask.Response`` on as it is;
* the Multi Model Server calls it through ``sagemaker-inference``, which hands over its context when
  the function takes five arguments; older copies of that code take a status only as an exception.
"""

from __future__ import annotations

import gc
import os
import sys
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forecast_inference.handler import Predictor, Response


def model_fn(model_dir: str) -> Predictor:
    """The predictor of the archive in ``model_dir``, after it has predicted its own example.

    Raises:
        ArtifactError: the archive cannot be served; the container then never becomes healthy.
    """
    # Read by the OpenMP of the model's library when that is imported. One thread per request is
    # fastest on batches this small, and the images leave the variable unset.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    code = str(Path(model_dir) / "code")
    if code not in sys.path:
        # Some images install this file away from the package that travels beside it.
        sys.path.insert(0, code)
    from forecast_inference.handler import Predictor  # noqa: PLC0415 - found only on that path

    predictor = Predictor.load(Path(model_dir))
    predictor.check_example(Path(model_dir))
    # What has been loaded stays: the collector need not look through it again for every request.
    gc.collect()
    gc.freeze()
    return predictor


def transform_fn(
    model: Predictor,
    body: bytes | str,
    content_type: str | None,
    accept: str | None,
    context: Any = None,
) -> Any:
    """The answer to one request, in the form that the serving stack at hand takes."""
    # The Multi Model Server passes a bytearray.
    payload = body if isinstance(body, str) else bytes(body)
    return _hand_over(model.respond(payload, content_type, accept), context)


def _hand_over(response: Response, context: Any) -> Any:
    """Give the status, the body and its type to the server: the one place where they leave."""
    phrase = HTTPStatus(response.status).phrase
    if context is not None:
        context.set_response_status(code=response.status, phrase=phrase, idx=0)
        return response.body, response.content_type
    flask: Any = sys.modules.get("flask")
    if flask is not None and flask.has_request_context():
        return flask.Response(
            response.body, status=response.status, content_type=response.content_type
        )
    if response.status != HTTPStatus.OK:
        toolkit: Any = sys.modules.get("sagemaker_inference.errors")
        if toolkit is not None and hasattr(toolkit, "BaseInferenceToolkitError"):
            raise toolkit.BaseInferenceToolkitError(response.status, response.body.decode(), phrase)
        raise RuntimeError(f"no known serving stack takes status {response.status}")
    return response.body, response.content_type
