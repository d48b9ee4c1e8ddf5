"""Rewrites a Swagger 2.0 document as OpenAPI 3.0, so that all other code knows OpenAPI 3 alone.

By the specifications' own words: https://spec.openapis.org/oas/v2.0 and https://spec.openapis.org/oas/v3.0.3.
"""

from __future__ import annotations

from typing import Any

from .structure import METHODS

_PLACES = {
    "#/definitions/": "#/components/schemas/",
    "#/parameters/": "#/components/parameters/",
    "#/responses/": "#/components/responses/",
}
_JSON = ["application/json"]
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_KEPT = ("name", "in", "description", "required")
_OF_PARAMETERS = frozenset({*_KEPT, "collectionFormat", "allowEmptyValue", "schema"})
_STYLES = {
    "csv": ("form", False),
    "multi": ("form", True),
    "ssv": ("spaceDelimited", False),
    "pipes": ("pipeDelimited", False),
}
_FLOWS = {"accessCode": "authorizationCode", "application": "clientCredentials"}


def converted(document: dict[str, Any]) -> dict[str, Any]:
    """Return a Swagger 2.0 document as OpenAPI 3.0; the given one is not changed."""
    return _Swagger(_with_new_references(document)).converted()


def _with_new_references(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_new_references(item) for item in node]
    if not isinstance(node, dict):
        return node
    new = {key: _with_new_references(value) for key, value in node.items()}
    if isinstance(reference := node.get("$ref"), str):
        for old, place in _PLACES.items():
            if reference.startswith(old):
                new["$ref"] = place + reference.removeprefix(old)
    if node.get("type") == "file":
        new |= {"type": "string", "format": "binary"}
    if node.get("x-nullable") is True:
        new["nullable"] = True
    if isinstance(kind := node.get("discriminator"), str):
        new["discriminator"] = {"propertyName": kind}
    return new


class _Swagger:
    """One document, its references written anew already."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._shared = _objects(document.get("parameters"))

    def converted(self) -> dict[str, Any]:
        old = self._document
        paths = {path: self._path_item(item) for path, item in _objects(old.get("paths")).items()}
        components = {
            "schemas": _objects(old.get("definitions")),
            "parameters": {
                name: _parameter(each)
                for name, each in self._shared.items()
                if each.get("in") not in ("body", "formData")
            },
            "responses": {
                name: _response(each, self._types(old, "produces"))
                for name, each in _objects(old.get("responses")).items()
            },
            "securitySchemes": {
                name: _scheme(each) for name, each in _objects(old.get("securityDefinitions")).items()
            },
        }
        kept: dict[str, Any] = {
            key: old[key] for key in ("info", "tags", "externalDocs", "security") if key in old
        }
        extensions = {key: value for key, value in old.items() if key.startswith("x-")}
        new = {
            "openapi": "3.0.3",
            **kept,
            "servers": self._servers(),
            "paths": paths,
            "components": components,
        }
        return {**new, **extensions}

    def _servers(self) -> list[dict[str, Any]]:
        host, base = self._document.get("host"), self._document.get("basePath") or ""
        schemes = self._document.get("schemes") or ["https"]
        if isinstance(host, str) and host:
            return [{"url": f"{scheme}://{host}{base}"} for scheme in schemes]
        return [{"url": base}] if base else []

    def _path_item(self, item: dict[str, Any]) -> dict[str, Any]:
        shared = _list(item.get("parameters"))
        operations = {
            method: self._operation(item[method], shared)
            for method in METHODS
            if isinstance(item.get(method), dict)
        }
        kept = {key: value for key, value in item.items() if key.startswith("x-") or key == "$ref"}
        return {**kept, **operations}

    def _operation(self, node: dict[str, Any], shared: list[Any]) -> dict[str, Any]:
        declared = [self._followed(each) for each in (*shared, *_list(node.get("parameters")))]
        by_place = {(each.get("in"), each.get("name")): each for each in declared}.values()
        left_out = ("parameters", "responses", "consumes", "produces", "schemes")
        new = {key: value for key, value in node.items() if key not in left_out}
        new["parameters"] = [
            _parameter(each) for each in by_place if each.get("in") not in ("body", "formData")
        ]
        form = [each for each in by_place if each.get("in") == "formData"]
        bodies = [each for each in by_place if each.get("in") == "body"]
        if bodies:
            new["requestBody"] = _body(bodies[0], self._types(node, "consumes"))
        elif form:
            new["requestBody"] = _form(form, self._types(node, "consumes"))
        produced = self._types(node, "produces")
        new["responses"] = {
            status: _response(each, produced) for status, each in _objects(node.get("responses")).items()
        }
        return new

    def _followed(self, parameter: Any) -> dict[str, Any]:
        if not isinstance(parameter, dict):
            return {}
        name = str(parameter.get("$ref", "")).rpartition("/")[2]
        return self._shared.get(name, parameter) if "$ref" in parameter else parameter

    def _types(self, node: dict[str, Any], key: str) -> list[str]:
        return _list(node.get(key)) or _list(self._document.get(key)) or _JSON


def _parameter(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        return node
    new: dict[str, Any] = {key: node[key] for key in _KEPT if key in node}
    new |= {key: value for key, value in node.items() if key.startswith("x-")}
    new["schema"] = _schema(node)
    if "collectionFormat" in node and node.get("in") in ("query", "header", "path"):
        style, explode = _STYLES.get(node["collectionFormat"], ("form", False))
        new |= {"style": style if node["in"] == "query" else "simple", "explode": explode}
    elif node.get("type") == "array" and node.get("in") == "query":
        new["explode"] = False  # the collectionFormat that is not said is csv
    return new


def _schema(node: dict[str, Any]) -> dict[str, Any]:
    """Return the schema that a parameter or a header was in Swagger 2.0."""
    return {
        key: value for key, value in node.items() if key not in _OF_PARAMETERS and not key.startswith("x-")
    }


def _body(node: dict[str, Any], types: list[str]) -> dict[str, Any]:
    said: dict[str, Any] = {key: node[key] for key in _KEPT if key in node and key not in ("name", "in")}
    return {**said, "content": {name: {"schema": node.get("schema", {})} for name in types}}


def _form(fields: list[dict[str, Any]], types: list[str]) -> dict[str, Any]:
    has_file = any(each.get("format") == "binary" for each in fields)
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            str(each.get("name")): _schema(each)
            | ({"description": each["description"]} if "description" in each else {})
            for each in fields
        },
    }
    if required := [str(each.get("name")) for each in fields if each.get("required") is True]:
        schema["required"] = required
    names = [name for name in types if name in (_FORM, _MULTIPART)]
    names = names or [_MULTIPART if has_file else _FORM]
    return {"required": bool(required), "content": {name: {"schema": schema} for name in names}}


def _response(node: dict[str, Any], types: list[str]) -> dict[str, Any]:
    if "$ref" in node:
        return node
    new: dict[str, Any] = {"description": str(node.get("description", ""))}
    if isinstance(schema := node.get("schema"), dict):
        examples = _objects_or_values(node.get("examples"))
        is_file = schema.get("format") == "binary"
        names = [name for name in types if not (is_file and name in _JSON)] or ["application/octet-stream"]
        new["content"] = {
            name: {"schema": schema} | ({"example": examples[name]} if name in examples else {})
            for name in names
        }
    if headers := _objects(node.get("headers")):
        new["headers"] = {
            name: {"schema": _schema(each)}
            | ({"description": each["description"]} if "description" in each else {})
            for name, each in headers.items()
        }
    return new | {key: value for key, value in node.items() if key.startswith("x-")}


def _scheme(node: dict[str, Any]) -> dict[str, Any]:
    if node.get("type") == "basic":
        return {"type": "http", "scheme": "basic"}
    if node.get("type") != "oauth2":
        return node
    flow = _FLOWS.get(node.get("flow", ""), node.get("flow", "implicit"))
    urls = {key: node[key] for key in ("authorizationUrl", "tokenUrl") if key in node}
    return {"type": "oauth2", "flows": {flow: {**urls, "scopes": node.get("scopes") or {}}}}


def _objects(node: Any) -> dict[str, dict[str, Any]]:
    return {key: value for key, value in _objects_or_values(node).items() if isinstance(value, dict)}


def _objects_or_values(node: Any) -> dict[str, Any]:
    return node if isinstance(node, dict) else {}


def _list(node: Any) -> list[Any]:
    return node if isinstance(node, list) else []
