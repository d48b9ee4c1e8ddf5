"""Scripts to draw: a topic for everything that the contract and the network allow, so that each is met.

Chance would leave a status or a fault out for long. So a run deals its examples to the topics, in an order
that the seed chooses: each topic's simplest script first, then ones in which other things happen as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from bluehour.openapi.contract import Contract
from bluehour.openapi.model import Operation
from bluehour.openapi.resources import Lifecycle
from bluehour.openapi.resources.shapes import field_of

from ..bodies.places import Place as Field
from ..bodies.places import places
from .script import NAMES, RIGHT, Case, Fault, Place, Script, Turn
from .stage.bodies import places_in, right
from .stage.resources import has_word

Answers = Mapping[Place, tuple[Turn, ...]]


class Profile(StrEnum):
    """What scripts may have in them; each has what is in those before it."""

    LEGAL = "legal"
    REALISTIC = "realistic"
    HOSTILE = "hostile"


@dataclass(frozen=True)
class Topic:
    """Something that a client has to be met with.

    Attributes:
        name: in words.
        about: the simplest script that has it.
        is_legal: whether the contract allows all of it.
    """

    name: str
    about: Script
    is_legal: bool = True

    def scripts(self, others: SearchStrategy[Script]) -> SearchStrategy[Script]:
        """Return scripts about it, in which other things may happen: the simplest is nothing but it."""
        return st.one_of(st.just(self.about), st.builds(_joined, st.just(self.about), others))


def topics(contract: Contract, profile: Profile) -> list[Topic]:
    """Return the topics of a profile: those that a client of this contract can be met with."""
    every = _every_topic(contract, profile)
    if any(operation.behaviour for operation in contract.operations):
        return every
    places_there = set(places_in(contract).values())
    lifecycles = [each.resource.lifecycle for each in contract.actions.values() if each.resource.lifecycle]
    return [topic for topic in every if _can_be_met(topic.about, places_there, lifecycles)]


def _can_be_met(script: Script, there: Collection[Place], lifecycles: Sequence[Lifecycle]) -> bool:
    usual = Script()
    is_of_pictures = (script.pictures, script.same_name, script.deleted, script.job_error) != (
        usual.pictures,
        usual.same_name,
        usual.deleted,
        usual.job_error,
    )
    gone = script.gone in ("", "start", *there)
    is_there = all(place in there for place, turns in script.answers.items() if turns)
    has_job = script.job == usual.job or any(
        all(has_word(lifecycle, state) for state in script.job) for lifecycle in lifecycles
    )
    return gone and is_there and has_job and not is_of_pictures


def _every_topic(contract: Contract, profile: Profile) -> list[Topic]:
    asked = _asked_in(contract)
    found = [
        *_statuses(contract),
        *_jobs(contract),
        *_pictures(),
        *_ways_of_writing(asked),
        *_values(contract),
    ]
    found += [*_links_that_work(), *_delays(asked)]
    if profile is not Profile.LEGAL:
        found += [*_failing_servers(asked), *_failing_network(asked), *_failing_links()]
    if profile is Profile.HOSTILE:
        found += [*_wrong_servers(contract)]
    return found


def others(chosen: Sequence[Topic]) -> SearchStrategy[Script]:
    """Return what else may happen: one or two of the topics, and how the job goes."""
    # By numbers: hypothesis would write all topics out in every strategy's name.
    numbers = st.lists(st.integers(0, len(chosen) - 1), min_size=1, max_size=2, unique=True)
    return numbers.map(lambda drawn: reduce(_joined, (chosen[number].about for number in drawn)))


def _joined(script: Script, other: Script) -> Script:
    """What is in both; where both say something of one answer, the first one's comes first."""
    usual = Script()
    answers = {
        place: (*script.answers.get(place, ()), *other.answers.get(place, ()))
        for place in Place
        if script.answers.get(place) or other.answers.get(place)
    }
    taken = {name: getattr(other, name) for name in NAMES if getattr(script, name) == getattr(usual, name)}
    return replace(script, answers=answers, **taken)


def _at(place: Place, *turns: Turn) -> Script:
    return Script({place: turns})


_OF_API = (Place.UPLOAD_URLS, Place.CREATE, Place.POLL)
_JOB = ("queued", "rendering", "complete")


# What the contract has.


def _statuses(contract: Contract) -> Iterator[Topic]:
    """Every status with every code, of each operation; the server's own too, where a wait is asked for."""
    for operation, place in _operations(contract):
        for status in sorted({*operation.responses, "429"}):
            if status.isdecimal() and int(status) >= 400:
                yield from _codes(contract, operation, place, int(status))
        for wait in ("7", "date+9", "3600"):
            yield Topic(f"{place} 429, Retry-After {wait}", _at(place, Turn(status=429, retry_after=wait)))
        yield Topic(f"{place} 429 for ever", _at(place, *[Turn(status=429)] * 15))
    cases: tuple[Case, ...] = ("lower", "upper")
    for case in cases:
        turn = Turn(status=429, retry_after="7", case=case)
        yield Topic(f"create 429, Retry-After 7 in {case} case", _at(Place.CREATE, turn))


def _codes(contract: Contract, operation: Operation, place: Place, status: int) -> Iterator[Topic]:
    response = contract.declared(operation, status)
    media = response.json if response else None
    codes = field_of(media.schema, "code").resolved.get("enum", ("",)) if media else ("",)
    for code in [each for each in codes if isinstance(each, str)] or [""]:
        yield Topic(f"{place} {status} {code}".strip(), _at(place, Turn(status=status, code=code)))


def _operations(contract: Contract) -> Iterator[tuple[Operation, Place]]:
    """One operation for each place of the API; of the editors the first, as their answers are the same."""
    seen, asked = set(), _asked_in(contract)
    for operation in contract.operations:
        place = places_in(contract).get(operation.id)
        if place in asked and place not in seen:
            seen.add(place)
            yield operation, place


def _jobs(contract: Contract) -> Iterator[Topic]:
    orders = (
        ("queued", "complete"),
        _JOB,
        ("draft", *_JOB),
        ("queued", "queued", "rendering", "rendering", "rendering", "complete"),
        ("queued",) * 20 + ("rendering", "complete"),
        ("canceled",),
        ("queued", "rendering", "canceled"),
        ("error",),
        ("queued", "error"),
    )
    for job in orders:
        yield Topic(f"job {_short(job)}", Script(job=job))
    for code in [*contract.extension("x-job-errors", {}), "a_new_code"]:
        yield Topic(f"job error {code}", Script(job=("rendering", "error"), job_error=code))


def _short(job: Sequence[str]) -> str:
    """`queued x 20, complete`."""
    runs: list[list[Any]] = []
    for state in job:
        if runs and runs[-1][0] == state:
            runs[-1][1] += 1
        else:
            runs.append([state, 1])
    return ", ".join(state if times == 1 else f"{state} x {times}" for state, times in runs)


def _pictures() -> Iterator[Topic]:
    yield Topic("complete without pictures", Script(pictures=0))
    yield Topic("two pictures", Script(pictures=2))
    yield Topic("four pictures", Script(pictures=4, job=_JOB))
    yield Topic("two pictures of one name", Script(pictures=2, same_name=True))
    yield Topic("deleted by somebody", Script(deleted=True))


_TYPES = ("application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON")


def _asked_in(contract: Contract) -> tuple[Place, ...]:
    """The places of the API that a client comes to."""
    if any(operation.behaviour for operation in contract.operations):
        return _OF_API
    there = set(places_in(contract).values())
    return tuple(place for place in (Place.CREATE, Place.POLL, Place.CALL) if place in there)


def come_to(contract: Contract) -> tuple[Place, ...]:
    """Return the places that a client comes to, signed links included."""
    asked = _asked_in(contract)
    in_order = {*asked, *_linked(asked)}
    return tuple(place for place in Place if place in in_order)


def _linked(asked: Sequence[Place]) -> tuple[Place, ...]:
    """The places of signed links, where there are any."""
    return (Place.UPLOAD, Place.DOWNLOAD) if Place.UPLOAD_URLS in asked else ()


def _ways_of_writing(asked: Sequence[Place]) -> Iterator[Topic]:
    """Ways of writing an answer that mean the same, in all answers at once; shrinking finds the one."""
    everywhere = (*asked, *_linked(asked))
    yield _everywhere("chunked", everywhere, Turn(framing="chunked"))
    yield _everywhere("ended by the connection", everywhere, Turn(framing="close"))
    yield _everywhere("names of headers in lower case", everywhere, Turn(case="lower"))
    yield _everywhere("names of headers in upper case", everywhere, Turn(case="upper"))
    yield _everywhere("names of headers in mixed case", everywhere, Turn(case="mixed"))
    yield _everywhere("escapes", asked, Turn(writing="ascii", fields=_SAID))
    yield _everywhere("UTF-8", asked, Turn(fields=_SAID))
    yield _everywhere("spaces and lines", asked, Turn(writing="spaced"))
    for content_type in _TYPES:
        yield _everywhere(f"Content-Type {content_type}", asked, Turn(content_type=content_type))
    unknown = {"X-Request-Id": "7f3a", "Set-Cookie": "a=1; Path=/", "Vary": "Accept-Encoding"}
    yield _everywhere("headers that nobody knows", everywhere, Turn(headers=unknown))


def _everywhere(name: str, where: Sequence[Place], turn: Turn) -> Topic:
    answers = {place: (turn,) * (len(_JOB) if place is Place.POLL else 1) for place in where}
    return Topic(name, Script(answers, job=_JOB))


_SAID = {"note": "Zoë 東京 мир 👩🏽‍🚀"}

_TEXTS = {
    "empty": "",
    "long": "long " * 800,
    "in many scripts": "Zoë 東京 мир שלום مرحبا ไทย 👩🏽‍🚀",
    "with quotes and lines": "\"'\\ \n\r\t</b> %s {0} ${x} \u2028",
    "with control characters": "a\u0001\u001b[31m\u007f\u0085",
    "that looks like a number": "0007",
}
_IDS = {
    "a space": "a b",
    "a slash": "a/b",
    "a question mark": "a?b=c",
    "a hash": "a#b",
    "a percent sign": "100%41",
    "a control character": "a\u0001b",
    "an umlaut": "zoë",
    "a hundred characters": "x" * 100,
    "digits alone": "1234567890123456789",
}
_NUMBERS = (0, 2, 2**31, 2**53 + 1, 10**20)
_TIMES = (
    "2024-10-19T05:16:19Z",
    "2024-10-19T05:16:19.123456789Z",
    "2024-10-19T07:16:19+02:00",
    "2024-10-19T05:16:19.5-00:00",
)


def _values(contract: Contract) -> Iterator[Topic]:
    """Every value that the schemas of the right answers allow, at the edges of each."""
    for operation, place in _operations(contract):
        media = operation.success[1].json
        fields = list(places(media.schema, right(operation))) if media else []
        yield from _nulls(place, fields)
        yield from _unknown(place, fields)
        yield from _free_texts(place, fields)
        yield from _free_numbers(place, fields)
        yield from _free_times(place, fields)
    if _asked_in(contract) != _OF_API:
        return
    for says, text in _IDS.items():
        yield Topic(f"an id with {says}", _at(Place.CREATE, Turn(fields={"id": text})))
    for says in ("a space", "a percent sign", "an umlaut"):
        path = f"api-assets/{_IDS[says]}/image.png"
        turn = Turn(fields={"items.0.file_path": path})
        yield Topic(f"a file_path with {says}", _at(Place.UPLOAD_URLS, turn))
    message = {"message": _TEXTS["in many scripts"], "details": [{"field": "style"}]}
    yield Topic("an error that says more", _at(Place.CREATE, Turn(status=422, fields=message)))
    yield Topic("an error that says nothing", _at(Place.CREATE, Turn(status=422, fields={"message": ""})))


def _nulls(place: Place, fields: Sequence[Field]) -> Iterator[Topic]:
    for field in fields:
        if "null" in field.types and "object" not in field.types:  # an error's object is the job's matter
            yield Topic(f"{place} {field.name} null", _always(place, {_path(field): None}))


def _unknown(place: Place, fields: Sequence[Field]) -> Iterator[Topic]:
    paths = [_path(field) for field in fields if "object" in field.types and field.present]
    added = {".".join(filter(None, (path, "new_field"))): {"a": [1, None]} for path in paths}
    if added:
        yield Topic(f"{place} fields that nobody knows", _always(place, added))


_GIVEN = {"id", "status", "url", "upload_url", "file_path"}
"""Fields whose values the stage gives; ids have topics of their own."""


def _is_given(name: str) -> bool:
    return name in _GIVEN or name.endswith(("_id", "Id", "_url", "Url"))


def _free_texts(place: Place, fields: Sequence[Field]) -> Iterator[Topic]:
    free = [
        field
        for field in fields
        if "string" in field.types
        and not _is_given(str(field.path[-1]))
        and not {"enum", "format", "pattern"} & field.node.keys()
    ]
    for says, text in _TEXTS.items():
        if free:
            yield Topic(f"{place} texts {says}", _always(place, {_path(field): text for field in free}))


def _free_numbers(place: Place, fields: Sequence[Field]) -> Iterator[Topic]:
    # Costs are left alone: what is told of them has to be what was charged.
    free = [
        field for field in fields if "integer" in field.types and not str(field.path[-1]).endswith(_COSTS)
    ]
    for number in _NUMBERS:
        fitting = {_path(field): number for field in free if field.schema.accepts(number)}
        if fitting:
            yield Topic(f"{place} numbers {number}", _always(place, fitting))


_COSTS = ("cost", "charged")


def _free_times(place: Place, fields: Sequence[Field]) -> Iterator[Topic]:
    free = [
        field
        for field in fields
        if field.node.get("format") == "date-time" and field.path[-1] == "created_at"
    ]
    for moment in _TIMES:
        fitting = {_path(field): moment for field in free if field.schema.accepts(moment)}
        if fitting:
            yield Topic(f"{place} times {moment}", _always(place, fitting))


def _always(place: Place, fields: Mapping[str, Any]) -> Script:
    """The same in the first answers of a place, until its job is over."""
    turns = len(_JOB) if place is Place.POLL else 1
    return Script({place: (Turn(fields=fields),) * turns}, job=_JOB)


def _path(field: Field) -> str:
    return ".".join(str(step) for step in field.path)


def _links_that_work() -> Iterator[Topic]:
    for status in (201, 204):
        yield Topic(f"upload {status}", _at(Place.UPLOAD, Turn(status=status)))
    for status in (403, 404):
        turn = Turn(status=status, fault=Fault.EXPIRED)
        yield Topic(f"upload link expired, {status}", _at(Place.UPLOAD, turn))
        yield Topic(f"download link expired, {status}", _at(Place.DOWNLOAD, turn))
    expired = Turn(fault=Fault.EXPIRED)
    yield Topic("download link expired twice", _at(Place.DOWNLOAD, expired, expired))
    yield Topic(
        "one of two download links expired",
        Script({Place.DOWNLOAD: (RIGHT, expired)}, pictures=2),
    )


def _delays(asked: Sequence[Place]) -> Iterator[Topic]:
    everywhere = (*asked, *_linked(asked))
    yield _everywhere("slow", everywhere, Turn(delay=0.03))


# What servers and networks do.


def _failing_servers(asked: Sequence[Place]) -> Iterator[Topic]:
    for place in asked:
        yield _fault(place, Turn(status=502, page=True))
        yield _fault(place, Turn(status=503))
        yield _fault(place, Turn(status=503, page=True, retry_after="5"))
        yield _fault(place, Turn(status=503, retry_after="date+5"))
        yield Topic(f"{place} 503 for ever", _at(place, *[Turn(status=503)] * 15), is_legal=False)
    yield _fault(Place.POLL, RIGHT, Turn(status=502, page=True), job=_JOB)
    yield _fault(Place.CREATE, Turn(status=500, page=True))
    yield _fault(Place.CREATE, Turn(status=429, retry_after="soon"))
    yield Topic("a job that never ends", Script(job=("rendering",)), is_legal=False)


_OF_MESSAGES = (
    Fault.RESET,
    Fault.RESET_AFTER,
    Fault.CUT,
    Fault.EMPTY,
    Fault.NO_TYPE,
    Fault.WRONG_TYPE,
    Fault.BROKEN_JSON,
)


def _failing_network(asked: Sequence[Place]) -> Iterator[Topic]:
    for place in asked:
        for fault in _OF_MESSAGES:
            yield _fault(place, Turn(fault=fault))
        yield _fault(place, Turn(fault=Fault.CUT, framing="chunked"))
        yield _fault(place, Turn(fault=Fault.REDIRECT, status=307))
    for status in (302, 308):
        yield _fault(Place.CREATE, Turn(fault=Fault.REDIRECT, status=status))
    for fault in (Fault.SILENCE, Fault.SILENCE_AFTER):
        yield _fault(Place.CREATE, Turn(fault=fault))
    yield _fault(Place.POLL, Turn(fault=Fault.SILENCE))
    yield _fault(Place.POLL, RIGHT, Turn(fault=Fault.RESET), job=_JOB)
    for gone in ("start", *asked):
        yield Topic(f"nobody there after {gone}", Script(gone=str(gone), job=_JOB), is_legal=False)


def _failing_links() -> Iterator[Topic]:
    for place in (Place.UPLOAD, Place.DOWNLOAD):
        for status in (500, 503):
            yield _fault(place, Turn(status=status, page=True))
        for fault in (Fault.RESET, Fault.SILENCE, Fault.REFUSED, Fault.REDIRECT):
            yield _fault(place, Turn(fault=fault))
    yield _fault(Place.UPLOAD, Turn(fault=Fault.RESET_AFTER))
    for fault in (Fault.CUT, Fault.EMPTY, Fault.WRONG_TYPE, Fault.NO_TYPE):
        yield _fault(Place.DOWNLOAD, Turn(fault=fault))
    # Not one that the connection's end would have to tell: nobody could see it.
    yield _fault(Place.DOWNLOAD, Turn(fault=Fault.CUT, framing="chunked"))
    yield _fault(Place.DOWNLOAD, *[Turn(fault=Fault.CUT)] * 15)
    yield _fault(Place.DOWNLOAD, RIGHT, Turn(fault=Fault.CUT), pictures=2)


def _fault(place: Place, *turns: Turn, job: tuple[str, ...] = ("complete",), pictures: int = 1) -> Topic:
    turn = turns[-1]
    says = [f"{turn.status}" * bool(turn.status), "page" * turn.page, str(turn.fault or "")]
    says += [
        f"Retry-After {turn.retry_after}" * bool(turn.retry_after),
        turn.framing * (turn.framing != "length"),
    ]
    times = f" x {len(turns)}" if len(turns) > 2 else " at the second" if len(turns) == 2 else ""
    name = f"{place} {' '.join(filter(None, says))}{times}"
    return Topic(name, Script({place: turns}, job=job, pictures=pictures), is_legal=False)


# What no server should do.


def _wrong_servers(contract: Contract) -> Iterator[Topic]:
    for status in (500, 502):
        turn = Turn(status=status, page=True, booked=True)
        yield Topic(f"create {status}, and booked", _at(Place.CREATE, turn), is_legal=False)
    jobs = {
        "goes back": ("rendering", "queued", "rendering", "complete"),
        "has an unknown status": ("queued", "paused", "complete"),
    }
    for says, job in jobs.items():
        yield Topic(f"a job that {says}", Script(job=job), is_legal=False)
    for operation, place in _operations(contract):
        for field in _required(operation):
            turn = Turn(without=(_path(field),))
            yield Topic(f"{place} without {field.name}", _at(place, turn), is_legal=False)
        values: tuple[Any, ...] = (None, {}, "text")
        for value in values:
            wrong = {_path(field): value for field in _required(operation)[:1]}
            yield Topic(f"{place} of another type: {value!r}", _at(place, Turn(fields=wrong)), is_legal=False)
    for status in (418, 520):
        yield Topic(f"create {status}", _at(Place.CREATE, Turn(status=status, page=True)), is_legal=False)


def _required(operation: Operation) -> list[Field]:
    media = operation.success[1].json
    fields = places(media.schema, right(operation)) if media else ()
    return [field for field in fields if field.path and field.required and len(field.path) == 1]
