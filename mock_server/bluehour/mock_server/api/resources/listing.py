"""Lists: filtered by the parameters that are called as a field is, and no longer than asked for."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from bluehour.openapi.model import MediaType, Operation
from bluehour.openapi.resources import Resource
from bluehour.openapi.resources.model import Place
from bluehour.openapi.resources.shapes import envelopes, field_of, fields_of, json_of, required_by
from bluehour.openapi.resources.words import plain, singular
from bluehour.openapi.samples import fitted
from bluehour.openapi.schema import Schema

Item = Mapping[str, Any]

_LIMITS = ("limit", "pagesize", "perpage", "size", "maxresults", "pagelimit", "top", "take", "count")
_OFFSETS = ("offset", "skip", "start", "startindex", "pageoffset")
_PAGES = ("page", "pagenumber", "pageno")
_AFTER = ("startingafter", "after", "cursor", "pagetoken", "nexttoken", "marker", "pageafter", "pagecursor")
_TOTALS = ("total", "totalcount", "totalitems", "totalelements", "totalresults", "totalrecords", "totalsize")
_NEXT = ("next", "nextcursor", "nextpagetoken", "nexttoken", "nextmarker", "nextpage", "endcursor", "after")
_PREVIOUS = ("previous", "prev", "previouspage", "prevpage")
_DEEPEST_TOLD = 2
_MOST_DIGITS = 18
_UNTOLD = object()


@dataclass(frozen=True)
class Page:
    """A part of a list.

    Attributes:
        items: those that are shown.
        total: how many there are in all, once they are filtered.
        first: how many there are before these.
        limit: how many a page has; None where none was asked for.
        page: its number, as the operation counts; None where it counts none.
        base: the number of the first page.
        cursor: what names the place behind these.
        asked_by: the parameter that a client asks for another page by; None where there is none.
    """

    items: Sequence[Item]
    total: int
    first: int
    limit: int | None
    page: int | None
    base: int
    cursor: str
    asked_by: str | None

    @property
    def has_more(self) -> bool:
        """Whether there are some behind these."""
        return self.first + len(self.items) < self.total

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return math.ceil(self.total / self.limit) if self.limit else 1


def page_of(
    items: Sequence[Item], resource: Resource, operation: Operation, parameters: Mapping[str, Any]
) -> Page:
    """Return the part of a list that a request asks for.

    Args:
        items: all of them.
        resource: what they are.
        operation: what is called; only its query's parameters count.
        parameters: their values.
    """
    asked = {
        each.name: parameters.get(each.name)
        for each in operation.parameters
        if each.location == "query" and parameters.get(each.name) is not None
    }
    known = {plain(name): name for name in fields_of(resource.schema)}
    for name, value in asked.items():
        words = (plain(name), singular(plain(name)))
        field = next((known[word] for word in words if word in known), None)
        if field is not None:
            items = [item for item in items if _says(item.get(field), value)]
    wanted = {plain(name): value for name, value in asked.items()}
    limit, number = _number(wanted, _LIMITS), _number(wanted, _PAGES)
    base = _base(operation)
    first = _first(items, resource.id_field, wanted, limit, base)
    shown = items[first:] if limit is None else items[first : first + limit]
    last = shown[-1].get(resource.id_field) if shown and resource.id_field else None
    cursor = str(first + len(shown)) if last is None else str(last)
    by = _asked_by(operation)
    if by is not None and plain(by) in _PAGES and number is None:
        number = base
    return Page(shown, len(items), first, limit, number, base, cursor, by)


def with_page(media: MediaType, body: Any, place: Place, page: Page, url: str) -> Any:
    """Return the body of a list with what its envelope tells of the page, by the names that people give it.

    Args:
        media: what the body is to be legal under.
        body: not changed.
        place: where it has the list.
        page: what is told of.
        url: of the request, whole.
    """
    if not isinstance(body, dict) or not place:
        return body
    return fitted(media.schema, _told(media.schema, body, place, page, url), body)


def _told(schema: Schema, body: Item, place: Place, page: Page, url: str, depth: int = 0) -> dict[str, Any]:
    told = dict(body)
    names = {plain(name) for name in fields_of(schema)}
    for name in dict.fromkeys((*fields_of(schema), *body)):
        field = field_of(schema, name)
        if place[:1] == (name,):
            if len(place) > 1:
                told[name] = _told(field, body[name], place[1:], page, url, depth + 1)
        elif isinstance(body.get(name), dict) and depth < _DEEPEST_TOLD:
            told[name] = _told(field, body[name], (), page, url, depth + 1)
        elif (found := _of_page(plain(name), names, field, page, url)) is not _UNTOLD:
            told[name] = found
            if found is None and "null" not in field.types:
                del told[name]
                if name in required_by(schema):  # it has to be there, and says nothing
                    told[name] = "" if "string" in field.types else body.get(name)
    return told


def _of_page(known: str, names: Container[str], field: Schema, page: Page, url: str) -> Any:
    """Return what a field of an envelope tells of a page; `_UNTOLD` where it does not seem to be about it."""
    values: dict[str, Any] = dict.fromkeys(_TOTALS, page.total)
    has_total = any(name in names for name in _TOTALS)
    values["count"] = len(page.items) if has_total else page.total
    values |= dict.fromkeys(("size", "perpage", "pagesize", "limit"), page.limit or len(page.items))
    values |= dict.fromkeys(("numberofelements", "itemcount"), len(page.items))
    values |= dict.fromkeys(("offset", "skip", "start", "startindex"), page.first)
    values |= dict.fromkeys(("totalpages", "pages", "pagecount", "lastpage"), page.pages)
    number = page.base if page.page is None else page.page
    values |= dict.fromkeys(("page", "pagenumber", "currentpage", "number"), number)
    if "boolean" in field.types:
        values |= dict.fromkeys(("hasmore", "hasnext", "hasnextpage", "more"), page.has_more)
        values |= dict.fromkeys(("hasprevious", "hasprev", "haspreviouspage"), page.first > 0)
        values |= {"first": page.first == 0, "last": not page.has_more}
        return values.get(known, _UNTOLD)
    if known in _NEXT:
        return _other_page(field, page, url, +1) if page.has_more else None
    if known in _PREVIOUS:
        return _other_page(field, page, url, -1) if page.first > 0 else None
    return values.get(known, _UNTOLD) if {"integer", "number"} & field.types else _UNTOLD


def _other_page(field: Schema, page: Page, url: str, step: int) -> Any:
    """Return how a field names the page before or after: as a link, a number, or a cursor."""
    following = (page.base if page.page is None else page.page) + step
    if {"integer", "number"} & field.types:
        return following if page.page is not None else page.first + step * (page.limit or len(page.items))
    name = page.asked_by or "cursor"
    if plain(name) in _PAGES:
        value = str(following)
    elif plain(name) in _OFFSETS or step < 0:
        value = str(max(page.first + step * (page.limit or len(page.items)), 0))
    else:
        value = page.cursor
    if field.resolved.get("format") in ("uri", "url", "uri-reference"):
        parts = urlsplit(url)
        asked = dict(parse_qsl(parts.query, keep_blank_values=True))
        return urlunsplit(parts._replace(query=urlencode({**asked, name: value})))
    return value


def _says(value: Any, wanted: Any) -> bool:
    """Tell whether a field says what is asked for: one of its values, where there are several of either."""
    wanted = wanted if isinstance(wanted, list) else [wanted]
    values = value if isinstance(value, list) else [value]
    return any(_is(each, one) for each in values for one in wanted)


def _is(value: Any, wanted: Any) -> bool:
    if isinstance(value, dict):  # a tag with a name, which is what people ask for
        return any(_is(each, wanted) for each in value.values() if not isinstance(each, dict | list))
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


def _first(
    items: Sequence[Item], id_field: str | None, asked: Mapping[str, Any], limit: int | None, base: int
) -> int:
    """Return how many items are before those that are asked for."""
    page = _number(asked, _PAGES)
    after = next((str(asked[name]) for name in _AFTER if name in asked), None)
    if after is not None:
        places = [place for place, item in enumerate(items) if id_field and str(item.get(id_field)) == after]
        is_count = id_field is None and after.isdecimal()
        return places[0] + 1 if places else int(after) if is_count else len(items)
    if page is not None and limit:
        return max(page - base, 0) * limit
    return _number(asked, _OFFSETS) or 0


def _asked_by(operation: Operation) -> str | None:
    names = [each.name for each in operation.parameters if each.location == "query"]
    kinds = (_AFTER, _PAGES, _OFFSETS)
    return next((name for kind in kinds for name in names if plain(name) in kind), None)


def _base(operation: Operation) -> int:
    """Return the number of the first page: 0 where that is said to be legal, and in pages as Spring's are."""
    schemas = [each.schema.resolved for each in operation.parameters if plain(each.name) in _PAGES]
    answer = json_of(operation.success[1])
    envelope = envelopes(answer, 1) if answer is not None else []
    is_spring = any({"number", "totalElements"} <= set(fields_of(each)) for _, each in envelope)
    return 0 if is_spring or any(0 in (each.get("minimum"), each.get("default")) for each in schemas) else 1


def _number(asked: Mapping[str, Any], names: Sequence[str]) -> int | None:
    found = next((asked[name] for name in names if name in asked), None)
    if isinstance(found, str) and found.isdecimal() and len(found) < _MOST_DIGITS:
        return int(found)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return max(int(found), 0)
