"""A script: what a client is answered, as data. It is drawn before it is played, and kept as JSON.

Whatever a script does not say goes right: a script with nothing in it is a server on its best day.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from enum import StrEnum
from functools import cached_property
from itertools import groupby
from typing import Any, Literal, get_args

from bluehour.openapi.errors import BluehourError
from bluehour.openapi.outputs import MOST_FILES
from bluehour.openapi.wording import counted, printable

from ..statuses import OVER

FORMAT = "bluehour fuzz script 1"

AS_ASKED = -1
"""In place of a number: as many as a create asks for."""

LONGEST_DELAY = 60.0


class Place(StrEnum):
    """What a client asks for."""

    UPLOAD_URLS = "upload-urls"
    UPLOAD = "upload"
    CREATE = "create"
    POLL = "poll"
    DELETE = "delete"
    CALL = "call"
    DOWNLOAD = "download"

    @property
    def is_of_api(self) -> bool:
        """Whether the API answers it; an upload or a download is for the hosts of signed links."""
        return self not in (Place.UPLOAD, Place.DOWNLOAD)


class Fault(StrEnum):
    """How an answer goes wrong beyond its status. `-after`: what was asked for has been done by then."""

    RESET = "reset"
    RESET_AFTER = "reset-after"
    SILENCE = "silence"
    SILENCE_AFTER = "silence-after"
    CUT = "cut"
    EMPTY = "empty"
    NO_TYPE = "no-content-type"
    WRONG_TYPE = "wrong-content-type"
    BROKEN_JSON = "broken-json"
    REDIRECT = "redirect"
    REFUSED = "refused"
    EXPIRED = "expired"

    @property
    def does_nothing(self) -> bool:
        """Whether what was asked for is not done."""
        return self in (Fault.RESET, Fault.SILENCE, Fault.REDIRECT, Fault.REFUSED, Fault.EXPIRED)


IN_WORDS: Mapping[Fault, str] = {
    Fault.RESET: "the connection is reset, and nothing was done",
    Fault.RESET_AFTER: "it is done, and the connection is reset in place of an answer",
    Fault.SILENCE: "no answer, and nothing was done",
    Fault.SILENCE_AFTER: "it is done, and no answer comes",
    Fault.CUT: "the body is cut off in its middle",
    Fault.EMPTY: "the body is empty",
    Fault.NO_TYPE: "without Content-Type",
    Fault.WRONG_TYPE: "with Content-Type text/html",
    Fault.BROKEN_JSON: "the JSON ends in its middle, the message does not",
    Fault.REDIRECT: "redirected to another host",
    Fault.REFUSED: "the link's host refuses connections",
    Fault.EXPIRED: "the link has expired",
}


class Event(StrEnum):
    """What is sent to a client's receiver; the last two by somebody who does not have the secret."""

    STARTED = "started"
    ENDED = "ended"
    FORGED = "forged"
    UNSIGNED = "unsigned"

    @property
    def is_genuine(self) -> bool:
        """Whether it is signed as the API signs its events."""
        return self in (Event.STARTED, Event.ENDED)


EVENTS_IN_WORDS: Mapping[Event, str] = {
    Event.STARTED: "the event of its start",
    Event.ENDED: "the event of its end",
    Event.FORGED: "an event with a wrong signature",
    Event.UNSIGNED: "an event without a signature",
}

MOST_EVENTS = 10
"""Before one answer."""

Framing = Literal["length", "chunked", "close"]
Case = Literal["usual", "lower", "upper", "mixed"]
Writing = Literal["usual", "ascii", "spaced"]


@dataclass(frozen=True)
class Turn:
    """One answer. By itself it is the right one.

    Attributes:
        status: 0 for the one with which the operation succeeds.
        code: of the error's envelope; nothing for the first that the contract has for the status.
        page: whether a proxy's HTML page is in place of JSON.
        retry_after: the header: seconds, any text, or `date+7` for the HTTP date in seven seconds.
        fault: how it goes wrong.
        booked: whether an error's request was carried out all the same, as where a gateway gives up.
        delay: seconds before it.
        events: what the client's receiver is sent before it, of the project that it is about.
        fields: values in the body in place of the usual ones, by their paths, such as `downloads.0.note`.
        without: paths of fields that are left out; only a bad server does that.
        framing: how the body's end is told.
        case: how names of headers are written.
        writing: how JSON is written: with every character beyond ASCII escaped, or spread over lines.
        content_type: in place of the usual one; as legal as that.
        headers: some that no client knows.
    """

    status: int = 0
    code: str = ""
    page: bool = False
    retry_after: str = ""
    fault: Fault | None = None
    booked: bool = False
    delay: float = 0.0
    events: tuple[Event, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    framing: Framing = "length"
    case: Case = "usual"
    writing: Writing = "usual"
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def succeeds(self) -> bool:
        """Whether the client is told that it is done, in whatever shape."""
        return self.status < 300 and not (self.fault and self.fault.does_nothing)

    @property
    def is_done(self) -> bool:
        """Whether what was asked for is done."""
        return self.succeeds or self.booked


RIGHT = Turn()


@dataclass(frozen=True)
class Script:
    """What a client is answered.

    Attributes:
        answers: to the first, second, … request of each place; right ones from then on.
        job: the project's statuses, as one successful poll after the other sees them; the last one stays.
        job_error: the code with which a job ends in `error`.
        pictures: how many files a complete project has, whatever they are.
        same_name: whether all of their links end in one file name.
        shorter: whether less is made than was asked for; what is billed by the frame costs less in the end.
        deleted: whether somebody deletes the project: once it is over it is not `enabled`, without files.
        typed: whether upload links are signed for their file's Content-Type, so that no other one is taken.
        gone: the API can't be connected to any more after the first answer at this place; `start` for never.
    """

    answers: Mapping[Place, tuple[Turn, ...]] = field(default_factory=dict)
    job: tuple[str, ...] = ("complete",)
    job_error: str = "unknown_error"
    pictures: int = AS_ASKED
    same_name: bool = False
    shorter: bool = False
    deleted: bool = False
    typed: bool = False
    gone: str = ""

    def turn(self, place: Place, number: int) -> Turn:
        """Return the answer to the request of this number, from 0, at a place."""
        turns = self.answers.get(place, ())
        return turns[number] if number < len(turns) else RIGHT

    @property
    def has_silence(self) -> bool:
        """Whether some request is never answered, so that the client has to give it up."""
        silences = (Fault.SILENCE, Fault.SILENCE_AFTER)
        return any(turn.fault in silences for turns in self.answers.values() for turn in turns)

    @property
    def has_events(self) -> bool:
        """Whether the client's receiver is sent something."""
        return any(turn.events for turns in self.answers.values() for turn in turns)

    @cached_property
    def text(self) -> str:
        """All of it as JSON: the same for equal scripts."""
        return dumped(self)

    @property
    def size(self) -> int:
        """How much there is to read in it; of two scripts that show the same, the smaller one is kept."""
        return len(self.text)


NAMES = tuple(each.name for each in fields(Script) if each.name != "answers")
"""Whatever a script says beside its answers."""

_BRIEF = 3


def brief(script: Script) -> Script:
    """Return a script as it is played to a client whose waiting takes time: nothing goes on for long."""
    answers = {place: turns[:_BRIEF] for place, turns in script.answers.items()}
    job = script.job[-_BRIEF:]
    return replace(script, answers=answers, job=job if job[-1] in OVER else (*job, "complete"))


# As JSON.


class ScriptError(BluehourError, ValueError):
    """A file has no script in it; the message says why, in one line."""


def dumped(script: Script, about: Mapping[str, Any] | None = None) -> str:
    """Return a script as JSON that a person can read; `about` stands before it and is not read again."""
    answers = {
        str(place): [_as_data(turn) for turn in turns] for place, turns in script.answers.items() if turns
    }
    data = _as_data(script) | ({"answers": answers} if answers else {})
    facts = {"format": FORMAT, **(about or {}), "story": list(story(script))}
    return json.dumps(facts | {"script": data}, indent=2, ensure_ascii=False) + "\n"


def loaded(text: str) -> Script:
    """Read a script.

    Raises:
        ScriptError: there is none, or one that can't be played.
    """
    try:
        known = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ScriptError(f"it is no JSON: {' '.join(str(error).split())}") from None
    if not isinstance(known, dict) or known.get("format") != FORMAT:
        raise ScriptError(f'it has no "format": "{FORMAT}"')
    data = known.get("script")
    if not isinstance(data, dict) or not isinstance(data.get("answers", {}), dict):
        raise ScriptError('its "script" is no object with "answers" by place')
    answers = {_place(place): _turns(place, turns) for place, turns in data.get("answers", {}).items()}
    script = Script(**{**_checked(Script, data, "script"), "answers": answers})
    _refuse_unless(script.job and all(state.isprintable() for state in script.job), "job can't be empty")
    _refuse_unless(script.pictures <= MOST_FILES, f"pictures are at most {MOST_FILES}")
    _refuse_unless(script.gone in ("", "start", *Place), f"gone can't be {script.gone!r}")
    return script


def _place(name: str) -> Place:
    _refuse_unless(name in list(Place), f"there is no place {name!r}; there are {', '.join(Place)}")
    return Place(name)


def _turns(place: str, turns: Any) -> tuple[Turn, ...]:
    _refuse_unless(isinstance(turns, list), f"the answers of {place} are no list")
    return tuple(_turn(data, f"{place} {number}") for number, data in enumerate(turns, 1))


def _turn(data: Any, where: str) -> Turn:
    known = _checked(Turn, data, where)
    if "fault" in known:
        name = known["fault"]
        faults = ", ".join(Fault)
        _refuse_unless(name in list(Fault), f"{where}: fault can't be {name!r}; it is one of {faults}")
        known["fault"] = Fault(name)
    events = known.get("events", ())
    choices = ", ".join(Event)
    _refuse_unless(set(events) <= {*Event}, f"{where}: events are some of {choices}")
    _refuse_unless(len(events) <= MOST_EVENTS, f"{where}: events are at most {MOST_EVENTS}")
    known["events"] = tuple(map(Event, events))
    turn = Turn(**known)
    _refuse_unless(turn.status == 0 or 200 <= turn.status <= 599, f"{where}: status is 200 to 599")
    _refuse_unless(turn.delay <= LONGEST_DELAY, f"{where}: delay is at most {LONGEST_DELAY:g} seconds")
    for name, kind in (("framing", Framing), ("case", Case), ("writing", Writing)):
        words = get_args(kind)
        _refuse_unless(getattr(turn, name) in words, f"{where}: {name} is one of {', '.join(words)}")
    texts = (turn.retry_after, turn.content_type, *turn.headers.keys(), *turn.headers.values())
    _refuse_unless(all(map(_can_be_a_header, texts)), f"{where}: a header is no text that can be sent")
    return turn


def _can_be_a_header(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and (value.isprintable() or not value)


def _refuse_unless(fits: object, message: str) -> None:
    if not fits:
        raise ScriptError(message)


def _checked(kind: type[Turn | Script], data: Any, where: str) -> dict[str, Any]:
    """The fields of an object, lists as tuples.

    Raises:
        ScriptError: there is a field that is not known, or one of another type.
    """
    _refuse_unless(isinstance(data, dict), f"{where}: {printable(str(data)[:40])} is no object")
    known = {each.name: each for each in fields(kind)}
    for name, value in data.items():
        _refuse_unless(name in known, f"{where}: there is no {name!r}; there are {', '.join(known)}")
        _refuse_unless(_fits(value, _default(known[name])), f"{where}: {name} can't be {repr(value)[:60]}")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}


def _fits(value: Any, default: Any) -> bool:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    match default:
        case bool():
            return isinstance(value, bool)
        case int():
            return is_whole and value >= 0
        case float():
            return (is_whole or isinstance(value, float)) and value >= 0
        case None | str():
            return isinstance(value, str)
        case tuple():
            return isinstance(value, list) and all(isinstance(each, str) for each in value)
        case _:
            return isinstance(value, dict)


def _as_data(value: Turn | Script) -> dict[str, Any]:
    """The fields that are not as they are by themselves."""
    return {
        each.name: list(kept) if isinstance(kept, tuple) else kept
        for each in fields(value)
        if each.name != "answers" and (kept := getattr(value, each.name)) != _default(each)
    }


def _default(known: Field[Any]) -> Any:
    return known.default_factory() if known.default_factory is not MISSING else known.default


# In words.


def story(script: Script) -> Iterator[str]:
    """Tell a script, a sentence for whatever does not go right by itself."""
    if script.gone == "start":
        yield "nothing can connect to the API"
    for place in Place:
        for number, turn in enumerate(script.answers.get(place, ())):
            if turn != RIGHT:
                message = ", ".join(_of_turn(turn))
                yield f"{place}{_nth(number)}{'' if message.startswith(_ANSWERED) else ':'} {message}"
    if script.typed:
        yield "upload links are signed for the Content-Type of their file"
    if script.gone and script.gone != "start":
        yield f"after {script.gone} nothing can connect to the API any more"
    yield from _of_job(script)


def _nth(number: int) -> str:
    return "" if number == 0 else f" {number + 1}"


_ANSWERED = "answered"


def _of_turn(turn: Turn) -> Iterator[str]:
    never_comes = turn.fault in (Fault.RESET_AFTER, Fault.SILENCE_AFTER)
    if turn.status or (turn.succeeds and not never_comes):
        message = f"{_ANSWERED} {turn.status or 'with success'}"
        yield message + (f" {turn.code}" if turn.code else "") + (" and an HTML page" if turn.page else "")
    if turn.fault:
        yield IN_WORDS[turn.fault]
    if turn.retry_after:
        yield f"Retry-After: {turn.retry_after}"
    if turn.booked:
        yield "though it was carried out"
    if turn.delay:
        yield f"after {turn.delay:g} s"
    if turn.events:
        yield f"before it comes {' and '.join(EVENTS_IN_WORDS[each] for each in turn.events)}"
    for path, value in turn.fields.items():
        shown = json.dumps(value)
        yield f"{path} is {shown if len(shown) < 60 else shown[:60] + '…'}"
    for path in turn.without:
        yield f"without {path}"
    if turn.framing != "length":
        yield "chunked" if turn.framing == "chunked" else "the body's end told by the connection's"
    if turn.case != "usual":
        yield f"names of headers in {turn.case} case"
    if turn.writing != "usual":
        yield "JSON with \\u escapes" if turn.writing == "ascii" else "JSON over several lines"
    if turn.content_type:
        yield f"Content-Type: {turn.content_type}"
    if turn.headers:
        yield f"with {', '.join(turn.headers)}"


def _of_job(script: Script) -> Iterator[str]:
    usual = Script()
    if script.job != usual.job:
        yield f"the project is {', then '.join(_in_words(script.job))}"
    if script.job[-1] == "error":
        yield f"its error is {script.job_error}"
    if script.pictures != usual.pictures:
        yield f"it has {counted(script.pictures, 'file') if script.pictures else 'no files'}"
    if script.same_name:
        yield "its files have one name"
    if script.shorter:
        yield "it is shorter than was asked for"
    if script.deleted:
        yield "somebody has deleted it"


def _in_words(job: tuple[str, ...]) -> Iterator[str]:
    """`queued, 20 times`; the one that ends it stays."""
    for state, times in groupby(job):
        number = sum(1 for _ in times)
        name = "in error" if state == "error" else state
        yield name if number == 1 else f"{name}, {number} times"
