"""Answers made of what was typed."""

from __future__ import annotations

from forecast_config import ForecastError


def parse_names(text: str) -> tuple[str, ...]:
    """Names that are separated by commas or spaces."""
    return tuple(text.replace(",", " ").split())


def parse_accounts(text: str) -> dict[str, str]:
    """Account ids by environment.

    Raises:
        ForecastError: A part is no pair.
    """
    accounts: dict[str, str] = {}
    for part in parse_names(text):
        name, equals, account = part.partition("=")
        if not (name and equals and account):
            raise ForecastError(
                f"expected environment=account such as dev=111111111111, got '{part}'"
            )
        accounts[name] = account
    return accounts


def parse_truth(text: str) -> bool:
    """Yes or no.

    Raises:
        ForecastError: It is neither.
    """
    answer = text.strip().lower()
    if answer in {"y", "yes", "true"}:
        return True
    if answer in {"n", "no", "false"}:
        return False
    raise ForecastError(f"expected yes or no, got '{text}'")


def parse_count(text: str) -> int:
    """A whole number.

    Raises:
        ForecastError: It is none.
    """
    try:
        return int(text)
    except ValueError:
        raise ForecastError(f"expected a whole number, got '{text}'") from None


def parse_number(text: str) -> float:
    """A number.

    Raises:
        ForecastError: It is none.
    """
    try:
        return float(text)
    except ValueError:
        raise ForecastError(f"expected a number, got '{text}'") from None


def parse_amount(text: str) -> float | None:
    """A number; None for nothing.

    Raises:
        ForecastError: It is neither.
    """
    return parse_number(text) if text.strip() else None


def parse_text(text: str) -> str | None:
    """A text; None for nothing."""
    return text.strip() or None
