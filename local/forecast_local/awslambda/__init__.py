"""Lambda functions that run as processes of this machine, without Docker."""
