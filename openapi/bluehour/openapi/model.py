"""What an OpenAPI document says, as values: operations, and what they take and answer.

`contract.load()` makes them; each has a `Schema` where there is something to judge.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from typing import Any

from .document import SpecError
from .samples import NoSample, fitted, sample
from .schema import Schema

JSON = "application/json"


@dataclass(frozen=True)
class MediaType:
    """One representation of a body: its name, such as `application/json`, its schema and its examples."""

    name: str
    schema: Schema
    examples: tuple[Any, ...]
    named: Mapping[str, Any] = field(default_factory=dict)
    """Those of the examples that have a name."""

    @property
    def is_json(self) -> bool:
        """Whether bodies of this media type are JSON: `application/json`, `application/problem+json`."""
        return is_json(self.name)

    @property
    def is_xml(self) -> bool:
        """Whether they are XML; a published text of one stands for the data that it says."""
        return is_xml(self.name)

    @cached_property
    def example(self) -> Any:
        """A legal value: the first published example that is legal, else one made from the schema.

        In the one that is made is what of a published one is legal.

        Raises:
            SpecError: none could be made.
        """
        texts = [each for each in self.examples if isinstance(each, str)] if self.is_xml else []
        return texts[0] if texts else _legal_example(self.name, self.schema, self.examples)


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
    deprecated: bool = False
    """Whether it is to be used no more."""

    @cached_property
    def example(self) -> Any:
        """A legal value, as of a media type."""
        return _legal_example(self.name, self.schema, self.examples)


@dataclass(frozen=True)
class DeclaredResponse:
    """One of the answers that an operation may give."""

    status: str
    """`200`, `4XX` or `default`."""
    content: Mapping[str, MediaType]
    headers: tuple[Parameter, ...] = ()
    links: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What its values are good for, by name: OpenAPI's link objects."""

    def media_type(self, content_type: str) -> MediaType | None:
        """Return the declared media type that a Content-Type header names, wildcards last, or None."""
        return _named(self.content, content_type)

    @property
    def json(self) -> MediaType | None:
        """The JSON representation, if it has one."""
        return next((media for media in self.content.values() if media.is_json), None)


UNDECLARED = DeclaredResponse("default", {})
"""What may be answered where no answer at all is declared: any status, and nothing is said of its body."""


@dataclass(frozen=True)
class RequestBody:
    """What an operation takes as its body."""

    required: bool
    content: Mapping[str, MediaType]
    takes_nul: bool = True
    """Whether texts may have the character NUL in them, which databases refuse."""

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
    responses: Mapping[str, DeclaredResponse]
    security: tuple[tuple[Security, ...], ...]
    """Alternatives, of each of which all schemes are needed; an empty one lets anybody in."""
    node: dict[str, Any] = field(repr=False)
    base_paths: tuple[str, ...] = ()
    """The paths of its own servers, in place of the document's."""

    @property
    def deprecated(self) -> bool:
        """Whether it is to be used no more."""
        return self.node.get("deprecated") is True

    @property
    def behaviour(self) -> str | None:
        """`x-behaviour`: which behaviour of the mock answers; None for the documented example."""
        return self.node.get("x-behaviour")

    @property
    def group(self) -> str:
        """Its first tag; nothing where it has none."""
        tags = self.node.get("tags")
        return str(tags[0]) if isinstance(tags, list) and tags else ""

    @property
    def project_kind(self) -> str:
        """`x-project-kind`: of the projects that it is about, such as `video`; else nothing."""
        return str(self.node.get("x-project-kind", ""))

    @property
    def project_type(self) -> str:
        """`x-project-type`: the type of the project that it creates, such as `FACE_EDITOR`; else its id."""
        return str(self.node.get("x-project-type", self.id))

    @property
    def takes_credits(self) -> bool:
        """Whether it has a price, `x-credits`; `terms.price` works it out."""
        return bool(self.node.get("x-credits"))

    @property
    def render_seconds(self) -> float:
        """How long its job takes on the real API, queue included; 0 where that is not said."""
        return self.said_render_seconds or 0.0

    @property
    def said_render_seconds(self) -> float | None:
        """`x-render-seconds`: that; None where it does not say so."""
        said = self.node.get("x-render-seconds")
        if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said < math.inf:
            return None
        return float(said)

    @cached_property
    def success(self) -> tuple[int, DeclaredResponse]:
        """The answer when all goes well: the lowest declared status, `default` as 200."""
        statuses = sorted(status for status in self.responses if status != "default")
        wanted = [status for status in statuses if status.startswith(("2", "3"))]
        if not wanted and ("default" in self.responses or not statuses):
            return 200, self.responses.get("default", UNDECLARED)
        chosen = (wanted or statuses)[0]
        return int(chosen.upper().replace("X", "0")), self.responses[chosen]

    def response(self, status: int) -> DeclaredResponse | None:
        """Return what the contract says of an answer with this status; None where it says nothing."""
        exact = self.responses.get(str(status))
        if exact is not None or not self.responses:
            return exact or UNDECLARED
        ranges = (f"{status // 100}XX", f"{status // 100}xx", "default")
        return next((self.responses[each] for each in ranges if each in self.responses), None)

    @property
    def json_body(self) -> MediaType | None:
        """The JSON representation of the body that it takes, plain JSON first; None where it takes none."""
        if self.body is None:
            return None
        others = (media for media in self.body.content.values() if media.is_json)
        return self.body.media_type(JSON) or next(others, None)

    def with_defaults(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return a copy of a JSON request body with the schema's defaults for what it leaves out."""
        media = self.json_body
        return media.schema.filled(body) if media else body

    @cache  # noqa: B019 - an operation lives as long as its contract
    def annotated(self, keyword: str) -> tuple[tuple[tuple[str, ...], Any], ...]:
        """Return the fields of the JSON body whose schema has an x- key: their paths, and its value."""
        media = self.json_body
        return tuple(media.schema.annotated(keyword)) if media else ()


def is_json(media_type: str) -> bool:
    """Tell whether a media type's bodies are JSON."""
    name = without_parameters(media_type)
    return name == JSON or name.endswith("+json")


def is_xml(media_type: str) -> bool:
    """Tell whether a media type's bodies are XML."""
    name = without_parameters(media_type)
    return name in ("application/xml", "text/xml") or name.endswith("+xml")


@lru_cache(maxsize=256)
def without_parameters(media_type: str) -> str:
    """`application/json; charset=utf-8` is `application/json`."""
    return media_type.partition(";")[0].strip().lower()


@lru_cache(maxsize=256)
def with_parameters(media_type: str) -> str:
    """`Application/JSON; charset=utf-8; version=2` is `application/json; version=2`: but for the charset."""
    name, *parameters = (part.strip() for part in media_type.split(";"))
    said = sorted(each for each in parameters if each and not each.lower().startswith("charset="))
    return "; ".join((name.lower(), *said))


def _named(content: Mapping[str, MediaType], content_type: str) -> MediaType | None:
    name = without_parameters(content_type)
    for candidate in (with_parameters(content_type), name, f"{name.partition('/')[0]}/*", "*/*"):
        if candidate in content:
            return content[candidate]
    return next((media for each, media in content.items() if without_parameters(each) == name), None)


def _legal_example(name: str, schema: Schema, examples: tuple[Any, ...]) -> Any:
    for value in examples:
        if schema.accepts(value):
            return value
    try:
        made = sample(schema.node, schema.document)
    except NoSample as error:
        raise SpecError(f"no example could be made for {name}: {error}") from error
    published = next((value for value in examples if isinstance(value, dict)), None)
    return fitted(schema, published, made) if published is not None and isinstance(made, dict) else made
