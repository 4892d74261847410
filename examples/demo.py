"""The main job from an empty registry to a forecast, on this machine alone.

Every step is a command that can be run by hand; each is shown before it runs. What a step prints
goes to a log, which is named when the step fails.
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

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forecast_config import EnvironmentSettings
    from forecast_local.lifecycle import LocalAws

ROOT = Path(__file__).resolve().parents[1]
LOG = ROOT / ".forecast" / "demo.log"
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
        environment: Name of the environment to deploy.
        data: Folder of a real market in the layout of the contest; None generates a market.
    """

    environment: str
    data: Path | None

    @property
    def data_arguments(self) -> list[str]:
        """The arguments that choose the market."""
        return [] if self.data is None else ["--data", str(self.data)]

    def before_the_cloud(self) -> list[tuple[str, list[str]]]:
        """Titles and commands up to the archive."""
        return [
            ("train and register the model", ["python", "examples/train.py", *self.data_arguments]),
            ("pin the champion", ["forecast", "resolve"]),
            ("pack model.tar.gz", ["forecast", "package"]),
            ("start the local AWS", ["forecast", "local", "up"]),
        ]

    def in_the_cloud(self, stack: str) -> list[tuple[str, list[str]]]:
        """Titles and commands against the local AWS."""
        return [
            ("bootstrap the account", ["cdk", "bootstrap"]),
            (f"deploy {stack}", ["cdk", "deploy", stack, "--require-approval", "never"]),
        ]


def run(title: str, command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run one step and return what it printed to standard output.

    Raises:
        StepFailedError: The command ended with an error; the message ends with its last lines.
    """
    shown = shlex.join(command)
    start = time.monotonic()
    with console.status(f"{title}: {shown}"), LOG.open("a", encoding="utf-8") as log:
        log.write(f"\n$ {shown}\n")
        log.flush()
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, check=False
        )
        output = done.stdout.decode(errors="replace")
        log.write(output)
    if done.returncode != 0:
        lines = LOG.read_text(encoding="utf-8", errors="replace").splitlines()
        tail = "\n".join(f"    {line}" for line in lines[-SHOWN_LOG_LINES:])
        raise StepFailedError(
            f"could not {title}: `{shown}` ended with status {done.returncode}\n{tail}\n"
            f"  everything it printed is in {LOG.relative_to(ROOT)}"
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
    from forecast_config import load_config, names  # noqa: PLC0415
    from forecast_local.lifecycle import status  # noqa: PLC0415

    settings = load_config(ROOT / "config" / "forecast.yaml").environments[job.environment]
    environment = tool_environment()
    for title, command in job.before_the_cloud():
        run(title, command, environment)
    local = status(ROOT)
    if local is None:
        raise StepFailedError("could not reach the local AWS: it stopped after it was started")
    environment |= local.environment()
    for title, command in job.in_the_cloud(names.stack(job.environment)):
        run(title, command, environment)
    request = ["python", "examples/request.py", *job.data_arguments]
    rows = json.loads(run("write a request", request, environment))
    show(settings, local, rows)


def tool_environment() -> dict[str, str]:
    """This process's variables, with the project's own Python, Node and CDK CLI found first."""
    folders = [str(Path(sys.executable).parent), str(ROOT / "node_modules" / ".bin")]
    path = os.pathsep.join([*folders, os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1"}


def show(settings: EnvironmentSettings, local: LocalAws, request: dict[str, Any]) -> None:
    """Invoke the endpoint through the SageMaker runtime API and print what came back."""
    import boto3  # noqa: PLC0415

    session = boto3.Session(
        aws_access_key_id=local.environment()["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=local.environment()["AWS_SECRET_ACCESS_KEY"],
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


def main() -> int:
    """Run the demo, and stop what it started unless asked to keep it."""
    arguments = parse_arguments()
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.write_text("", encoding="utf-8")
    job = Job(arguments.environment, arguments.data)
    try:
        perform(job)
    except StepFailedError as error:
        console.print(f"[red]failed[/] {error}", markup=True)
        return 1
    except KeyboardInterrupt:
        console.print("[red]interrupted[/]; run it again, every step can be repeated")
        return 130
    else:
        say_how_to_go_on(job, keep=arguments.keep)
        return 0
    finally:
        if not arguments.keep:
            subprocess.run(
                [Path(sys.executable).with_name("forecast"), "local", "down"],
                cwd=ROOT,
                check=False,
                stdout=subprocess.DEVNULL,
            )


def say_how_to_go_on(job: Job, *, keep: bool) -> None:
    """Print the commands that follow."""
    endpoint = f"produce-forecast-{job.environment}"
    if keep:
        commands = (
            "source .venv/bin/activate",
            'eval "$(forecast local env)"    # the CDK CLI, the AWS CLI and boto3 talk to it',
            f"aws sagemaker describe-endpoint --endpoint-name {endpoint}",
            "npx cdk deploy ForecastStaging",
            "forecast local down",
        )
    else:
        console.print(
            "\nthe local AWS is stopped again; the registry, the lock and the archive stay"
        )
        commands = (
            "make demo KEEP=1                 # leaves the local AWS running, to try things",
            "git add config/models.lock.json  # what each environment runs, for review",
            "README.md: the same steps one by one, and other versions",
        )
    console.print("\ngo on:")
    for command in commands:
        console.print(f"  {command}", markup=False)


if __name__ == "__main__":
    raise SystemExit(main())
