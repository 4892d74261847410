"""The conformance packs of cdk-nag that a synth can be held to.

Nothing else here imports this module: loading cdk-nag costs about half a second, a third of an
empty CDK app.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks

if TYPE_CHECKING:
    from aws_cdk import IPolicyValidationPlugin
    from constructs import IConstruct

CONFORMANCE_PACKS: Final = (
    AwsSolutionsChecks,
    NIST80053R5Checks,
    PCIDSS321Checks,
    HIPAASecurityChecks,
)


def conformance_packs(scope: IConstruct) -> list[IPolicyValidationPlugin]:
    """Plugins for `Validations.of(app).add_plugins(…)`; a finding without a reason ends the synth.

    Args:
        scope: The app or stage that is checked.
    """
    return [pack(scope) for pack in CONFORMANCE_PACKS]
