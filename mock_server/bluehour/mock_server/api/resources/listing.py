"""Lists: filtered by the parameters that are called as a field is, and no longer than asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bluehour.openapi.model import Operation
from bluehour.openapi.resources import Resource
from bluehour.openapi.resources.words import plain, singular

Item = Mapping[str, Any]

_LIMITS = ("limit", "pagesize", "perpage", "size", "maxresults", "pagelimit", "top", "take", "count")
_OFFSETS = ("offset", "skip", "start", "startindex")
_PAGES = ("page", "pagenumber", "pageno")
_AFTER = ("startingafter", "after", "cursor", "pagetoken", "nexttoken", "marker")


@dataclass(frozen=True)
class Page:
    """A part of a list.

    Attributes:
        items: those that are shown.
        total: how many there are in all, once they are filtered.
        has_more: whether there are some behind these.
    """

    items: Sequence[Item]
    total: int
    has_more: bool


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
    known = {plain(name): name for name in resource.schema.properties}
    for name, value in asked.items():
        words = (plain(name), singular(plain(name)))
        field = next((known[word] for word in words if word in known), None)
        if field is not None:
            items = [item for item in items if _says(item.get(field), value)]
    first, limit = _window(items, resource.id_field, {plain(name): value for name, value in asked.items()})
    shown = items[first:] if limit is None else items[first : first + limit]
    return Page(shown, len(items), first + len(shown) < len(items))


def beside(page: Page, id_field: str | None) -> Mapping[str, Any]:
    """Return what an envelope may tell of a page, by the names that people give it."""
    last = page.items[-1].get(id_field) if page.items and id_field else None
    following = str(last) if page.has_more and last is not None else None
    told: dict[str, Any] = dict.fromkeys(("total", "total_count", "totalCount", "total_items"), page.total)
    told |= dict.fromkeys(("count", "size"), len(page.items))
    told |= dict.fromkeys(("has_more", "hasMore", "has_next"), page.has_more)
    names = ("next", "next_cursor", "nextCursor", "next_page_token", "nextPageToken", "next_token")
    return told | dict.fromkeys(names, following)


def _says(value: Any, wanted: Any) -> bool:
    """Tell whether a field says what is asked for: one of its values, where there are several of either."""
    wanted = wanted if isinstance(wanted, list) else [wanted]
    values = value if isinstance(value, list) else [value]
    return any(_is(each, one) for each in values for one in wanted)


def _is(value: Any, wanted: Any) -> bool:
    if isinstance(value, dict):  # a tag with a name, which is what people ask for
        return any(_is(each, wanted) for each in value.values() if not isinstance(each, dict | list))
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


def _window(items: Sequence[Item], id_field: str | None, asked: Mapping[str, Any]) -> tuple[int, int | None]:
    limit = _number(asked, _LIMITS)
    offset = _number(asked, _OFFSETS) or 0
    page = _number(asked, _PAGES)
    if page is not None and limit:
        offset = max(page - 1, 0) * limit
    after = next((str(asked[name]) for name in _AFTER if name in asked), None)
    if after is not None and id_field is not None:
        places = [place for place, item in enumerate(items) if str(item.get(id_field)) == after]
        offset = places[0] + 1 if places else offset
    return offset, limit


def _number(asked: Mapping[str, Any], names: Sequence[str]) -> int | None:
    found = next((asked[name] for name in names if name in asked), None)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return max(int(found), 0)
