"""`forecast compare` on endpoints that really answer: their captures, metrics and stacks."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from captured import SCHEMA, request_json, row

from forecast_config import names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Hosting = Callable[..., dict[str, Any]]

SERVER = '''
"""Forecasts yesterday's price and a little more: the older version more than the newer one."""
import argparse, hashlib, json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--model-dir", type=Path, required=True)
parser.add_argument("--port", type=int, required=True)
options = parser.parse_args()
VERSION = (options.model_dir / "version").read_text()
SIZE = 2.0 if VERSION == "16" else 0.5


def predicted(row):
    noise = hashlib.sha256((VERSION + json.dumps(row)).encode()).digest()[0] / 255 - 0.5
    price = row["price_yesterday"] + SIZE * noise
    return {
        "forecasted_price": price,
        "forecasted_demand": 10.0,
        "confidence_interval": {"level": 0.9, "forecasted_price": [price - 1, price + 1]},
        "model_version": VERSION,
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.reply(b"")

    def do_POST(self):
        rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["instances"]
        self.reply(json.dumps({"predictions": [predicted(row) for row in rows]}).encode())


ThreadingHTTPServer(("127.0.0.1", options.port), Handler).serve_forever()
'''
DAYS = [f"2026-{month:02}-{day:02}" for month in (9, 10) for day in range(1, 26)]
CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://engine-tests/data-capture",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
}


def archive(version: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in {
            "artifacts/feature_schema.json": json.dumps(SCHEMA),
            "code/forecast_inference/__init__.py": "",
            "code/forecast_inference/server.py": SERVER,
            "version": version,
        }.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


class Contest:
    """An environment whose endpoint serves two versions."""

    def __init__(self, account: Any, folder: Path) -> None:
        self.account, self.folder = account, folder
        self.environment = f"c{uuid.uuid4().hex[:6]}"
        self.stack = names.stack("Forecast", self.environment)
        self.endpoint = f"compared-{self.environment}"
        self.config = folder / "forecast.yaml"
        self.config.write_text(yaml.safe_dump(self._document()))

    def _document(self) -> dict[str, Any]:
        endpoint = {"name": self.endpoint, "variant_name": "main", "instance_type": "ml.m5.large"}
        return {
            "model": {"name": "forecaster"},
            "allowed_regions": ["us-east-1"],
            "defaults": {
                "region": "us-east-1",
                "image": {"kind": "aws", "framework": "scikit-learn", "version": "1.9-0"},
                "tags": {"team": "forecasting", "cost_centre": "CC-1"},
            },
            "environments": {self.environment: {"endpoint": {"kind": "realtime", **endpoint}}},
        }

    def deploy(self, hosting: Hosting, kind: str, weight: float) -> None:
        account = self.account
        variant = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        challenger = {
            "VariantName": "main-challenger",
            "ModelName": {"Fn::GetAtt": ["Challenger", "ModelName"]},
            "InitialVariantWeight": weight,
            **variant,
        }
        template = hosting(
            self.endpoint,
            account.upload("16", archive("16")),
            Config={"DataCaptureConfig": CAPTURE},
        )
        resources = template["Resources"]
        parts = resources["Config"]["Properties"]
        if kind == "shadow":
            parts["ShadowProductionVariants"] = [challenger]
        else:
            parts["ProductionVariants"].append(challenger)
        model = json.loads(json.dumps(resources["Model"]))
        uri = account.upload("17", archive("17"))
        model["Properties"]["PrimaryContainer"]["ModelDataUrl"] = uri
        resources["Challenger"] = model
        template["Outputs"] = {
            "EndpointConfigName": {"Value": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}},
            "ModelVersion": {"Value": "16"},
            "ChallengerVersion": {"Value": "17"},
        }
        status = account.deploy(self.stack, template)
        assert status == "CREATE_COMPLETE", account.events(self.stack)

    def ask(self, item: str, days: list[str], **options: Any) -> None:
        answer = self.account.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=self.endpoint,
            Body=request_json(*(row(item, day, price=4.0) for day in days)).encode(),
            ContentType="application/json",
            **options,
        )
        answer["Body"].read()

    def wait_for_captures(self, count: int) -> None:
        deadline = time.monotonic() + 30
        prefix = f"data-capture/{self.endpoint}/"
        while time.monotonic() < deadline:
            pages = self.account.client("s3").get_paginator("list_objects_v2")
            found = pages.paginate(Bucket="engine-tests", Prefix=prefix)
            if sum(len(page.get("Contents", [])) for page in found) >= count:
                return
            time.sleep(0.2)
        pytest.fail(f"fewer than {count} requests were captured")

    def actuals(self) -> str:
        path = self.folder / "actuals.csv"
        rows = [f"{item},{day},4.0" for item in ("a", "b") for day in DAYS]
        path.write_text("\n".join(["item_code,date,price", *rows]) + "\n")
        return str(path)

    def compare(self, *arguments: str) -> Any:
        command = [str(Path(sys.executable).with_name("forecast")), "compare", self.environment]
        result = subprocess.run(
            [*command, "--config", str(self.config), "--json", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **self.account.aws.environment()},
        )
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)


@pytest.fixture
def contest(account: Any, tmp_path: Path) -> Iterator[Contest]:
    found = Contest(account, tmp_path)
    yield found
    if account.exists(found.stack):
        account.destroy(found.stack)


def test_a_shadow_is_compared_on_the_same_requests(contest: Contest, hosting: Hosting) -> None:
    contest.deploy(hosting, "shadow", 1.0)
    for item in ("a", "b"):
        for first in range(0, len(DAYS), 10):
            contest.ask(item, DAYS[first : first + 10])
    contest.wait_for_captures(20)

    page = contest.folder / "report.html"
    found = contest.compare("--actuals", contest.actuals(), "--report", str(page))

    assert found["kind"] == "shadow"
    assert found["captured"]["matched_requests"] == 10
    assert found["captured"]["answers_without_partner"] == 0
    champion, challenger = found["variants"]["champion"], found["variants"]["challenger"]
    assert (champion["model_version"], challenger["model_version"]) == ("16", "17")
    assert (champion["invocations"], challenger["invocations"]) == (10, 10)
    assert 0 < champion["p50_ms"] <= champion["p99_ms"] < 5000
    assert found["answer"] == "better"
    assert found["accuracy"][0]["outcome"]["samples"] == len(DAYS)
    assert {each["group"] for each in found["differences"][0]["by_item"]} == {"a", "b"}
    assert page.read_text().startswith("<!doctype html>")
    assert found["warnings"] == []


def test_a_split_is_compared_on_what_both_forecast(contest: Contest, hosting: Hosting) -> None:
    contest.deploy(hosting, "split", 1.0)
    # Each variant is asked of its own item, but for ten days.
    contest.ask("a", DAYS, TargetVariant="main")
    contest.ask("a", DAYS[:10], TargetVariant="main-challenger")
    contest.ask("b", DAYS[10:], TargetVariant="main-challenger")
    contest.ask("a", DAYS, TargetVariant="main", InferenceId="heartbeat-1")
    contest.wait_for_captures(4)

    found = contest.compare("--actuals", contest.actuals())

    assert found["kind"] == "split"
    assert found["captured"]["champion"]["own_requests"] == 1
    assert found["sharing"]["configured"] == 0.5
    assert found["sharing"]["mismatch"] is False
    assert found["differences"][0]["total"]["cells"] == 10
    # Ten dates with the same items are too few: the means of each date are compared.
    assert found["accuracy"][0]["basis"] == "date"
    assert found["accuracy"][0]["answer"] == "better"
