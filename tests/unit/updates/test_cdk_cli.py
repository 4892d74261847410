"""What the CDK CLI says is shown beside the results, but for hints that help nobody here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from forecast_config import ForecastError
from forecast_operations.synthesis.cdk import run_cdk, synthesize

if TYPE_CHECKING:
    from pathlib import Path

_CLI = """#!{python}
import sys
said = sys.stdout if "--ci" in sys.argv else sys.stderr
print("arguments: " + " ".join(sys.argv[1:]), file=said)
print("[Warning at /ForecastProd] look at this", file=said)
print("\\x1b[32mSuccessfully synthesized to \\x1b[34m/out\\x1b[39m", file=said)
print("Supply a stack id (ForecastProd) to display its template.", file=said)
print("[Error at /ForecastProd] this is wrong", file=sys.stderr)
sys.exit({status})
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a CDK CLI of its own that ends well."""
    (tmp_path / "node_modules/.bin").mkdir(parents=True)
    _install(tmp_path, 0)
    return tmp_path


def _install(project: Path, status: int) -> None:
    cli = project / "node_modules/.bin/cdk"
    cli.write_text(_CLI.format(python=sys.executable, status=status))
    cli.chmod(0o755)


@pytest.mark.parametrize("status", [0, 1])
def test_a_synth_shows_warnings_and_errors_and_no_hints(
    project: Path, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    _install(project, status)

    if status:
        with pytest.raises(ForecastError, match="cdk synth ended with status 1; the reason is"):
            synthesize(project, project / "out", project / "forecast.yaml", "prod", ["a=b"])
    else:
        synthesize(project, project / "out", project / "forecast.yaml", "prod", ["a=b"])

    shown = capfd.readouterr()
    assert shown.out == ""
    assert "arguments: synth --quiet --output" in shown.err
    assert "--context environments=prod --context a=b" in shown.err
    assert "[Warning at /ForecastProd] look at this\n" in shown.err
    assert "[Error at /ForecastProd] this is wrong\n" in shown.err
    assert "Successfully synthesized" not in shown.err
    assert "Supply a stack id" not in shown.err


def test_a_deployment_shows_all_of_its_progress(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run_cdk(project, ["deploy", "ForecastProd"])

    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 5
    assert "arguments: deploy ForecastProd\n" in shown.err
