"""The control API's own contract: what it takes and answers is read from `control.yaml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from threading import Lock

from bluehour.openapi.contract import Contract
from bluehour.openapi.document import read

_FILE = Path(__file__).with_name("control.yaml")


def control_contract() -> Contract:
    """Return the contract of the control API, read once per process: not before somebody uses it."""
    with _reading:
        return _contract()


_reading = Lock()


@cache
def _contract() -> Contract:
    # Not `load`: that tries every schema of a stranger's file first, in a tenth of a second and 50 MB.
    return Contract(read(_FILE))
