"""The errors that a person at the keyboard can act on; their messages are shown as they are."""


class DataError(Exception):
    """A market that is missing, not in the original layout, or too short."""


class RegistrationError(Exception):
    """An MLflow that cannot be reached or refuses what it is given."""
