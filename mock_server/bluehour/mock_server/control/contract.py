"""The control API's own contract: what it takes and answers is read from `control.yaml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from threading import Lock

from bluehour.openapi.contract import Contract
from bluehour.openapi.document import read
from bluehour.openapi.routes import Routes

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


@cache
def routes() -> Routes:
    """Return the routes of the control API, read once per process: not before somebody calls it."""
    return Routes(control_contract(), [""])


def lane_of_call(path: str, method: str) -> str:
    """Return whose threads work on a call of the control API: `x-lane` in its contract."""
    match = routes().find(method, path)
    return "control" if match is None else str(match.operation.node.get("x-lane", "control"))
