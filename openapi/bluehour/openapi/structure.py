"""Where the schemas of an OpenAPI document are: all other objects of it are on the way there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

Place = tuple[str | int, ...]
"""The keys that lead to a node, from the document's top."""

SchemaRewrite = Callable[[Any, Place], Any]
_Rewrite = Callable[[Any, Place], Any]

_MAY_BE_NULL = frozenset({"example", "value", "default", "const"})


def rewritten(
    document: dict[str, Any],
    schema: SchemaRewrite,
    complain: Callable[[Place, str], None] | None = None,
) -> dict[str, Any]:
    """Return a document with each of its schemas rewritten; what is in a schema is left to the rewrite.

    References stay references, also to parameters and the like, so they may go in circles.

    Args:
        document: not changed.
        schema: makes a new schema of the one at a place.
        complain: is told of what is not what OpenAPI says, and is left out then; otherwise it stays.
    """
    return Structure(schema, complain).document(document)


class Structure:
    """The objects of OpenAPI, each as a function that returns it with its schemas rewritten.

    Args:
        schema, complain: as of `rewritten`.
    """

    def __init__(self, schema: SchemaRewrite, complain: Callable[[Place, str], None] | None) -> None:
        self._schema = schema
        self._complain = complain

    def document(self, node: dict[str, Any]) -> dict[str, Any]:
        """Rewrite a whole document."""
        paths = self._map(self._path_item, but_extensions=True)
        parts: dict[str, _Rewrite] = {
            "paths": paths,
            "webhooks": paths,
            "components": self._components,
            "definitions": self._map(self._schema),
            "servers": self._list(_as_it_is),
            "tags": self._list(_as_it_is),
            "security": self._list(_as_it_is),
        }
        made: dict[str, Any] = self._object(node, (), parts)
        return made

    def _components(self, node: Any, at: Place) -> Any:
        parts = {
            "schemas": self._schema,
            "parameters": self._parameter,
            "headers": self._parameter,
            "requestBodies": self._body,
            "responses": self._response,
            "callbacks": self._callback,
            "pathItems": self._path_item,
            "securitySchemes": _as_it_is,
        }
        return self._object(node, at, {name: self._map(part) for name, part in parts.items()})

    def _path_item(self, node: Any, at: Place) -> Any:
        methods: dict[str, _Rewrite] = dict.fromkeys(METHODS, self._operation)
        return self._object(node, at, {**methods, "parameters": self._list(self._parameter)})

    def _operation(self, node: Any, at: Place) -> Any:
        parts: dict[str, _Rewrite] = {
            "parameters": self._list(self._parameter),
            "requestBody": self._body,
            "responses": self._map(self._response, but_extensions=True),
            "callbacks": self._map(self._callback),
            "security": self._list(_as_it_is),
            "tags": self._list(_as_it_is),
        }
        return self._object(node, at, parts)

    def _parameter(self, node: Any, at: Place) -> Any:
        return self._object(node, at, {"schema": self._schema, "content": self._map(self._media)})

    def _body(self, node: Any, at: Place) -> Any:
        return self._object(node, at, {"content": self._map(self._media)})

    def _response(self, node: Any, at: Place) -> Any:
        parts = {"headers": self._map(self._parameter), "content": self._map(self._media)}
        return self._object(node, at, parts)

    def _media(self, node: Any, at: Place) -> Any:
        parts: dict[str, _Rewrite] = {
            "schema": self._schema,
            "encoding": self._map(self._encoding),
            "examples": self._map(_as_it_is),
        }
        return self._object(node, at, parts)

    def _encoding(self, node: Any, at: Place) -> Any:
        return self._object(node, at, {"headers": self._map(self._parameter)})

    def _callback(self, node: Any, at: Place) -> Any:
        return self._map(self._path_item, but_extensions=True)(node, at)

    # What they are made of.

    def _object(self, node: Any, at: Place, parts: dict[str, _Rewrite]) -> Any:
        if not isinstance(node, dict):
            return self._left_out(at, "an object", node, {})
        return {
            key: parts[key](value, (*at, key)) if key in parts else value
            for key, value in node.items()
            if self._is_there(key, value, at)
        }

    def _map(self, rewrite: _Rewrite, *, but_extensions: bool = False) -> _Rewrite:
        """Make a rewrite of each value of an object whose names are the author's own."""

        def rewritten_map(node: Any, at: Place) -> Any:
            if not isinstance(node, dict):
                return self._left_out(at, "an object", node, {})
            return {
                key: value if but_extensions and key.startswith("x-") else rewrite(value, (*at, key))
                for key, value in node.items()
                if self._is_there(key, value, at)
            }

        return rewritten_map

    def _list(self, rewrite: _Rewrite) -> _Rewrite:
        def rewritten_list(node: Any, at: Place) -> Any:
            if not isinstance(node, list):
                return self._left_out(at, "a list", node, [])
            return [
                rewrite(item, (*at, place))
                for place, item in enumerate(node)
                if self._is_there("", item, (*at, place))
            ]

        return rewritten_list

    def _is_there(self, key: str, value: Any, at: Place) -> bool:
        if value is not None or self._complain is None or key in _MAY_BE_NULL or key.startswith("x-"):
            return True
        self._complain((*at, key) if key else at, "there is nothing here")
        return False

    def _left_out(self, at: Place, wanted: str, node: Any, instead: Any) -> Any:
        if self._complain is None:
            return node
        self._complain(at, f"{wanted} is due here, not {node!r:.60}")
        return instead


def _as_it_is(node: Any, _at: Place) -> Any:
    return node
