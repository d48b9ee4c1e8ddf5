"""What a check has found, as values: every report shows these same facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from bluehour.openapi.wording import counted

from .baseline import Acceptance
from .exchange import Exchange, Headers
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
        accepted: what of the baseline accepts it; None where nothing does.
        folded: findings that follow from it, and are not told one by one.
    """

    rule: Rule
    operation: str
    field: str
    message: str
    exchange: Exchange | None
    words: str = ""
    times: int = 1
    related: tuple[Exchange, ...] = ()
    accepted: Acceptance | None = None
    folded: tuple[Finding, ...] = ()

    @property
    def consequences(self) -> str:
        """What follows from it, in a sentence; nothing where nothing does."""
        rules = ", ".join(dict.fromkeys(each.rule.id for each in self.folded))
        return f"{counted(len(self.folded), 'finding')} more follow from it: {rules}." if rules else ""

    @property
    def is_error(self) -> bool:
        """Whether it fails a check where it is not accepted."""
        return self.rule.severity is Severity.ERROR


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
        headers: what requests to the deployment carried because the user said so; their values are secrets.
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
    headers: Headers = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that fail the check."""
        return tuple(each for each in self.findings if each.is_error and not each.accepted)

    @property
    def accepted(self) -> tuple[Finding, ...]:
        """The findings that the baseline accepts."""
        return tuple(each for each in self.findings if each.accepted)

    @property
    def unjudged(self) -> tuple[Verdict, ...]:
        """What could not be judged, with the reasons."""
        return tuple(each for each in self.verdicts if each.state is State.UNJUDGED)
