"""The app as the CDK CLI starts it: a user's mistake is a sentence, not a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
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


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (
            {"environments": "production"},
            "environments: expected one of dev, staging, prod, got 'production'",
        ),
        pytest.param(
            {"model_version": "16", "model_alias": "champion"},
            (
                "expected one of model_version, model_alias, candidate_run_id, "
                "got model_version and model_alias"
            ),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"accounts": "dev"},
            "accounts: expected environment=account such as dev=111111111111, got 'dev'",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_wrong_flag_is_one_sentence(
    flags: dict[str, str], sentence: str, repository: Path, tmp_path: Path
) -> None:
    done = _run(repository, tmp_path / "cdk.out", **flags)

    assert done.returncode == 1
    assert done.stderr.splitlines() == [sentence]


def test_an_environment_without_a_locked_model_says_what_to_run(
    repository: Path, samples: dict[str, Path], tmp_path: Path
) -> None:
    config = tmp_path / "forecast.yaml"
    config.write_text(samples["minimal"].read_text())

    done = _run(repository, tmp_path / "cdk.out", config=str(config))

    assert done.returncode == 1
    *warnings, line = done.stderr.splitlines()
    assert all(warning.startswith("warning: ") for warning in warnings)
    assert line.endswith("has no entry for 'only'; run: forecast resolve only")
