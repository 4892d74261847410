"""A registered version: what a registry says of one, and whether it is the one that is meant."""

from __future__ import annotations

from dataclasses import dataclass

from forecast_packaging.errors import RegistryError


@dataclass(frozen=True)
class RegisteredVersion:
    """One version of a registered model.

    Attributes:
        name: The registered model.
        version: The version, a whole number as text.
        run_id: The run that made it.
        alias: The alias it was found by, if any.
    """

    name: str
    version: str
    run_id: str
    alias: str | None = None

    def check_run(self, run_id: str, shown: str) -> None:
        """Refuse a version that another run made: numbers are given anew in each registry.

        Args:
            run_id: The run that is meant.
            shown: The registry, for the message.

        Raises:
            RegistryError: Another run made it.
        """
        if self.run_id != run_id:
            raise RegistryError(
                f"version {self.version} of model {self.name!r} in {shown} was made by run "
                f"{self.run_id}, expected run {run_id}: it is another registry than the version "
                "is from; point model.tracking_uri to that one, or leave its alias where it is "
                "(--no-alias)"
            )
