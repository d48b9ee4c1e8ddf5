"""What an operation can be asked for, as far as its contract says so: which cases of an amount can be met."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bluehour.openapi.amounts import PLAN, key_of
from bluehour.openapi.model import Operation
from bluehour.openapi.terms import not_allowed

from .cases import Case, cases_of
from .rules import listing


def offered(operation: Operation, amount: Any) -> list[Case]:
    """Return the cases of an amount that there can be; operations share amounts, and some offer less."""
    known = values_of(operation)
    return [case for case in cases_of(amount) if _is_offered(operation, case, known)]


def values_of(operation: Operation) -> Callable[[str], Mapping[str, Any]]:
    """Return what tells a field's values, by the keys that amounts list them by; none where it takes any."""

    def known(field: str) -> Mapping[str, Any]:
        media = operation.json_body
        if media is None or field == PLAN:
            return {}
        schema = media.schema
        for name in field.split("."):
            schema = schema.field(name)
        booleans = [False, True] if "boolean" in schema.types else []
        return {key_of(value): value for value in (*listing(schema.said("enum")), *booleans)}

    return known


def _is_offered(operation: Operation, case: Case, known: Callable[[str], Mapping[str, Any]]) -> bool:
    request: dict[str, Any] = {}
    for field, key in case.when.items():
        values = known(field)
        if key is None or not values:
            continue
        if key not in values:
            return False
        _put(request, field.split("."), values[key])
    return next(not_allowed(operation, request, ""), None) is None


def _put(request: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for name in path[:-1]:
        request = request.setdefault(name, {})
    request[path[-1]] = value
