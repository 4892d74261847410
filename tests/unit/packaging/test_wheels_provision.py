"""What an image lacks is found once, pinned by digest, and comes back as the very same bytes."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from forecast_config import EnvironmentSettings, ForecastError, LockedModel
from forecast_config.images import ServingImage
from forecast_config.settings import ServingSettings
from forecast_packaging import LockMismatchError, ModelError, RegistryError
from forecast_packaging.libraries import provision as provision_module
from forecast_packaging.libraries.choose import unneeded
from forecast_packaging.libraries.provision import SERVING_PINS, Provision, vendored_libraries

_SPEC = importlib.util.spec_from_file_location("wheels", Path(__file__).with_name("wheels.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
wheels = importlib.util.module_from_spec(_SPEC)
sys.modules.setdefault("wheels", wheels)
_SPEC.loader.exec_module(wheels)

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
DIGEST = f"sha256:{'0' * 64}"
INSIDE = ServingImage(
    framework="scikit-learn",
    version="1.9-0",
    repository="sagemaker-scikit-learn",
    tag="1.9-0-cpu-py3",
    python="3.12",
    patched_until="2027-07-16",
    libraries={"scikit-learn": "1.9.0", "numpy": "2.5.1", "protobuf": "3.20.2"},
    present=("scipy",),
)
AWS = {"kind": "aws", "framework": "scikit-learn", "version": "1.9-0"}
VENDOR = {**AWS, "missing_libraries": "vendor"}
DOWNLOAD = {**AWS, "missing_libraries": "download"}
OWN = {"kind": "own", "python": "3.12"}


@pytest.fixture(autouse=True)
def _image(monkeypatch: pytest.MonkeyPatch) -> None:
    images = {("scikit-learn", "1.9-0"): INSIDE}
    monkeypatch.setattr(provision_module, "serving_images", lambda: images)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that pip takes for the package index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


@pytest.fixture
def provision(tmp_path: Path) -> Callable[..., Provision]:
    def make(
        image: dict[str, Any], instance_type: str = "ml.m5.large", **serving: Any
    ) -> Provision:
        settings = EnvironmentSettings.model_validate(
            {
                "name": "prod",
                "region": "eu-central-1",
                "endpoint": {
                    "kind": "realtime",
                    "name": "forecast",
                    "instance_type": instance_type,
                },
                "image": image,
                "tags": {"team": "a", "cost_centre": "b"},
            }
        )
        return Provision(tmp_path / "project", settings, ServingSettings(**serving))

    return make


def _lock(python: str = "3.12.4", *, cloudpickled: bool = False, **libraries: str) -> LockedModel:
    return LockedModel(
        name="forecaster",
        version="16",
        run_id="run",
        model_digest=DIGEST,
        signature_digest=DIGEST,
        libraries={"python": python, **libraries},
        cloudpickled=cloudpickled,
    )


def test_what_the_image_lacks_is_pinned_with_what_that_requires(
    provision: Callable[..., Provision], index: Path
) -> None:
    requires = ["numpy>=1.21", "scipy>=1.9", "helper>=1.0", 'frames; extra == "frames"']
    wheels.make_wheel(index, "lightgbm", "4.7.0", requires=requires)
    for version in ("0.9", "1.5"):
        wheels.make_wheel(index, "helper", version)

    lock = provision(VENDOR).pin(_lock(lightgbm="4.7.0", **{"scikit-learn": "1.9.0"}))

    assert {name: wheel.version for name, wheel in lock.wheels.items()} == {
        "helper": "1.5",
        "lightgbm": "4.7.0",
    }
    assert lock.wheels["lightgbm"].file == "lightgbm-4.7.0-py3-none-any.whl"
    provision(VENDOR).check(lock)


def test_resolving_again_keeps_the_wheels_that_still_fit(
    provision: Callable[..., Provision], index: Path
) -> None:
    wheels.make_wheel(index, "lightgbm", "4.7.0", requires=["helper>=1.0"])
    wheels.make_wheel(index, "helper", "1.5")
    before = provision(VENDOR).pin(_lock(lightgbm="4.7.0"))
    wheels.make_wheel(index, "helper", "1.6")
    wheels.make_wheel(index, "lightgbm", "4.8.0", requires=["helper>=1.6"])

    assert provision(VENDOR).pin(_lock(lightgbm="4.7.0"), before) == before
    newer = provision(VENDOR).pin(_lock(lightgbm="4.8.0"), before)
    assert {name: wheel.version for name, wheel in newer.wheels.items()} == {
        "helper": "1.6",
        "lightgbm": "4.8.0",
    }


def test_what_is_pinned_is_vendored_without_the_index(
    provision: Callable[..., Provision], index: Path
) -> None:
    wheels.make_wheel(index, "lightgbm", "4.7.0", files={"lightgbm/lib.so": b"\x7fELF"})
    lock = provision(VENDOR).pin(_lock(lightgbm="4.7.0"))
    for wheel in index.iterdir():
        wheel.unlink()

    members = provision(VENDOR).vendored(lock)

    assert "code/vendor/lightgbm/lib.so" in members
    assert members["code/vendor/lightgbm/lib.so"].read_bytes() == b"\x7fELF"
    assert vendored_libraries(members) == {"lightgbm": "4.7.0"}


def test_another_machine_gets_the_same_wheel_from_the_index_by_its_digest(
    provision: Callable[..., Provision],
    index: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pinned = wheels.make_wheel(index, "lightgbm", "4.7.0")
    lock = provision(VENDOR).pin(_lock(lightgbm="4.7.0"))
    (tmp_path / "project").rename(tmp_path / "elsewhere")
    # Better suited, published later, and not the one that was pinned.
    tag = "cp312-cp312-manylinux_2_28_x86_64"
    better = wheels.make_wheel(index, "lightgbm", "4.7.0", tag=tag)
    page = "".join(
        f'<a href="{each.as_uri()}#sha256={hashlib.sha256(each.read_bytes()).hexdigest()}">w</a>'
        for each in (better, pinned)
    )
    (tmp_path / "page.html").write_text(f"<!DOCTYPE html><html><body>{page}</body></html>")
    monkeypatch.setenv("PIP_FIND_LINKS", (tmp_path / "page.html").as_uri())

    members = provision(VENDOR).vendored(lock)

    assert lock.wheels["lightgbm"].sha256 in str(members["code/vendor/lightgbm/__init__.py"])


def test_a_wheel_that_was_replaced_in_the_index_is_refused(
    provision: Callable[..., Provision], index: Path, tmp_path: Path
) -> None:
    wheels.make_wheel(index, "lightgbm", "4.7.0")
    lock = provision(VENDOR).pin(_lock(lightgbm="4.7.0"))
    (tmp_path / "project").rename(tmp_path / "elsewhere")
    wheels.make_wheel(index, "lightgbm", "4.7.0", files={"lightgbm/evil.py": b""})

    with pytest.raises(RegistryError, match=r"pip finds no wheel for Python 3\.12 on Linux x86_64"):
        provision(VENDOR).vendored(lock)


def test_a_wheel_that_was_changed_in_the_store_is_refused(
    provision: Callable[..., Provision], index: Path, tmp_path: Path
) -> None:
    wheels.make_wheel(index, "lightgbm", "4.7.0")
    lock = provision(VENDOR).pin(_lock(lightgbm="4.7.0"))
    (kept,) = (tmp_path / "project").rglob("lightgbm-*.whl")
    wheels.make_wheel(kept.parent, "lightgbm", "4.7.0", files={"lightgbm/evil.py": b""})

    with pytest.raises(LockMismatchError, match="and another file was found"):
        provision(VENDOR).vendored(lock)


def test_content_that_was_changed_in_the_store_is_unpacked_again(
    provision: Callable[..., Provision], index: Path
) -> None:
    wheels.make_wheel(index, "lightgbm", "4.7.0")
    lock = provision(VENDOR).pin(_lock(lightgbm="4.7.0"))
    member = "code/vendor/lightgbm/__init__.py"
    before = provision(VENDOR).vendored(lock)[member]
    before.write_text("import os\n")

    after = provision(VENDOR).vendored(lock)

    assert after[member].read_text() == "VERSION = '4.7.0'\n"


def test_a_library_that_the_image_holds_in_another_version_is_not_vendored(
    provision: Callable[..., Provision],
) -> None:
    with pytest.raises(
        ModelError, match=r"the model requires numpy==2\.4\.6, and the image holds 2\.5\.1"
    ):
        provision(VENDOR).pin(_lock(numpy="2.4.6"))


def test_an_exact_version_of_what_the_image_holds_in_an_unknown_one_is_not_guessed(
    provision: Callable[..., Provision],
) -> None:
    with pytest.raises(ModelError, match="and the image holds a version not known here"):
        provision(VENDOR).pin(_lock(scipy="1.17.1"))


def test_a_requirement_that_clashes_with_the_image_is_refused_by_name(
    provision: Callable[..., Provision], index: Path
) -> None:
    wheels.make_wheel(index, "treelib", "2.0", requires=["protobuf>=4.25"])

    with pytest.raises(
        ModelError, match=r"treelib 2\.0 requires protobuf>=4\.25, and the image holds 3\.20\.2"
    ):
        provision(VENDOR).pin(_lock(treelib="2.0"))


def test_what_predicting_does_without_is_left_out(
    provision: Callable[..., Provision], index: Path
) -> None:
    requires = ["numpy>=1.21", "protobuf>=4.25.8", "flatbuffers", "packaging"]
    wheels.make_wheel(index, "onnxruntime", SERVING_PINS["onnxruntime"], requires=requires)

    lock = provision(VENDOR, compile="onnx").pin(_lock(**{"scikit-learn": "1.9.0"}))

    assert list(lock.wheels) == ["onnxruntime"]
    assert all(reason for table in unneeded().values() for reason in table.values())


def test_pip_would_bring_what_predicting_does_without_and_break_the_image(
    provision: Callable[..., Provision], index: Path
) -> None:
    requires = ["numpy>=1.21", "protobuf>=4.25.8"]
    wheels.make_wheel(index, "onnxruntime", SERVING_PINS["onnxruntime"], requires=requires)

    with pytest.raises(ModelError, match=r"onnxruntime .* requires protobuf>=4\.25\.8, and the im"):
        provision(DOWNLOAD, compile="onnx").pin(_lock())


def test_downloads_do_not_replace_what_the_server_runs_on(
    provision: Callable[..., Provision],
) -> None:
    with pytest.raises(ForecastError, match=r"would replace numpy 2\.5\.1 by 2\.4\.6"):
        provision(DOWNLOAD).check(_lock(numpy="2.4.6"))

    provision(DOWNLOAD).check(_lock(lightgbm="4.7.0", **{"scikit-learn": "1.8.0"}))


def test_two_wheels_that_do_not_go_together_are_refused(
    provision: Callable[..., Provision], index: Path
) -> None:
    wheels.make_wheel(index, "one", requires=["shared<2"])
    wheels.make_wheel(index, "two", requires=["shared>=2"])
    for version in ("1.0", "2.0"):
        wheels.make_wheel(index, "shared", version)

    with pytest.raises(ModelError, match=r"two 1\.0 requires shared>=2, and 1\.0 was chosen"):
        provision(VENDOR).pin(_lock(one="1.0", two="1.0"))


def test_the_fast_codec_travels_along(provision: Callable[..., Provision], index: Path) -> None:
    wheels.make_wheel(index, "msgspec", SERVING_PINS["msgspec"])

    assert list(provision(VENDOR, codec="fast").pin(_lock()).wheels) == ["msgspec"]
    with pytest.raises(ForecastError, match=r"it needs msgspec .* set image\.missing_lib"):
        provision(AWS, codec="fast").check(_lock())


def test_the_versions_that_serving_asks_for_are_those_that_the_tests_run_with() -> None:
    text = (ROOT / "pyproject.toml").read_text()

    assert all(f'"{name}=={version}"' in text for name, version in SERVING_PINS.items())


def test_the_cpu_build_of_xgboost_is_taken(
    provision: Callable[..., Provision], index: Path
) -> None:
    wheels.make_wheel(index, "xgboost-cpu", "3.2.0", requires=["numpy"])

    lock = provision(VENDOR).pin(_lock(xgboost="3.2.0"))

    assert list(lock.wheels) == ["xgboost-cpu"]
    provision(VENDOR).check(lock)
    assert vendored_libraries(provision(VENDOR).vendored(lock)) == {"xgboost": "3.2.0"}


def test_an_own_image_has_everything_pinned(
    provision: Callable[..., Provision], index: Path
) -> None:
    wheels.make_wheel(index, "lightgbm", "4.7.0", requires=["numpy>=1.21", "scipy"])
    wheels.make_wheel(index, "scipy", "1.18.1", requires=["numpy"])
    for machine in ("x86_64", "aarch64"):
        wheels.make_wheel(index, "numpy", "2.5.5", tag=f"cp312-cp312-manylinux_2_28_{machine}")

    pinned = {
        instance_type: provision(OWN, instance_type).pin(_lock(lightgbm="4.7.0"))
        for instance_type in ("ml.m5.large", "ml.m7g.large")
    }

    for lock in pinned.values():
        assert list(lock.wheels) == ["lightgbm", "numpy", "scipy"]
    assert pinned["ml.m5.large"].wheels["numpy"].file.endswith("x86_64.whl")
    assert pinned["ml.m7g.large"].wheels["numpy"].file.endswith("aarch64.whl")
    assert provision(OWN).vendored(pinned["ml.m5.large"]) == {}


@pytest.mark.parametrize("image", [VENDOR, OWN])
def test_a_lock_without_the_wheels_says_what_to_run(
    provision: Callable[..., Provision], image: dict[str, str]
) -> None:
    with pytest.raises(LockMismatchError, match=r"of lightgbm 4\.7\.0, .* run: forecast resolve"):
        provision(image).check(_lock(lightgbm="4.7.0"))


def test_a_wheel_pinned_for_another_python_is_refused(
    provision: Callable[..., Provision], index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = "cp312-cp312-manylinux_2_28_x86_64"
    wheels.make_wheel(index, "msgspec", SERVING_PINS["msgspec"], tag=tag)
    lock = provision(VENDOR, codec="fast").pin(_lock())
    later = {("scikit-learn", "1.9-0"): ServingImage(**{**vars(INSIDE), "python": "3.13"})}
    monkeypatch.setattr(provision_module, "serving_images", lambda: later)

    with pytest.raises(LockMismatchError, match=r"does not run with Python 3\.13 on Linux"):
        provision(VENDOR, codec="fast").vendored(lock)


def test_what_nothing_would_bring_is_refused_with_the_ways_out(
    provision: Callable[..., Provision],
) -> None:
    with pytest.raises(
        ForecastError,
        match=(
            r"the scikit-learn image 1\.9-0 of 'prod' cannot run version 16 .* it needs "
            r"lightgbm 4\.7\.0 \(the image holds none\), numpy 2\.4\.6 \(the image holds 2\.5\.1\)"
        ),
    ):
        provision(AWS).check(_lock(lightgbm="4.7.0", numpy="2.4.6"))


def test_nothing_is_looked_up_where_nothing_is_to_be_brought(
    provision: Callable[..., Provision], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provision_module, "choose_wheels", None)
    stale = provision(AWS).pin(_lock(lightgbm="4.7.0"))

    assert stale.wheels == {}


@pytest.mark.parametrize(
    "image",
    [
        AWS,
        {**OWN, "python": "3.12"},
        {
            "kind": "ecr",
            "uri": "111111111111.dkr.ecr.eu-central-1.amazonaws.com/forecaster:1",
            "python": "3.12",
        },
    ],
)
def test_code_pickled_by_another_python_is_refused(
    provision: Callable[..., Provision], image: dict[str, str]
) -> None:
    with pytest.raises(
        ForecastError,
        match=r"by value with Python 3\.11, and the image of 'prod' has Python 3\.12, .* python '3",
    ):
        provision(image).check(_lock("3.11.7", cloudpickled=True))


@pytest.mark.parametrize(
    "lock", [_lock("3.11.7"), _lock("3.12.0", cloudpickled=True)], ids=["data", "same minor"]
)
def test_data_and_code_of_the_same_python_are_taken(
    provision: Callable[..., Provision], lock: LockedModel
) -> None:
    provision(AWS).check(lock)


def test_an_image_of_unknown_content_is_taken_as_it_is(
    provision: Callable[..., Provision],
) -> None:
    uri = "111111111111.dkr.ecr.eu-central-1.amazonaws.com/forecaster:1"
    lock = _lock("3.11.7", cloudpickled=True, lightgbm="4.7.0")

    unknown = provision({"kind": "ecr", "uri": uri})

    unknown.check(lock)
    assert unknown.pin(lock) == lock
