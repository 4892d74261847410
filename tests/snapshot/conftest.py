"""The synthesized samples, shared with the tests of the constructs."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_FILE = Path(__file__).parents[1] / "synth" / "synthesis.py"

# Importlib mode puts no test folder on sys.path.
if "synthesis" not in sys.modules:
    _SPEC = importlib.util.spec_from_file_location("synthesis", _FILE)
    assert _SPEC is not None
    assert _SPEC.loader is not None
    sys.modules["synthesis"] = importlib.util.module_from_spec(_SPEC)
    _SPEC.loader.exec_module(sys.modules["synthesis"])

from synthesis import *  # noqa: E402, F403 - fixtures are found by being here
