"""`check()`: one check from its beginning to its report, whatever ends it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from random import Random
from secrets import token_hex
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bluehour.mock_server import __version__, interrupts
from bluehour.openapi import terms
from bluehour.openapi.contract import Contract, load
from bluehour.openapi.document import MAGIC_HOUR
from bluehour.openapi.model import Operation
from bluehour.openapi.wording import counted
from bluehour.openapi.writing import credentials_of

from ..baseline import Baseline
from ..exchange import ANYWHERE, Exchange, label_of
from ..judge import Judge
from ..loopback import is_loopback
from ..portrait import PORTRAIT
from ..results import Exit, Finding, Report, State, Verdict
from ..rules import PIXEL_RULES, Rule, rules_of
from .accounts import TEST_TOKEN, Accounts
from .budget import Budget
from .checker import Check, is_success
from .findings import BUDGET, Enough, Findings
from .jobs import Jobs
from .narrowing import narrowed
from .network import Network
from .offered import judge_as_a_whole
from .parts.meeting import NotWelcome
from .picture import Picture
from .pixels.edits import edits_of, price_of, questions
from .progress import Progress
from .schedule import run
from .sender import Manners, Sender, TooBusy, TooMuch, Unreachable
from .wire import HttpWire, Wire

if TYPE_CHECKING:
    from .pixels.gauge import Gauge

log = logging.getLogger("bluehour")

_TIMES = 5
"""How often a check of everything may pay an operation's price."""

LOCAL_REQUESTS = 5_000
"""Requests that a check by a contract without prices may send to a server on this machine."""

_MOST_TOLD = 5
"""Of what is wrong in a contract, and of the operations that are not tried."""

LOCAL_RECONNECT = 5.0
"""Seconds for which a server on this machine that can't be reached is tried again."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to check.

    Attributes:
        target: the deployment's base URL.
        token: of the account that everything is tried with.
        second_token: of another account, if there is one.
        empty_token: of an account that is known to have no credits, if there is one.
        spec: another contract than Magic Hour's: a file, or an address.
        overlays: files or addresses of changes to it.
        operations: which of it are checked, with what they need; all where none is named. See `narrowed`.
        max_requests: how many requests may be sent; None for any number where the contract has prices, and
            else for `LOCAL_REQUESTS` on this machine, and none elsewhere.
        max_credits: the budget; None for `whole_budget` and what the pixel rules among `rules` cost on
            this machine, and nothing elsewhere.
        rules: what is asked about; None for all that the contract's server can be judged by, but pictures.
        seed: chooses the values; the same seed, the same requests.
        picture: what is edited; None for `PORTRAIT`.
        timeout: seconds that an answer may take; None for 10 on this machine, and 30 elsewhere.
        patience: seconds that a job may take; None for 30 on this machine, and 300 elsewhere.
        only_first: whether to end at the first broken rule.
        measure: whether the pictures of the pixel rules are looked at; a rehearsal only asks for them.
        rate: requests a second at most, 0 for no limit; None for none on this machine, and 5 elsewhere.
        network: by which proxy, with which certificates and headers it is called.
        baseline: which findings are accepted.
        follows_foreign: whether links to other hosts than the target's are followed.
    """

    target: str
    token: str
    second_token: str | None = None
    empty_token: str | None = None
    spec: Path | str | None = None
    overlays: tuple[Path | str, ...] = ()
    operations: tuple[str, ...] = ()
    max_requests: int | None = None
    max_credits: int | None = None
    rules: Collection[Rule] | None = None
    seed: int = 0
    picture: Path | None = None
    timeout: float | None = None
    patience: float | None = None
    rate: float | None = None
    only_first: bool = False
    measure: bool = True
    network: Network = field(default_factory=Network)
    baseline: Baseline = field(default_factory=Baseline)
    follows_foreign: bool = True

    @property
    def is_local(self) -> bool:
        """Whether the deployment is on this machine."""
        return is_loopback(urlsplit(self.target).hostname or "")

    @property
    def contract(self) -> Contract:
        """What the deployment has to keep.

        Raises:
            SpecError: the file can't be used.
            ValueError: it has no such operation.
        """
        return narrowed(load(self.spec or MAGIC_HOUR, overlays=self.overlays), self.operations)

    @property
    def asked(self) -> Collection[Rule]:
        """The rules that are asked about."""
        return rules_of(self.contract) if self.rules is None else self.rules

    @property
    def budget(self) -> int:
        """The credits that it may cost."""
        if self.max_credits is not None:
            return self.max_credits
        pixels = price_of(edits_of(questions(self.contract, self.asked)))
        return whole_budget(self.contract) + pixels if self.is_local else 0

    @property
    def request_budget(self) -> int | None:
        """The requests that may be sent; None where credits alone are counted."""
        if self.max_requests is not None or _has_prices(self.contract):
            return self.max_requests
        return LOCAL_REQUESTS if self.is_local else 0


def whole_budget(contract: Contract) -> int:
    """Return the credits that a check of everything may cost, but for the pixel rules."""
    creates = (operation for operation in contract.operations if operation.takes_credits)
    return _TIMES * sum(map(example_price, creates))


def example_price(operation: Operation) -> int:
    """Return what the published example that is tried costs, in credits."""
    media = operation.json_body
    if media is None or not isinstance(media.example, dict):
        return 0
    return terms.price(operation, terms.meant(operation, media.example, ""), "") or 0


def _has_prices(contract: Contract) -> bool:
    return any(operation.takes_credits for operation in contract.operations)


def with_token(options: Options) -> Options:
    """Return options that have a token; on this machine a new account's will do.

    Raises:
        ValueError: it is elsewhere, and there is none; the message says what to do.
    """
    if options.token:
        return options
    if not options.is_local:
        raise ValueError("say whose account to check with: --token TOKEN, or the variable BLUEHOUR_TOKEN")
    return replace(options, token=f"{TEST_TOKEN}{token_hex(6)}")


def ready(options: Options) -> Options:
    """Return options that can be checked with: with a token, and with requests to send.

    Raises:
        ValueError: something is missing; the message says what to do.
    """
    options = with_token(options)
    if options.request_budget == 0:
        raise ValueError(
            "say how many requests may be sent, as the contract has no prices: --max-requests 2000"
        )
    options.network.try_for(options.target)
    _leave_credentials_alone(options)
    return options


def _leave_credentials_alone(options: Options) -> None:
    """Refuse to send with every request what some requests must lack, or have otherwise."""
    sent = (credentials_of(each, "token") for each in options.contract.operations)
    known = {name.lower() for pairs in sent for name, _ in pairs}
    for name, _ in options.network.headers:
        if name.lower() in known:
            raise ValueError(f"--header {name}: the contract's credentials are given by --token")


def check(
    options: Options,
    progress: Progress | None = None,
    *,
    contract: Contract | None = None,
    wire: Wire | None = None,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
) -> Report:
    """Check a deployment, and return what was found; Ctrl-C ends it early, and what is known is returned.

    Args:
        options: what to check, and how.
        progress: told of every call.
        contract: Magic Hour's own where none is given.
        wire: what carries the requests; the network where none is given.
        sleep: waits for some seconds.
        now: the time by which exchanges are dated, in seconds since the epoch.

    Raises:
        OSError: the picture can't be read.
        CannotMeasure: pixel rules are asked about, and the models that measure faces are not there, or
            there is no face in the picture.
        KeyboardInterrupt: Ctrl-C came before there was anything to know.
    """
    with interrupts.listening(), interrupts.held():
        return _report(options, progress or Progress(), contract, wire or _network_of(options), sleep, now)


def _network_of(options: Options) -> HttpWire:
    return HttpWire(options.network, options.target)


def _report(
    options: Options,
    progress: Progress,
    contract: Contract | None,
    wire: Wire,
    sleep: Callable[[float], None],
    now: Callable[[], float],
) -> Report:
    started_at, started = time.time(), time.monotonic()
    with interrupts.let_in():
        contract = contract or options.contract
        checking = _check(options, contract, wire, progress, sleep, now)
    interrupts.raise_if_heard()
    try:
        stopped = _run_to_its_end(checking)
    finally:
        if isinstance(wire, HttpWire):
            wire.close()
    judge_as_a_whole(checking)
    if interrupts.heard():  # when all was done, or it came out as some other error
        stopped = interrupts.WORDS
    if isinstance(wire, HttpWire):
        checking.notes.extend(options.network.described(options.target))
    operations = (*(label_of(each) for each in contract.operations), "upload", "download", ANYWHERE)
    findings = _marked(checking.findings.findings(), options.baseline, today(now))
    checking.notes.extend(_untried(contract))
    if again := checking.sender.sent_again:
        checking.notes.append(
            f"{counted(again, 'call')} got no answer at first, and went through a second time."
        )
    if checking.sender.budget.is_out_of_requests:
        checking.notes.append(f"{BUDGET}{checking.sender.budget.requests} requests did not suffice")
    verdicts = _with_the_rest(checking.findings.verdicts(operations), options.asked, stopped)
    checking.notes.extend(_remarks(options.baseline, findings, verdicts, today(now)))
    return Report(
        target=checking.target,
        contract=contract.title,
        version=__version__,
        seed=options.seed,
        started_at=started_at,
        seconds=time.monotonic() - started,
        max_requests=options.request_budget,
        headers=options.network.headers,
        max_credits=options.budget,
        spent=checking.sender.budget.spent,
        operations=operations,
        verdicts=verdicts,
        findings=findings,
        exchanges=tuple(checking.sender.exchanges),
        stopped=stopped,
        exit_code=_exit_code(findings, checking, stopped or _unseen(verdicts)),
        accounts=checking.accounts.described(),
        notes=tuple(dict.fromkeys(checking.notes)),
    )


def _check(
    options: Options,
    contract: Contract,
    wire: Wire,
    progress: Progress,
    sleep: Callable[[float], None],
    now: Callable[[], float],
) -> Check:
    def wait(seconds: float) -> None:
        interrupts.raise_if_heard()
        sleep(seconds)

    def observe(exchange: Exchange) -> None:
        checking.observe(exchange)
        progress.note(exchange, checking.sender.budget.left, checking.findings.count)

    local, picture = options.is_local, Picture.read(options.picture or PORTRAIT)
    checking = Check(
        target=options.target.rstrip("/"),
        contract=contract,
        sender=Sender(
            wire, Budget(options.budget, options.request_budget), _manners(options), observe, wait, now
        ),
        judge=Judge(contract),
        findings=Findings(
            options.asked,
            only_first=options.only_first,
            accepts=partial(options.baseline.accepts, today=today(now)),
        ),
        accounts=Accounts(contract, options.token, options.second_token, options.empty_token),
        picture=picture,
        random=Random(options.seed),  # noqa: S311 - chooses test values, hides nothing
        patience=_given(options.patience, 30.0 if local else 300.0),
        pause=0.02 if local else float(contract.extension("x-polling-seconds", 2)),
        sleep=wait,
        now=now,
        progress=progress,
        is_local=local,
        own_headers=options.network.headers,
        follows_foreign=options.follows_foreign,
        gauge=_gauge(options, contract, picture, progress),
    )
    return checking


def _gauge(options: Options, contract: Contract, picture: Picture, progress: Progress) -> Gauge | None:
    asked = questions(contract, options.asked)
    if not asked or not options.measure:
        return None
    progress.say("loading what measures pictures")
    from .pixels.gauge import Gauge

    return Gauge.for_questions(asked, picture.content)


def _manners(options: Options) -> Manners:
    local = options.is_local
    return Manners(
        rate=_given(options.rate, 0.0 if local else 5.0),
        timeout=_given(options.timeout, 10.0 if local else 30.0),
        reconnect=LOCAL_RECONNECT if local else 60.0,
        is_local=local,
    )


def _given(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _run_to_its_end(checking: Check) -> str:
    """Run the check, and return why it ended before its end; nothing where it did not."""
    try:
        with interrupts.let_in():
            run(checking, Jobs(checking))
    except KeyboardInterrupt:
        return interrupts.WORDS
    except Enough:
        return "a rule is broken, and only the first was asked for"
    except (NotWelcome, Unreachable, TooBusy, TooMuch) as error:
        return str(error)
    except Exception as error:  # a fault of ours must not lose what has been paid for
        log.exception("the check failed, which is a bug of Bluehour")
        return f"Bluehour failed: {error!r}"
    return ""


def _with_the_rest(
    verdicts: tuple[Verdict, ...], rules: Collection[Rule], stopped: str
) -> tuple[Verdict, ...]:
    """Add the rules of which nothing is known at all."""
    known = {verdict.rule.id for verdict in verdicts}
    reason = stopped or "nothing was seen that it could be judged by"
    rest = (Verdict(rule, ANYWHERE, State.UNJUDGED, 0, reason) for rule in rules if rule.id not in known)
    return (*verdicts, *rest)


def _exit_code(findings: Sequence[Finding], checking: Check, stopped: str) -> Exit:
    if any(finding.is_error and not finding.accepted for finding in findings):
        return Exit.FINDINGS
    if stopped or _never_called(checking) or checking.sender.budget.is_out_of_requests:
        return Exit.UNJUDGED
    return Exit.CONFORMS


def today(now: Callable[[], float] = time.time) -> date:
    """Return the day by which a baseline is read, in UTC."""
    return datetime.fromtimestamp(now(), UTC).date()


def _marked(findings: Sequence[Finding], baseline: Baseline, day: date) -> tuple[Finding, ...]:
    return tuple(
        replace(each, accepted=baseline.accepts(each.rule.id, each.operation, day)) for each in findings
    )


def _remarks(
    baseline: Baseline, findings: Sequence[Finding], verdicts: Sequence[Verdict], day: date
) -> Iterator[str]:
    kept = {(each.rule.id, each.operation) for each in verdicts if each.state is State.KEPT}
    return baseline.remarks({(each.rule.id, each.operation) for each in findings}, kept, day)


def _untried(contract: Contract) -> Iterator[str]:
    """Say what of a contract can't be judged, and why."""
    for defect in contract.defects[:_MOST_TOLD]:
        yield f"The contract is wrong, and nothing is judged by that: {defect}"
    others = [each for each in contract.operations if each.body is not None and each.json_body is None]
    if others:
        shown = ", ".join(label_of(each) for each in others[:_MOST_TOLD])
        yield f"Only bodies of JSON are tried, and {counted(len(others), 'operation')} take none: {shown}"


def _unseen(verdicts: Sequence[Verdict]) -> str:
    """Name a pixel rule that was not judged to its end: whoever asks for it takes silence for praise."""
    return next((each.rule.id for each in verdicts if each.rule in PIXEL_RULES and each.reason), "")


def _never_called(checking: Check) -> bool:
    """Tell whether some create never accepted anything, for want of budget or as it was always too busy."""
    called = {exchange.operation for exchange in checking.sender.exchanges if is_success(exchange)}
    left_out = {operation for operation in checking.creates if operation not in called}
    return any(checking.findings.is_untried(label_of(operation)) for operation in left_out)
