"""The contract's own words, as a few lines of YAML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from bluehour.openapi.document import resolve

_LEFT_OUT = ("description", "examples", "example", "properties", "items", "title")
"""What a rule about a value does not need, and would make its words long."""


def words_of(name: str, node: Any, document: dict[str, Any]) -> str:
    """Return what the contract says of a value, under the name that it goes by."""
    found = resolve(document, node)
    if isinstance(found, Mapping):
        found = {key: value for key, value in found.items() if key not in _LEFT_OUT} or dict(found)
    return in_yaml({name or "body": found})


def in_yaml(value: Any) -> str:
    """Return a value as YAML, without a last line break."""
    return yaml.safe_dump(
        value, sort_keys=False, allow_unicode=True, width=90, default_flow_style=None
    ).strip()
