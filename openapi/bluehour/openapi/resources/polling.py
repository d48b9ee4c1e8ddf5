"""Create, then poll: which GET reads what an operation has begun, where only an id comes back."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from ..model import Operation
from ..schema import Schema
from .families import Family
from .shapes import field_of, fields_of, json_of
from .words import id_among, plain, singular


def tied(operation: Operation, families: Iterable[Family]) -> tuple[Family, str] | None:
    """Return the items that an operation makes, and the field of its answer that names the new one.

    What speaks for a family, the strongest first: a link of the answer, an id of its parameter's name, a
    common tag, its path, and its name in the operation's text.

    Returns:
        None where nothing speaks for any, or as much for several.
    """
    answer = json_of(operation.success[1])
    if operation.method != "POST" or answer is None:
        return None
    weighed = []
    for family in families:
        name = _id_in(operation, answer, family)
        if name is not None and (weight := _weight(operation, answer, name, family)):
            weighed.append((weight, family, name))
    weighed.sort(key=lambda each: -each[0])
    if not weighed or any(first[0] == second[0] for first, second in pairwise(weighed[:2])):
        return None
    return weighed[0][1], weighed[0][2]


def _id_in(operation: Operation, answer: Schema, family: Family) -> str | None:
    return _linked(operation, family) or id_among(fields_of(answer), family.parameter, family.word)


def _weight(operation: Operation, answer: Schema, name: str, family: Family) -> int:
    reader = family.on_items["GET"]
    words = {plain(family.word), singular(plain(family.word))}
    tags = {plain(tag) for tag in operation.node.get("tags", ())}
    common = tags & {plain(tag) for tag in reader.node.get("tags", ())}
    is_named = plain(name) == plain(family.parameter) and plain(name) != "id"
    return (
        100 * bool(_linked(operation, family))
        + 8 * is_named
        + 4 * bool(tags & words)
        + 4 * bool(common)
        + 4 * family.path.startswith(operation.path + "/")
        + 2 * any(word in text for text in _texts(operation, answer, name) for word in words)
    )


def _texts(operation: Operation, answer: Schema, name: str) -> list[str]:
    told: list[Any] = [operation.node.get("summary"), operation.node.get("description"), operation.id]
    told += [field_of(answer, name).resolved.get("description"), answer.resolved.get("description")]
    return [plain(text) for text in told if isinstance(text, str)]


def _linked(operation: Operation, family: Family) -> str | None:
    """The field that a link of the answer hands to the family's GET."""
    reader = family.on_items["GET"]
    for link in operation.success[1].links.values():
        leads = link.get("operationId") == reader.node.get("operationId", reader.id) or reader.path.replace(
            "/", "~1"
        ) in str(link.get("operationRef", ""))
        for expression in link.get("parameters", {}).values() if leads else ():
            start, _, name = str(expression).rpartition("$response.body#/")
            if not start and name:
                return name
    return None
