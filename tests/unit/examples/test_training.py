import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
import yaml

from forecast_inference.contract.schema import FeatureSchema
from forecast_inference.features import derive
from forecast_inference.handler import Predictor
from forecast_packaging.declarations.profile import Profile
from forecast_packaging.declarations.schema import build_feature_schema
from forecast_packaging.declarations.serving import Serving
from forecast_packaging.declarations.signature import read_mlmodel
from produce_market import registration
from produce_market.contract import FEATURE_NAMES, FEATURES, request_document
from produce_market.horizon import forecast_steps
from produce_market.market import Market
from produce_market.model import Hyperparameters, predict, train
from produce_market.panel import forecast_rows, training_rows

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
SMALL = ["--days", "300", "--generated-items", "12", "--rounds", "40"]


def load_script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"examples_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


train_script, request_script = load_script("train"), load_script("request")


def run_train(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The training as its users start it; MLflow keeps global state and warns on import."""
    command = [sys.executable, str(EXAMPLES / "train.py"), *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("training")
    result = run_train(folder, *SMALL)
    assert result.returncode == 0, result.stderr
    return folder, result


@pytest.fixture(scope="module")
def model_folder(trained: tuple[Path, subprocess.CompletedProcess[str]]) -> Path:
    [mlmodel] = trained[0].glob("mlruns/models/*/artifacts/MLmodel")
    return mlmodel.parent


@pytest.fixture(scope="module")
def documents(trained: tuple[Path, subprocess.CompletedProcess[str]]) -> dict[str, Any]:
    [folder] = trained[0].glob("mlruns/*/artifacts/artifacts")
    return {path.name: json.loads(path.read_text()) for path in folder.iterdir()}


def mlflow_answer(folder: Path, code: str) -> Any:
    """The JSON that code prints, given an MLflow client of the folder's registry."""
    prelude = (
        "import json, logging, warnings; warnings.simplefilter('ignore'); import mlflow;"
        "logging.disable(logging.ERROR);"
        f"client = mlflow.MlflowClient('sqlite:///{folder}/mlflow.db');"
    )
    command = [sys.executable, "-c", prelude + code]
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(answer.stdout)


def test_it_prints_the_scores_and_where_the_model_is(
    trained: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    output = trained[1].stdout
    assert "seasonal naive" in output
    assert "chinese_produce_forecaster version 1 as @champion" in output
    assert f"sqlite:///{trained[0]}/mlflow.db" in output
    assert trained[1].stderr == ""


def test_the_registry_has_the_version_the_alias_and_the_record(
    trained: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    found = mlflow_answer(
        trained[0],
        "v = client.get_model_version_by_alias('chinese_produce_forecaster', 'champion');"
        "r = client.get_run(v.run_id);"
        "print(json.dumps([v.version, r.data.tags, r.data.metrics, r.data.params]))",
    )
    version, tags, metrics, params = found
    assert str(version) == "1"
    assert tags["data_version"].startswith("sha256:")
    for target in ("price", "demand"):
        for measure in ("wape", "mase", "bias", "coverage", "interval_width"):
            assert f"{target}_{measure}" in metrics
            assert f"baseline_{target}_{measure}" in metrics
    assert params["seed"] == "7"
    assert params["held_out_to"] == "2023-06-30"


def test_signature_booster_and_contract_agree_on_the_features(model_folder: Path) -> None:
    inputs = json.loads(
        yaml.safe_load((model_folder / "MLmodel").read_text())["signature"]["inputs"]
    )
    booster = xgb.Booster(model_file=model_folder / "model.ubj")
    assert tuple(column["name"] for column in inputs) == FEATURE_NAMES
    assert tuple(booster.feature_names) == FEATURE_NAMES
    assert [column["type"] for column in inputs] == [feature.type for feature in FEATURES]
    assert [column["required"] for column in inputs] == [feature.required for feature in FEATURES]


def test_only_the_library_of_the_model_is_required(model_folder: Path) -> None:
    lines = (model_folder / "requirements.txt").read_text().split()
    assert [line for line in lines if not line.startswith("mlflow")] == [
        f"xgboost=={xgb.__version__}"
    ]


def test_serving_json_names_every_feature_once(documents: dict[str, Any]) -> None:
    serving = documents["serving.json"]
    assert set(serving["derived"]) == {feature.name for feature in FEATURES if feature.derive}
    sources = {rule["source"] for rule in serving["derived"].values()}
    declared = {spec["name"] for spec in serving["inputs"]}
    assert sources == declared - set(FEATURE_NAMES) == {"date", "item_code"}
    keys = {"date", "item_code"} | set(FEATURE_NAMES) - set(serving["derived"])
    assert serving["input_example"]["instances"]
    for instance in serving["input_example"]["instances"]:
        assert set(instance) == keys
    assert documents["calibration.json"]["outputs"] == serving["intervals"]["outputs"]
    assert documents["calibration.json"]["default_level"] == serving["intervals"]["default_level"]


def test_serving_json_and_the_profile_make_a_contract_that_is_served(
    model_folder: Path, documents: dict[str, Any]
) -> None:
    schema = FeatureSchema.from_document(contract_of(model_folder, documents))
    assert schema.default_level == 0.9
    assert set(schema.levels) >= {0.5, 0.8, 0.9}
    units = {output.name: output.unit for output in schema.outputs}
    assert units == {"forecasted_price": "RMB/kg", "forecasted_demand": "kg"}
    profile = documents["training_profile.json"]["inputs"]
    inputs = {spec.name: spec for spec in schema.inputs}
    assert set(profile) == set(inputs)
    known = inputs["unit_price"]
    assert (known.unit, known.out_of_range) == ("RMB/kg", "accept")
    assert (known.minimum, known.maximum) == (
        profile["unit_price"]["minimum"],
        profile["unit_price"]["maximum"],
    )
    assert inputs["days_since_last_sale"].out_of_range == "clip"
    assert inputs["wholesale_price"].out_of_range == "refuse"
    assert (inputs["discount_share_7"].minimum, inputs["discount_share_7"].maximum) == (0.0, 1.0)
    assert schema.horizon is not None
    assert schema.horizon.maximum == 30


def test_no_training_row_breaks_the_contract(documents: dict[str, Any]) -> None:
    declared = {spec["name"]: spec for spec in documents["serving.json"]["inputs"]}
    for name, observed in documents["training_profile.json"]["inputs"].items():
        limits = declared.get(name, {}).get("range", {})
        assert limits.get("minimum", -np.inf) <= observed.get("minimum", np.inf)
        assert limits.get("maximum", np.inf) >= observed.get("maximum", -np.inf)


def test_a_served_horizon_is_what_was_backtested(
    market: Market, model_folder: Path, documents: dict[str, Any]
) -> None:
    """Through the model server's own code: from a request of one evening to three days."""
    schema = FeatureSchema.from_document(contract_of(model_folder, documents))
    booster = xgb.Booster(model_file=model_folder / "model.ubj")
    info = SimpleNamespace(version="1", input="array")
    predictor = Predictor(info, schema, booster.inplace_predict)
    categories = schema.input("item_code").categories
    rows = forecast_rows(market, market.last_date)
    rows = rows[rows["item_code"].isin(categories)].head(4)
    request = request_document(rows) | {"parameters": {"horizon": 3, "levels": [0.5]}}
    response = predictor.respond(json.dumps(request).encode(), "application/json")
    assert response.status == 200, response.body
    answer = pd.DataFrame(json.loads(response.body)["predictions"])
    steps = forecast_steps(booster, rows, categories, steps=3)
    steps = steps.sort_values(["item_code", "step"], key=_in_order(rows), kind="stable")
    assert answer["row"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert answer["date"].tolist() == steps["date"].dt.strftime("%Y-%m-%d").tolist()
    for output in ("forecasted_price", "forecasted_demand"):
        np.testing.assert_allclose(answer[output], steps[output], rtol=1e-6)


def _in_order(rows: pd.DataFrame) -> Any:
    """A sort key: items in the order of the rows."""
    place = {code: number for number, code in enumerate(rows["item_code"])}
    return lambda column: column.map(place) if column.name == "item_code" else column


def contract_of(model_folder: Path, documents: dict[str, Any]) -> dict[str, Any]:
    """The contract as packaging makes it of what the run logged."""
    return build_feature_schema(
        read_mlmodel(model_folder),
        Serving.model_validate(documents["serving.json"]),
        Profile.model_validate(documents["training_profile.json"]),
    )


def test_the_logged_model_answers_the_logged_example(
    model_folder: Path, documents: dict[str, Any]
) -> None:
    """From the request alone, by hand: derive, order, predict, undo the transform."""
    serving = documents["serving.json"]
    request = pd.DataFrame(serving["input_example"]["instances"])
    [categories] = [spec["categories"] for spec in serving["inputs"] if "categories" in spec]
    columns = [
        derive(
            serving["derived"][name],
            request[serving["derived"][name]["source"]].tolist(),
            categories=categories,
        )
        if name in serving["derived"]
        else request[name].astype("float64")
        for name in FEATURE_NAMES
    ]
    booster = xgb.Booster(model_file=model_folder / "model.ubj")
    raw = booster.inplace_predict(np.column_stack(columns).astype("float64"))
    example = json.loads((model_folder / "input_example.json").read_text())
    frame = pd.DataFrame(example["data"], columns=example["columns"])
    logged = booster.inplace_predict(frame[list(FEATURE_NAMES)].to_numpy("float64"))
    np.testing.assert_array_equal(raw, logged)
    assert np.isfinite(raw).all()
    assert raw.shape == (len(request), 2)


def test_the_same_data_and_seed_give_the_same_bytes(market: Market) -> None:
    rows = training_rows(market)
    categories = tuple(market.items.index)

    def grow(seed: int) -> bytes:
        return bytes(train(rows, categories, Hyperparameters(rounds=15, seed=seed)).save_raw("ubj"))

    assert grow(1) == grow(1)
    assert grow(1) != grow(2)


def test_forecasts_are_in_units_of_the_targets(market: Market) -> None:
    rows, categories = training_rows(market), tuple(market.items.index)
    booster = train(rows, categories, Hyperparameters(rounds=80))
    forecasts = predict(booster, rows, categories)
    assert np.median(forecasts["forecasted_price"] / rows["price"]) == pytest.approx(1, abs=0.05)
    assert np.median(forecasts["forecasted_demand"] / rows["demand"]) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--data", "nowhere"], "nowhere: no such folder, expected one that holds annex1.csv"),
        (
            ["--tracking-uri", "sqlite:///nowhere/mlflow.db"],
            "sqlite:///nowhere/mlflow.db: no folder {folder}/nowhere, expected an existing one",
        ),
    ],
)
def test_what_is_missing_is_one_sentence_and_exit_code_2_before_the_training(
    options: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train_script, "train", lambda *_: pytest.fail("it trained"))
    assert train_script.main([*SMALL, *options]) == 2
    assert capsys.readouterr().err == f"error: {sentence.format(folder=tmp_path)}\n"


def test_what_mlflow_refuses_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    result = run_train(tmp_path, *SMALL, "--rounds", "1", "--experiment", "")
    assert result.returncode == 2
    assert result.stderr.startswith("error: MLflow at sqlite:///")
    assert len(result.stderr.splitlines()) == 1


def test_a_model_worse_than_the_baseline_is_not_registered_when_improvement_is_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code = train_script.main([*SMALL, "--rounds", "1", "--require-improvement"])
    assert code == 1
    captured = capsys.readouterr()
    assert "warning: the seasonal naive forecast has a lower WAPE" in captured.out
    assert "nothing was registered" in captured.err
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.parametrize(
    "option",
    [
        ["--level", "1"],
        ["--level", "nan"],
        ["--level", "x"],
        ["--rounds", "0"],
        ["--days", "-5"],
        ["--seed", "x"],
        ["--alias", "v1"],
        ["--alias", "Latest"],
        ["--alias", "of the week"],
        ["--name", "team/model"],
        ["--name", " "],
    ],
)
def test_options_out_of_range_are_refused(
    option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        train_script.main(option)
    assert exit_info.value.code == 2
    assert "expected" in capsys.readouterr().err


def test_a_request_has_rows_of_the_days_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    code = request_script.main(
        ["--days", "200", "--generated-items", "12", "--date", "2023-06-30", "--last-days", "2"]
    )
    assert code == 0
    instances = json.loads(capsys.readouterr().out)["instances"]
    assert [each["date"] for each in instances] == ["2023-06-29"] * 3 + ["2023-06-30"] * 3
    assert set(instances[0]) == {"date", "item_code"} | {
        feature.name for feature in FEATURES if not feature.derive
    }


def test_a_request_may_ask_for_several_days_and_levels(capsys: pytest.CaptureFixture[str]) -> None:
    market = ["--days", "200", "--generated-items", "12"]
    assert request_script.main([*market, "--horizon", "7", "--levels", "0.5", "0.95"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["parameters"] == {"horizon": 7, "levels": [0.5, 0.95]}
    assert len(document["instances"]) == 3


def test_a_request_for_a_day_that_nothing_is_known_of_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert request_script.main(["--days", "200", "--date", "2023-07-02"]) == 2
    assert "expected one after 2022-12-13 and up to 2023-07-01" in capsys.readouterr().err


def test_the_code_reference_is_the_commit_of_the_folder(tmp_path: Path) -> None:
    assert registration.code_reference(tmp_path) is None
    git = shutil.which("git") or "git"
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init"], [*identity, "commit", "--allow-empty", "-m", "first"]):
        subprocess.run([git, *command], cwd=tmp_path, check=True, capture_output=True)
    reference = registration.code_reference(tmp_path)
    assert len(reference) == 40
    (tmp_path / "file").write_text("a")
    subprocess.run([git, "add", "file"], cwd=tmp_path, check=True, capture_output=True)
    assert registration.code_reference(tmp_path) == f"{reference}-dirty"


def test_a_relative_database_starts_at_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert registration.absolute_uri("sqlite:///a.db") == f"sqlite:///{tmp_path}/a.db"
    assert registration.absolute_uri("sqlite:////a/b.db") == "sqlite:////a/b.db"
    assert registration.absolute_uri("http://localhost:5000") == "http://localhost:5000"


def test_the_real_market_trains_and_beats_the_seasonal_naive_forecast(
    real_folder: Path, tmp_path: Path
) -> None:
    result = run_train(tmp_path, "--data", str(real_folder), "--require-improvement")
    assert result.returncode == 0, result.stderr
    [path] = tmp_path.glob("mlruns/*/artifacts/artifacts/baseline.json")
    scores = json.loads(path.read_text())["held_out"]
    for target in ("price", "demand"):
        assert scores["model"][f"{target}_wape"] < scores["baseline"][f"{target}_wape"]
        assert 0.84 < scores["model"][f"{target}_coverage"] < 0.96
