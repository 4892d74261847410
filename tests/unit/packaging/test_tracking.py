"""Tracking URIs of every kind end in a registry or in one sentence, without their passwords."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import OperationalError

from forecast_packaging import Alias, RegistryError, resolve, shown_uri
from forecast_packaging.registry.tracking import Location, why_it_failed

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "s3cr3t"  # noqa: S105  # it protects nothing


def failure(tmp_path: Path, uri: str) -> str:
    with pytest.raises(RegistryError) as caught:
        resolve(root=tmp_path, tracking_uri=uri, name="produce", selector=Alias("champion"))
    message = str(caught.value)
    assert SECRET not in message
    assert "anna" not in message
    assert "\n" not in message
    assert caught.value.__cause__ is None
    assert list(tmp_path.iterdir()) == [tmp_path / ".forecast"] or not list(tmp_path.iterdir())
    return message


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        (
            f"mssql://anna:{SECRET}@db.example.com/mlflow",
            "the model registry mssql://db.example.com/mlflow needs the package pyodbc; install it",
        ),
        (
            f"mysql://anna:{SECRET}@db.example.com/mlflow",
            (
                "the model registry mysql://db.example.com/mlflow needs the package mysqlclient; "
                "install it"
            ),
        ),
        (
            f"postgresql+nothing://anna:{SECRET}@db.example.com/mlflow",
            "the model registry postgresql+nothing://db.example.com/mlflow answered with an error",
        ),
        (
            f"postgresql://anna:{SECRET}@db.example.com:port/mlflow",
            (
                "the model registry postgresql://db.example.com:port/mlflow cannot be reached: its "
                "URI cannot be read"
            ),
        ),
        (f"http://anna:{SECRET}@[db/mlflow", "http://[db/mlflow is not a URI, expected one such"),
        (f"ftp://anna:{SECRET}@db.example.com/x", "the model registry ftp://db.example.com/x "),
    ],
)
def test_a_registry_that_cannot_be_asked_is_told_in_a_sentence(
    tmp_path: Path, uri: str, message: str
) -> None:
    assert failure(tmp_path, uri).startswith(message)


@pytest.mark.parametrize("uri", ["databricks", "databricks-uc", "databricks://profile", "uc"])
def test_databricks_is_no_folder(tmp_path: Path, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # a profile of this machine must not be asked
    assert Location.parse(uri, tmp_path).path is None
    assert failure(tmp_path, uri).startswith(f"the model registry {uri} answered with an error")


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
        ("mlruns", "mlruns"),
        ("https://mlflow.example.com:5000/x", "https://mlflow.example.com:5000/x"),
        (f"http://anna:{SECRET}@mlflow.example.com:5000/x", "http://mlflow.example.com:5000/x"),
        (f"http://anna:{SECRET}@mlflow.example.com/x?a=1#b", "http://mlflow.example.com/x"),
        (f"postgresql://anna:a/{SECRET}@db/mlflow", "postgresql://db/mlflow"),
        (f"postgresql://anna:a?{SECRET}@db/mlflow", "postgresql://db/mlflow"),
        (f"postgresql://anna:a#{SECRET}@db/mlflow", "postgresql://db/mlflow"),
        (f"postgresql://anna:a@{SECRET}@db/mlflow", "postgresql://db/mlflow"),
        (f"postgresql://db/mlflow?user=anna&password={SECRET}", "postgresql://db/mlflow"),
    ],
)
def test_a_uri_is_shown_without_its_credentials(tmp_path: Path, uri: str, shown: str) -> None:
    assert shown_uri(uri) == shown
    assert Location.parse(uri, tmp_path).shown == shown


@pytest.mark.parametrize(
    ("uri", "text"),
    [
        (f"postgresql://anna:{SECRET}@db/x", f"cannot open postgresql://anna:{SECRET}@db/x"),
        (f"postgresql://anna:{SECRET}@db/x", f"cannot log in with {SECRET!r}"),
        (f"postgresql://anna:{SECRET}%21@db/x", f"cannot log in with {SECRET}!"),
        (f"postgresql://anna:{SECRET}@db/x", "x" * 180 + f" postgresql://anna:{SECRET}@db/x"),
        (f"postgresql://anna:a/{SECRET}@db/x", f"cannot open postgresql://anna:a/{SECRET}@db/x"),
        (
            f"postgresql://db/x?password={SECRET}",
            f"cannot open postgresql://db/x?password={SECRET}",
        ),
    ],
)
def test_passwords_stay_out_of_what_a_registry_answers(tmp_path: Path, uri: str, text: str) -> None:
    secrets = Location.parse(uri, tmp_path).secrets
    for error in (RuntimeError(text), OperationalError(text, None, RuntimeError(text))):
        assert SECRET not in why_it_failed(error, secrets)
        assert "x" * 20 in why_it_failed(error, secrets) or len(text) < 180


def test_passwords_of_other_uris_stay_out_too() -> None:
    error = RuntimeError(f"cannot open postgresql://anna:{SECRET}@db.example.com/mlflow")
    assert why_it_failed(error) == (
        "answered with an error: cannot open postgresql://db.example.com/mlflow"
    )
