"""Amounts: values that depend on a request, as a contract's own x- keys write them.

A number, a text or a boolean is itself. An object is worked out:

    {field: style.mode}                       the field's value; nothing where it is absent
    {by: model, of: {x: 5, y: 10}, else: 1}   what the field's value is listed with, itself an amount
    {product: [...]}  {difference: [a, b]}  {smallest: [...]}
    {characters: style.prompt}                how long a text is

Fields are named from the body's root, with dots; `$plan` is the plan of the account that asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

from .values import value_at

_LARGEST = 1e300

PLAN = "$plan"
"""In place of a field's name: the account's plan."""


def chosen(name: str) -> dict[str, Any]:
    """Return the schema of what is chosen by a field's value, in a document that has it as `#/$defs/NAME`."""
    inner = {"$ref": f"#/$defs/{name}"}
    return {
        "type": "object",
        "required": ["by", "of"],
        "properties": {
            "by": {"type": "string"},
            "of": {"type": "object", "additionalProperties": inner},
            "else": inner,
        },
        "additionalProperties": False,
    }


SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": ["number", "string", "boolean"]},
        chosen("amount"),
        *(
            {
                "type": "object",
                "required": [word],
                "properties": {word: operands},
                "additionalProperties": False,
            }
            for word, operands in {
                "field": {"type": "string"},
                "characters": {"type": "string"},
                "product": {"type": "array", "items": {"$ref": "#/$defs/amount"}, "minItems": 1},
                "smallest": {"type": "array", "items": {"$ref": "#/$defs/amount"}, "minItems": 1},
                "difference": {
                    "type": "array",
                    "items": {"$ref": "#/$defs/amount"},
                    "minItems": 2,
                    "maxItems": 2,
                },
            }.items()
        ),
    ]
}
"""What an amount may be, as a schema; in a document that has it as `#/$defs/amount`."""


def value_of(amount: Any, request: Mapping[str, Any], plan: str) -> Any:
    """Return what an amount is for a request; None where it says nothing about such a one.

    Args:
        amount: see above.
        request: the body, with what it leaves out filled in.
        plan: of the account.
    """
    if not isinstance(amount, dict):
        return amount
    if "by" in amount:
        return value_of(_entry(amount, request, plan), request, plan)
    if "field" in amount:
        return _field(amount["field"], request, plan)
    if "characters" in amount:
        text = _field(amount["characters"], request, plan)
        return len(text) if isinstance(text, str) else None
    ((word, operands),) = amount.items()
    numbers = [value_of(each, request, plan) for each in operands]
    if word == "smallest":
        return min(filter(is_number, numbers), default=None)
    if not all(map(is_number, numbers)):
        return None
    return prod(numbers, start=1.0) if word == "product" else float(numbers[0]) - numbers[1]


def chosen_by(amount: Any, request: Mapping[str, Any], plan: str) -> Iterator[tuple[str, Any]]:
    """Yield the fields whose values decided which entry of an amount's tables counts, and those values."""
    while isinstance(amount, dict) and "by" in amount:
        value = _field(amount["by"], request, plan)
        if value is not None:
            yield amount["by"], value
        amount = _entry(amount, request, plan)


def fields_in(amount: Any) -> Iterator[str]:
    """Yield the names of the fields that an amount depends on, or several in whatever holds them."""
    if isinstance(amount, list):
        for each in amount:
            yield from fields_in(each)
    elif isinstance(amount, dict):
        for word, operand in amount.items():
            if word in ("by", "field", "characters"):
                yield operand
            else:
                is_table = word == "of" and "by" in amount
                yield from fields_in(list(operand.values()) if is_table else operand)


def key_of(value: Any) -> str:
    """Return a value as the tables of amounts list it: `true`, `2` also for 2.0, a text as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else f"{value}"


def is_number(value: Any) -> bool:
    """Tell whether a value is a number that can be reckoned with; JSON's true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST


def _entry(table: Mapping[str, Any], request: Mapping[str, Any], plan: str) -> Any:
    """Return what a table has for the value of its field."""
    return table["of"].get(key_of(_field(table["by"], request, plan)), table.get("else"))


def _field(name: str, request: Mapping[str, Any], plan: str) -> Any:
    return plan if name == PLAN else value_at(request, tuple(name.split(".")))
