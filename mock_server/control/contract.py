"""The control API's own contract: what it takes and answers is read from `control.yaml`."""

from __future__ import annotations

from pathlib import Path

from openapi.contract import Contract, load

_FILE = Path(__file__).with_name("control.yaml")


def control_contract() -> Contract:
    """Return the contract of the control API, read once per process: not before somebody uses it."""
    return load(_FILE)
