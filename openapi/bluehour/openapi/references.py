"""The references of a stranger's document, tried before it is served: none may lead in a circle, or too far.

JSON Schema's readers follow them by recursion, and crash on a chain of some ten thousand.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from .document import CircularReference, Document, SpecError, at_pointer, resolve

LONGEST_CHAIN = 1000
"""Schemas that are one about the same value: by references, and by `allOf` and its like."""

_IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")


def refuse_endless(document: Document) -> None:
    """Refuse a document with references that can't be followed to an end.

    Those that lead nowhere are left to whoever needs them.

    Raises:
        SpecError: naming the reference.
    """
    seen: set[int] = set()
    for start in _objects(document):
        if "$ref" not in start:
            continue
        _refuse_circle(document, start)
        chain = [iter([start])]
        while chain:
            node = next(chain[-1], None)
            if node is None:
                chain.pop()
            elif id(node) not in seen:
                seen.add(id(node))
                chain.append(_about_the_same(document, node))
            if len(chain) > LONGEST_CHAIN:
                raise SpecError(f"the reference {start['$ref']} leads on through {LONGEST_CHAIN:,} schemas")


def _refuse_circle(document: Document, node: Any) -> None:
    try:
        resolve(document, node)
    except CircularReference:
        raise
    except SpecError:
        return


def _about_the_same(document: Document, node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schemas that a schema has its value meet as well."""
    if isinstance(reference := node.get("$ref"), str):
        with suppress(SpecError):
            yield from _only_objects([at_pointer(document, reference)])
    for keyword in _IN_PLACE:
        inner = node.get(keyword)
        yield from _only_objects(inner if isinstance(inner, list) else [inner])


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _objects(part)


def _only_objects(nodes: list[Any]) -> Iterator[dict[str, Any]]:
    return (node for node in nodes if isinstance(node, dict))
