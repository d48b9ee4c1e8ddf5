"""How far the work on an item is, by the mock's clock."""

from __future__ import annotations

from typing import Any

import orjson

from bluehour.openapi.resources import Lifecycle

from ...core.records import CANCELED, COMPLETE, Record
from .items import Item, Items


def status_of(record: Record, lifecycle: Lifecycle, now: float) -> str:
    """Return the word for how far the work on an item is."""
    if now < record.running_at:
        return lifecycle.waiting
    if now < record.finished_at:
        return lifecycle.running or lifecycle.waiting
    if record.outcome == CANCELED:
        return lifecycle.canceled or lifecycle.failed or lifecycle.done
    return lifecycle.done if record.outcome == COMPLETE else lifecycle.failed or lifecycle.done


def item_at(items: Items, record: Record, now: float) -> Item:
    """Return an item as it is at a time."""
    lifecycle, item = items.resource.lifecycle, item_in(record)
    return item if lifecycle is None else items.at_work(item, status_of(record, lifecycle, now))


def item_in(record: Record) -> Item:
    """Return an item as it is kept; an empty one of what is deleted."""
    return as_item(orjson.loads(record.body)) if record.body else {}


def as_item(value: Any) -> Item:
    """Return an object as it is, and an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}
