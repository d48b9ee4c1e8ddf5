"""Deviants that keep another contract than the one that they publish: the mock, serving an edited copy."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from bluehour.mock_server.app import create_app
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import Contract, load
from bluehour.openapi.document import Document, resolve
from bluehour.openapi.model import JSON

from ..editors import EDITORS
from .deviant import Wrap

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PUBLISHED = ("/openapi.json", "/docs")


def keeping(edit: Callable[[Document], object]) -> Wrap:
    """Keep an edited copy of the contract, and go on to publish the original."""

    def wrap(mock: Mock) -> WSGIApplication:
        document = copy.deepcopy(EDITORS.document)
        edit(document)
        mock.world.adopt(Contract(document))
        kept = create_app(mock)

        def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            is_published = environ["PATH_INFO"].startswith(_PUBLISHED)
            return (_publishing() if is_published else kept)(environ, start_response)

        return app

    return wrap


@cache
def _publishing() -> WSGIApplication:
    """An application of the right contract; deviants may share it, as nothing is stored in it."""
    return create_app(Mock(EDITORS))


def edited(operation: str, field: str = "", **keywords: Any) -> Wrap:
    """Keep other rules for one field of one request.

    Args:
        operation: whose request.
        field: such as `style.steps` or `items[].type`; the whole body where it is empty.
        keywords: what to set in the field's schema; None takes a keyword away.
    """
    return keeping(lambda document: _set(schema_of(document, operation, field), keywords))


def edited_operation(operation: str, **keywords: Any) -> Wrap:
    """Keep other x- keys of one operation; their names are given with `_` for `-`, and without the x."""
    renamed = {f"x-{name.replace('_', '-')}": value for name, value in keywords.items()}
    return keeping(lambda document: _set(_operation(document, operation), renamed))


def _set(node: dict[str, Any], keywords: dict[str, Any]) -> None:
    for name, value in keywords.items():
        if value is None:
            del node[name]
        else:
            node[name] = value


def _operation(document: Document, operation: str) -> dict[str, Any]:
    called = load().operation(operation)
    node: dict[str, Any] = document["paths"][called.path][called.method.lower()]
    return node


def schema_of(document: Document, operation: str, field: str) -> dict[str, Any]:
    """Return the schema of a request's field, made its own, so that it can be edited."""
    media = _operation(document, operation)["requestBody"]["content"][JSON]
    node = _own(document, media, "schema")
    for step in field.split(".") if field else ():
        node = _own(document, node["properties"], step.removesuffix("[]"))
        if step.endswith("[]"):
            node = _own(document, node, "items")
    return node


def _own(document: Document, holder: dict[str, Any], key: str) -> dict[str, Any]:
    """Put a copy of what a reference names in its place: others who refer to it are not to change."""
    node = holder[key]
    beside = {name: value for name, value in node.items() if name != "$ref"}
    own = holder[key] = {**copy.deepcopy(resolve(document, node)), **beside}
    return own
