"""The server of the local AWS: ``python -m forecast_local.server --port 4566``."""

import argparse
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any
from xml.sax.saxutils import escape

# moto reads its settings when it is imported. Browsers have no business here, and the CDK's
# bootstrap stack attaches a managed policy of AWS.
os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"

from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from forecast_local import context
from forecast_local.clients import Clients
from forecast_local.clock import DEFAULT_SPEED, WallClock
from forecast_local.extensions import install
from forecast_local.processes import end_recorded
from forecast_local.ticker import Ticker

LOOPBACK = "127.0.0.1"
HEALTH_PATH = "/_forecast/health"
_STOP_SECONDS = 30.0

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


class LoopbackApplication:
    """moto's application for requests that name this machine, and a health check.

    Args:
        application: moto's WSGI application.
        identity: What the health check answers, so that a client knows whose server it is.
    """

    def __init__(self, application: WsgiApp, identity: str) -> None:
        self._application = application
        self._identity = identity

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        if not _is_local(environ.get("HTTP_HOST", "")):
            # A foreign name that resolves to the loopback is how a web page would get here.
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"the local AWS answers to the name localhost only\n"]
        if environ["PATH_INFO"] == HEALTH_PATH:
            start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
            return [self._identity.encode()]
        try:
            return self._application(environ, start_response)
        except NotImplementedError as error:
            # moto's 500 for an action that it lacks makes every SDK try again for half a minute.
            return _refuse(environ, start_response, str(error))


def _refuse(environ: dict[str, Any], start_response: Any, reason: str) -> Iterable[bytes]:
    code, message = "UnsupportedOperation", f"the local AWS cannot do this: {reason}"
    if "HTTP_X_AMZ_TARGET" in environ:
        content_type = "application/x-amz-json-1.1"
        body = json.dumps({"__type": code, "message": message})
    else:
        content_type = "text/xml"
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
            f"<Message>{escape(message)}</Message></Error></ErrorResponse>"
        )
    start_response("400 Bad Request", [("Content-Type", content_type), ("X-Amzn-ErrorType", code)])
    return [body.encode()]


def _is_local(host: str) -> bool:
    name = host.rpartition(":")[0] or host
    return name in {"localhost", LOOPBACK} or name.endswith(".localhost")


def serve(port: int, root: Path, speed: float = DEFAULT_SPEED) -> None:
    """Serve until the process is asked to end; then end the model servers too.

    Args:
        port: TCP port on the loopback.
        root: Project root; state goes to ``<root>/.forecast/local``.
        speed: How many seconds of a rollout's waiting times pass in one second.

    Raises:
        OSError: If the port is taken.
    """
    state_dir = root / ".forecast" / "local"
    install()
    # moto's state machines really run then, and call this server by its port.
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    os.environ["MOTO_PORT"] = str(port)
    context.enter(
        context.RuntimeContext(state_dir, Clients(f"http://localhost:{port}"), WallClock(speed))
    )
    application = LoopbackApplication(
        DomainDispatcherApplication(create_backend_app), identity=str(root)
    )
    server = make_server(
        LOOPBACK, port, application, threaded=True, request_handler=MotoRequestHandler
    )
    signal.signal(signal.SIGTERM, _interrupt)
    Ticker().start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        logging.getLogger(__name__).info("stopping")
    finally:
        end_recorded(state_dir / "processes", _STOP_SECONDS)


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
    raise KeyboardInterrupt


def main(arguments: list[str] | None = None) -> None:
    """Run the server from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="TCP port on the loopback")
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="project root")
    parser.add_argument(
        "--speed",
        type=float,
        default=DEFAULT_SPEED,
        help="seconds of a rollout's waiting times that pass in one second",
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    serve(options.port, options.root.resolve(), options.speed)


if __name__ == "__main__":
    main()
