"""The SageMaker SDK, which nobody here wrote, against the local endpoint.

Its environment of 730 MB takes a minute or two to make: FORECAST_SDK=1 asks for these tests.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forecast_config.images import images_not_offered, registry_accounts, serving_images
from forecast_local import lifecycle

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Project

pytestmark = [
    pytest.mark.local,
    pytest.mark.skipif("FORECAST_SDK" not in os.environ, reason="FORECAST_SDK=1 asks for it"),
]

REQUIREMENTS = Path(__file__).parents[2] / "requirements-sdk.txt"
INVOKE = """
import json, sys
from sagemaker.core.resources import Endpoint
endpoint = Endpoint.get(endpoint_name="produce-forecast-prod", region=sys.argv[1])
answer = endpoint.invoke(body=sys.stdin.read(), content_type="application/json")
print(answer.body.read().decode())
"""
RETRIEVE = """
import json, sys
from sagemaker.core import image_uris
wanted = json.load(sys.stdin)
print(json.dumps([
    image_uris.retrieve(framework, region, version=version, instance_type="ml.m5.large")
    for framework, version, region in wanted
]))
"""
TABLES = """
import json
from sagemaker.core import image_uris
tables = {name: image_uris.config_for_framework(name) for name in ("sklearn", "xgboost")}
print(json.dumps({name: table.get("inference", table) for name, table in tables.items()}))
"""
SDK_NAMES = {"scikit-learn": "sklearn", "xgboost": "xgboost"}


@pytest.fixture(scope="module")
def sdk(pinned_environment: Callable[[Path], Path]) -> Path:
    return pinned_environment(REQUIREMENTS)


def _run(python: Path, code: str, arguments: list[str], text: str, **variables: str) -> str:
    done = subprocess.run(
        [python, "-W", "ignore", "-c", code, *arguments],
        input=text,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_sdk_s_predictor_gets_the_same_answer(deployed: Project, sdk: Path) -> None:
    request = deployed.request()
    local = lifecycle.status(deployed.root)
    assert local is not None

    variables = local.environment(region=deployed.region)
    output = _run(sdk, INVOKE, [deployed.region], json.dumps(request), **variables)

    answered = json.loads(output.splitlines()[-1])["predictions"]
    expected = deployed.forecast(request)
    for row in [*answered, *expected]:
        del row["prediction_timestamp"]
    assert answered == expected


def test_the_table_of_images_is_that_of_the_sdk(sdk: Path) -> None:
    wanted = [
        (framework, version, region)
        for framework, version in serving_images()
        for region in registry_accounts()
    ]

    asked = [(SDK_NAMES[framework], version, region) for framework, version, region in wanted]
    answered = json.loads(_run(sdk, RETRIEVE, [], json.dumps(asked)).splitlines()[-1])

    for (framework, version, region), uri in zip(wanted, answered, strict=True):
        image = serving_images()[framework, version]
        host, name = uri.split("/", 1)
        assert name == f"{image.repository}:{image.tag}"
        assert host.startswith(f"{registry_accounts()[region]}.dkr.ecr.{region}.")


def test_the_table_has_the_versions_and_the_regions_of_the_sdk(sdk: Path) -> None:
    tables = json.loads(_run(sdk, TABLES, [], "").splitlines()[-1])

    for framework, sdk_name in SDK_NAMES.items():
        known = {*serving_images(), *images_not_offered()}
        versions = tables[sdk_name]["versions"]
        assert {version for name, version in known if name == framework} == set(versions)
        for name, version in serving_images():
            if name == framework:
                assert versions[version]["registries"] == registry_accounts()
