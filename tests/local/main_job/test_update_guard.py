"""`forecast plan` and `forecast deploy`: what AWS refuses half-way is refused before."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Project

pytestmark = pytest.mark.local

ENDPOINT = "produce-forecast-prod"


@pytest.fixture
def on_other_instances(deployed: Project) -> Iterator[Callable[[], None]]:
    """Puts another instance type into the configuration of prod; it is put back afterwards."""
    path = deployed.root / "config" / "forecast.yaml"
    text = path.read_text()

    def change() -> None:
        assert "instance_type: ml.m5.xlarge" in text
        path.write_text(text.replace("instance_type: ml.m5.xlarge", "instance_type: ml.c5.xlarge"))

    yield change
    path.write_text(text)


def _instance_type(project: Project) -> str:
    sagemaker = project.client("sagemaker")
    live = sagemaker.describe_endpoint(EndpointName=ENDPOINT)
    config = sagemaker.describe_endpoint_config(EndpointConfigName=live["EndpointConfigName"])
    found: str = config["ProductionVariants"][0]["InstanceType"]
    return found


def _wanted(project: Project) -> Callable[[str], dict[str, Any]]:
    flags = ("--context", "environments=prod", "--context", "config=config/forecast.yaml")
    project.run("cdk", "synth", "--quiet", "--output", "cdk.out.wanted", *flags)

    def read(stack: str) -> dict[str, Any]:
        text = (project.root / "cdk.out.wanted" / f"{stack}.template.json").read_text()
        template: dict[str, Any] = json.loads(text)
        return template

    return read


def test_what_is_deployed_is_planned_as_no_change(deployed: Project) -> None:
    stacks = ("ForecastProdArtifacts", "ForecastProd")
    templates = {
        stack: deployed.client("cloudformation").get_template(StackName=stack)["TemplateBody"]
        for stack in stacks
    }

    done = deployed.run("forecast", "plan", "prod", "--json")

    # Whatever other tests have left behind: what is synthesized is what is compared.
    plan = json.loads(done.stdout)
    read = _wanted(deployed)
    wanted = {stack: read(stack) for stack in stacks}
    assert plan["can_be_deployed"]
    assert plan["is_empty"] or wanted != templates
    assert plan["models"][0]["known_after"]["card"]["metrics"]
    assert plan["models"][0]["known_after"]["trained_at"]
    assert list((deployed.root / ".forecast/deploy/prod").glob(".tmp-*")) == []


def test_a_plan_says_what_is_in_the_way_of_it(
    deployed: Project, on_other_instances: Callable[[], None]
) -> None:
    on_other_instances()

    done = deployed.run("forecast", "plan", "prod", "--markdown", "-w", "plan.md", check=False)

    comment = (deployed.root / "plan.md").read_text()
    assert done.returncode == 1
    assert comment.startswith("<!-- forecast plan prod -->")
    assert "or let it be done for you: --allow-rescale" in comment
    assert "ml.m5.xlarge -> ml.c5.xlarge (replaces it)" in comment
    said = done.stderr.splitlines()
    assert len(said) == 2, "nothing of the CDK CLI where all is well"
    assert said[0].startswith("prod: blocked by 1 thing in the way")

    permitted = deployed.run("forecast", "plan", "prod", "--allow-rescale", "--json")

    plan = json.loads(permitted.stdout)
    assert [each["kind"] for each in plan["permitted"]] == ["rescale"]
    assert len(plan["steps"]) == 2


def test_a_plan_fetches_the_archive_that_is_pinned_and_not_here(deployed: Project) -> None:
    lock = deployed.root / "config" / "models.lock.json"
    archives, away = deployed.root / ".forecast" / "archives", deployed.root / "archives-away"
    before, pinned = lock.read_text(), json.loads(lock.read_text())
    packed = json.loads(deployed.run("forecast", "package", "prod", "--json").stdout)["prod"]
    pinned["environments"]["prod"]["archive_digest"] = packed["archive_digest"]
    lock.write_text(json.dumps(pinned))
    archives.rename(away)
    try:
        done = deployed.run("forecast", "plan", "prod", "--json")
        fetched = archives / Path(packed["archive"]).name
        assert fetched.is_file()
        assert (archives / "adopted").is_dir(), "fetched, and not packed anew"
        assert json.loads(done.stdout)["can_be_deployed"]
    finally:
        lock.write_text(before)
        shutil.rmtree(archives, ignore_errors=True)
        away.rename(archives)


@pytest.mark.slow
def test_the_type_of_a_scaled_variant_is_refused_and_then_led_around(
    deployed: Project, on_other_instances: Callable[[], None]
) -> None:
    scaling = deployed.client("application-autoscaling")
    deployed.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=ENDPOINT,
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 4}],
    )
    on_other_instances()

    refused = deployed.run("forecast", "deploy", "prod", check=False)

    assert refused.returncode == 1
    assert "variant AllTraffic of produce-forecast-prod is scaled and cannot" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert _instance_type(deployed) == "ml.m5.xlarge"

    done = deployed.run("forecast", "deploy", "prod", "--allow-rescale")

    assert f"1 of 2: take {ENDPOINT} from Application Auto Scaling" in done.stdout
    assert f"{ENDPOINT} serves what was deployed" in done.stdout
    assert _instance_type(deployed) == "ml.c5.xlarge"
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 10)
    live = deployed.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)
    assert live["ProductionVariants"][0]["DesiredInstanceCount"] == 4
    assert deployed.forecast(deployed.request(items=1))
