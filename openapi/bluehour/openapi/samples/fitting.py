"""Values that are nearly legal, made legal: what can be kept of them is."""

from __future__ import annotations

from typing import Any

from ..schema import Schema


def fitted(schema: Schema, value: dict[str, Any], fallback: dict[str, Any]) -> dict[str, Any]:
    """Return a value that a schema accepts, and as much of the given one as it can keep.

    Args:
        schema: what judges it.
        value: what is wanted.
        fallback: a legal one, whose fields stand in for those that can't be kept.
    """
    if schema.accepts(value):
        return value
    broken = {str(path[0]) for path, _ in schema.broken(value) if path}
    kept = {name: each for name, each in value.items() if name not in broken}
    stand_ins = {name: fallback[name] for name in broken if name in fallback}
    for candidate in ({**kept, **stand_ins}, {**fallback, **value}, {**fallback, **kept}):
        if schema.accepts(candidate):
            return candidate
    return fallback
