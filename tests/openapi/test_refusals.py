"""What requests were refused with before judging moved here, word for word; `refusals.json` is the record.

Each was provoked by the mock's own tests. Where a wording is changed on purpose, change it there as well.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from bluehour.openapi.contract import Contract, load
from bluehour.openapi.messages import Headers, Request
from bluehour.openapi.reading import read
from bluehour.openapi.upgrade import upgraded
from bluehour.openapi.wording import joined

HERE = Path(__file__).parent
RECORD: list[dict[str, Any]] = json.loads((HERE / "refusals.json").read_text())


@cache
def contract(name: str) -> Contract:
    """A contract by its file's name, or by all of its text."""
    if name == "magic_hour":
        return load()
    return Contract(upgraded(yaml.safe_load(name))) if "\n" in name else load(HERE / "specs" / name)


@pytest.mark.parametrize("kept", RECORD, ids=lambda kept: f"{kept['operation']}-{kept['message'][:40]}")
def test_a_refusal_says_what_it_has_always_said(kept: dict[str, Any]) -> None:
    operation = contract(kept["contract"]).operation(kept["operation"])
    target = operation.path + (f"?{kept['query']}" if kept["query"] else "")
    request = Request(operation.method, target, Headers(kept["headers"]), kept["body"].encode())
    found = read(operation, request, kept["path"])
    if kept["step"] == "token":
        assert not found.is_authorized
        return
    faults = found.parameter_faults if kept["step"] == "parameters" else found.body_faults
    assert joined(fault.message for fault in faults) == kept["message"]
