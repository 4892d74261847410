"""What forecast check says of an argument that is no template."""

from __future__ import annotations

import pytest

from forecast_operations.commands.check import TemplateError, check_command

ENVIRONMENT = "; for an environment: npx cdk synth, then forecast check cdk.out"


@pytest.mark.parametrize(("argument", "hint"), [("prod", ENVIRONMENT), ("prod.yaml", "")])
def test_the_name_of_an_environment_is_told_what_to_run(argument: str, hint: str) -> None:
    with pytest.raises(TemplateError) as caught:
        check_command([argument])

    assert str(caught.value) == f"expected a template, got '{argument}', which names none{hint}"
