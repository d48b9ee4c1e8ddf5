"""Right servers that are unusual: whoever finds a fault in one of these tells a falsehood.

They are made as deviants are, and keep all that the contract says; what they do otherwise it leaves open.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from bluehour.mock_server.mock import Mock

from .altering import Answered, Asked, Forward, Handler, around, error, handling, only
from .deviant import Wrap
from .names import (
    ACCOUNT,
    CREATES,
    DELETE_PROJECT,
    DOWNLOAD,
    GET_PROJECT,
    OPERATIONS,
    UPLOAD,
    UPLOAD_URLS,
)

_WITH_IDS = (*CREATES, GET_PROJECT)
_TIME = re.compile(rb'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)Z"')
_PLUS_FIVE = timezone(timedelta(hours=5, minutes=30))


@dataclass(frozen=True, slots=True)
class Unusual:
    """A right server.

    Attributes:
        name: in kebab-case.
        wrap: makes it.
        time_scale: how long its jobs take, in shares of the vendor's own median.
        is_served: whether it shows on the network alone.
    """

    name: str
    wrap: Wrap
    time_scale: float = 0.02
    is_served: bool = False


def _after(change: Callable[[Answered], Answered], where: tuple[str, ...] = OPERATIONS) -> Wrap:
    return handling(where, lambda asked, forward: change(forward(asked)))


def _of_json(change: Callable[[Any], Any]) -> Callable[[Answered], Answered]:
    def changed(answered: Answered) -> Answered:
        return answered.with_json(change(answered.json)) if answered.body else answered

    return changed


def _renaming(name_of: Callable[[str], str]) -> Callable[[Mock], Handler]:
    """Give projects ids of another form."""

    def make(_: Mock) -> Handler:
        ids: dict[str, str] = {}

        def handler(asked: Asked, forward: Forward) -> Answered:
            beginning, _, shown = asked.path.rpartition("/")
            if beginning == "/v1/image-projects" and shown in ids:
                asked = asked.to(asked.method, f"{beginning}/{ids[shown]}")
            answered = forward(asked)
            if answered.status != 200 or asked.of not in _WITH_IDS:
                return answered
            own = answered.json["id"]
            ids[name_of(own)] = own
            return answered.with_json({**answered.json, "id": name_of(own)})

        return handler

    return make


def _numbered() -> Callable[[str], str]:
    numbers: dict[str, str] = {}
    return lambda known: numbers.setdefault(known, str(1_000_000 + 7 * len(numbers)))


def _dated(form: Callable[[datetime], str]) -> Callable[[Answered], Answered]:
    """Write times in another way that RFC 3339 has."""

    def written(match: re.Match[bytes]) -> bytes:
        return json.dumps(form(datetime.fromisoformat(f"{match[1].decode()}+00:00"))).encode()

    return lambda answered: (
        answered.with_body(_TIME.sub(written, answered.body)) if answered.body else answered
    )


def _as_text(**how: Any) -> Callable[[Answered], Answered]:
    def changed(answered: Answered) -> Answered:
        return answered.with_body(json.dumps(answered.json, **how).encode()) if answered.body else answered

    return changed


def _headed(*headers: tuple[str, str]) -> Callable[[Answered], Answered]:
    return lambda answered: replace(answered, headers=(*answered.headers, *headers))


def _lower_case(answered: Answered) -> Answered:
    return replace(answered, headers=tuple((name.lower(), value) for name, value in answered.headers))


def _with_charset(answered: Answered) -> Answered:
    return (
        answered.with_header("Content-Type", "application/json; charset=utf-8") if answered.body else answered
    )


def _zipped(asked: Asked, forward: Forward) -> Answered:
    answered = forward(asked)
    if not answered.body or asked.of not in OPERATIONS:
        return answered
    return answered.with_body(gzip.compress(answered.body)).with_header("Content-Encoding", "gzip")


def _never_queued(data: Any) -> Any:
    return {**data, "status": "rendering"} if data.get("status") == "queued" else data


def _linked(rewrite: Callable[[str], str], back: Callable[[str], str]) -> Wrap:
    """Give links another form.

    Args:
        rewrite: makes a link's query, of the mock's own.
        back: makes the mock's own of it again.
    """

    def handler(asked: Asked, forward: Forward) -> Answered:
        if asked.of in (DOWNLOAD, UPLOAD):
            return forward(asked.to(asked.method, f"{asked.path}?{back(str(asked.environ['QUERY_STRING']))}"))
        answered = forward(asked)
        if answered.status != 200 or asked.of not in (GET_PROJECT, UPLOAD_URLS):
            return answered
        text = re.sub(r"\?expires=[^\"]*", lambda match: "?" + rewrite(match[0][1:]), answered.body.decode())
        return answered.with_body(text.encode())

    return around(lambda _: handler)


def _without(name: str) -> Callable[[str], str]:
    return lambda query: "&".join(pair for pair in query.split("&") if not pair.startswith(f"{name}="))


def _busy(mock: Mock) -> Handler:
    """Refuse every fortieth request for its haste."""
    count = 0

    def handler(asked: Asked, forward: Forward) -> Answered:
        nonlocal count
        count += 1
        if count % 40 == 0:
            return error(429, "too_many_requests", "Slow down").with_header("Retry-After", "1")
        return forward(asked)

    return handler


def _without_head(asked: Asked, forward: Forward) -> Answered:
    if asked.method == "HEAD" and asked.path.startswith("/v1/image-projects/"):
        return replace(error(405, "", ""), body=b"", headers=(("Allow", "GET, DELETE"),))
    return forward(asked)


def _strict_ids(asked: Asked, forward: Forward) -> Answered:
    """Refuse what can be no id of a project before looking for one, as some frameworks do."""
    is_odd = asked.of in (GET_PROJECT, DELETE_PROJECT) and not re.fullmatch(r"[\w-]{1,64}", asked.project_id)
    answered = forward(asked)
    return error(404, "not_found", "Not Found") if is_odd and answered.status == 404 else answered


def _own_words(asked: Asked, forward: Forward) -> Answered:
    """Say what is wrong in other words, that name the fields all the same."""
    answered = forward(asked)
    if answered.status != 400 or not answered.body:
        return answered
    return answered.with_json({**answered.json, "message": f"Please check: {answered.json['message']}"})


def _more_in_errors(asked: Asked, forward: Forward) -> Answered:
    answered = forward(asked)
    if answered.status < 400 or not answered.body or asked.of not in OPERATIONS:
        return answered
    return answered.with_json({**answered.json, "request_id": "req_1", "details": [{"a": None}]})


def _elsewhere(asked: Asked, forward: Forward) -> Answered:
    """Links lead to another name of the same machine."""
    answered = forward(asked)
    if asked.of not in (GET_PROJECT, UPLOAD_URLS) or answered.status != 200:
        return answered
    return answered.with_body(answered.body.replace(b"://127.0.0.1:", b"://localhost:"))


def _remembering(mock: Mock) -> Handler:
    """Show balances as they were up to ten seconds ago: what is asked often is read from a cache."""
    shown: dict[str, tuple[float, Answered]] = {}

    def handler(asked: Asked, forward: Forward) -> Answered:
        now, known = mock.world.clock.now(), shown.get(asked.authorization)
        if known is None or now - known[0] >= 10:
            known = shown[asked.authorization] = (now, forward(asked))
        return known[1]

    return only(ACCOUNT, handler)


_S3 = re.compile(r"expires=(\d+)&signature=(\w+)")

UNUSUAL: tuple[Unusual, ...] = (
    Unusual("ids-are-uuids", around(_renaming(lambda known: str(uuid5(NAMESPACE_URL, known))))),
    Unusual("ids-have-a-prefix", around(_renaming(lambda known: f"proj_{known[1:]}"))),
    Unusual("ids-are-numbers", lambda mock: around(_renaming(_numbered()))(mock)),
    Unusual("times-have-an-offset", _after(_dated(lambda at: at.isoformat()))),
    Unusual("times-are-of-another-zone", _after(_dated(lambda at: at.astimezone(_PLUS_FIVE).isoformat()))),
    Unusual("times-have-microseconds", _after(_dated(lambda at: f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"))),
    Unusual("answers-have-more-fields", _after(_of_json(lambda data: {**data, "meta": {"node": 7}}))),
    Unusual("errors-have-more-fields", around(lambda _: _more_in_errors)),
    Unusual("errors-have-their-own-words", around(lambda _: _own_words)),
    Unusual("keys-come-in-another-order", _after(_of_json(lambda data: dict(reversed(data.items()))))),
    Unusual("json-is-indented", _after(_as_text(indent=4))),
    Unusual("json-is-ascii", _after(_as_text(ensure_ascii=True))),
    Unusual("types-have-a-charset", _after(_with_charset)),
    Unusual("header-names-are-lower-case", _after(_lower_case)),
    Unusual(
        "more-headers",
        _after(_headed(("X-Request-Id", "1"), ("Set-Cookie", "a=b; Path=/"), ("Vary", "Origin"))),
    ),
    Unusual("answers-are-zipped", around(lambda _: _zipped), is_served=True),
    Unusual("nothing-is-ever-queued", _after(_of_json(_never_queued), (GET_PROJECT,))),
    Unusual("jobs-end-at-once", handling((), lambda asked, forward: forward(asked)), time_scale=0),
    Unusual("jobs-take-twenty-seconds", handling((), lambda asked, forward: forward(asked)), time_scale=2.2),
    Unusual("links-have-a-version", _linked(lambda query: f"v=20260101&{query}", _without("v"))),
    Unusual(
        "links-have-a-file-name",
        _linked(
            lambda query: f"{query}&response-content-disposition=attachment%3Bfilename%3D{'a' * 90}.png",
            _without("response-content-disposition"),
        ),
    ),
    Unusual(
        "links-are-as-s3-writes-them",
        _linked(
            lambda query: _S3.sub(r"X-Amz-Expires=\1&X-Amz-SignedHeaders=host&X-Amz-Signature=\2", query),
            lambda query: query.replace("X-Amz-Expires", "expires")
            .replace("&X-Amz-SignedHeaders=host", "")
            .replace("X-Amz-Signature", "signature"),
        ),
    ),
    Unusual("links-lead-to-another-name", around(lambda _: _elsewhere)),
    Unusual("now-and-then-too-fast", around(_busy)),
    Unusual("balance-is-ten-seconds-old", around(_remembering)),
    Unusual("head-is-not-there", around(lambda _: _without_head)),
    Unusual("odd-ids-are-no-ids", around(lambda _: _strict_ids)),
)  # fmt: skip
