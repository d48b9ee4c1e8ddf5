"""Reading the model's values out of a document's nodes."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from .document import Document, resolve
from .model import (
    DeclaredResponse,
    MediaType,
    Operation,
    Parameter,
    RequestBody,
    Security,
    is_json,
    with_parameters,
)
from .schema import Schema
from .structure import Place


def operation(requests: Document, responses: Document, place: Place, method: str) -> Operation:
    """Read an operation: what it takes from one reading of the document, what it answers from the other.

    Args:
        requests: the document as requests are judged by it.
        responses: as responses are.
        place: of the path item, whose last step is the path.
        method: in small letters.
    """
    path = str(place[-1])
    item = _at(requests, place)
    node = resolve(requests, item[method])
    parameters = [
        resolve(requests, one) for one in (*item.get("parameters", []), *node.get("parameters", []))
    ]
    by_place = {(parameter["in"], parameter["name"]): parameter for parameter in parameters}
    body = resolve(requests, node.get("requestBody"))
    answers = resolve(responses, _at(responses, place)[method]).get("responses", {})
    return Operation(
        id=node.get("operationId") or f"{method.upper()} {path}",
        method=method.upper(),
        path=path,
        parameters=tuple(_parameter(requests, parameter) for parameter in by_place.values()),
        body=body
        and RequestBody(
            bool(body.get("required")), _content(requests, body), takes_nul=not requests.get("x-no-nul")
        ),
        responses={str(status): response(responses, str(status), one) for status, one in answers.items()},
        security=_security(requests, node.get("security", requests.get("security", []))),
        node=node,
        base_paths=base_paths(node) or base_paths(item),
    )


def _at(document: Document, place: Place) -> Any:
    node: Any = document
    for step in place:
        node = resolve(document, node[step])
    return node


def base_paths(node: dict[str, Any]) -> tuple[str, ...]:
    """Return the paths of the servers of a document, a path or an operation, without those that are empty."""
    servers = [server for server in node.get("servers") or [] if isinstance(server, dict)]
    paths = {urlsplit(_url(server)).path.rstrip("/") for server in servers}
    return tuple(sorted(path for path in paths if path.startswith("/")))


def _url(server: dict[str, Any]) -> str:
    """A server's URL, with its variables' defaults filled in."""
    url = str(server.get("url", ""))
    for name, variable in server.get("variables", {}).items():
        url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
    return url


def response(document: Document, status: str, node: dict[str, Any]) -> DeclaredResponse:
    """Read one of an operation's answers, or what a reference to it names."""
    node = resolve(document, node)
    headers = [(name, resolve(document, header)) for name, header in node.get("headers", {}).items()]
    return DeclaredResponse(
        str(status),
        _content(document, node),
        tuple(_parameter(document, {"name": name, "in": "header", **header}) for name, header in headers),
        {name: resolve(document, link) for name, link in (node.get("links") or {}).items()},
    )


def _content(document: Document, node: dict[str, Any]) -> dict[str, MediaType]:
    content: dict[str, MediaType] = {}
    for declared, media in node.get("content", {}).items():
        name = with_parameters(declared)
        schema = _judged(document, media.get("schema", True))
        examples = _examples(document, media)
        content.setdefault(name, MediaType(name, schema, examples, _named_examples(document, media)))
    return content


def _judged(document: Document, node: Any) -> Schema:
    """Return a schema that messages are judged by."""
    document.validators.expect(node)
    return Schema(document, node)


def _examples(document: Document, node: dict[str, Any]) -> tuple[Any, ...]:
    single = (node["example"],) if "example" in node else ()
    return (*single, *_named_examples(document, node).values())


def _named_examples(document: Document, node: dict[str, Any]) -> dict[str, Any]:
    examples = {name: resolve(document, example) for name, example in node.get("examples", {}).items()}
    return {
        name: example["value"]
        for name, example in examples.items()
        if isinstance(example, dict) and "value" in example
    }


def _parameter(document: Document, node: dict[str, Any]) -> Parameter:
    content: dict[str, Any] = next(iter(node.get("content", {}).values()), {})
    style = node.get("style", "form" if node["in"] in ("query", "cookie") else "simple")
    return Parameter(
        name=node["name"],
        location=node["in"],
        required=bool(node.get("required")),
        schema=_judged(document, node.get("schema", content.get("schema", True))),
        style=style,
        explode=bool(node.get("explode", style == "form")),
        is_json=any(is_json(name) for name in node.get("content", {})),
        examples=_examples(document, node),
        deprecated=node.get("deprecated") is True,
    )


def _security(document: Document, requirements: list[dict[str, Any]]) -> tuple[tuple[Security, ...], ...]:
    schemes = document.get("components", {}).get("securitySchemes", {})
    return tuple(
        tuple(_scheme(name, resolve(document, schemes.get(name, {}))) for name in alternative)
        for alternative in requirements
    )


def _scheme(name: str, node: dict[str, Any]) -> Security:
    return Security(
        name, node.get("type", ""), node.get("scheme", "").lower(), node.get("in", ""), node.get("name", "")
    )
