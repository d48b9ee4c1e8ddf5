"""A contract: the operations of an OpenAPI document, each with what it takes and what it may answer.

`load()` is where everyone starts: `Contract` > `Operation` > its parameters, bodies and responses, each
with a `Schema` that judges values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .document import MAGIC_HOUR, METHODS, Document, SpecError, in_direction, read, resolve
from .samples import NoSample, sample
from .schema import Schema

JSON = "application/json"


def load(path: Path = MAGIC_HOUR) -> Contract:
    """Read a contract from an OpenAPI 3.0 or 3.1 file, JSON or YAML; Magic Hour's own by default.

    A file is read once per process.

    Raises:
        SpecError: the file can't be served; the message says why, in one line.
    """
    return _load(path)


@cache
def _load(path: Path) -> Contract:
    contract = Contract(read(path))
    if path != MAGIC_HOUR:
        _compile_all(contract, path)
    return contract


@dataclass(frozen=True)
class MediaType:
    """One representation of a body: its name, such as `application/json`, its schema and its examples."""

    name: str
    schema: Schema
    examples: tuple[Any, ...]

    @property
    def is_json(self) -> bool:
        """Whether bodies of this media type are JSON: `application/json`, `application/problem+json`."""
        return is_json(self.name)

    @cached_property
    def example(self) -> Any:
        """A legal value: the first published example that is legal, else one made from the schema.

        Raises:
            SpecError: none could be made.
        """
        return _legal_example(self.name, self.schema, self.examples)


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation, or a header of a response."""

    name: str
    location: str
    """`path`, `query`, `header` or `cookie`."""
    required: bool
    schema: Schema
    style: str
    """How a list or an object is written: `form`, `simple`, `deepObject` and so on."""
    explode: bool
    """Whether a list is written as several parameters, not as one with commas."""
    is_json: bool = False
    """Whether the text is JSON: the parameter is declared by `content`, not by `schema`."""
    examples: tuple[Any, ...] = ()

    @cached_property
    def example(self) -> Any:
        """A legal value, as of a media type."""
        return _legal_example(self.name, self.schema, self.examples)


@dataclass(frozen=True)
class Response:
    """One of the answers that an operation may give."""

    status: str
    """As declared: `200`, `4XX` or `default`."""
    content: Mapping[str, MediaType]
    headers: tuple[Parameter, ...] = ()

    def media_type(self, content_type: str) -> MediaType | None:
        """Return the declared media type that a Content-Type header names, wildcards last, or None."""
        return _named(self.content, content_type)

    @property
    def json(self) -> MediaType | None:
        """The JSON representation, if it has one."""
        return next((media for media in self.content.values() if media.is_json), None)


_UNDECLARED = Response("default", {})
"""What an operation may answer that declares no answer at all: no body, and any status."""


@dataclass(frozen=True)
class RequestBody:
    """What an operation takes as its body."""

    required: bool
    content: Mapping[str, MediaType]

    def media_type(self, content_type: str) -> MediaType | None:
        """Return the declared media type that a Content-Type header names, wildcards last, or None."""
        return _named(self.content, content_type)


@dataclass(frozen=True)
class Security:
    """One way to prove who one is: a security scheme of the contract."""

    name: str
    type: str
    scheme: str = ""
    location: str = ""
    parameter: str = ""


@dataclass(frozen=True, eq=False)
class Operation:
    """One method of one path: what it takes, what it may answer, and the x- keys that say what it does."""

    id: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body: RequestBody | None
    responses: Mapping[str, Response]
    security: tuple[tuple[Security, ...], ...]
    """Alternatives, of each of which all schemes are needed; an empty one lets anybody in."""
    node: dict[str, Any] = field(repr=False)

    @property
    def behaviour(self) -> str | None:
        """`x-behaviour`: which behaviour of the mock answers; None for the documented example."""
        return self.node.get("x-behaviour")

    @property
    def project_type(self) -> str:
        """`x-project-type`: the type of the image project that it creates, such as `FACE_EDITOR`."""
        return str(self.node["x-project-type"])

    @property
    def credits(self) -> int:
        """`x-credits`: its price."""
        return int(self.node.get("x-credits", 0))

    @property
    def render_seconds(self) -> float:
        """`x-render-seconds`: how long its job takes on the real API, queue included."""
        return float(self.node.get("x-render-seconds", 0))

    @cached_property
    def success(self) -> tuple[int, Response]:
        """The answer when all goes well: the lowest declared status, `default` as 200."""
        statuses = sorted(status for status in self.responses if status != "default")
        wanted = [status for status in statuses if status.startswith(("2", "3"))]
        if not wanted and ("default" in self.responses or not statuses):
            return 200, self.responses.get("default", _UNDECLARED)
        chosen = (wanted or statuses)[0]
        return int(chosen.upper().replace("X", "0")), self.responses[chosen]

    def response(self, status: int) -> Response | None:
        """Return what the contract says of an answer with this status; None where it says nothing."""
        for declared in (str(status), f"{status // 100}XX", f"{status // 100}xx", "default"):
            if declared in self.responses:
                return self.responses[declared]
        return None if self.responses else _UNDECLARED

    def with_defaults(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return a copy of a JSON request body with the schema's defaults for what it leaves out."""
        media = self.body and self.body.media_type(JSON)
        return _filled(media.schema, body) if media else body

    @cache  # noqa: B019 - an operation lives as long as its contract
    def annotated(self, keyword: str) -> tuple[tuple[tuple[str, ...], Any], ...]:
        """Return the fields of the JSON body whose schema has an x- key: their paths, and its value."""
        media = self.body and self.body.media_type(JSON)
        return tuple(_annotated(media.schema, keyword)) if media else ()


def value_at(body: Any, path: tuple[str, ...]) -> Any:
    """Return a body's field, or None where a step of the path is missing."""
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body


class Contract:
    """An OpenAPI document, as its operations."""

    def __init__(self, document: Document) -> None:
        self.document = document

    @property
    def title(self) -> str:
        """The API's name."""
        return str(self.document.get("info", {}).get("title", "an API"))

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """All operations, in the document's order.

        Raises:
            SpecError: one of them can't be read.
        """
        found = []
        for path in self.document.get("paths", {}):
            item = resolve(self.document, self.document["paths"][path])
            for method in METHODS:
                if method in item:
                    try:
                        found.append(_operation(self._requests, self._responses, ("paths", path), method))
                    except (KeyError, TypeError, AttributeError, ValueError) as error:
                        raise SpecError(f"{method.upper()} {path} can't be read: {error!r}") from error
        return tuple(found)

    @cached_property
    def _requests(self) -> Document:
        """The document as requests are judged by it."""
        return in_direction(self.document, "readOnly")

    @cached_property
    def _responses(self) -> Document:
        """The document as responses are judged by it."""
        return in_direction(self.document, "writeOnly")

    def operation(self, operation_id: str) -> Operation:
        """Return the operation of that id.

        Raises:
            KeyError: there is none.
        """
        return self._by_id[operation_id]

    @cached_property
    def _by_id(self) -> dict[str, Operation]:
        return {operation.id: operation for operation in self.operations}

    @cached_property
    def webhooks(self) -> Mapping[str, Operation]:
        """The requests that the server sends, by the event's name."""
        # The server's requests show what its responses show, so both sides are read as responses are.
        document = self._responses
        return {
            name: _operation(document, document, ("webhooks", name), "post")
            for name in document.get("webhooks", {})
        }

    @cached_property
    def base_paths(self) -> tuple[str, ...]:
        """The paths of the document's servers, such as `/api/v3`, without those that are empty."""
        paths = {urlsplit(_url(server)).path.rstrip("/") for server in self.document.get("servers", [])}
        return tuple(sorted(path for path in paths if path.startswith("/")))

    @cached_property
    def server_responses(self) -> Mapping[int, Response]:
        """`x-server-responses`: what a server answers outside of any operation, by status."""
        nodes = self.document.get("x-server-responses", {})
        return {int(status): _response(self.document, status, node) for status, node in nodes.items()}

    @cached_property
    def errors(self) -> Mapping[str, tuple[int, str]]:
        """Each error code that an answer may carry, with its status and the message that examples show."""
        known: dict[str, tuple[int, str]] = {}
        declared = [item for operation in self.operations for item in operation.responses.items()]
        for status, response in [*declared, *((str(s), r) for s, r in self.server_responses.items())]:
            media = response.json
            if not status.isdecimal() or media is None:
                continue
            properties = media.schema.resolved.get("properties", {})
            for code in properties.get("code", {}).get("enum", ()):
                known.setdefault(code, (int(status), media.example["message"]))
        return known

    def extension(self, key: str, default: Any = None) -> Any:
        """Return one of the document's own x- keys, such as `x-plans`."""
        return self.document.get(key, default)


def _named(content: Mapping[str, MediaType], content_type: str) -> MediaType | None:
    name = _without_parameters(content_type)
    for candidate in (name, f"{name.partition('/')[0]}/*", "*/*"):
        if candidate in content:
            return content[candidate]
    return None


def _legal_example(name: str, schema: Schema, examples: tuple[Any, ...]) -> Any:
    for value in examples:
        if schema.accepts(value):
            return value
    try:
        return sample(schema.node, schema.document)
    except NoSample as error:
        raise SpecError(f"no example could be made for {name}: {error}") from error


def _url(server: dict[str, Any]) -> str:
    """A server's URL, with its variables' defaults filled in."""
    url = str(server.get("url", ""))
    for name, variable in server.get("variables", {}).items():
        url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
    return url


def is_json(media_type: str) -> bool:
    """Tell whether a media type's bodies are JSON."""
    name = _without_parameters(media_type)
    return name == JSON or name.endswith("+json")


def _operation(requests: Document, responses: Document, place: tuple[str, str], method: str) -> Operation:
    """Read an operation: what it takes from one reading of the document, what it answers from the other."""
    group, path = place
    item = resolve(requests, requests[group][path])
    node = item[method]
    parameters = [
        resolve(requests, one) for one in (*item.get("parameters", []), *node.get("parameters", []))
    ]
    by_place = {(parameter["in"], parameter["name"]): parameter for parameter in parameters}
    body = resolve(requests, node.get("requestBody"))
    answers = resolve(responses, responses[group][path])[method].get("responses", {})
    return Operation(
        id=node.get("operationId") or f"{method.upper()} {path}",
        method=method.upper(),
        path=path,
        parameters=tuple(_parameter(requests, parameter) for parameter in by_place.values()),
        body=body and RequestBody(bool(body.get("required")), _content(requests, body)),
        responses={str(status): _response(responses, str(status), one) for status, one in answers.items()},
        security=_security(requests, node.get("security", requests.get("security", []))),
        node=node,
    )


def _response(document: Document, status: str, node: dict[str, Any]) -> Response:
    node = resolve(document, node)
    headers = [(name, resolve(document, header)) for name, header in node.get("headers", {}).items()]
    return Response(
        str(status),
        _content(document, node),
        tuple(_parameter(document, {"name": name, "in": "header", **header}) for name, header in headers),
    )


def _content(document: Document, node: dict[str, Any]) -> dict[str, MediaType]:
    content: dict[str, MediaType] = {}
    for declared, media in node.get("content", {}).items():
        name = _without_parameters(declared)
        schema = Schema(document, media.get("schema", True))
        content.setdefault(name, MediaType(name, schema, _examples(document, media)))
    return content


def _without_parameters(media_type: str) -> str:
    """`application/json; charset=utf-8` is `application/json`."""
    return media_type.partition(";")[0].strip().lower()


def _examples(document: Document, node: dict[str, Any]) -> tuple[Any, ...]:
    single = (node["example"],) if "example" in node else ()
    named = (resolve(document, example) for example in node.get("examples", {}).values())
    return (*single, *(example["value"] for example in named if "value" in example))


def _parameter(document: Document, node: dict[str, Any]) -> Parameter:
    content: dict[str, Any] = next(iter(node.get("content", {}).values()), {})
    style = node.get("style", "form" if node["in"] in ("query", "cookie") else "simple")
    return Parameter(
        name=node["name"],
        location=node["in"],
        required=bool(node.get("required")),
        schema=Schema(document, node.get("schema", content.get("schema", True))),
        style=style,
        explode=bool(node.get("explode", style == "form")),
        is_json=any(is_json(name) for name in node.get("content", {})),
        examples=_examples(document, node),
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


def _filled(schema: Schema, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    filled = dict(value)
    for name, node in schema.resolved.get("properties", {}).items():
        inner = Schema(schema.document, node)
        if name in value:
            filled[name] = _filled(inner, value[name])
        elif "default" in inner.resolved:
            filled[name] = inner.resolved["default"]
    return filled


def _annotated(
    schema: Schema, keyword: str, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Walk an object's declared fields; arrays and recursive schemas end the walk."""
    if keyword in schema.resolved:
        yield path, schema.resolved[keyword]
    if len(path) < 8:
        for name, node in schema.resolved.get("properties", {}).items():
            yield from _annotated(Schema(schema.document, node), keyword, (*path, name))


def _compile_all(contract: Contract, path: Path) -> None:
    """Find what can't be used before the server starts, not at the first request.

    Raises:
        SpecError: naming the file, the operation and the reason.
    """
    for operation in contract.operations:
        try:
            for schema in _schemas(operation):
                schema.compile()
        except SpecError as error:
            raise SpecError(f"{path}: {operation.method} {operation.path}: {error}") from error


def _schemas(operation: Operation) -> Iterator[Schema]:
    yield from (parameter.schema for parameter in operation.parameters)
    contents: list[Mapping[str, MediaType]] = [operation.body.content] if operation.body else []
    contents += [response.content for response in operation.responses.values()]
    for content in contents:
        yield from (media.schema for media in content.values())
    for response in operation.responses.values():
        yield from (header.schema for header in response.headers)
