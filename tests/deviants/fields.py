"""Legal request bodies, and their fields by name: `style.prompt`, `items[].type`."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from bluehour.openapi.contract import load
from bluehour.openapi.model import JSON

from .names import FACE, PHOTO, UPLOAD_URLS

_EXAMPLES = {PHOTO: 0, FACE: 0, UPLOAD_URLS: 1}
"""Which of the published examples is the plainest: for the uploads it is the one picture."""

EXAMPLE_ASSET: str = load().extension("x-example-assets")[0] + "1234.png"
FAILING_ASSET: str = load().extension("x-failing-asset").format(code="no_source_face") + ".png"


def legal(operation: str, asset: str = EXAMPLE_ASSET) -> Any:
    """Return the published example of an operation's request, if need be with another picture."""
    body = load().operation(operation).body
    assert body is not None
    example = copy.deepcopy(body.content[JSON].examples[_EXAMPLES[operation]])
    if "assets" in example:
        example["assets"]["image_file_path"] = asset
    return example


def having(operation: str, field: str, value: Any) -> Any:
    """Return an operation's legal body with another value in one field."""
    body = legal(operation)
    for holder, name in holders(body, field):
        holder[name] = value
    return body


def without(operation: str, field: str) -> Any:
    """Return an operation's legal body without one field."""
    body = legal(operation)
    for holder, name in holders(body, field):
        del holder[name]
    return body


def holders(body: Any, field: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the objects that have a place for a field, with the field's own name there."""
    *steps, last = field.split(".")
    nodes = [body]
    for step in steps:
        name = step.removesuffix("[]")
        nodes = [node[name] for node in nodes if isinstance(node, dict) and name in node]
        if step.endswith("[]"):
            nodes = [item for node in nodes if isinstance(node, list) for item in node]
    return ((node, last) for node in nodes if isinstance(node, dict))


def any_value(field: str, test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return what tells of a body whether a field is there whose value passes a test."""
    return lambda body: any(name in holder and test(holder[name]) for holder, name in holders(body, field))


def equal_to(value: Any) -> Callable[[Any], bool]:
    """Return what tells whether a value is this one, of the same type."""
    return lambda held: type(held) is type(value) and held == value
