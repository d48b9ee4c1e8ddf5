"""Each rule with what breaks it and what nearly does, as performances made by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bluehour.contracts.fuzz.judge import ClientJudge
from bluehour.contracts.fuzz.performance import Asked, Charge, Delivered, Ending, Performance
from bluehour.contracts.fuzz.rules import RULES, selected
from bluehour.contracts.fuzz.script import RIGHT, Event, Fault, Place, Script, Turn

from .playing import ALL, judged

TOKEN = "mhk_live_of_the_judge"
PHOTO = b"the picture"
BEARER = {"authorization": f"Bearer {TOKEN}"}
BUSY, FAILING, GATEWAY = Turn(status=429), Turn(status=500), Turn(status=502, page=True)
REFUSED = Turn(status=402, code="insufficient_credits")
LOST = Turn(fault=Fault.RESET_AFTER)
CUT = Turn(fault=Fault.CUT)
DONE = Ending("done", status="complete", files={"0.png": "p0"}, credits=1)
NOT_DONE = Ending("refused", error="Refused: no", kind="Refused", where="client.py:7 in edit")


def asked(place: Place | None, at: float, **known: Any) -> Asked:
    facts: dict[str, Any] = {
        "host": "links" if place in (Place.UPLOAD, Place.DOWNLOAD) else "api",
        "method": {Place.UPLOAD: "PUT", Place.CREATE: "POST", Place.UPLOAD_URLS: "POST"}.get(
            place or Place.POLL, "GET"
        ),
        "target": f"/{place}",
        "headers": {} if place in (Place.UPLOAD, Place.DOWNLOAD) else BEARER,
        "body": PHOTO if place is Place.UPLOAD else b"",
        "status": (known.get("turn") or RIGHT).status or 200,
        "ended_at": at,
        "turn": RIGHT,
    }
    return Asked(at=at, place=place, **facts | known)


def uploads(**known: Any) -> tuple[Asked, Asked]:
    return asked(Place.UPLOAD_URLS, 0.0), asked(Place.UPLOAD, 0.1, **{"asset": "image"} | known)


def create(at: float = 0.2, **known: Any) -> Asked:
    return asked(Place.CREATE, at, **{"charged": 1, "subject": "p"} | known)


def refused(at: float, turn: Turn, place: Place = Place.CREATE, **known: Any) -> Asked:
    """A request that was answered by an error."""
    legal = not turn.page and not turn.booked and turn.status != 503
    return asked(place, at, **{"turn": turn, "legal": legal, "subject": "p"} | known)


def poll(at: float, state: str = "complete", **known: Any) -> Asked:
    return asked(Place.POLL, at, **{"state": state, "subject": "p"} | known)


def download(at: float, picture: str = "p0", **known: Any) -> Asked:
    facts: dict[str, Any] = {"served": picture, "target": f"/{picture}", "subject": f"/{picture}"}
    return asked(Place.DOWNLOAD, at, **facts | known)


def event(event: Event = Event.ENDED, status: int = 204, **known: Any) -> Delivered:
    facts: dict[str, Any] = {"name": "image.completed", "project": "p", "state": "complete"}
    return Delivered(event=event, status=status, **facts | known)


def sent(*events: Delivered, **known: Any) -> Asked:
    """A poll before the answer of which events came."""
    return poll(0.3, delivered=events, **known)


RIGHT_REQUESTS = (*uploads(), create(), poll(0.3), download(0.4))


def played(*requests: Asked, **known: Any) -> Performance:
    """A performance; right in all of which nothing is said."""
    charges = tuple(Charge(f"p{n}", each.charged, False) for n, each in enumerate(requests) if each.charged)
    facts: dict[str, Any] = {
        "script": Script(),
        "charges": charges,
        "ending": DONE,
        "seconds": 5.0,
        "real_seconds": 0.1,
        "token": TOKEN,
        "given": {"image": hashlib.sha256(PHOTO).hexdigest(), "audio": "of a sound"},
        "made": frozenset({"p0"}),
    }
    return Performance(asked=requests, **facts | known)


def after_uploads(*requests: Asked, **known: Any) -> Performance:
    return played(*uploads(), *requests, **known)


def right(**known: Any) -> Performance:
    return played(*RIGHT_REQUESTS, **known)


def ended(**known: Any) -> Performance:
    """All went right, and the client ended otherwise."""
    return right(ending=replace(DONE, **known))


def tries(number: int, turn: Turn, pause: float = 5.0, place: Place = Place.CREATE) -> list[Asked]:
    return [refused(1 + n * pause, turn, place) for n in range(number)]


@dataclass(frozen=True)
class Story:
    """What a rule says of a performance.

    Attributes:
        breaks: and what nearly does.
        says: what is in the message.
        mark: of the violation.
        beside: rules that what breaks this one has to break as well.
    """

    rule: str
    told: str
    breaks: Performance
    keeps: Performance
    says: str
    mark: str | None = None
    beside: frozenset[str] = frozenset()


def story(
    rule: str,
    told: str,
    breaks: Performance,
    keeps: Performance,
    says: str,
    mark: str | None = None,
    beside: str = "",
) -> Story:
    return Story(rule, told, breaks, keeps, says, mark, frozenset(beside.split()))


WAIT = Turn(status=429, retry_after="7")
DATE = Turn(status=429, retry_after="date+7")
LONG = Turn(status=503, retry_after="9999")
DEAD = Turn(status=403, fault=Fault.EXPIRED)
TWO = frozenset({"p0", "p1"})


STORIES = [
    story(
        "request.legal",
        "a request has faults",
        played(*RIGHT_REQUESTS, asked(Place.POLL, 9, faults=("no token", "no more"), status=401)),
        played(*RIGHT_REQUESTS, refused(9, Turn(status=401), Place.POLL)),
        "poll: no token; no more",
        "poll",
    ),
    story(
        "request.legal",
        "the contract has no such path",
        played(*RIGHT_REQUESTS, asked(None, 9, faults=("the contract has no GET",), target="/x", status=404)),
        played(*RIGHT_REQUESTS, asked(None, 9, target="/x", host="elsewhere", headers={})),
        "GET /x: the contract has no GET",
        "GET /x",
    ),
    story(
        "request.given",
        "an id was never given",
        played(*RIGHT_REQUESTS, poll(9, "", status=404, strange="'q' is no id that was given")),
        played(*RIGHT_REQUESTS, poll(9, "", status=404, turn=Turn(status=404))),
        "poll: 'q' is no id that was given",
        "poll",
    ),
    story(
        "upload.intact",
        "other bytes are sent",
        played(*uploads(body=PHOTO + b"\n"), *RIGHT_REQUESTS[2:]),
        played(*uploads(method="GET", body=b""), *RIGHT_REQUESTS[2:]),
        "12 bytes were PUT that are not the image file's",
    ),
    story(
        "upload.typed",
        "a PUT has another Content-Type than its link was signed for",
        played(*uploads(wrong_type="Content-Type text/plain is sent", status=403), ending=NOT_DONE),
        played(*uploads(status=403), ending=NOT_DONE),
        "upload: Content-Type text/plain is sent",
    ),
    story(
        "pay.once",
        "a gateway gives up a create that is booked",
        after_uploads(
            create(turn=Turn(status=504, page=True, booked=True), legal=False),
            create(5),
            poll(6),
            download(7),
        ),
        after_uploads(
            create(turn=Turn(status=504, page=True), charged=0, legal=False), create(5), poll(6), download(7)
        ),
        "2 creates were charged for 1 job: 2 credits",
        "booked",
        beside="result.credits",
    ),
    story(
        "pay.once",
        "an edit is created again after its answer was lost",
        after_uploads(create(turn=LOST, status=0, legal=False), create(5), poll(6), download(7)),
        after_uploads(
            create(turn=Turn(fault=Fault.RESET), status=0, charged=0, legal=False),
            create(5),
            poll(6),
            download(7),
        ),
        "2 creates were charged for 1 job: 2 credits",
        "reset-after",
        beside="result.credits",
    ),
    story(
        "pay.once",
        "the second one is refunded",
        after_uploads(
            create(turn=Turn(status=500, booked=True), legal=False), create(5), poll(6), download(7)
        ),
        after_uploads(
            create(), create(5), poll(6), download(7), charges=(Charge("a", 1, True), Charge("b", 1, False))
        ),
        "2 creates were charged",
        "booked",
        beside="result.credits",
    ),
    story(
        "pay.once",
        "it was to make two edits, and makes three",
        after_uploads(
            create(), create(3), create(5), poll(6), download(7), edits=2, ending=replace(DONE, credits=3)
        ),
        after_uploads(create(), create(3), poll(6), download(7), edits=2, ending=replace(DONE, credits=2)),
        "3 creates were charged for 2 jobs: 3 credits",
        "",
    ),
    story(
        "retry.after",
        "it asks again before the seconds are over",
        after_uploads(refused(1, WAIT), create(7.5), poll(8), download(9)),
        after_uploads(refused(1, WAIT), create(7.9), poll(8), download(9)),
        "create was answered 429 with Retry-After 7, and sent again 6.50 s later",
        "create",
    ),
    story(
        "retry.after",
        "it asks again before the date, which can't be read more exactly than to a second",
        after_uploads(refused(1, DATE), create(6.5), poll(8), download(9)),
        after_uploads(refused(1, DATE), create(7.0), poll(8), download(9)),
        "Retry-After date+7",
        "create",
    ),
    story(
        "retry.after",
        "a wait is never longer than can be asked for",
        after_uploads(refused(1, LONG), create(3000), poll(3001), download(3002)),
        after_uploads(refused(1, LONG), create(3601), poll(3602), download(3603)),
        "create was answered 503",
        "create",
    ),
    story(
        "retry.after",
        "what was asked in between is another thing",
        after_uploads(refused(1, WAIT, Place.POLL), refused(2, WAIT, Place.POLL), ending=NOT_DONE),
        after_uploads(refused(1, WAIT, Place.POLL), poll(2, subject="q", target="/q"), ending=NOT_DONE),
        "poll was answered 429",
        "poll",
    ),
    story(
        "retry.backoff",
        "it asks again at once",
        after_uploads(refused(1, BUSY), refused(1.05, BUSY), create(1.1), poll(2), download(3)),
        after_uploads(refused(1, BUSY), refused(1.05, BUSY), create(1.5), poll(2), download(3)),
        "create was answered 429 and sent again at once, 0.05 s later",
        "create at once",
    ),
    story(
        "retry.backoff",
        "it asks for ever",
        after_uploads(*tries(11, BUSY, pause=1.0), ending=NOT_DONE),
        after_uploads(*tries(11, BUSY, pause=5.0), ending=NOT_DONE),
        "create was answered 429 and sent again 10 times in 10.0 s",
        "create for ever",
    ),
    story(
        "retry.backoff",
        "a gateway that fails is not asked at once",
        after_uploads(
            create(),
            refused(1, GATEWAY, Place.POLL),
            refused(1.05, GATEWAY, Place.POLL),
            poll(1.1),
            download(2),
        ),
        after_uploads(create(), refused(1, GATEWAY, Place.POLL), poll(1.05), download(2)),
        "poll was answered 502",
        "poll at once",
    ),
    story(
        "retry.refused",
        "what was refused is sent again unchanged",
        after_uploads(refused(1, REFUSED), refused(9, REFUSED), ending=NOT_DONE),
        after_uploads(refused(1, REFUSED), refused(9, REFUSED, body=b"other"), ending=NOT_DONE),
        "create was refused with 402, and sent again unchanged",
        "create 402",
    ),
    story(
        "retry.refused",
        "a page of a gateway is no refusal of the API's",
        after_uploads(refused(1, Turn(status=404), Place.POLL), poll(9), ending=NOT_DONE),
        after_uploads(refused(1, Turn(status=404, page=True), Place.POLL), poll(9), ending=NOT_DONE),
        "poll was refused with 404",
        "poll 404",
    ),
    story(
        "poll.pace",
        "the third poll follows at once; the second may",
        after_uploads(create(), poll(1, "queued"), poll(1.1, "queued"), poll(2), download(3)),
        after_uploads(create(), poll(1, "queued"), poll(1.1, "queued"), poll(3), download(3)),
        "polled 0.90 s after the poll before; 2 s are advised",
    ),
    story(
        "poll.pace",
        "after a failure, or for another project, it may ask when it wants to",
        after_uploads(create(), poll(1, "queued"), poll(3, "queued"), poll(4), download(5)),
        after_uploads(create(), poll(1, "queued"), refused(3, FAILING, Place.POLL), poll(4), download(5)),
        "polled 1.00 s",
    ),
    story(
        "poll.end",
        "it polls on after the end",
        after_uploads(create(), *(poll(1 + 2 * n) for n in range(4)), download(9)),
        after_uploads(create(), *(poll(1 + 2 * n) for n in range(3)), download(9)),
        "polled 3 times after it was told complete",
        "complete",
    ),
    story(
        "poll.end",
        "a download that failed is a reason to read the project again",
        after_uploads(create(), *(poll(1 + 2 * n) for n in range(5)), download(11)),
        after_uploads(
            create(), *(poll(1 + 2 * n) for n in range(5)), download(10, "", status=500), download(11)
        ),
        "polled 4 times",
        "complete",
    ),
    story(
        "link.expired",
        "a dead link is tried again",
        after_uploads(
            create(),
            poll(1),
            download(2, "", turn=DEAD, status=403),
            download(3, "", status=403, link_is_dead=True),
            ending=NOT_DONE,
        ),
        after_uploads(create(), poll(1), download(2, "", turn=DEAD, status=403), poll(3), download(4)),
        "download: the link had been answered as expired",
        "download",
    ),
    story(
        "webhook.genuine",
        "an event with a wrong signature is taken",
        after_uploads(create(), sent(event(Event.FORGED)), download(1)),
        after_uploads(create(), sent(event(Event.FORGED, 401), event(status=200)), download(1)),
        "an event with a wrong signature, image.completed, was answered 204",
        "forged",
    ),
    story(
        "webhook.genuine",
        "a receiver breaks at an event that is not signed",
        after_uploads(create(), sent(event(Event.UNSIGNED, 500)), download(1)),
        after_uploads(create(), sent(event(Event.UNSIGNED, 0, problem="nobody listens")), download(1)),
        "an event without a signature, image.completed, was answered 500",
        "unsigned",
    ),
    story(
        "webhook.answered",
        "an event comes before its project is known",
        after_uploads(create(delivered=(event(status=404),)), poll(1), download(2)),
        after_uploads(create(delivered=(event(),)), poll(1), download(2)),
        "image.completed came before the create's answer: answered 404",
        "404",
    ),
    story(
        "webhook.answered",
        "an event comes again, and the connection is closed",
        after_uploads(create(), sent(event(), event(status=0, problem="it ended")), download(2)),
        after_uploads(create(), sent(event(), event(status=0, problem="no time", is_open=True)), download(2)),
        "image.completed came again: it ended",
    ),
    story(
        "webhook.once",
        "an event comes twice, and what it tells of is downloaded twice",
        after_uploads(create(), sent(event(), event()), download(2), download(3)),
        after_uploads(create(), sent(event(), event(status=503, is_open=True)), download(2), download(3)),
        "image.completed came again, and the same file was downloaded 2 times",
    ),
    story(
        "webhook.once",
        "a download that is repeated as its type was wrong is none that was done",
        after_uploads(create(), sent(event(), event()), download(2), download(3)),
        after_uploads(
            create(), sent(event(), event()), download(2, turn=Turn(fault=Fault.WRONG_TYPE)), download(3)
        ),
        "downloaded 2 times",
    ),
    story(
        "poll.pace",
        "an event is a reason to look at once, and nothing else is",
        after_uploads(create(), poll(1, "queued"), poll(3, "rendering"), poll(3.1), download(4)),
        after_uploads(
            create(),
            poll(1, "queued"),
            poll(3, "rendering", delivered=(event(state="rendering"),)),
            poll(3.1),
            download(4),
        ),
        "polled 0.10 s after the poll before",
    ),
    story(
        "result.true",
        "nobody but a forged event has told of the end",
        after_uploads(create(), sent(event(Event.FORGED, 401), state="rendering"), download(4)),
        after_uploads(create(), sent(event(), state="rendering"), download(4)),
        "it reports success, and the project was rendering",
    ),
    story(
        "result.true",
        "a forged event is taken, and believed",
        after_uploads(create(), sent(event(Event.FORGED), state="rendering"), download(4)),
        after_uploads(create(), sent(event(), state="rendering"), download(4)),
        "it reports success, and the project was rendering",
        beside="webhook.genuine",
    ),
    story(
        "result.true",
        "it is not known whether the event of the end was taken",
        after_uploads(create(), sent(event(status=0, is_open=True), state="rendering"), download(4)),
        after_uploads(create(), sent(event(), state="rendering"), download(4)),
        "it reports success, and the project was rendering",
    ),
    story(
        "token.host",
        "the token is sent to the links' host",
        played(*uploads(carries_token=True), *RIGHT_REQUESTS[2:]),
        played(*uploads(), create(carries_token=True), *RIGHT_REQUESTS[3:]),
        "PUT carries the token to the host of signed links",
    ),
    story(
        "token.host",
        "the token follows a redirect",
        played(*RIGHT_REQUESTS, asked(None, 1, host="elsewhere", carries_token=True)),
        played(*RIGHT_REQUESTS, asked(None, 1, host="elsewhere")),
        "GET carries the token to another host, by a redirect",
    ),
    story(
        "token.output",
        "the token is printed",
        ended(output=f"calling with {TOKEN}"),
        ended(output="calling with mhk_live_of"),
        "the token is in its output",
        "its output",
    ),
    story(
        "token.output",
        "the token is in an error's message",
        after_uploads(refused(1, REFUSED), ending=replace(NOT_DONE, error=f"Refused: {TOKEN}")),
        after_uploads(refused(1, REFUSED), ending=NOT_DONE),
        "the token is in an error's message",
        "an error's message",
    ),
    story(
        "download.intact",
        "half a picture is saved",
        after_uploads(
            create(),
            poll(1),
            download(2, "", turn=CUT, legal=False),
            download(3),
            ending=replace(DONE, files={"0.png": "half"}),
        ),
        after_uploads(create(), poll(1), download(2, "", turn=CUT, legal=False), download(3)),
        "0.png has not the bytes that were served",
        "cut",
    ),
    story(
        "download.intact",
        "it names a file that is not there",
        ended(missing=("/out/1.png",)),
        ended(missing=()),
        "it names a file that is not there: /out/1.png",
        "missing",
    ),
    story(
        "download.intact",
        "whoever gives up may leave half a picture behind",
        after_uploads(
            create(),
            poll(1),
            download(2, "", turn=CUT, legal=False),
            ending=replace(DONE, files={"0.png": "half"}),
        ),
        after_uploads(
            create(),
            poll(1),
            download(2, "", turn=CUT, legal=False),
            ending=replace(NOT_DONE, files={"0.png": "half"}),
        ),
        "0.png",
        "cut",
        beside="result.true",
    ),
    story(
        "download.kept",
        "one picture is written over the other",
        played(*RIGHT_REQUESTS, download(5, "p1"), made=TWO),
        played(
            *RIGHT_REQUESTS,
            download(5, "p1"),
            made=TWO,
            ending=replace(DONE, files={"0.png": "p0", "1.png": "p1"}),
        ),
        "2 files",
    ),
    story(
        "end.in-time",
        "it had to be stopped",
        after_uploads(
            create(), poll(1, "rendering"), poll(3, "rendering"), ending=Ending("late"), seconds=1234.0
        ),
        after_uploads(create(), poll(1, "rendering"), poll(3, "rendering"), ending=NOT_DONE, seconds=599.0),
        "it had not ended after 1,234 s: poll was asked 2 times",
        "poll rendering",
    ),
    story(
        "error.legal",
        "it crashes though all that it met was legal",
        right(ending=Ending("crashed", error="KeyError: 'x'", kind="KeyError", where="c.py:3 in edit")),
        after_uploads(refused(1, REFUSED), ending=NOT_DONE),
        "KeyError: 'x' at c.py:3 in edit",
        "KeyError c.py:3 in edit",
    ),
    story(
        "error.fault",
        "it crashes at a failure",
        after_uploads(
            refused(1, GATEWAY), ending=Ending("crashed", error="ValueError: no\n JSON", kind="ValueError")
        ),
        after_uploads(refused(1, GATEWAY), ending=NOT_DONE),
        "ValueError: no JSON",
        "ValueError ValueError: no JSON",
    ),
    story(
        "error.fault",
        "it dies where nobody is there",
        played(script=Script(gone="start"), ending=Ending("lost", kind="died")),
        played(script=Script(gone="start"), ending=NOT_DONE),
        "it died",
        "died it died",
    ),
    story(
        "legal.accepted",
        "it refuses what went right",
        right(ending=NOT_DONE),
        right(ending=NOT_DONE, script=Script(job=("error",))),
        "it refused what went right: Refused: no",
        "Refused client.py:7 in edit",
    ),
    story(
        "legal.accepted",
        "who has waited for a minute may give up",
        after_uploads(create(), poll(1, "rendering"), ending=NOT_DONE, seconds=59.0),
        after_uploads(create(), poll(1, "rendering"), ending=NOT_DONE, seconds=61.0),
        "it refused",
    ),
    story(
        "legal.accepted",
        "without a picture there is no result",
        right(ending=NOT_DONE, script=Script(pictures=1)),
        right(ending=NOT_DONE, script=Script(pictures=0)),
        "it refused",
    ),
    story(
        "legal.accepted",
        "a project that somebody has deleted is no result",
        right(ending=NOT_DONE, script=Script(deleted=False)),
        right(ending=NOT_DONE, script=Script(deleted=True)),
        "it refused",
    ),
    story(
        "legal.accepted",
        "a link that refused connections is a reason",
        right(ending=NOT_DONE, nowhere=0),
        right(ending=NOT_DONE, nowhere=1),
        "it refused",
    ),
    story(
        "result.true",
        "it reports success for a job in error",
        after_uploads(create(), poll(1, "error"), ending=Ending("done", status="complete"), charges=()),
        after_uploads(create(), poll(1, "error"), ending=Ending("done", status="error"), charges=()),
        "it reports success, and the project was error",
        "error",
    ),
    story(
        "result.true",
        "it reports success, by saying nothing, for a project that it has never seen",
        after_uploads(create(), ending=Ending("done")),
        after_uploads(create(), ending=Ending("done", status="queued")),
        "it reports success, and the project was never seen",
        "",
    ),
    story(
        "result.true",
        "it reports another end than there was",
        after_uploads(create(), poll(1, "canceled"), ending=Ending("done", status="error"), charges=()),
        after_uploads(create(), poll(1, "canceled"), ending=Ending("done", status="canceled"), charges=()),
        "it reports error, and the project was canceled",
        "status",
    ),
    story(
        "result.true",
        "a picture is missing",
        right(made=TWO),
        after_uploads(create(), poll(1), made=TWO, ending=Ending("done")),
        "of 2 files",
        "downloads",
    ),
    story(
        "result.credits",
        "it reports what was refunded",
        after_uploads(
            create(),
            poll(1, "error"),
            charges=(Charge("p", 1, True),),
            ending=Ending("done", "error", credits=1),
        ),
        after_uploads(
            create(),
            poll(1, "error"),
            charges=(Charge("p", 1, True),),
            ending=Ending("done", "error", credits=0),
        ),
        "it reports 1 credit, and the ledger has 0",
    ),
    story(
        "result.credits",
        "it says nothing of credits",
        ended(credits=2),
        ended(credits=None),
        "it reports 2 credits, and the ledger has 1",
    ),
]


@pytest.mark.parametrize("each", STORIES, ids=lambda each: f"{each.rule}: {each.told}")
def test_a_rule_is_broken_by_what_breaks_it_and_by_nothing_that_nearly_does(each: Story) -> None:
    violations = judged(each.breaks)
    assert {violation.rule for violation in violations} == {each.rule} | each.beside
    (violation,) = (violation for violation in violations if violation.rule == each.rule)
    assert each.says in violation.message
    assert len(violation.message.splitlines()) == 1
    assert each.mark is None or violation.mark == each.mark
    assert judged(each.keeps) == []


def test_every_rule_has_a_story() -> None:
    assert {each.rule for each in STORIES} == ALL


def test_a_day_on_which_all_goes_well_breaks_nothing() -> None:
    assert judged(right()) == []


@pytest.mark.parametrize("each", STORIES, ids=lambda each: f"{each.rule}: {each.told}")
def test_a_rule_that_is_not_selected_is_not_judged(each: Story) -> None:
    others = ClientJudge(ALL - {each.rule}, 2.0, 3600.0).violations(each.breaks)
    assert {violation.rule for violation in others} == each.beside
    assert {
        violation.rule
        for violation in ClientJudge(frozenset({each.rule}), 2.0, 3600.0).violations(each.breaks)
    } == {each.rule}


def test_without_a_pace_polls_are_as_quick_as_they_like() -> None:
    quick = after_uploads(create(), *(poll(1 + n / 100, "queued") for n in range(5)), poll(2), download(3))
    assert [violation.rule for violation in judged(quick)] == ["poll.pace"]
    assert judged(quick, pace=0.0) == []


def test_violations_of_one_bug_are_told_once_and_of_two_bugs_twice() -> None:
    twice = played(*uploads(carries_token=True), *RIGHT_REQUESTS[2:4], download(2, carries_token=True))
    assert [violation.rule for violation in judged(twice)] == ["token.host"] * 2
    again = played(*uploads(carries_token=True), *uploads(carries_token=True), *RIGHT_REQUESTS[2:])
    assert [violation.rule for violation in judged(again)] == ["token.host"]


def test_the_token_is_not_in_what_is_said_of_an_error() -> None:
    for ending in (
        Ending("crashed", error=f"ValueError: Bearer {TOKEN}", kind="ValueError"),
        Ending("refused", error=f"Refused: {TOKEN}", kind="Refused"),
    ):
        violations = judged(right(ending=ending))
        assert {violation.rule for violation in violations} >= {"token.output"}
        assert not any(TOKEN in violation.message + violation.mark for violation in violations)


def test_a_long_error_is_cut() -> None:
    (violation,) = judged(right(ending=Ending("crashed", error="x" * 5000, kind="ValueError")))
    assert len(violation.message) < 200


def test_a_charge_whose_answer_was_not_waited_for_is_judged_too() -> None:
    """The showing may end while the answer is still delayed: nobody has noted the request then."""
    gone = after_uploads(charges=(Charge("a", 1, False), Charge("b", 1, False)), ending=NOT_DONE)
    assert "pay.once" in {violation.rule for violation in judged(gone)}


def test_a_crash_without_words_is_told_as_a_death() -> None:
    assert [violation.message for violation in judged(right(ending=Ending("crashed")))] == ["it died"]


# Which rules are judged.


@pytest.mark.parametrize(
    ("only", "skip", "chosen"),
    [
        ((), (), ALL),
        (("pay.once",), (), {"pay.once"}),
        (("token",), (), {"token.host", "token.output"}),
        (("*.intact",), (), {"upload.intact", "download.intact"}),
        (("pay.once, token.host",), (), {"pay.once", "token.host"}),
        (("pay", "link"), ("link.expired",), {"pay.once"}),
        ((), ("retry,poll",), {each for each in ALL if not each.startswith(("retry", "poll"))}),
    ],
)
def test_rules_are_chosen_by_ids_groups_and_patterns(
    only: tuple[str, ...], skip: tuple[str, ...], chosen: set[str]
) -> None:
    assert selected(only, skip) == chosen


@pytest.mark.parametrize(
    ("choose", "says"),
    [
        (lambda: selected(["pay.twice"], []), "there is no rule pay.twice; bluehour fuzz --rules lists them"),
        (lambda: selected([], ["nothing*"]), "there is no rule nothing"),
        (lambda: selected(["pay"], ["pay.once"]), "no rule is left to judge"),
        (lambda: selected([""], []), "there is no rule "),
    ],
)
def test_a_rule_that_there_is_not_is_an_error(choose: Callable[[], object], says: str) -> None:
    with pytest.raises(ValueError, match="rule") as error:
        choose()
    assert says in str(error.value)


def test_each_rule_says_what_it_wants_who_says_so_and_what_to_do() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.id.count(".") == 1
        assert rule.group == rule.id.partition(".")[0]
        assert rule.title[0].isupper()
        assert not rule.title.endswith(".")
        assert rule.advice.endswith(".")
        assert rule.place
