"""A result as it may be shown: without tokens, in words, and long performances in few lines."""

from __future__ import annotations

import base64
import binascii
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from bluehour.openapi.wording import counted

from ...report.secrets import Secrets
from ..judge import Violation, masked
from ..performance import Asked, Ending, Host, Performance
from ..results import Exit, Finding, Result
from ..rules import RULES, Rule, rule
from ..script import IN_WORDS, dumped, story

HOSTS: Mapping[Host, str] = {"api": "API", "links": "links", "elsewhere": "elsewhere"}

_MINUS = "\N{MINUS SIGN}"
_FEWEST_ALIKE = 4
"""Requests in a row that are told as one."""
_FIRST, _LAST = 14, 6
"""Steps that are shown of a long performance."""
_BY_THE_CLOCK = ("end.in-time", "retry.after", "retry.backoff", "poll.pace")
"""Rules that are judged by how much time has passed for the client."""


@dataclass(frozen=True)
class Step:
    """A request and its answer, or several in a row that do not differ.

    Attributes:
        asked: the first of them, without the token.
        number: of the first of them, from 1.
        wrongs: what is wrong with the request by itself.
        times: how many there are.
        until: when the last one was sent.
        left_out: how many requests before it are not shown.
    """

    asked: Asked
    number: int
    wrongs: tuple[str, ...] = ()
    times: int = 1
    until: float = 0.0
    left_out: int = 0

    @property
    def status(self) -> str:
        """What was answered: `402 plan_upgrade_required`, or `no answer`."""
        asked = self.asked
        if not asked.status:
            return "no answer"
        return (
            f"{asked.status} {asked.turn.code}" if asked.turn.code and is_error(asked) else f"{asked.status}"
        )

    @property
    def fault(self) -> str:
        """How the answer went wrong, in words."""
        page = "an HTML page" if self.asked.turn.page and is_error(self.asked) else ""
        words = (IN_WORDS[self.asked.turn.fault] if self.asked.turn.fault else "", page)
        return ", ".join(filter(None, words))

    @property
    def retry_after(self) -> str:
        """The header, as the script has it."""
        return self.asked.turn.retry_after if is_error(self.asked) else ""

    @property
    def delivered(self) -> tuple[str, ...]:
        """The events before the answer: `image.completed: answered 200`."""
        return tuple(f"{each.label}: {each.answer}" for each in self.asked.delivered)

    @property
    def charged(self) -> str:
        """What was booked: `−1 credit`."""
        return f"{_MINUS}{counted(self.asked.charged, 'credit')}" if self.asked.charged else ""

    @property
    def label(self) -> str:
        """What it was for."""
        if self.asked.host == "elsewhere":
            return "elsewhere"
        return str(self.asked.place) if self.asked.place else "unknown"

    @property
    def target(self) -> str:
        """Its target, where nothing else tells what it was for."""
        return "" if self.asked.place else self.asked.target

    @property
    def likeness(self) -> object:
        """The same for steps that are told alike."""
        asked = self.asked
        parts = (self.status, self.fault, self.retry_after, self.charged, self.wrongs, self.delivered)
        return asked.host, asked.place, asked.method, asked.target, asked.state, *parts


@dataclass(frozen=True)
class Case:
    """A finding as it is shown.

    Attributes:
        number: from 1, in the result's order.
        rule: that is broken.
        violation: how, without the token.
        finding: all that is known; it has the token.
        path: of the file in which the script was saved; nothing where it was not.
        call: how the command line says the client; nothing for a test's.
    """

    number: int
    rule: Rule
    violation: Violation
    finding: Finding
    path: str
    call: str

    @property
    def played(self) -> Performance:
        """The performance; it has the token."""
        return self.finding.played

    @cached_property
    def story(self) -> tuple[str, ...]:
        """The script in sentences."""
        return tuple(story(self.finding.script)) or ("everything goes right",)

    @cached_property
    def asked(self) -> tuple[Asked, ...]:
        """All requests, without the token."""
        return tuple(_without_token(each, self.played.token) for each in self.played.asked)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The requests in few lines."""
        return tuple(_shortened(list(_joined(self.asked, self.rule.id))))

    @cached_property
    def unseen(self) -> tuple[str, ...]:
        """What happened and nobody saw."""
        links, gone = self.played.nowhere, self.finding.script.gone
        words = (
            f"{counted(links, 'link')} led to a host that refuses connections" if links else "",
            "the API could not be connected to" + (" any more" if gone != "start" else "") if gone else "",
        )
        return tuple(filter(None, words))

    @property
    def clock(self) -> str:
        """What a rule by the clock hangs on: sleep that took no time, which not all of a client may see."""
        slept = self.played.seconds - self.played.real_seconds
        if not self.played.virtual or self.rule.id not in _BY_THE_CLOCK or slept < 1:
            return ""
        return (
            f"{moment(slept)} of this it slept, which took no time: a clock or timer that its language does "
            "not keep (C code's, another process's) has not seen them pass"
        )

    @cached_property
    def ending(self) -> Ending:
        """How the client ended, without the token."""
        ending, token = self.played.ending, self.played.token
        return replace(
            ending,
            error=masked(ending.error, token),
            where=masked(ending.where, token),
            output=masked(ending.output, token),
            files={masked(name, token): digest for name, digest in ending.files.items()},
            missing=tuple(masked(name, token) for name in ending.missing),
            status=masked(ending.status, token),
        )

    @property
    def ended(self) -> str:
        """How the client ended, in a few words."""
        ending = self.ending
        words = {
            "done": f"it reports {ending.status or 'success'}",
            "refused": "it refuses",
            "crashed": "it crashes",
            "late": "it had to be stopped",
            "lost": "it died",
        }[ending.outcome]
        if ending.credits is not None:
            words += f" and {counted(ending.credits, 'credit')}"
        return words

    @property
    def error(self) -> str:
        """What it raised, and where."""
        return f"{self.ending.error}{f' at {self.ending.where}' if self.ending.where else ''}"

    @property
    def files(self) -> str:
        """What it saved, and what it only says that it has."""
        words = (
            f"saved {', '.join(self.ending.files)}" if self.ending.files else "",
            f"names {', '.join(self.ending.missing)}, not there" if self.ending.missing else "",
        )
        return "; ".join(filter(None, words))

    @property
    def ledger(self) -> str:
        """What it has cost in the end."""
        charges = self.played.charges
        kept = sum(charge.credits for charge in charges if not charge.refunded)
        back = sum(charge.credits for charge in charges if charge.refunded)
        return f"{counted(kept, 'credit')} charged" + (f", {back:,} refunded" if back else "")

    @property
    def script(self) -> str:
        """The script as JSON, in which every character can be seen."""
        return visible_json(dumped(self.finding.script))

    @property
    def replay(self) -> str:
        """The command that plays it again; nothing where the script was not saved."""
        if not self.path:
            return ""
        replay = shlex.quote(self.path)
        return (
            f"bluehour fuzz --replay {replay} {self.call}"
            if self.call
            else f"pytest --bluehour-replay {replay}"
        )


def shown(result: Result, saved: Mapping[int, str] | None = None) -> dict[Rule, list[Case]]:
    """Return the findings as they are shown, by rule, in the rules' order."""
    cases: dict[Rule, list[Case]] = {}
    for index, finding in enumerate(result.findings):
        one = case(finding, result, (saved or {}).get(index, ""), index + 1)
        cases.setdefault(one.rule, []).append(one)
    return cases


def case(finding: Finding, result: Result, path: str = "", number: int = 1) -> Case:
    """Return a finding as it is shown."""
    token = finding.played.token
    violation = replace(
        finding.violation,
        message=masked(finding.violation.message, token),
        mark=masked(finding.violation.mark, token),
    )
    return Case(number, rule(finding.violation.rule), violation, finding, path, result.call)


def verdict(result: Result) -> str:
    """Return what came of it: `3 rules broken in 7 ways`."""
    if result.findings:
        rules = len({finding.violation.rule for finding in result.findings})
        return f"{counted(rules, 'rule')} broken in {counted(len(result.findings), 'way')}"
    message = f"No rule was seen broken in {counted(result.played, 'script')}"
    return f"{message}, but it did not get to its end" if result.exit_code is Exit.UNJUDGED else message


def per_second(result: Result) -> str:
    """Return how fast it was: `13.8`."""
    rate = result.played / result.seconds if result.seconds else 0.0
    return f"{rate:,.0f}" if rate >= 99.5 else f"{rate:.1f}"


def standings(result: Result) -> dict[Rule, str]:
    """Return what each rule came to: `broken`, `kept`, or `not judged`."""
    broken = {finding.violation.rule for finding in result.findings}
    unbroken = {each: "kept" if each.id in result.rules else "not judged" for each in RULES}
    return {each: "broken" if each.id in broken else standing for each, standing in unbroken.items()}


def moment(seconds: float) -> str:
    """Return a time on the client's clock: `2.01 s`."""
    return f"{seconds:,.2f} s"


def is_error(asked: Asked) -> bool:
    """Tell whether an error was answered."""
    return asked.status >= 400


def visible_json(text: str) -> str:
    r"""Return JSON in which whatever does not print is escaped as JSON has it: `\u200d`, and not `\x7f`."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each == "\n" else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


# A performance in few steps.


def _joined(asked: Sequence[Asked], rule_id: str) -> Iterator[Step]:
    """One step for many in a row that do not differ."""
    steps = [
        Step(each, number, _wrongs(each, rule_id), until=each.at) for number, each in enumerate(asked, 1)
    ]
    for _, alike in groupby(steps, key=lambda step: step.likeness):
        group = list(alike)
        if len(group) < _FEWEST_ALIKE:
            yield from group
        else:
            yield replace(group[0], times=len(group), until=group[-1].asked.at)


def _wrongs(asked: Asked, rule_id: str) -> tuple[str, ...]:
    """What is wrong with a request. A client that gives its token away does so each time: once is enough."""
    tells = rule_id == "token.host" and asked.host != "api" and asked.carries_token
    words = (
        *asked.faults,
        asked.strange,
        asked.wrong_type,
        "it carries the token" if tells else "",
        "its link was told to be expired" if asked.link_is_dead else "",
    )
    return tuple(filter(None, words))


def _shortened(steps: list[Step]) -> list[Step]:
    if len(steps) <= _FIRST + _LAST + 1:
        return steps
    left_out = sum(step.times for step in steps[_FIRST:-_LAST])
    return [*steps[:_FIRST], replace(steps[-_LAST], left_out=left_out), *steps[1 - _LAST :]]


# Without the token.


def _without_token(asked: Asked, token: str) -> Asked:
    return replace(
        asked,
        method=hidden(asked.method, token),
        target=hidden(asked.target, token),
        headers={name: _header(value, token) for name, value in asked.headers.items()},
        body=_body(asked.body, token),
        faults=tuple(masked(each, token) for each in asked.faults),
        strange=masked(asked.strange, token),
        wrong_type=hidden(asked.wrong_type, token),
        subject=hidden(asked.subject, token),
    )


def hidden(text: str, token: str) -> str:
    """Return a text without the token, in whatever writing: in URLs, JSON, capitals."""
    pieces = Secrets({token: "<token>"}).pieces(text)
    return masked("".join(piece for piece, _ in pieces), token)


def _header(value: str, token: str) -> str:
    scheme, _, rest = value.strip().partition(" ")
    try:
        is_inside = token.encode() in base64.b64decode(rest, validate=True)
    except (binascii.Error, ValueError):
        is_inside = False
    return f"{scheme} <token>" if is_inside else hidden(value, token)


def _body(body: bytes, token: str) -> bytes:
    """JSON may have it escaped, anything else has it as it is."""
    if token.encode() not in body:
        return body
    return body.replace(token.encode(), b"<token>")
