"""`prices.yaml`: requests, with what each costs."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

TABLES: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("prices.yaml").read_text("utf-8"))
CREATES: dict[str, Any] = TABLES["creates"]


class Priced(NamedTuple):
    """A request, and what it costs; nothing where it is refused."""

    path: str
    plan: str
    body: dict[str, Any]
    credits: int | None


def changed(create: str, /, **fields: Any) -> dict[str, Any]:
    """Return a create's request with other values in some fields; those of fields have dots."""
    body: dict[str, Any] = copy.deepcopy(CREATES[create]["request"])
    for place, value in fields.items():
        *parents, last = place.split(".")
        part = body
        for parent in parents:
            part = part.setdefault(parent, {})
        part[last] = value
    return body


def _priced() -> Iterator[Any]:
    """Yield the lines of the creates, as parameters of a test."""
    for name, table in CREATES.items():
        for plan, fields, credits in table["costs"]:
            known = ",".join(f"{key}={value}" for key, value in fields.items())[:40] or "as-it-is"
            request = Priced(f"/v1/{name}", plan, changed(name, **fields), credits)
            yield pytest.param(request, id=f"{name}-{plan}-{known}".replace(" ", "_"))


PRICED = list(_priced())
"""All lines of the creates, as parameters of a test."""
