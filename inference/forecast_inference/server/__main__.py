"""Starts the model server: ``python -m forecast_inference.server``."""

from __future__ import annotations

import sys

from forecast_inference.server.serving import main

if __name__ == "__main__":
    sys.exit(main())
