"""A synth depends on nothing but the configuration and the model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from synthesis import GOLDEN

if TYPE_CHECKING:
    from pathlib import Path

NOT_DEPLOYED = (".metadata.json", "validation-report.json")
"""Notes for the person at the terminal: they hold stack traces of the CDK's own process."""

PROGRAM = """
import json, sys
from pathlib import Path
from aws_cdk import App
from forecast_config import LockedModel, LockedWheel, PackagedModel, load_config
from forecast_config.settings import OwnImage
from forecast_packaging.container.context import write_context
from forecast_stacks import add_environment

config, archive, outdir, golden, flags = sys.argv[1:]
digest = "sha256:" + "0" * 64
model = LockedModel(name="forecaster", version="16", run_id="run", model_digest=digest,
                    signature_digest=digest, libraries={"xgboost": "3.2.0", "numpy": "2.1.0"})
wheel = LockedWheel(version="2.5.1", file="numpy-2.5.1-cp313-any.whl", sha256="0" * 64)
image = OwnImage(kind="own", python="3.13")
context = write_context(Path(archive).parent, image, {"numpy": wheel})
packaged = PackagedModel(archive=Path(archive), archive_digest=digest, model=model,
                         image_context=context, golden=Path(golden))
app = App(analytics_reporting=False, outdir=outdir, context=json.loads(flags)["context"])
for settings in load_config(config).environments.values():
    add_environment(app, settings, packaged)
app.synth()
"""


def _synthesize(
    folder: Path, repository: Path, archive: bytes, **variables: str
) -> dict[str, bytes]:
    folder.mkdir()
    (folder / "model.tar.gz").write_bytes(archive)
    (folder / "golden.json").write_text(json.dumps(GOLDEN))
    context = (repository / "cdk.json").read_text()
    subprocess.run(
        [
            sys.executable,
            "-c",
            PROGRAM,
            str(repository / "tests/data/comprehensive.yaml"),
            str(folder / "model.tar.gz"),
            str(folder / "cdk.out"),
            str(folder / "golden.json"),
            context,
        ],
        check=True,
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
    )
    return {
        path.name: path.read_bytes()
        for path in sorted((folder / "cdk.out").iterdir())
        if path.suffix == ".json" and not path.name.endswith(NOT_DEPLOYED)
    }


def test_two_synths_give_identical_bytes(tmp_path: Path, repository: Path) -> None:
    one = _synthesize(
        tmp_path / "one", repository, b"one", PYTHONHASHSEED="1", TZ="Asia/Shanghai", LANG="C"
    )
    other = _synthesize(
        tmp_path / "other",
        repository,
        # The same archive, compressed by another zlib.
        b"another",
        PYTHONHASHSEED="2",
        TZ="America/New_York",
        LANG="de_DE.UTF-8",
        USER="somebody",
        AWS_REGION="eu-west-1",
        CDK_DEFAULT_ACCOUNT="999999999999",
    )

    assert len(one) > 12
    assert one == other
