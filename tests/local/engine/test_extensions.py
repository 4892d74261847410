"""What is replaced in moto, and the guard against a moto that changed."""

from typing import Any

import pytest
from moto.s3.models import FakeBucket
from moto.sagemaker.models import SageMakerModelBackend

from forecast_local import extensions


def test_installed_moto_is_the_one_that_is_extended() -> None:
    extensions.check_moto()


def test_changed_parameters_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def delete_endpoint(self: Any, name: str, force: object) -> None:  # noqa: ARG001 - only the names count
        raise AssertionError

    monkeypatch.setattr(SageMakerModelBackend, "delete_endpoint", delete_endpoint)
    with pytest.raises(extensions.MotoChangedError, match=r"delete_endpoint takes \(name, force\)"):
        extensions.check_moto()


def test_removed_method_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(FakeBucket, "get_permission")
    with pytest.raises(extensions.MotoChangedError, match=r"FakeBucket\.get_permission is gone"):
        extensions.check_moto()


def test_every_replacement_overrides_what_the_table_says() -> None:
    for replacement in extensions.REPLACEMENTS:
        original = replacement.backend.__mro__[1]
        assert original.__module__.startswith("moto.")
        own = {name for name in vars(replacement.backend) if hasattr(original, name)}
        ignored = {"__doc__", "__init__", "__module__"}
        assert own - ignored - set(replacement.overridden) == set(own & {"put_metric_alarm"})
