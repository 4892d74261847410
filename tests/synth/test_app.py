"""The app as the CDK CLI starts it: a user's mistake is a sentence, not a traceback."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import aws_cdk
import pytest

import forecast_app

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _run(repository: Path, outdir: Path, **flags: str) -> subprocess.CompletedProcess[str]:
    context = json.loads((repository / "cdk.json").read_text())["context"]
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=repository,
        env={
            **os.environ,
            "CDK_OUTDIR": str(outdir),
            "CDK_CONTEXT_JSON": json.dumps({**context, **flags}),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_broken_configuration_is_named_with_file_line_and_key(
    repository: Path, samples: dict[str, Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.yaml"
    text = samples["minimal"].read_text()
    broken.write_text(text.replace("ml.m5.large", "ml.m5.enormous"))

    done = _run(repository, tmp_path / "cdk.out", config=str(broken))

    assert done.returncode == 2
    line = text[: text.index("ml.m5.large")].count("\n") + 1
    assert done.stderr.splitlines() == [
        (
            f"{broken}:{line}: environments.only.endpoint.instance_type: "
            "expected a SageMaker hosting "
            "instance type such as ml.m5.large, got 'ml.m5.enormous'"
        )
    ]


@pytest.fixture
def run_here(
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Callable[..., tuple[Any, list[str]]]:
    """The exit code of the app and what it says, in this process: the CDK takes long to load."""
    context = json.loads((repository / "cdk.json").read_text())["context"]
    monkeypatch.chdir(repository)

    def run(**flags: str) -> tuple[Any, list[str]]:
        app = functools.partial(
            aws_cdk.App, context={**context, **flags}, outdir=str(tmp_path / "cdk.out")
        )
        monkeypatch.setattr("forecast_app.app.App", app)
        with pytest.raises(SystemExit) as ended:
            forecast_app.main()
        return ended.value.code, capfd.readouterr().err.splitlines()

    return run


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (
            {"environments": "production"},
            "environments: expected one of dev, staging, prod, got 'production'",
        ),
        (
            {"model_version": "16", "model_alias": "champion"},
            (
                "expected one of model_version, model_alias, candidate_run_id, "
                "got model_version and model_alias"
            ),
        ),
        (
            {"accounts": "dev"},
            "accounts: expected environment=account such as dev=111111111111, got 'dev'",
        ),
    ],
)
def test_a_wrong_flag_is_one_sentence(
    flags: dict[str, str], sentence: str, run_here: Callable[..., tuple[Any, list[str]]]
) -> None:
    assert run_here(**flags) == (1, [sentence])


def test_an_environment_without_a_locked_model_says_what_to_run(
    run_here: Callable[..., tuple[Any, list[str]]], samples: dict[str, Path], tmp_path: Path
) -> None:
    config = tmp_path / "forecast.yaml"
    config.write_text(samples["minimal"].read_text())

    code, (*warnings, line) = run_here(config=str(config))

    assert code == 1
    assert all(warning.startswith("warning: ") for warning in warnings)
    assert line.endswith("has no entry for 'only'; run: forecast resolve only")
