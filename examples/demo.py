"""The main job from an empty registry to a forecast, on this machine alone.

It has a configuration, a registry and a lock of its own in `.forecast/demo`, and leaves the
project's alone. Every step is a command that can be run by hand; each is shown as it ran. What a
step prints goes to a log, which is named when the step fails.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import yaml
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from forecast_config import ForecastError, load_config
from forecast_local import lifecycle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forecast_config import EnvironmentSettings

ROOT = Path(__file__).resolve().parents[1]
SHIPPED_CONFIG = ROOT / "config" / "forecast.yaml"
FOLDER = Path(".forecast") / "demo"
CONFIG = FOLDER / "forecast.yaml"
LOG = FOLDER / "demo.log"
TRACKING_URI = f"sqlite:///{FOLDER}/mlflow.db"
SHOWN_LOG_LINES = 15
PIPED_WIDTH = 120

console = Console(
    soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH
)


class StepFailedError(Exception):
    """A step's command ended with an error."""


@dataclass(frozen=True)
class Job:
    """The commands of the main job for one environment.

    Attributes:
        settings: The environment to deploy.
        data: Folder of a real market in the layout of the contest; None generates a market.
    """

    settings: EnvironmentSettings
    data: Path | None

    @property
    def stack(self) -> str:
        """Name of the stack to deploy."""
        return self.settings.stack_name

    @property
    def request(self) -> list[str]:
        """The command that writes a request."""
        return ["python", "examples/request.py", *self._market]

    @property
    def _market(self) -> list[str]:
        return [] if self.data is None else ["--data", str(self.data)]

    def before_the_cloud(self) -> list[tuple[str, list[str]]]:
        """Titles and commands up to the archive and the local AWS."""
        train = ["python", "examples/train.py", "--tracking-uri", TRACKING_URI, *self._market]
        config = ["--config", str(CONFIG)]
        return [
            ("train and register the model", train),
            ("pin the champion", ["forecast", "resolve", *config]),
            ("pack model.tar.gz", ["forecast", "package", *config]),
            ("start the local AWS", ["forecast", "local", "up", *config]),
        ]

    def in_the_cloud(self) -> list[tuple[str, list[str]]]:
        """Titles and commands against the local AWS."""
        config = ["-c", f"config={CONFIG}"]
        deploy = ["cdk", "deploy", self.stack, "--require-approval", "never", *config]
        return [
            ("bootstrap the account", ["cdk", "bootstrap", *config]),
            (f"deploy {self.stack}", deploy),
        ]


def lay_out() -> None:
    """Make the demo's folder, with the shipped configuration and a registry of its own."""
    (ROOT / FOLDER).mkdir(parents=True, exist_ok=True)
    document = yaml.safe_load(SHIPPED_CONFIG.read_text(encoding="utf-8"))
    document["model"]["tracking_uri"] = TRACKING_URI
    text = yaml.safe_dump(document, sort_keys=False)
    (ROOT / CONFIG).write_text(text, encoding="utf-8")
    (ROOT / LOG).write_text("", encoding="utf-8")


def run(title: str, command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run one step and return what it printed to standard output.

    Raises:
        StepFailedError: The command ended with an error; the message ends with its last lines.
    """
    shown = shlex.join(command)
    escaped = escape(shown)
    start = time.monotonic()
    with console.status(f"{title}: {escaped}"), (ROOT / LOG).open("a", encoding="utf-8") as log:
        log.write(f"\n$ {shown}\n")
        log.flush()
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, check=False
        )
        output = done.stdout.decode(errors="replace")
        log.write(output)
    if done.returncode != 0:
        lines = (ROOT / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
        tail = "\n".join(f"    {line}" for line in lines[-SHOWN_LOG_LINES:])
        raise StepFailedError(
            f"could not {title}: `{shown}` ended with status {done.returncode}\n{tail}\n"
            f"  everything it printed is in {LOG}"
        )
    console.print(
        f"[green]done[/] {title:32} {time.monotonic() - start:6.1f} s   [dim]$ {shown}[/]"
    )
    return output


def perform(job: Job) -> None:
    """Run the job and print the forecast.

    Raises:
        StepFailedError: A step failed.
    """
    environment = tool_environment()
    for title, command in job.before_the_cloud():
        run(title, command, environment)
    local = lifecycle.status(ROOT)
    if local is None:
        raise StepFailedError("could not reach the local AWS: it stopped after it was started")
    environment |= local.environment(region=job.settings.region)
    for title, command in job.in_the_cloud():
        run(title, command, environment)
    request = json.loads(run("write a request", job.request, environment))
    show(job.settings, local, request)


def tool_environment() -> dict[str, str]:
    """This process's variables, with the project's own Python, Node and CDK CLI found first."""
    folders = [str(Path(sys.executable).parent), str(ROOT / "node_modules" / ".bin")]
    path = os.pathsep.join([*folders, os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1"}


def show(settings: EnvironmentSettings, local: lifecycle.LocalAws, request: dict[str, Any]) -> None:
    """Invoke the endpoint through the SageMaker runtime API and print what came back."""
    variables = local.environment()
    session = boto3.Session(
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=settings.region,
    )
    runtime = session.client("sagemaker-runtime", endpoint_url=local.endpoint_url)
    sagemaker = session.client("sagemaker", endpoint_url=local.endpoint_url)
    answer = runtime.invoke_endpoint(
        EndpointName=settings.endpoint.name,
        ContentType="application/json",
        Body=json.dumps(request).encode(),
    )
    predictions = json.loads(answer["Body"].read())["predictions"]
    console.print(forecast_table(request["instances"], predictions))
    endpoint = sagemaker.describe_endpoint(EndpointName=settings.endpoint.name)
    variant = endpoint["ProductionVariants"][0]
    console.print(
        f"\ndeployed: endpoint [bold]{endpoint['EndpointName']}[/] is "
        f"{endpoint['EndpointStatus']} with {variant['CurrentInstanceCount']} x "
        f"{settings.endpoint.instance_type}, model version {predictions[0]['model_version']}, "
        f"config {endpoint['EndpointConfigName']}"
    )


def forecast_table(
    instances: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]
) -> Table:
    """Asked rows beside their forecasts."""
    columns = ("date", "item_code")
    forecasts = [name for name in predictions[0] if name.startswith("forecasted_")]
    table = Table(*columns, *(name.replace("_", " ") for name in forecasts), title="forecast")
    for asked, predicted in zip(instances, predictions, strict=True):
        interval = predicted.get("confidence_interval", {})
        cells = []
        for name in forecasts:
            low, high = interval[name]
            cells.append(f"{predicted[name]:.2f}  ({low:.2f} to {high:.2f})")
        table.add_row(*(str(asked[column]) for column in columns), *cells)
    level = predictions[0]["confidence_interval"]["level"]
    table.caption = f"RMB/kg and kg, with {level:.0%} prediction intervals"
    return table


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train, register, package, deploy and forecast.")
    parser.add_argument("--environment", default="dev", help="environment to deploy (dev)")
    parser.add_argument("--data", type=Path, help="folder of a real market; default: generated")
    parser.add_argument("--keep", action="store_true", help="leave the local AWS running")
    return parser.parse_args()


def choose_job(arguments: argparse.Namespace) -> Job:
    """The job that the command line asks for.

    Raises:
        ForecastError: The shipped configuration is wrong, or has no such environment.
    """
    environments = load_config(SHIPPED_CONFIG).environments
    if arguments.environment not in environments:
        known = ", ".join(environments)
        raise ForecastError(f"--environment: expected one of {known}, got {arguments.environment}")
    data = None if arguments.data is None else arguments.data.resolve()
    return Job(environments[arguments.environment], data)


def main() -> int:
    """Run the demo, and stop the local AWS if it started one, unless asked to keep it."""
    arguments = parse_arguments()
    stop = not arguments.keep and lifecycle.status(ROOT) is None
    try:
        job = choose_job(arguments)
        lay_out()
        perform(job)
    except (StepFailedError, ForecastError, BotoCoreError, ClientError, OSError) as error:
        console.print("failed", style="red", end=" ")
        console.print(str(error), markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("interrupted; run it again, every step can be repeated")
        return 130
    else:
        say_how_to_go_on(job, runs=not stop)
        return 0
    finally:
        if stop:
            lifecycle.down(ROOT)


def say_how_to_go_on(job: Job, *, runs: bool) -> None:
    """Print the commands that follow."""
    if runs:
        commands = (
            "source .venv/bin/activate",
            'eval "$(forecast local env)"    # the CDK CLI, the AWS CLI and boto3 talk to it',
            f"aws sagemaker describe-endpoint --endpoint-name {job.settings.endpoint.name}",
            f"npx cdk deploy ForecastProd -c config={CONFIG}",
            "forecast local down",
        )
    else:
        console.print(
            f"\nthe local AWS is stopped again; registry, lock and archive are in {FOLDER}"
        )
        commands = (
            "make demo KEEP=1    # leaves the local AWS running, to try things",
            "README.md           # the same steps one by one, for your own model",
        )
    console.print("\ngo on:")
    for command in commands:
        console.print(f"  {command}", markup=False)


if __name__ == "__main__":
    raise SystemExit(main())
