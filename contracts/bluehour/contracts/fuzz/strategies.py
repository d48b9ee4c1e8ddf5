"""Scripts to draw: a topic for everything that the contract and the network allow, so that each is met.

Chance would leave a status or a fault out for long. So a run deals its examples to the topics, in an order
that the seed chooses: each topic's simplest script first, then ones in which other things happen as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from bluehour.openapi.contract import Contract
from bluehour.openapi.model import Operation
from bluehour.openapi.resources.shapes import field_of

from ..bodies.places import Place as Field
from ..bodies.places import places
from .scene import Scene, scene_of
from .script import AS_ASKED, NAMES, RIGHT, Case, Event, Fault, Place, Script, Turn
from .stage.bodies import right
from .wanted import Wanted

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
        is_usual: whether a server of the contract sends such values, to go by its examples; what is legal and
            never sent is for the hostile profile.
    """

    name: str
    about: Script
    is_legal: bool = True
    is_usual: bool = True

    def scripts(self, others: SearchStrategy[Script]) -> SearchStrategy[Script]:
        """Return scripts about it, in which other things may happen: the simplest is nothing but it."""
        return st.one_of(st.just(self.about), st.builds(_joined, st.just(self.about), others))


def topics(
    contract: Contract,
    profile: Profile,
    wanted: Wanted | None = None,
    edits: int = 1,
    *,
    has_receiver: bool = False,
) -> list[Topic]:
    """Return the topics of a profile: those that a client of this contract can be met with.

    Args:
        contract: what answers are made of.
        profile: what scripts may have in them.
        wanted: what the client is to have done; None where the choice is the client's.
        edits: how often it does it.
        has_receiver: whether it has one, of webhooks.
    """
    scene = scene_of(contract, wanted, has_receiver=has_receiver)
    every = [*_every_topic(contract, profile, scene), *(_of_several(profile) if edits > 1 else ())]
    return [topic for topic in every if scene.can_meet(topic.about)]


def _every_topic(contract: Contract, profile: Profile, scene: Scene) -> list[Topic]:
    legal = [
        *_statuses(contract, scene),
        *_jobs(contract),
        *_files(),
        *_ways_of_writing(scene),
        *_values(scene),
        *_links_that_work(),
        *_delays(scene),
        *_events(),
    ]
    found = [topic for topic in legal if topic.is_usual]
    if profile is not Profile.LEGAL:
        found += [*_failing_servers(scene), *_failing_network(scene), *_failing_links(), *_forged_events()]
    if profile is Profile.HOSTILE:
        found += [topic for topic in legal if not topic.is_usual]
        found += [*_wrong_servers(scene)]
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


_JOB = ("queued", "rendering", "complete")


# What the contract has.


def _statuses(contract: Contract, scene: Scene) -> Iterator[Topic]:
    """Every status with every code, of each operation; the server's own too, where a wait is asked for."""
    for place, operation in scene.operations.items():
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


def _files() -> Iterator[Topic]:
    yield Topic("complete without files", Script(pictures=0))
    yield Topic("two files", Script(pictures=2))
    yield Topic("four files", Script(pictures=4, job=_JOB))
    yield Topic("two files of one name", Script(pictures=2, same_name=True))
    yield Topic("less is made than was asked for", Script(shorter=True, job=_JOB))
    yield Topic("deleted by somebody", Script(deleted=True))


_TYPES = ("application/json; charset=utf-8", "application/json;charset=UTF-8")


def _ways_of_writing(scene: Scene) -> Iterator[Topic]:
    """Ways of writing an answer that mean the same, in all answers at once; shrinking finds the one."""
    everywhere, asked = scene.places, [*scene.operations]
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
    capitals = _everywhere("Content-Type in capitals", asked, Turn(content_type="Application/JSON"))
    yield replace(capitals, is_usual=False)
    unknown = {"X-Request-Id": "7f3a", "Set-Cookie": "a=1; Path=/", "Vary": "Accept-Encoding"}
    yield _everywhere("headers that nobody knows", everywhere, Turn(headers=unknown))


def _everywhere(name: str, where: Sequence[Place], turn: Turn) -> Topic:
    answers = {place: (turn,) * (len(_JOB) if place is Place.POLL else 1) for place in where}
    return Topic(name, Script(answers, job=_JOB))


_SAID = {"note": "Zoë 東京 мир 👩🏽‍🚀"}

_CONTROL = "with control characters"
_TEXTS = {
    "empty": "",
    "long": "long " * 800,
    "in many scripts": "Zoë 東京 мир שלום مرحبا ไทย 👩🏽‍🚀",
    "with quotes and lines": "\"'\\ \n\r\t</b> %s {0} ${x} \u2028",
    _CONTROL: "a\u0001\u001b[31m\u007f\u0085",
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
_LARGE = 2**31
"""What counts pictures and frames never comes to, and many languages have no number for."""
_NUMBERS = (0, 2, _LARGE, 2**53 + 1, 10**20)
_TIMES = (
    "2024-10-19T05:16:19Z",
    "2024-10-19T05:16:19.123456789Z",
    "2024-10-19T07:16:19+02:00",
    "2024-10-19T05:16:19.5-00:00",
)


def _values(scene: Scene) -> Iterator[Topic]:
    """Every value that the schemas of the right answers allow, at the edges of each."""
    for place, operation in scene.operations.items():
        media = operation.success[1].json
        fields = list(places(media.schema, right(operation))) if media else []
        yield from _nulls(place, fields)
        yield from _unknown(place, fields)
        yield from _free_texts(place, fields)
        yield from _free_numbers(place, fields)
        yield from _free_times(place, operation, fields)
    if Place.DOWNLOAD not in scene.places:
        return
    yield from _ids(scene.operations[Place.CREATE])
    if Place.UPLOAD_URLS in scene.operations:
        yield from _file_paths(scene.operations[Place.UPLOAD_URLS])
    message = {"message": _TEXTS["in many scripts"], "details": [{"field": "style"}]}
    yield Topic("an error that says more", _at(Place.CREATE, Turn(status=422, fields=message)))
    yield Topic("an error that says nothing", _at(Place.CREATE, Turn(status=422, fields={"message": ""})))


def _ids(create: Operation) -> Iterator[Topic]:
    for says, text in _IDS.items():
        yield _given(f"an id with {says}", Place.CREATE, create, "id", text)


def _file_paths(upload_urls: Operation) -> Iterator[Topic]:
    for says in ("a space", "a percent sign", "an umlaut"):
        path = f"api-assets/{_IDS[says]}/image.png"
        yield _given(f"a file_path with {says}", Place.UPLOAD_URLS, upload_urls, "items.0.file_path", path)


def _given(name: str, place: Place, operation: Operation, path: str, text: str) -> Topic:
    """A text in a field that the client has to send back."""
    media = operation.success[1].json
    fields = [each for each in places(media.schema, right(operation)) if _path(each) == path] if media else []
    is_legal = all(field.schema.accepts(text) for field in fields)
    sent = [value for field in fields for value in _sent_in(field, operation)]
    script = _at(place, Turn(fields={path: text}))
    return Topic(name, script, is_legal, is_usual=is_legal and _is_as(sent, text))


def _sent_in(field: Field, operation: Operation) -> list[Any]:
    """What a contract's examples have in a field of an answer."""
    value: Any = right(operation)
    for step in field.path:
        value = value[step]
    return [value, *field.node.get("examples", ())]


def _is_as(sent: Sequence[Any], text: str) -> bool:
    """Whether a text has but letters, digits, and such other characters as those that are sent have."""
    known = {each for value in sent for each in str(value)}
    return all(each in known or (each.isascii() and each.isalnum()) for each in text)


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
            script = _always(place, {_path(field): text for field in free})
            yield Topic(f"{place} texts {says}", script, is_usual=says != _CONTROL)


def _free_numbers(place: Place, fields: Sequence[Field]) -> Iterator[Topic]:
    # Costs are left alone: what is told of them has to be what was charged.
    free = [
        field for field in fields if "integer" in field.types and not str(field.path[-1]).endswith(_COSTS)
    ]
    for number in _NUMBERS:
        fitting = {_path(field): number for field in free if field.schema.accepts(number)}
        if fitting:
            is_usual = number < _LARGE
            yield Topic(f"{place} numbers {number}", _always(place, fitting), is_usual=is_usual)


_COSTS = ("cost", "charged")


def _free_times(place: Place, operation: Operation, fields: Sequence[Field]) -> Iterator[Topic]:
    free = [
        field
        for field in fields
        if field.node.get("format") == "date-time" and field.path[-1] == "created_at"
    ]
    for moment in _TIMES:
        fitting = {_path(field): moment for field in free if field.schema.accepts(moment)}
        if fitting:
            sent = [value for field in free for value in _sent_in(field, operation)]
            is_usual = _is_as(sent, moment)
            yield Topic(f"{place} times {moment}", _always(place, fitting), is_usual=is_usual)


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


def _delays(scene: Scene) -> Iterator[Topic]:
    yield _everywhere("slow", scene.places, Turn(delay=0.03))


def _events() -> Iterator[Topic]:
    """Events to a client's receiver: an API may send each at any time once it is true, and again."""
    started, ended = Turn(events=(Event.STARTED,)), Turn(events=(Event.ENDED,))
    twice, backwards = Turn(events=(Event.ENDED,) * 2), Turn(events=(Event.ENDED, Event.STARTED))
    yield Topic("events in order", Script({Place.POLL: (started, ended)}, job=_JOB))
    yield Topic("an event before the create's answer", Script({Place.CREATE: (ended,)}, job=_JOB))
    yield Topic("an event that comes twice", Script({Place.POLL: (RIGHT, twice)}, job=_JOB))
    yield Topic("events out of order", Script({Place.POLL: (RIGHT, backwards)}, job=_JOB))
    late = {Place.POLL: (RIGHT, ended), Place.DOWNLOAD: (ended,)}
    yield Topic("an event that comes again late", Script(late, job=_JOB))
    yield Topic("an event once the end is known", Script({Place.DOWNLOAD: (ended,)}, job=_JOB))
    failed = ("rendering", "error")
    yield Topic("the event of a job that fails", Script({Place.POLL: (ended,)}, job=failed))


# What servers and networks do.


def _failing_servers(scene: Scene) -> Iterator[Topic]:
    for place in scene.operations:
        yield _fault(place, Turn(status=502, page=True))
        yield _fault(place, Turn(status=503))
        yield _fault(place, Turn(status=503, page=True, retry_after="5"))
        yield _fault(place, Turn(status=503, retry_after="date+5"))
        yield Topic(f"{place} 503 for ever", _at(place, *[Turn(status=503)] * 15), is_legal=False)
    yield _fault(Place.POLL, RIGHT, Turn(status=502, page=True), job=_JOB)
    yield _fault(Place.CREATE, Turn(status=500, page=True))
    yield from _given_up_by_the_gateway()
    yield from _rate_limits()
    yield from _unknown_words()
    yield Topic("a job that never ends", Script(job=("rendering",)), is_legal=False)


def _given_up_by_the_gateway() -> Iterator[Topic]:
    """What lies before the API waits no longer for it, and the API goes on and books."""
    for status in (504, 524):
        turn = Turn(status=status, page=True, booked=True)
        yield Topic(f"create {status} of a gateway, and booked", _at(Place.CREATE, turn), is_legal=False)


def _rate_limits() -> Iterator[Topic]:
    """Those that a client meets once it has asked for a while, and one that can't be read."""
    limited = (RIGHT, Turn(status=429, retry_after="7"), Turn(status=429))
    yield Topic("a rate limit between polls", Script({Place.POLL: limited}, job=_JOB), is_legal=False)
    yield _fault(Place.CREATE, Turn(status=429, retry_after="soon"))


def _unknown_words() -> Iterator[Topic]:
    """Words that the API has got since the contract was written, where a list of words is closed."""
    unknown = Script(job=("queued", "paused", "complete"))
    yield Topic("a job that has an unknown status", unknown, is_legal=False)
    turn = Turn(status=422, code="a_new_code")
    yield Topic("create 422 a_new_code", _at(Place.CREATE, turn), is_legal=False)


def _forged_events() -> Iterator[Topic]:
    """Whoever knows where a receiver is can send it something: here that a job is complete that is not."""
    for job in (("rendering", "rendering", "complete"), ("rendering", "error")):
        for event in (Event.FORGED, Event.UNSIGNED):
            script = Script({Place.POLL: (Turn(events=(event,)),)}, job=job)
            yield Topic(f"an event that is {event}, job {_short(job)}", script, is_legal=False)


_OF_MESSAGES = (
    Fault.RESET,
    Fault.RESET_AFTER,
    Fault.CUT,
    Fault.EMPTY,
    Fault.NO_TYPE,
    Fault.WRONG_TYPE,
    Fault.BROKEN_JSON,
)


def _failing_network(scene: Scene) -> Iterator[Topic]:
    for place in scene.operations:
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
    for gone in ("start", *scene.operations):
        yield Topic(f"nobody there after {gone}", Script(gone=str(gone), job=_JOB), is_legal=False)


def _failing_links() -> Iterator[Topic]:
    for place in (Place.UPLOAD, Place.DOWNLOAD):
        for status in (500, 503):
            yield _fault(place, Turn(status=status, page=True))
        for fault in (Fault.RESET, Fault.SILENCE, Fault.REFUSED, Fault.REDIRECT):
            yield _fault(place, Turn(fault=fault))
    yield _fault(Place.UPLOAD, Turn(fault=Fault.RESET_AFTER))
    yield _fault(Place.DOWNLOAD, Turn(status=403, fault=Fault.EXPIRED, page=True))
    yield Topic("upload links signed for a Content-Type", Script(typed=True), is_legal=False)
    for fault in (Fault.CUT, Fault.EMPTY, Fault.WRONG_TYPE, Fault.NO_TYPE):
        yield _fault(Place.DOWNLOAD, Turn(fault=fault))
    # Not one that the connection's end would have to tell: nobody could see it.
    yield _fault(Place.DOWNLOAD, Turn(fault=Fault.CUT, framing="chunked"))
    yield _fault(Place.DOWNLOAD, *[Turn(fault=Fault.CUT)] * 15)
    yield _fault(Place.DOWNLOAD, RIGHT, Turn(fault=Fault.CUT), pictures=2)


def _fault(
    place: Place, *turns: Turn, job: tuple[str, ...] = ("complete",), pictures: int = AS_ASKED
) -> Topic:
    turn = turns[-1]
    says = [f"{turn.status}" * bool(turn.status), "page" * turn.page, str(turn.fault or "")]
    says += [
        f"Retry-After {turn.retry_after}" * bool(turn.retry_after),
        turn.framing * (turn.framing != "length"),
    ]
    times = f" x {len(turns)}" if len(turns) > 2 else " at the second" if len(turns) == 2 else ""
    name = f"{place} {' '.join(filter(None, says))}{times}"
    return Topic(name, Script({place: turns}, job=job, pictures=pictures), is_legal=False)


# What happens to one of several jobs, where a client makes several.


def _of_several(profile: Profile) -> Iterator[Topic]:
    """The second one meets something; that its job is over before the first one's, jobs have in any case."""
    for turn in (Turn(status=429, retry_after="7"), Turn(status=429), Turn(status=402)):
        wait = f" Retry-After {turn.retry_after}" * bool(turn.retry_after)
        yield Topic(f"the second create {turn.status}{wait}", _at(Place.CREATE, RIGHT, turn))
    yield Topic("the second upload link expired", _at(Place.UPLOAD, RIGHT, Turn(fault=Fault.EXPIRED)))
    if profile is not Profile.LEGAL:
        gateway = Turn(status=504, page=True, booked=True)
        for turn in (gateway, Turn(fault=Fault.RESET_AFTER), Turn(fault=Fault.EMPTY)):
            yield _fault(Place.CREATE, RIGHT, turn)
        for turn in (Turn(status=503), Turn(fault=Fault.RESET)):
            yield _fault(Place.POLL, RIGHT, turn)


# What no server should do.


def _wrong_servers(scene: Scene) -> Iterator[Topic]:
    for status in (500, 502):
        turn = Turn(status=status, page=True, booked=True)
        yield Topic(f"create {status}, and booked", _at(Place.CREATE, turn), is_legal=False)
    back = Script(job=("rendering", "queued", "rendering", "complete"))
    yield Topic("a job that goes back", back, is_legal=False)
    for place, operation in scene.operations.items():
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
