"""The WSGI application of AWS's framework images, as their serving modules put it together."""

import collections
import collections.abc
import importlib
from typing import Any

collections.Mapping = collections.abc.Mapping  # sagemaker-containers predates its removal

from sagemaker_containers.beta.framework import env, transformer, worker  # noqa: E402 - after the name it needs

_application: Any = None


def main(environ: dict[str, Any], start_response: Any) -> Any:
    """Answer a request; the first one loads the model, as in the images."""
    global _application  # noqa: PLW0603 - one model per worker process
    if _application is None:
        module_name = env.ServingEnv().module_name
        module = importlib.import_module(module_name)
        hooks = transformer.Transformer(model_fn=module.model_fn, transform_fn=module.transform_fn)
        hooks.initialize()
        _application = worker.Worker(transform_fn=hooks.transform, module_name=module_name)
    return _application(environ, start_response)
