"""A model whose files are fetched one by one: each under its name, below what nobody shares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, DefaultStackSynthesizer, Environment, Stack

from forecast_config import ForecastError, load_config
from forecast_constructs import ContainerImage, ExecutionRole, ForecastModel, ModelSynthesizer
from forecast_stacks import add_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast_config import PackagedModel

FILES = {
    "code/inference.py": b"x = 1",
    "artifacts/metrics.json": b"{}",
    "artifacts/metrics.csv": b"a,b",
    "artifacts/长": b"no extension",
    "model/model.tar.gz": b"not an archive",
    "model/.hidden": b"",
    "model-info.json": b"{}",
}


@pytest.fixture
def by_files(tmp_path: Path, packaged: Callable[..., PackagedModel]) -> PackagedModel:
    for name, content in FILES.items():
        file = tmp_path / "files" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return packaged().model_copy(update={"files": tmp_path / "files"})


def build(stack: Stack, packaged_model: PackagedModel) -> ForecastModel:
    return ForecastModel(
        stack,
        "Model",
        packaged_model=packaged_model,
        image=ContainerImage(image_uri="image", repository_arn="arn", image_environment={}),
        environment={},
        execution_role=ExecutionRole(stack, "Role", endpoint_name="endpoint"),
        network_isolation=True,
    )


def synthesize(app: App, packaged_model: PackagedModel) -> tuple[dict[str, Any], dict[str, Any]]:
    """Template and assets of a stack with nothing but the model."""
    stack = Stack(
        app,
        "Stack",
        env=Environment(region="eu-central-1"),
        synthesizer=ModelSynthesizer(bucket_name="artifacts"),
    )
    build(stack, packaged_model)
    folder = Path(app.synth().directory)
    names = ("Stack.template.json", "Stack.assets.json")
    template, assets = (json.loads((folder / name).read_text()) for name in names)
    return template, assets["files"]


def test_every_file_is_published_under_its_name(
    new_app: Callable[..., App], by_files: PackagedModel
) -> None:
    app = new_app()
    _, assets = synthesize(app, by_files)
    prefix = f"models/{by_files.archive_digest.removeprefix('sha256:')}/"
    published = {}
    for asset in assets.values():
        (destination,) = asset["destinations"].values()
        if destination["objectKey"].startswith(prefix):
            assert asset["source"]["packaging"] == "file"
            assert destination["bucketName"] == "artifacts"
            assert "file-publishing-role" in destination["assumeRoleArn"]
            file = Path(app.outdir, asset["source"]["path"]).resolve()
            published[destination["objectKey"].removeprefix(prefix)] = file.read_bytes()
    assert published == FILES


def test_the_model_is_given_the_prefix_of_its_files(
    new_app: Callable[..., App], by_files: PackagedModel
) -> None:
    template, _ = synthesize(new_app(), by_files)
    (model,) = (
        resource
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::SageMaker::Model"
    )
    digest = by_files.archive_digest.removeprefix("sha256:")
    assert model["Properties"]["PrimaryContainer"]["ModelDataSource"]["S3DataSource"] == {
        "S3Uri": f"s3://artifacts/models/{digest}/",
        "S3DataType": "S3Prefix",
        "CompressionType": "None",
    }


def test_the_assembly_names_no_place_on_this_machine_and_is_the_same_again(
    new_app: Callable[..., App], by_files: PackagedModel
) -> None:
    first = synthesize(new_app(), by_files)
    assert first == synthesize(new_app(), by_files)
    assert str(by_files.files) not in json.dumps(first)


def test_the_role_may_list_what_it_fetches(
    new_app: Callable[..., App], repository: Path, by_files: PackagedModel
) -> None:
    app = new_app()
    (settings, *_) = load_config(repository / "tests/data/minimal.yaml").environments.values()
    add_environment(app, settings, by_files)
    folder = Path(app.synth().directory)
    template = json.loads((folder / "ForecastOnly.template.json").read_text())
    statements = [
        statement
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::IAM::ManagedPolicy"
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]
    ]
    (listing,) = (item for item in statements if item["Action"] == "s3:ListBucket")
    assert listing["Condition"] == {"StringLike": {"s3:prefix": "models/*"}}


def test_a_stack_that_publishes_by_hash_only_is_refused(
    new_app: Callable[..., App], by_files: PackagedModel
) -> None:
    stack = Stack(
        new_app(),
        "Stack",
        env=Environment(region="eu-central-1"),
        synthesizer=DefaultStackSynthesizer(bucket_prefix="models/"),
    )
    with pytest.raises(ForecastError, match="expected a stack with a ModelSynthesizer"):
        build(stack, by_files)
