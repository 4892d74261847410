"""Lambda functions, run by this project's Python instead of a container."""

import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import uuid
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.exceptions import JsonRESTError
from moto.core.utils import utcnow
from moto.logs.models import logs_backends

from forecast_local import context
from forecast_local.awslambda.output import embedded_metrics, write_log

_LOG = logging.getLogger(__name__)
_INHERITED = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ")
# What AWS's bootstrap does for a handler, without its runtime API: the answer goes to a file of its
# own, as whatever a function prints is its log.
_RUNNER = """
import importlib, json, sys, traceback
event, answer, handler = json.load(open(sys.argv[1])), sys.argv[2], sys.argv[3]
module, _, name = handler.rpartition(".")

class Context:
    aws_request_id, function_name, invoked_function_arn = sys.argv[4:7]
    function_version = "$LATEST"
    memory_limit_in_mb = sys.argv[7]
    def get_remaining_time_in_millis(self):
        return int(float(sys.argv[8]) * 1000)

try:
    call = getattr(importlib.import_module(module.replace("/", ".")), name)
    found = {"payload": call(event, Context())}
except Exception as error:
    traceback.print_exc()
    found = {"error": {"errorMessage": str(error), "errorType": type(error).__name__,
             "stackTrace": traceback.format_tb(error.__traceback__)}}
json.dump(found, open(answer, "w"))
"""


class LocalLambdaBackend(LambdaBackend):
    """The functions of one account and region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        # moto's functions keep neither of these.
        self._kept: dict[str, dict[str, Any]] = {}

    def create_function(self, spec: dict[str, Any]) -> LambdaFunction:
        """Create a function and keep where its log and its failures go.

        Raises:
            JsonRESTError: If the name is taken.
        """
        if spec["FunctionName"] in [function.function_name for function in self.list_functions()]:
            raise JsonRESTError(
                "ResourceConflictException", f"Function already exist: {spec['FunctionName']}"
            )
        self._keep(spec["FunctionName"], spec)
        return super().create_function(spec)

    def update_function_configuration(
        self, function_name: str, qualifier: str, body: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Change a function, and where its log and its failures go."""
        self._keep(function_name.rpartition(":")[2], body)
        return super().update_function_configuration(function_name, qualifier, body)

    def _keep(self, name: str, spec: dict[str, Any]) -> None:
        kept = self._kept.setdefault(name, {})
        kept.update(
            {key: spec[key] for key in ("DeadLetterConfig", "LoggingConfig") if key in spec}
        )

    def invoke(
        self,
        function_name: str,
        qualifier: str | None,
        body: Any,
        headers: Any,
        response_headers: Any,
    ) -> str | bytes | None:
        """Invoke a function; an asynchronous invocation runs in the background.

        Raises:
            JsonRESTError: If it is no Python function, or no concurrency is left for it.
        """
        function = self.get_function(function_name, qualifier)
        if not str(function.run_time).startswith("python"):
            raise JsonRESTError(
                "InvalidParameterValueException",
                f"the local AWS runs Python functions only, got {function.run_time}",
            )
        event = body if isinstance(body, str) else bytes(body or b"{}").decode()
        kind = (headers or {}).get("X-Amz-Invocation-Type", "RequestResponse")
        if kind == "Event":
            threading.Thread(target=self._deliver, args=(function, event), daemon=True).start()
            return b""
        if kind == "DryRun":
            return b""
        answer = self.run(function, event)
        if "error" in answer:
            response_headers["x-amz-function-error"] = "Unhandled"
            return json.dumps(answer["error"]).encode()
        return json.dumps(answer["payload"]).encode()

    def run(self, function: LambdaFunction, event: str) -> dict[str, Any]:
        """Run a function once, in a process of its own.

        Args:
            function: The function.
            event: Its event as JSON.

        Returns:
            Its answer as ``payload``, or ``error``. What it prints is put into its log group.
        """
        request_id = str(uuid.uuid4())
        with tempfile.TemporaryDirectory(prefix="function-") as name:
            folder = Path(name)
            with zipfile.ZipFile(BytesIO(function.code_bytes)) as archive:
                archive.extractall(folder / "code")
            (folder / "event.json").write_text(event or "{}", encoding="utf-8")
            answer = folder / "answer.json"
            command = [
                *(sys.executable, "-c", _RUNNER, str(folder / "event.json"), str(answer)),
                *(str(function.handler), request_id, function.function_name),
                *(function.function_arn, str(function.memory_size), str(function.timeout)),
            ]
            found, output = self._execute(function, command, folder / "code")
            if not found and answer.exists():
                found = json.loads(answer.read_text(encoding="utf-8"))
        self._write_logs(function, request_id, output)
        return found or {
            "error": {"errorMessage": "the function ended early", "errorType": "Runtime.ExitError"}
        }

    def _write_logs(self, function: LambdaFunction, request_id: str, output: str) -> None:
        kept = self._kept.get(function.function_name, {})
        group = kept.get("LoggingConfig", {}).get("LogGroup", function.logs_group_name)
        stream = f"{utcnow():%Y/%m/%d}/[$LATEST]{request_id}"
        write_log(logs_backends[self.account_id][self.region_name], group, stream, output)
        cloudwatch = cloudwatch_backends[self.account_id][self.region_name]
        for namespace, data in embedded_metrics(output):
            cloudwatch.put_metric_data(namespace, data)

    def _execute(
        self, function: LambdaFunction, command: list[str], code: Path
    ) -> tuple[dict[str, Any], str]:
        environment = {
            **{key: os.environ[key] for key in _INHERITED if key in os.environ},
            **context.current().clients.credentials(
                account=self.account_id, region=self.region_name
            ),
            "AWS_ENDPOINT_URL": context.current().clients.endpoint_url,
            "AWS_REGION": self.region_name,
            "AWS_DEFAULT_REGION": self.region_name,
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "PYTHONPATH": str(code),
            **(function.environment_vars or {}),
        }
        try:
            done = subprocess.run(
                command,
                cwd=code,
                env=environment,
                capture_output=True,
                text=True,
                timeout=float(function.timeout),
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            message = f"Task timed out after {float(function.timeout):.2f} seconds"
            printed = error.stdout or b""
            text = printed.decode() if isinstance(printed, bytes) else printed
            return {"error": {"errorMessage": message, "errorType": "Sandbox.Timedout"}}, text
        return {}, done.stdout + done.stderr

    def _deliver(self, function: LambdaFunction, event: str) -> None:
        """Run an asynchronous invocation; tell the dead-letter queue or topic when it fails."""
        answer = self.run(function, event)
        if "error" not in answer:
            return
        _LOG.warning("function %s failed: %s", function.function_name, answer["error"])
        kept = self._kept.get(function.function_name, {})
        target = kept.get("DeadLetterConfig", {}).get("TargetArn")
        destinations = [target] if target else []
        for config in function.event_invoke_config:
            failure = config.config.get("DestinationConfig", {}).get("OnFailure", {})
            destinations.extend([failure["Destination"]] if failure.get("Destination") else [])
        for arn in destinations:
            self._send(arn, event)

    def _send(self, arn: str, text: str) -> None:
        clients = context.current().clients
        service = arn.split(":")[2]
        if service not in {"sqs", "sns"}:
            return
        client = clients.client(service, account=self.account_id, region=self.region_name)
        if service == "sns":
            client.publish(TopicArn=arn, Message=text)
            return
        url = client.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
        client.send_message(QueueUrl=url, MessageBody=text)
