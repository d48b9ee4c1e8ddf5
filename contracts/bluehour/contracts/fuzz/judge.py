"""Reads a performance: which rules the client has broken, and by what."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from itertools import pairwise

from bluehour.openapi.wording import counted, cut

from ..statuses import OVER
from .performance import Asked, Delivered, Performance
from .script import EVENTS_IN_WORDS, Place
from .stage.bodies import seconds_to_wait

_SLACK = 0.15
"""Seconds by which a pause may be shorter than it should: clocks differ, and timers fire early."""

_A_SECOND = 1.0
"""By which an HTTP date can't be read more exactly."""

_AT_ONCE = 0.1
_TIMES_AT_ONCE = 2
_MOST_TRIES = 10
_PATIENT_PAUSE = 2.0
"""Seconds between two tries of one that may try for as long as it has time."""

_WITH_RETRY_AFTER = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_MAY_DO_LATER = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)

_POLLS_AFTER_THE_END = 2
_SOON = 60.0
"""Seconds after which a client may have waited long enough for a project that is not over."""


@dataclass(frozen=True)
class Violation:
    """A rule that a client has broken.

    Attributes:
        rule: its id.
        message: what the client did, in a sentence.
        mark: what tells one bug from another under the same rule: the place, the error's type and line.
    """

    rule: str
    message: str
    mark: str = ""

    @property
    def signature(self) -> tuple[str, str]:
        """The same for two violations that are most likely one bug."""
        return self.rule, self.mark


@dataclass(frozen=True)
class ClientJudge:
    """Judges performances.

    Attributes:
        rules: the ids of those to judge by.
        pace: seconds between two polls; 0 where they are not judged.
        longest_wait: seconds that a Retry-After could ask for.
    """

    rules: frozenset[str]
    pace: float
    longest_wait: float

    def violations(self, performance: Performance) -> list[Violation]:
        """Return what a client has broken, the first of each signature."""
        reading = _Reading(performance, self.pace, self.longest_wait)
        found: dict[tuple[str, str], Violation] = {}
        for part in _PARTS:
            for violation in part(reading):
                if violation.rule in self.rules:
                    found.setdefault(violation.signature, violation)
        return list(found.values())


@dataclass(frozen=True)
class _Reading:
    """A performance, with what several rules ask of it."""

    played: Performance
    pace: float
    longest_wait: float

    @cached_property
    def repeats(self) -> list[tuple[Asked, Asked]]:
        """Each request with the last one before it that asked for the same.

        Where several edits are made, so many may ask for the same side by side, each by its own count.
        """
        seen: dict[tuple[str, str, str, str], list[Asked]] = {}
        found = []
        for asked in self.played.asked:
            before = seen.setdefault(asked.likeness, [])
            if len(before) >= self.played.edits:
                found.append((before[-self.played.edits], asked))
            before.append(asked)
        return found

    @cached_property
    def served(self) -> list[Asked]:
        """The downloads that were served whole."""
        return [asked for asked in self.downloads if asked.served]

    @cached_property
    def downloads(self) -> list[Asked]:
        """The requests for files."""
        return [asked for asked in self.played.at(Place.DOWNLOAD) if asked.method == "GET"]


def _requests(reading: _Reading) -> Iterator[Violation]:
    for asked in reading.played.asked:
        if asked.faults:
            yield Violation("request.legal", f"{asked.label}: {'; '.join(asked.faults)}", asked.label)
        if asked.strange:
            yield Violation("request.given", f"{asked.label}: {asked.strange}", str(asked.place))


def _uploads(reading: _Reading) -> Iterator[Violation]:
    for asked in reading.played.at(Place.UPLOAD):
        given = reading.played.given.get(asked.asset)
        if asked.method == "PUT" and hashlib.sha256(asked.body).hexdigest() != given:
            message = f"{len(asked.body):,} bytes were PUT that are not the {asked.asset} file's"
            yield Violation("upload.intact", message)
        if asked.wrong_type:
            yield Violation("upload.typed", f"{asked.label}: {asked.wrong_type}")


def _payment(reading: _Reading) -> Iterator[Violation]:
    kept = [charge for charge in reading.played.charges if charge.credits and not charge.refunded]
    if len(kept) > reading.played.edits:
        spent = sum(charge.credits for charge in kept)
        yield Violation(
            "pay.once",
            f"{len(kept)} creates were charged for {counted(reading.played.edits, 'job')}: {spent} credits",
            _why_again(reading),
        )


def _why_again(reading: _Reading) -> str:
    """What the first charged create met before the next one was sent."""
    first = next((asked for asked in reading.played.at(Place.CREATE) if asked.charged), None)
    if first and first.turn.booked:
        return "booked"  # with whatever status: who takes one for a refusal takes all
    return str(first.turn.fault or first.turn.status or "") if first else ""


def _retries(reading: _Reading) -> Iterator[Violation]:
    pauses: dict[tuple[str, str, str, str], list[float]] = {}
    for before, asked in reading.repeats:
        pause = asked.at - before.ended_at
        if before.turn.retry_after and before.status in _WITH_RETRY_AFTER:
            yield from _kept(before, asked, pause, reading.longest_wait)
        if _is_busy(before) and seconds_to_wait(before.turn, reading.longest_wait) is None:
            of_this = pauses.setdefault(asked.likeness, [])
            of_this.append(pause)
            yield from _backoff(before, asked, of_this)
        if _is_refused(before) and not asked.link_is_dead:
            yield Violation(
                "retry.refused",
                f"{asked.label} was refused with {before.status}, and sent again unchanged",
                f"{asked.label} {before.status}",
            )


def _is_busy(asked: Asked) -> bool:
    return asked.status == HTTPStatus.TOO_MANY_REQUESTS or asked.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _is_refused(asked: Asked) -> bool:
    """Whether it was told, by the API and not by what lies before it, that the same will never do."""
    is_of_client = 400 <= asked.status < 500
    return is_of_client and asked.status not in _MAY_DO_LATER and not asked.turn.page


def _backoff(before: Asked, asked: Asked, pauses: list[float]) -> Iterator[Violation]:
    """Judge the pauses so far. One short one says nothing: there are clients that draw them by chance."""
    if sum(pause < _AT_ONCE for pause in pauses) == _TIMES_AT_ONCE:
        yield Violation(
            "retry.backoff",
            f"{asked.label} was answered {before.status} and sent again at once, {min(pauses):.2f} s later",
            f"{asked.label} at once",
        )
    if len(pauses) == _MOST_TRIES and sum(pauses) / len(pauses) < _PATIENT_PAUSE:
        yield Violation(
            "retry.backoff",
            f"{asked.label} was answered {before.status} and sent again {_MOST_TRIES} times in "
            f"{sum(pauses):.1f} s",
            f"{asked.label} for ever",
        )


def _kept(before: Asked, asked: Asked, pause: float, longest: float) -> Iterator[Violation]:
    wait = seconds_to_wait(before.turn, longest)
    slack = _SLACK + (_A_SECOND if before.turn.retry_after.startswith("date") else 0)
    if wait is not None and pause < wait - slack:
        yield Violation(
            "retry.after",
            f"{asked.label} was answered {before.status} with Retry-After {before.turn.retry_after}, "
            f"and sent again {pause:.2f} s later",
            str(asked.place),
        )


def _polls(reading: _Reading) -> Iterator[Violation]:
    polls: dict[str, list[Asked]] = {}
    for asked in reading.played.at(Place.POLL):
        polls.setdefault(asked.subject, []).append(asked)
    for of_one in polls.values():
        yield from _pace(of_one, reading.pace)
        yield from _end(of_one, reading)


def _pace(polls: list[Asked], pace: float) -> Iterator[Violation]:
    # The first two may follow each other: the vendor's own SDK asks twice at first.
    for before, asked in pairwise(polls[1:]):
        passed = asked.at - before.at
        # An event is a reason to look at once.
        is_early = passed < pace - _SLACK and not before.delivered
        if before.state and before.state not in OVER and is_early:
            message = f"polled {passed:.2f} s after the poll before; {pace:g} s are advised"
            yield Violation("poll.pace", message)


def _end(polls: list[Asked], reading: _Reading) -> Iterator[Violation]:
    over = next((asked for asked in polls if asked.state in OVER), None)
    if over is None:
        return
    failed = [asked for asked in reading.downloads if asked.status != 200 or not asked.served]
    allowed = _POLLS_AFTER_THE_END + 2 * (len(failed) + reading.played.nowhere)
    later = [asked for asked in polls if asked.at > over.at and asked.status == 200]
    if len(later) > allowed:
        yield Violation("poll.end", f"polled {len(later)} times after it was told {over.state}", over.state)


def _webhooks(reading: _Reading) -> Iterator[Violation]:
    taken: Counter[tuple[str, str]] = Counter()
    for asked in reading.played.asked:
        for each in asked.delivered:
            told = (each.name, each.project)
            yield from _answered(each, asked, is_again=taken[told] > 0)
            taken[told] += each.event.is_genuine and each.is_taken
    yield from _once(reading, taken)


def _answered(delivered: Delivered, asked: Asked, *, is_again: bool) -> Iterator[Violation]:
    name, status = delivered.name, delivered.status
    if not delivered.event.is_genuine:
        if status and not 400 <= status < 500:
            what = EVENTS_IN_WORDS[delivered.event]
            yield Violation("webhook.genuine", f"{what}, {name}, was answered {status}", delivered.event)
    elif not delivered.is_taken and not delivered.is_open:
        when = " before the create's answer" if asked.place is Place.CREATE else ""
        message = f"{name} came{' again' * is_again}{when}: {delivered.answer}"
        yield Violation("webhook.answered", message, f"{status or delivered.problem}")


def _once(reading: _Reading, taken: Counter[tuple[str, str]]) -> Iterator[Violation]:
    """A project's files are what its end is for: who downloads them again has carried it out again."""
    again = [name for (name, project), times in taken.items() if times > 1]
    served = Counter(asked.served for asked in reading.served if not asked.turn.fault)
    most = max(served.values(), default=0)
    if again and most > 1:
        message = f"{again[0]} came again, and the same file was downloaded {most} times"
        yield Violation("webhook.once", message)


def _links(reading: _Reading) -> Iterator[Violation]:
    for asked in reading.played.asked:
        if asked.link_is_dead:
            message = f"{asked.label}: the link had been answered as expired"
            yield Violation("link.expired", message, asked.label)


def _token(reading: _Reading) -> Iterator[Violation]:
    played = reading.played
    for asked in played.asked:
        if asked.host != "api" and asked.carries_token:
            where = (
                "to the host of signed links" if asked.host == "links" else "to another host, by a redirect"
            )
            yield Violation(
                "token.host", f"{asked.method} carries the token {where}", f"{asked.host} {asked.method}"
            )
    for name, text in (("its output", played.ending.output), ("an error's message", played.ending.error)):
        if played.token in text:
            yield Violation("token.output", f"the token is in {name}", name)


def _downloads(reading: _Reading) -> Iterator[Violation]:
    ending = reading.played.ending
    whole = {asked.served for asked in reading.served}
    spoiled = [name for name, digest in ending.files.items() if digest not in whole]
    if spoiled and ending.outcome == "done":
        yield Violation(
            "download.intact", f"{spoiled[0]} has not the bytes that were served", _why_spoiled(reading)
        )
    if ending.missing:
        message = f"it names a file that is not there: {ending.missing[0]}"
        yield Violation("download.intact", message, "missing")
    kept = len(whole & (ending.kept | set(ending.files.values())))
    if ending.outcome == "done" and (ending.kept or ending.files) and not spoiled and kept < len(whole):
        there = f"{kept} {'is' if kept == 1 else 'are'} there"
        yield Violation("download.kept", f"{counted(len(whole), 'file')} came whole, {there}")


def _why_spoiled(reading: _Reading) -> str:
    faults = [asked.turn.fault for asked in reading.downloads if asked.turn.fault]
    return str(faults[0]) if faults else ""


def _ending(reading: _Reading) -> Iterator[Violation]:
    played, ending = reading.played, reading.played.ending
    if ending.outcome == "late":
        yield Violation(
            "end.in-time",
            f"it had not ended after {played.seconds:,.0f} s{_asked_most(reading)}",
            _stuck(reading),
        )
    elif ending.outcome in ("crashed", "lost"):
        rule = "error.legal" if played.is_legal else "error.fault"
        where = f" at {ending.where}" if ending.where else ""
        message = _line(masked(ending.error, played.token)) or "it died"
        mark = f"{ending.kind} {ending.where or _without_chance(message)}"
        yield Violation(rule, f"{message}{where}", mark)
    elif ending.outcome == "refused" and _all_went_right(reading):
        message = masked(ending.error, played.token)
        mark = f"{ending.kind} {ending.where or _without_chance(_line(message))}"
        yield Violation("legal.accepted", f"it refused what went right: {_line(message)}", mark)


def _without_chance(message: str) -> str:
    """An error's words without what differs from run to run: numbers, ids, times."""
    return re.sub(r"\b(?=\w*\d)\w+\b", "#", message)


def _asked_most(reading: _Reading) -> str:
    labels = Counter(asked.label for asked in reading.played.asked)
    label, number = labels.most_common(1)[0] if labels else ("", 0)
    return f": {label} was asked {number} times" if number > 1 else ""


def _stuck(reading: _Reading) -> str:
    """What it was at when its time was over."""
    last = reading.played.asked[-1] if reading.played.asked else None
    if last is None:
        return "nothing asked"
    return f"{last.label} {last.state or last.status or last.turn.fault}"


def _all_went_right(reading: _Reading) -> bool:
    played = reading.played
    if played.edits > 1 or not _is_all_success(played):
        return False
    script, state = played.script, played.last_state
    has_result = script.job[-1] == "complete" and script.pictures != 0 and not script.deleted
    may_give_up = state not in ("", *OVER) and played.seconds > _SOON
    return has_result and not may_give_up and not any(asked.strange for asked in played.asked)


def _results(reading: _Reading) -> Iterator[Violation]:
    played, ending = reading.played, reading.played.ending
    if ending.outcome != "done":
        return
    if played.edits > 1:
        yield from _results_of_several(reading)
        return
    if ending.status in ("", "complete") and played.last_state != "complete":
        seen = f"was {played.last_state}" if played.last_state else "was never seen"
        yield Violation("result.true", f"it reports success, and the project {seen}", played.last_state)
    elif ending.status and ending.status in OVER and ending.status != played.last_state:
        yield Violation(
            "result.true", f"it reports {ending.status}, and the project was {played.last_state}", "status"
        )
    elif ending.status in ("", "complete") and (missing := _missing_files(reading)):
        yield Violation("result.true", f"it reports success, and {missing} came whole", "downloads")
    charged = sum(charge.credits for charge in played.charges if not charge.refunded)
    if ending.credits is not None and played.last_state in OVER and ending.credits != charged:
        yield Violation(
            "result.credits", f"it reports {counted(ending.credits, 'credit')}, and the ledger has {charged}"
        )


def _results_of_several(reading: _Reading) -> Iterator[Violation]:
    """Judge what is told of several: nobody knows of which, so only where nothing has failed for any."""
    played = reading.played
    if played.ending.status not in ("", "complete") or not _is_all_success(played):
        return
    last = {asked.subject: asked.state for asked in played.asked if asked.state} | played.ends_told
    made = [asked.subject for asked in played.at(Place.CREATE) if asked.charged]
    if set(last.values()) <= {"complete"} and (missing := _missing_files(reading)):
        yield Violation("result.true", f"it reports success, and {missing} came whole", "downloads")
    for number, project in enumerate(made, 1):
        if last.get(project) not in OVER:
            seen = f"was {last[project]}" if project in last else "was never seen"
            message = f"it reports success, and project {number} of {len(made)} {seen}"
            yield Violation("result.true", message, "several")


def _is_all_success(played: Performance) -> bool:
    return played.is_legal and all(200 <= asked.status < 300 for asked in played.asked)


def _missing_files(reading: _Reading) -> str:
    """What of the project's files is missing, where the client has tried to download them."""
    made, came = reading.played.made, {asked.served for asked in reading.served}
    has_tried = bool(reading.downloads)
    return f"{len(made & came)} of {counted(len(made), 'file')}" if has_tried and made - came else ""


def masked(text: str, token: str) -> str:
    """Return a text without the token."""
    return text.replace(token, "<token>")


def _line(text: str) -> str:
    return cut(re.sub(r"\s+", " ", text).strip(), 160)


_PARTS: tuple[Callable[[_Reading], Iterator[Violation]], ...] = (
    _requests,
    _uploads,
    _payment,
    _retries,
    _polls,
    _links,
    _webhooks,
    _token,
    _downloads,
    _ending,
    _results,
)
