"""What a check has found, as values: every report shows these same facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from .exchange import Exchange
from .rules import Rule, Severity


class State(StrEnum):
    """What is known of a rule at an operation."""

    KEPT = "kept"
    BROKEN = "broken"
    UNJUDGED = "not judged"


class Exit(IntEnum):
    """The exit codes of `bluehour check`."""

    CONFORMS = 0
    FINDINGS = 1
    USAGE = 2
    UNJUDGED = 3


@dataclass(slots=True)
class Finding:
    """A broken rule, with the exchange that shows it.

    Attributes:
        operation: where, such as `POST /v1/ai-face-editor`, `upload`, or `exchange.ANYWHERE`.
        field: which part of the request or answer, such as `style.mouth_smile`; nothing for the whole.
        message: what was wrong, in a sentence.
        exchange: the first exchange that shows it.
        words: the contract's own words on it, as YAML; nothing where the rule's `place` is all there is.
        times: how many exchanges have shown it.
        related: other exchanges that are needed to see it, such as the create before a GET.
    """

    rule: Rule
    operation: str
    field: str
    message: str
    exchange: Exchange | None
    words: str = ""
    times: int = 1
    related: tuple[Exchange, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one rule at one operation.

    Attributes:
        checks: how often it was looked at and found kept.
        reason: why it was not judged, or not to the end: `the budget is spent`.
    """

    rule: Rule
    operation: str
    state: State
    checks: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a check has to say.

    Attributes:
        target: the deployment's base URL.
        contract: the contract's title.
        version: Bluehour's.
        seed: makes the same check again.
        started_at: seconds since the epoch.
        seconds: how long it took.
        max_credits: the budget.
        spent: credits booked, refunds not deducted.
        operations: the matrix's columns, in the contract's order, then `upload`, `download` and `ANYWHERE`.
        verdicts: one for each rule and operation that it applies to, in the rules' order.
        stopped: why it ended before its end; nothing where it did not.
        exit_code: see `Exit`.
        accounts: what each account that was used is, by its label.
        notes: what the reader should know: what was assumed, what was left out and why.
        max_requests: how many requests might be sent, where those are counted and not credits.
    """

    target: str
    contract: str
    version: str
    seed: int
    started_at: float
    seconds: float
    max_credits: int
    spent: int
    operations: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    findings: tuple[Finding, ...]
    exchanges: tuple[Exchange, ...]
    stopped: str
    exit_code: Exit
    accounts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    max_requests: int | None = None

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that fail the check."""
        return tuple(each for each in self.findings if each.rule.severity is Severity.ERROR)

    @property
    def unjudged(self) -> tuple[Verdict, ...]:
        """What could not be judged, with the reasons."""
        return tuple(each for each in self.verdicts if each.state is State.UNJUDGED)
