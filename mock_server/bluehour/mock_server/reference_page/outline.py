"""A contract in the order in which the page tells it; the templates only put it into HTML.

What has a meaning is asked of the contract. What is only said (descriptions, summaries, names of examples)
is read from the document's own nodes, of which a stranger's may hold anything.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from bluehour.openapi.contract import Contract
from bluehour.openapi.document import Document, SpecError, resolve
from bluehour.openapi.messages import phrase
from bluehour.openapi.model import DeclaredResponse, MediaType, Operation, Parameter, without_parameters
from bluehour.openapi.resources import Action, Kind

from .curl import curl
from .fields import Field, Reader, Table
from .making import what_comes_out
from .prices import Plans, Price, cost_in_words, price_of
from .rules import Node, listing, mapping, pretty

_MOST_ROWS = 6000
"""Rows of a page on which nested references are followed in place; a longer page links to them."""

_OFTEN = 4
"""Operations that declare an answer by the same reference; it is then told once, for all of them."""

_T = TypeVar("_T")

_LOCATIONS = {
    "path": "Path parameters",
    "query": "Query parameters",
    "header": "Headers",
    "cookie": "Cookies",
}


@dataclass(frozen=True, slots=True)
class Example:
    """A value to show.

    Attributes:
        name: its own.
        text: as it travels.
        cost: of a request, what it costs.
    """

    name: str
    text: str
    cost: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """One representation of a request's or an answer's body."""

    media_type: str
    table: Table
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the answers of an operation.

    Attributes:
        shared: where the rest is told, as it is of other operations too.
        anchor: of what is told for several operations.
    """

    status: str
    phrase: str
    description: str
    headers: tuple[Field, ...] = ()
    bodies: tuple[Body, ...] = ()
    shared: str = ""
    anchor: str = ""

    @property
    def is_success(self) -> bool:
        """Whether it is what one hopes for."""
        return self.status.startswith("2")


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation, or one event."""

    anchor: str
    method: str
    path: str
    title: str
    """Its summary, else its id."""
    in_contents: str
    """Its summary, else its path, which stands beside the method there."""
    description: str
    deprecated: bool
    price: Price | None
    asks_as: str
    """The id by which the page asks what a request costs; nothing where there is no price."""
    makes: tuple[tuple[str, str], ...]
    """What comes out: what is said of it, and how it is."""
    render_seconds: float
    state: str
    """What it does to what is kept; nothing where nothing is."""
    security: str
    parameters: tuple[tuple[str, tuple[Field, ...]], ...]
    body_required: bool
    body_description: str
    bodies: tuple[Body, ...]
    answers: tuple[Answer, ...]
    curl: str


@dataclass(frozen=True, slots=True)
class Group:
    """Operations with the same first tag."""

    anchor: str
    name: str
    description: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way to prove who one is."""

    name: str
    how: str
    code: str
    description: str


@dataclass(frozen=True, slots=True)
class Outline:
    """Everything that the page tells, from its title to its last table."""

    title: str
    version: str
    summary: str
    description: str
    schemes: tuple[Scheme, ...]
    groups: tuple[Group, ...]
    webhooks: tuple[Entry, ...]
    schemas: tuple[tuple[str, str, Table], ...]
    shared: tuple[Answer, ...]
    anywhere: tuple[Answer, ...]
    job_errors: tuple[tuple[str, str], ...]
    failing_asset: str
    plans: tuple[tuple[str, tuple[str, ...]], ...]
    limits: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many operations there are."""
        return sum(len(group.entries) for group in self.groups)


_VERBS: Mapping[Kind, str] = {
    "create": "adds to",
    "create_many": "adds to",
    "read": "reads from",
    "list": "lists",
    "replace": "replaces in",
    "update": "changes in",
    "delete": "deletes from",
}


def outline(contract: Contract, actions: Mapping[str, Action], base_url: str) -> Outline:
    """Return what the page tells of a contract.

    Args:
        contract: what is served.
        actions: what operations do to resources whose state is kept, by operation id.
        base_url: what the curl commands call.
    """
    reader = Reader(nested=True)
    outline = _Outliner(contract, actions, base_url, reader).outline()
    if reader.rows > _MOST_ROWS:
        return _Outliner(contract, actions, base_url, Reader(nested=False)).outline()
    return outline


class _Outliner:
    def __init__(
        self, contract: Contract, actions: Mapping[str, Action], base_url: str, reader: Reader
    ) -> None:
        self._contract = contract
        self._actions = actions
        self._document = contract.document
        self._base_url = base_url
        self._reader = reader
        self._anchors: set[str] = set()
        self._plans: Plans = mapping(contract.extension("x-plans"))
        self._shared = _shared_answers(contract.operations)

    def outline(self) -> Outline:
        info = mapping(self._document.get("info"))
        plans = self._plans
        limits = tuple(dict.fromkeys(str(key) for plan in plans.values() for key in mapping(plan)))
        return Outline(
            title=self._contract.title,
            version=_words(info, "version"),
            summary=_words(info, "summary"),
            description=_words(info, "description"),
            groups=tuple(self._groups()),
            schemes=tuple(self._schemes()),
            webhooks=tuple(self._webhooks()),
            shared=tuple(self._shared_answers()),
            anywhere=tuple(self._anywhere()),
            job_errors=tuple(
                (str(code), str(message))
                for code, message in mapping(self._contract.extension("x-job-errors")).items()
            ),
            failing_asset=str(self._contract.extension("x-failing-asset", "")),
            plans=tuple(
                (str(name), tuple(_limit(key, mapping(plan).get(key)) for key in limits))
                for name, plan in plans.items()
            ),
            limits=tuple(limit.replace("-", " ") for limit in limits),
            schemas=tuple(self._schemas()),  # last, when it is known which are linked to
        )

    # --- operations ---------------------------------------------------------------------------------------

    def _groups(self) -> Iterator[Group]:
        tags = [mapping(tag) for tag in listing(self._document.get("tags"))]
        grouped: dict[str, list[Operation]] = {_words(tag, "name"): [] for tag in tags}
        for operation in self._contract.operations:
            grouped.setdefault(operation.group, []).append(operation)
        descriptions = {_words(tag, "name"): _words(tag, "description") for tag in tags}
        anchors = {operation.id: self._anchor(operation.id) for operation in self._contract.operations}
        for name, operations in grouped.items():
            if operations:
                entries = [self._entry(one, anchors[one.id], ("paths", one.path)) for one in operations]
                title = name or ("Other operations" if len(grouped) > 1 else "Operations")
                anchor = self._anchor(f"section-{title}")
                yield Group(anchor, title, descriptions.get(name, ""), tuple(entries))

    def _webhooks(self) -> Iterator[Entry]:
        events = _attempt(lambda: self._contract.webhooks) or {}
        for name, operation in events.items():
            entry = self._entry(operation, self._anchor(f"event-{name}"), ("webhooks", name))
            yield replace(entry, path=name, curl="", security="")

    def _anchor(self, name: str) -> str:
        """Return an id for the page: the name itself, but for what can't be in one."""
        wanted = anchor = re.sub(r"[^\w.\-]+", "-", name).strip("-") or "operation"
        number = 1
        while anchor in self._anchors:
            number += 1
            anchor = f"{wanted}-{number}"
        self._anchors.add(anchor)
        return anchor

    def _entry(self, operation: Operation, anchor: str, place: tuple[str, str]) -> Entry:
        node = operation.node
        body = mapping(_followed(self._document, node.get("requestBody")))
        answers = mapping(node.get("responses"))
        return Entry(
            anchor=anchor,
            method=operation.method,
            path=operation.path,
            title=_words(node, "summary") or operation.id,
            in_contents=_words(node, "summary") or operation.path,
            description=_words(node, "description"),
            deprecated=node.get("deprecated") is True,
            price=_attempt(partial(price_of, operation)),
            asks_as=operation.id if "x-credits" in node and operation.json_body else "",
            makes=_attempt(partial(what_comes_out, operation)) or (),
            render_seconds=operation.render_seconds,
            state=_state(self._actions.get(operation.id)),
            security=_security(operation),
            parameters=tuple(self._parameters(operation, place)),
            body_required=bool(operation.body and operation.body.required),
            body_description=_words(body, "description"),
            bodies=tuple(self._bodies(operation.body.content, body, operation)) if operation.body else (),
            answers=tuple(
                self._answer(response, answers.get(status))
                for status, response in operation.responses.items()
                if not status.startswith("x-")
            ),
            curl=curl(operation, self._base_url),
        )

    def _parameters(
        self, operation: Operation, place: tuple[str, str]
    ) -> Iterator[tuple[str, tuple[Field, ...]]]:
        item = mapping(_followed(self._document, mapping(self._document.get(place[0])).get(place[1])))
        declared = [*listing(item.get("parameters")), *listing(operation.node.get("parameters"))]
        nodes = [mapping(_followed(self._document, one)) for one in declared]
        by_place = {(node.get("in"), node.get("name")): node for node in nodes}
        for location, title in _LOCATIONS.items():
            fields = [
                field
                for one in operation.parameters
                if one.location == location
                for field in self._parameter(one, by_place.get((location, one.name), {}))
            ]
            if fields:
                yield title, tuple(fields)

    def _parameter(self, parameter: Parameter, node: Node) -> Iterator[Field]:
        """Yield a parameter's own row, and those of the fields of an object."""
        table = self._reader.table(parameter.schema.document, parameter.schema.node)
        yield replace(
            table.whole,
            name=parameter.name,
            required=parameter.required,
            deprecated=table.whole.deprecated or node.get("deprecated") is True,
            description=_words(node, "description") or table.whole.description,
            examples=tuple(pretty(value) for value in parameter.examples[:2] if not isinstance(value, dict))
            or table.whole.examples,
        )
        yield from (replace(row, depth=row.depth + 1) for row in table.rows)

    # --- bodies and answers -------------------------------------------------------------------------------

    def _bodies(
        self, content: Mapping[str, MediaType], node: Node, asked: Operation | None = None
    ) -> Iterator[Body]:
        """Yield the representations of a body: of an operation's request, or of an answer."""
        nodes: dict[str, Node] = {}
        for name, media in mapping(node.get("content")).items():
            nodes.setdefault(without_parameters(name), mapping(media))
        for name, media in content.items():
            table = self._reader.table(media.schema.document, media.schema.node)
            yield Body(name, table, tuple(self._examples(media, nodes.get(name, {}), asked)))

    def _examples(self, media: MediaType, node: Node, asked: Operation | None) -> Iterator[Example]:
        if "example" in node:
            yield Example("", _text(node["example"], media), self._cost(asked, node["example"]))
        for name, declared in mapping(node.get("examples")).items():
            example = mapping(_followed(self._document, declared))
            if "value" in example:
                title = _words(example, "summary") or name.replace("-", " ").capitalize()
                yield Example(title, _text(example["value"], media), self._cost(asked, example["value"]))
        if not media.examples and (media.is_json or media.name.startswith("text/")):
            made = _attempt(partial(_made, media))
            if made:
                yield Example("Made from the schema", made)

    def _cost(self, asked: Operation | None, body: Any) -> str:
        """Return what an example of a request costs; nothing where it has no price, or is not legal."""
        media = asked.json_body if asked and "x-credits" in asked.node else None
        if asked is None or media is None or not isinstance(body, dict):
            return ""
        is_legal = _attempt(partial(media.schema.accepts, body))
        return (_attempt(partial(cost_in_words, asked, body, self._plans)) or "") if is_legal else ""

    def _shared_answers(self) -> Iterator[Answer]:
        told: set[str] = set()
        for operation in self._contract.operations:
            nodes = mapping(operation.node.get("responses"))
            for status, response in operation.responses.items():
                anchor = self._shared.get((status, _reference(nodes.get(status))), "")
                if anchor and anchor not in told:
                    told.add(anchor)
                    yield replace(self._whole_answer(response, nodes.get(status)), anchor=anchor)

    def _answer(self, response: DeclaredResponse, node: Any) -> Answer:
        """Return what is told of an answer at its operation."""
        if anchor := self._shared.get((response.status, _reference(node))):
            words = _words(mapping(_followed(self._document, node)), "description")
            return Answer(response.status, _phrase(response.status), words, shared=anchor)
        return self._whole_answer(response, node)

    def _whole_answer(self, response: DeclaredResponse, node: Any) -> Answer:
        node = mapping(_followed(self._document, node))
        headers = mapping(node.get("headers"))
        return Answer(
            status=response.status,
            phrase=_phrase(response.status),
            description=_words(node, "description"),
            headers=tuple(
                field
                for one in response.headers
                for field in self._parameter(one, mapping(_followed(self._document, headers.get(one.name))))
            ),
            bodies=tuple(self._bodies(response.content, node)),
        )

    def _anywhere(self) -> Iterator[Answer]:
        nodes = mapping(self._contract.extension("x-server-responses"))
        responses = _attempt(lambda: self._contract.server_responses) or {}
        for status, response in responses.items():
            yield self._answer(response, nodes.get(str(status)))

    # --- the rest -----------------------------------------------------------------------------------------

    def _schemes(self) -> Iterator[Scheme]:
        schemes = mapping(mapping(self._document.get("components")).get("securitySchemes"))
        for name, declared in schemes.items():
            node = mapping(_followed(self._document, declared))
            how, code = _how(node)
            yield Scheme(str(name), how, code, _words(node, "description"))

    def _schemas(self) -> Iterator[tuple[str, str, Table]]:
        """Yield the schemas that rows link to, and those that these link to."""
        components = mapping(mapping(self._document.get("components")).get("schemas"))
        shown: set[str] = set()
        while waiting := [name for name in self._reader.linked if name not in shown]:
            for name in waiting:
                shown.add(name)
                table = self._reader.table(self._document, components.get(name, True), name)
                yield name, schema_anchor(name), table


def _shared_answers(operations: Iterable[Operation]) -> dict[tuple[str, str], str]:
    """Return the anchors of the answers that many operations declare, by status and reference."""
    declared = Counter(
        (status, reference)
        for operation in operations
        for status, node in mapping(operation.node.get("responses")).items()
        if (reference := _reference(node)) and not status.startswith("2")
    )
    often = [key for key, count in declared.items() if count >= _OFTEN]
    return {key: f"answer:{number}" for number, key in enumerate(often, start=1)}


def _reference(node: Any) -> str:
    return str(mapping(node).get("$ref", ""))


def schema_anchor(name: str) -> str:
    """Return the id of a schema on the page; no operation's anchor has a colon in it."""
    return "schema:" + re.sub(r"\s+", "-", name)


def _attempt(read: Callable[[], _T]) -> _T | None:
    """Return what could be read, None of a part of a stranger's document that can't be."""
    try:
        return read()
    except (SpecError, KeyError, TypeError, AttributeError, ValueError, RecursionError):
        return None


def _followed(document: Document, node: Any) -> Any:
    try:
        return resolve(document, node)
    except SpecError:
        return {}


def _words(node: Node, key: str) -> str:
    value = node.get(key)
    return "" if value is None else str(value).strip()


def _made(media: MediaType) -> str:
    media.schema.compile()
    return _text(media.example, media)


def _text(value: Any, media: MediaType) -> str:
    return value if isinstance(value, str) and not media.is_json else pretty(value)


def _phrase(status: str) -> str:
    if status == "default":
        return "Any other status"
    if status.isdecimal():
        return phrase(int(status))
    kinds = {
        "1": "Informational",
        "2": "Success",
        "3": "Redirection",
        "4": "Client error",
        "5": "Server error",
    }
    return kinds.get(status[:1], "")


def _security(operation: Operation) -> str:
    """Return what an operation asks for: `key and basic, or nothing`."""
    ways = [" and ".join(scheme.name for scheme in way) or "nothing" for way in operation.security]
    return ", or ".join(ways)


_PLACES = {"header": "in the header", "query": "in the query", "cookie": "in the cookie"}


def _how(node: Node) -> tuple[str, str]:
    """Return in words how one proves who one is, and what it looks like."""
    kind, scheme = _words(node, "type"), _words(node, "scheme").lower()
    if kind == "apiKey":
        place, name = _words(node, "in"), _words(node, "name")
        code = {"header": f"{name}: …", "query": f"?{name}=…", "cookie": f"Cookie: {name}=…"}.get(place, name)
        return f"An API key {_PLACES.get(place, '')}", code
    if kind == "http" and scheme == "basic":
        return "A user's name and password", "Authorization: Basic …"
    if kind == "http":
        return f"A {scheme} token", f"Authorization: {scheme.capitalize()} …"
    if kind == "mutualTLS":
        return "A client's certificate", ""
    if kind in ("oauth2", "openIdConnect"):
        name = "OAuth 2" if kind == "oauth2" else "OpenID Connect"
        return f"An access token of {name}", "Authorization: Bearer …"
    return kind, ""


def _limit(name: str, value: Any) -> str:
    """Return a plan's limit for a person to read; one in bytes in the unit that suits it."""
    if not name.endswith("bytes") or not isinstance(value, int):
        return "none" if value is None else str(value)
    units: Iterable[tuple[str, int]] = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))
    return next((f"{value / size:g} {unit}" for unit, size in units if value >= size), f"{value} bytes")


def _state(action: Action | None) -> str:
    if action is None:
        return ""
    verb = "reads" if action.resource.is_singleton and action.kind == "read" else _VERBS[action.kind]
    return f"{verb} {action.resource.path}"
