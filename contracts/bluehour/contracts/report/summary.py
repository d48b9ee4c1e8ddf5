"""A report in numbers and in one sentence: what each rule came to, and why others were not judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bluehour.openapi.wording import counted

from ..results import Exit, Report, State, Verdict
from ..rules import Rule, Severity


class Standing(StrEnum):
    """What is known of a rule over all operations."""

    KEPT = "kept"
    BROKEN = "broken"
    ACCEPTED = "accepted"
    WARNED = "warned"
    UNJUDGED = "not judged"


def standings(report: Report) -> dict[Rule, Standing]:
    """Return what each rule came to: kept only where it was judged, and kept, everywhere."""
    broken = {each.rule for each in report.findings}
    not_accepted = {each.rule for each in report.findings if not each.accepted}
    known: dict[Rule, set[State]] = {}
    for verdict in report.verdicts:
        known.setdefault(verdict.rule, set()).add(verdict.state)
    for finding in report.findings:
        known.setdefault(finding.rule, set())
    return {
        rule: Standing.ACCEPTED
        if rule in broken - not_accepted
        else _standing(rule, states | {State.BROKEN} if rule in broken else states)
        for rule, states in known.items()
    }


def _standing(rule: Rule, states: set[State]) -> Standing:
    if State.BROKEN in states:
        return Standing.BROKEN if rule.severity is Severity.ERROR else Standing.WARNED
    return Standing.UNJUDGED if State.UNJUDGED in states else Standing.KEPT


@dataclass(frozen=True, slots=True)
class Group:
    """The rules of a group with what each came to, and how often they were looked at and found kept."""

    name: str
    rules: Mapping[Rule, Standing]
    checks: int

    @property
    def count(self) -> Counter[Standing]:
        """How many of them came to what."""
        return Counter(self.rules.values())


def groups(report: Report) -> list[Group]:
    """Return the groups of rules in the rules' order."""
    rules: dict[str, dict[Rule, Standing]] = {}
    for rule, standing in standings(report).items():
        rules.setdefault(rule.group, {})[rule] = standing
    checks: Counter[str] = Counter()
    for verdict in report.verdicts:
        checks[verdict.rule.group] += verdict.checks
    return [Group(name, known, checks[name]) for name, known in rules.items()]


def by_reason(report: Report) -> dict[str, list[Verdict]]:
    """Return what was not judged, by the reason."""
    reasons: dict[str, list[Verdict]] = {}
    for verdict in report.unjudged:
        reasons.setdefault(verdict.reason or "no reason given", []).append(verdict)
    return reasons


def conclusion(report: Report) -> str:
    """Return the verdict in words: `2 rules are broken, 51 kept, 3 not judged; 27 of 60 credits spent`."""
    prefix = {Exit.CONFORMS: "conforms: ", Exit.USAGE: "not checked: "}.get(report.exit_code, "")
    return f"{prefix}{outcome(report)}; {spending(report)}"


def spending(report: Report) -> str:
    """Return what was spent of the budget, in words."""
    if report.max_requests is not None:
        return f"{len(report.exchanges):,} of {counted(report.max_requests, 'request')} sent"
    return f"{report.spent:,} of {counted(report.max_credits, 'credit')} spent"


def outcome(report: Report) -> str:
    """Return what came of the check, in words, without the credits."""
    count = Counter(standings(report).values())
    broken, kept = count[Standing.BROKEN], count[Standing.KEPT]
    rest = _rest(count)
    match report.exit_code:
        case Exit.FINDINGS:
            return f"{counted(broken, 'rule')} {'is' if broken == 1 else 'are'} broken, {kept:,} kept{rest}"
        case Exit.CONFORMS:
            return f"{counted(kept, 'rule')} kept{rest}"
        case Exit.UNJUDGED:
            return f"no broken rule, but not everything was judged: {kept:,} kept{rest}"
        case Exit.USAGE:
            return report.stopped or "see the notes"


def _rest(count: Counter[Standing]) -> str:
    accepted, warned, unjudged = (
        count[each] for each in (Standing.ACCEPTED, Standing.WARNED, Standing.UNJUDGED)
    )
    words = f", {accepted:,} accepted" if accepted else ""
    words += f", {counted(warned, 'warning')}" if warned else ""
    return f"{words}, {unjudged:,} not judged" if unjudged else words
