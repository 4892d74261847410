from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from forecast_config import LockedModel, PackagedModel, load_config, read_lock
from forecast_operations import cli, console
from forecast_operations.commands import config as config_commands
from forecast_operations.commands import local, package, resolve
from forecast_packaging import Alias, Candidate, RegistryError, Version, write_lock
from forecast_packaging.building.summary import ArchiveSummary

if TYPE_CHECKING:
    from forecast_packaging import Selector

MODEL = LockedModel(
    name="forecaster",
    version="16",
    alias="champion",
    run_id="a" * 32,
    model_digest=f"sha256:{'0' * 64}",
    signature_digest=f"sha256:{'1' * 64}",
    libraries={"python": "3.11.7", "scikit-learn": "1.9.0"},
)
REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "forecast.yaml"
    endpoint = {"kind": "realtime", "instance_type": "ml.m5.large"}
    document = {
        "model": {
            "name": "forecaster",
            "candidate": {"approval": {"name": "status", "value": "approved"}},
        },
        "allowed_regions": ["eu-central-1"],
        "defaults": {
            "region": "eu-central-1",
            "image": {"kind": "aws", "framework": "scikit-learn", "version": "1.9-0"},
            "tags": {"team": "forecasting", "cost_centre": "CC-1"},
        },
        "environments": {
            "dev": {"endpoint": {"name": "forecast-dev", **endpoint}, "model_alias": "challenger"},
            "prod": {"endpoint": {"name": "forecast-prod", **endpoint}},
        },
    }
    path.write_text(yaml.safe_dump(document))
    return path


def _forecast(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("forecast")), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Selector]:
    selectors: list[Selector] = []

    def registry(*, selector: Selector, **_: Any) -> LockedModel:
        selectors.append(selector)
        return MODEL

    monkeypatch.setattr(resolve, "resolve", registry)
    return selectors


def test_each_environment_is_pinned_by_its_own_alias(config: Path, asked: list[Selector]) -> None:
    resolve.resolve_command(config=config)

    assert asked == [Alias("challenger"), Alias("champion")]
    assert set(read_lock(config.with_name("models.lock.json")).environments) == {"dev", "prod"}


def test_only_the_named_environment_is_pinned(config: Path, asked: list[Selector]) -> None:
    resolve.resolve_command(["prod"], config=config)

    assert asked == [Alias("champion")]
    assert set(read_lock(config.with_name("models.lock.json")).environments) == {"prod"}


def test_the_registry_is_asked_once_for_what_several_run(
    config: Path, asked: list[Selector]
) -> None:
    resolve.resolve_command(config=config, version="16")

    assert asked == [Version("16")]


def test_a_candidate_must_be_approved_as_configured(config: Path, asked: list[Selector]) -> None:
    resolve.resolve_command(["dev"], config=config, candidate="b" * 32)

    assert asked == [Candidate("b" * 32, approved_tag=("status", "approved"))]


def test_nothing_is_written_when_one_environment_cannot_be_resolved(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def registry(*, selector: Selector, **_: Any) -> LockedModel:
        if selector == Alias("champion"):
            raise RegistryError("the registry has no alias champion")
        return MODEL

    monkeypatch.setattr(resolve, "resolve", registry)

    with pytest.raises(RegistryError):
        resolve.resolve_command(config=config)

    assert not config.with_name("models.lock.json").exists()


def test_the_archives_are_reported_as_json(
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    archive = tmp_path / "model.tar.gz"
    packaged = PackagedModel(archive=archive, archive_digest=MODEL.model_digest, model=MODEL)
    monkeypatch.setattr(package, "package_for", lambda *_, **__: packaged)

    write_lock(config.with_name("models.lock.json"), "dev", MODEL)
    package.package_command(["dev"], config=config, as_json=True)

    document = json.loads(capsys.readouterr().out)
    assert document["dev"]["archive"] == str(archive)
    assert document["dev"]["model"]["version"] == "16"


def test_the_table_says_what_loading_an_archive_runs(
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    archive = config.parent / "model.tar.gz"
    archive.write_bytes(b"packed")
    packaged = PackagedModel(archive=archive, archive_digest=MODEL.model_digest, model=MODEL)
    summary = ArchiveSummary(
        formats=("lightgbm", "sklearn"),
        pickles=("model/1-demand.pkl",),
        compilation="not taken: 3 of 40 rows differ",
        vendored={},
    )
    monkeypatch.setattr(package, "package_for", lambda *_, **__: packaged)
    monkeypatch.setattr(package, "summarize_archive", lambda _: summary)

    write_lock(config.with_name("models.lock.json"), "dev", MODEL)
    package.package_command(["dev"], config=config)

    printed = capsys.readouterr().out
    for shown in ("lightgbm, sklearn", "yes: model/1-demand.pkl", "not taken: 3 of 40 rows differ"):
        assert shown in printed


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["resolve", "qa"], 2, "environments: expected one of: dev, prod, got 'qa'"),
        (["package", "dev"], 1, "has no entry for 'dev'; run: forecast resolve dev"),
        (
            ["resolve", "--alias", "a", "--model-version", "1"],
            1,
            "got model_version and model_alias",
        ),
        (["resolve"], 1, "mlflow.db"),
        (["local", "env"], 1, "is not running; start it with: forecast local up"),
    ],
)
def test_a_mistake_is_one_sentence_and_an_exit_code(
    config: Path, arguments: list[str], status: int, message: str
) -> None:
    done = _forecast(*arguments, "--config", str(config))

    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_local_aws_that_does_not_run_is_a_status(config: Path) -> None:
    done = _forecast("local", "status", "--config", str(config))

    assert done.returncode == 1
    assert "is not running" in done.stdout


def test_the_local_aws_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "forecast_local", None)

    with pytest.raises(local.ForecastError, match="with its extra 'local'"):
        local._lifecycle()


def test_the_settings_are_shown_with_every_default(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config_commands.show(["prod"], config=config)
    shown = yaml.safe_load(capsys.readouterr().out)
    config_commands.show(None, config=config, as_json=True)
    both = json.loads(capsys.readouterr().out)

    prod = shown["environments"]["prod"]
    assert list(shown["environments"]) == ["prod"]
    assert prod["endpoint"]["initial_instance_count"] == 2
    assert next(iter(prod["rollout"])) == "kind"
    assert (prod["rollout"]["kind"], prod["rollout"]["percent"]) == ("canary", 33)
    assert prod["alarms"]["endpoint_down"]["severity"] == "critical"
    assert "name" not in prod
    assert both["prod"] == prod
    assert both["dev"]["artifacts"]["on_stack_deletion"] == "destroy"


def test_what_is_shown_can_be_put_into_the_file(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config_commands.show(None, config=config)
    document = yaml.safe_load(config.read_text())
    before = load_config(config).environments
    document["environments"] = yaml.safe_load(capsys.readouterr().out)["environments"]
    del document["defaults"]
    config.write_text(yaml.safe_dump(document))

    assert load_config(config).environments == before


def test_the_shipped_configuration_is_valid() -> None:
    done = _forecast("config", "check", "--config", str(REPOSITORY / "config" / "forecast.yaml"))

    assert done.returncode == 0, done.stderr
    assert "is valid: dev, staging, prod" in done.stdout


def test_an_interruption_says_that_it_can_be_run_again(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(config_commands, "load_config", interrupted)
    monkeypatch.setattr(sys, "argv", ["forecast", "config", "check", "--config", str(config)])

    with pytest.raises(SystemExit, match="130"):
        cli.main()

    assert capsys.readouterr().err == "interrupted; it can be run again\n"


def test_nothing_in_a_document_is_taken_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    text = '{"arn": "arn:aws:secretsmanager:x:1:secret:key:abc", "bold": "[bold]x[/bold]"}'

    console.print_json(text)
    console.out.print("a :key: b", markup=False)

    assert capsys.readouterr().out == f"{text}\na :key: b\n"
