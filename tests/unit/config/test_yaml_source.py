from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Problems = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "environments: expected at least one environment, got none"),
        ("[1, 2]", "1: expected a mapping of keys, got a list"),
        ("a: [", "is not valid YAML"),
        ("a: !!python/object:os.system {}", "expected plain YAML, got a tag"),
        ("a: !!python/name:os.system x", "1: a: expected plain YAML, got a tag"),
        ("a: !!bool maybe", "1: a: expected plain YAML, got a tag"),
        ("model: {}\nmodel: {}", "2: model: duplicate key, first given on line 1"),
        ("defaults: &d {a: *d}", "an alias contains itself"),
        ("a: &a [*a]", "an alias contains itself"),
        ("a: &a {x: 1}\nb: {<<: *a}", "merge keys (<<) are not read; use 'defaults'"),
        ("? [1]\n: 2", "a key must be a string, got a collection"),
        ('"a\\nb": 1', r"1: a key must be printable, got 'a\nb'"),
        ('"\\ud800": 1', r"1: a key must be printable, got '\ud800'"),
        ('a: 1\nb: "\\UFFFFFFFF"', "2: is not valid YAML: an escape in quotes is no character"),
        ("a: 1\nb: \x01", "2: is not valid YAML: holds the character U+0001"),
        ("a: 1\n---\nb: 2", "expected a single document in the stream"),
        ("a: " + "[" * 60 + "]" * 60, "is nested deeper than 40 levels"),
        ("a: " + "[" * 5000 + "]" * 5000, "nested"),
    ],
)
def test_rejects_yaml_that_means_something_else(
    problems_of: Problems, text: str, message: str
) -> None:
    assert any(message in problem for problem in problems_of(text))


def test_rejects_aliases_that_explode(problems_of: Problems) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]

    (problem,) = problems_of("\n".join(lines))

    assert "aliases expand to more than 10000 values" in problem


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2024-99-99", "expected a date, got '2024-99-99' (month must be in 1..12"),
        ("0b_", "expected an integer, got '0b_'; put text in quotes"),
        ("9" * 5000, "(5000 characters); put text in quotes"),
        ("<<", "expected a value, got '<<'; put text in quotes"),
        ("=", "expected a value, got '='; put text in quotes"),
    ],
)
def test_a_scalar_that_cannot_be_read_is_named_by_line_and_key(
    problems_of: Problems, text: str, message: str
) -> None:
    first, second = problems_of(f"defaults:\n  tags:\n    team: {text}\n    cost_centre: {text}")

    assert first.startswith("3: defaults.tags.team: ")
    assert second.startswith("4: defaults.tags.cost_centre: ")
    assert message in first


@pytest.mark.parametrize(
    ("text", "kind"), [("2024-01-01", "a date"), ("yes", "a boolean"), ("1.5", "a number")]
)
def test_a_scalar_that_yaml_takes_for_something_else_wants_quotes(
    problems_of: Problems, text: str, kind: str
) -> None:
    problems = problems_of(f"model: {{name: {text}}}")

    assert f"1: model.name: expected a string, got {kind}; put it in quotes" in problems


def test_an_integer_that_python_does_not_print_is_a_problem_like_any(problems_of: Problems) -> None:
    problems = problems_of(
        f"defaults: {{log_retention_days: 0x{'f' * 5000}}}\nenvironments: {{a: {{}}}}"
    )

    assert any("got an integer of more than 80 digits" in problem for problem in problems)
