"""What a file says of its state where its shapes do not: `x-resource`, and `x-render-seconds`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

from ..model import Operation
from .families import by_shape, families
from .model import Kind

_KEYS = frozenset({"action", "of", "id"})


def hint_of(operation: Operation) -> Mapping[str, Any]:
    """Return what `x-resource` says of an operation: the `action`, `of` which collection, by which `id`."""
    hint = operation.node.get("x-resource")
    return hint if isinstance(hint, dict) and hint.get("action") in get_args(Kind) else {}


def wrong_hints(operations: Iterable[Operation]) -> Iterator[tuple[Operation, str, str]]:
    """Yield each hint that says nothing: its operation, its key, and what is wrong."""
    operations = tuple(operations)
    for operation in operations:
        if "x-render-seconds" in operation.node and operation.said_render_seconds is None:
            problem = (
                f"expected seconds, found {operation.node['x-render-seconds']!r}; the usual ones are taken"
            )
            yield operation, "x-render-seconds", problem
    hints = [(each, each.node["x-resource"]) for each in operations if "x-resource" in each.node]
    collections = [family.path for family in families(by_shape(operations))] if hints else []
    for operation, hint in hints:
        if not isinstance(hint, bool) and (wrong := _problem(hint, collections)):
            yield operation, "x-resource", f"{wrong}; it is ignored"


def _problem(hint: Any, collections: Sequence[str]) -> str | None:
    if not isinstance(hint, dict):
        return f"expected false, or an object with 'action' and 'of', found {hint!r}"
    if unknown := sorted(map(str, hint.keys() - _KEYS)):
        return f"unknown: {', '.join(unknown)}"
    if hint.get("action") not in get_args(Kind):
        return f"expected one of {', '.join(get_args(Kind))} in 'action', found {hint.get('action')!r}"
    if (found := hint.get("of")) not in collections:
        known = ", ".join(collections[:3])
        return f"expected a collection's path in 'of', such as {known}, found {found!r}"
    return None
