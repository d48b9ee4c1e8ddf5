"""Runs the fuzz: for each topic hypothesis draws scripts, has them played, and shrinks what breaks a rule."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from random import Random

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis.database import ExampleDatabase
from hypothesis.errors import Flaky
from hypothesis.strategies import SearchStrategy

from bluehour.mock_server import __version__, interrupts
from bluehour.openapi.contract import Contract
from bluehour.openapi.wording import counted

from ..display import Display
from ..statuses import OVER
from .clients import Client, ClientError
from .clients.worker import last_line
from .coverage import Coverage
from .judge import ClientJudge, Violation, masked
from .performance import Performance
from .playing import Terms, Theatre
from .results import Finding, Part, Result
from .rules import RULES
from .scene import scene_of
from .script import Place, Script
from .shrinking import smallest
from .stage import StageError
from .strategies import Profile, Topic, others, topics

Signature = tuple[str, str]

_SHRINKS_FOR = 12.0
"""Seconds that hypothesis has to shrink what one topic has shown, and our last step again."""

_REHEARSALS = 10
"""So many scripts in which all goes right are played to a client that gets nothing from the API."""

_TRIES, _TRIES_FOR = 24, 60.0
"""So many scripts the last step may try in any case; seconds after which it ends even so."""

_PHASES = (Phase.reuse, Phase.generate, Phase.shrink)
_HEALTH = list(HealthCheck)


@dataclass(frozen=True)
class Options:
    """What a run is to do.

    Attributes:
        examples: how many scripts are drawn; shrinking plays more.
        seed: the same one draws the same ones.
        profile: what they may have in them.
        rules: ids of those to judge by.
        terms: what the client is given.
        pace: seconds between two polls; None for what the contract advises, where sleeping takes no time.
        database: where hypothesis keeps what has failed, to try it first the next time; None for nowhere.
        only_first: whether to stop at the first broken rule.
        part: which topics; all where others play none of them.
    """

    examples: int
    seed: int
    profile: Profile
    rules: frozenset[str]
    terms: Terms
    pace: float | None = None
    database: ExampleDatabase | None = None
    only_first: bool = False
    part: Part = field(default_factory=Part)


@dataclass
class Progress:
    """How far a run is.

    Attributes:
        topic: what it is at.
        done, of: how many topics are over, of how many.
        played: scripts.
        findings: how many violations there are.
        shrinking: whether a script that broke a rule is being made smaller.
        display: where it is shown.
    """

    topic: str = ""
    done: int = 0
    of: int = 1
    played: int = 0
    findings: int = 0
    shrinking: bool = False
    display: Display = field(default_factory=Display)

    def show(self) -> None:
        """Show it; called whenever something has changed."""
        self.display.show(self.done, self.of, self)

    def __str__(self) -> str:
        """Tell it in a line."""
        doing = "shrinking: " if self.shrinking else ""
        return f"{counted(self.played, 'script')}  {counted(self.findings, 'finding')}  {doing}{self.topic}"


def fuzz(contract: Contract, client: Client, options: Options, progress: Progress | None = None) -> Result:
    """Meet a client with scripts of every topic, and return what it breaks. Ctrl-C ends it early.

    Raises:
        ClientError: the client can't be driven.
        StageError: the stage fails.
    """
    with interrupts.listening(), interrupts.held(), Theatre(contract, client, options.terms) as theatre:
        run = _Run(contract, client, theatre, options, progress or Progress())
        with run.interruptible():
            run.rehearse()
            run.all_topics()
        return run.result(str(options.profile), len(run.topics))


def replay(
    contract: Contract,
    client: Client,
    options: Options,
    scripts: Sequence[tuple[str, Script]],
    progress: Progress | None = None,
) -> Result:
    """Play scripts as they are, each by its name, and return what the client breaks.

    Raises:
        ClientError: the client can't be driven.
        StageError: the stage fails.
    """
    with interrupts.listening(), interrupts.held(), Theatre(contract, client, options.terms) as theatre:
        run = _Run(contract, client, theatre, options, progress or Progress())
        with run.interruptible():
            run.rehearse()
            run.scripts(scripts)
        return run.result("replay", len(scripts))


class _Violated(Exception):
    """The client has broken a rule; a class of its own for each signature tells hypothesis them apart."""


class _Run:
    """What is known while it runs."""

    def __init__(
        self, contract: Contract, client: Client, theatre: Theatre, options: Options, progress: Progress
    ) -> None:
        pace = options.pace
        if pace is None:
            pace = float(contract.extension("x-polling-seconds", 0)) if client.virtual else 0.0
        self._client = client
        self._theatre = theatre
        self._options = options
        self._progress = progress
        self._judge = ClientJudge(options.rules, pace, theatre.longest_wait)
        self._coverage = Coverage()
        self._found: dict[Signature, Finding] = {}
        self._seen_at: dict[Signature, float] = {}
        self._settled: set[Signature] = set()
        self._classes: dict[Signature, type[_Violated]] = {}
        self._played = 0
        self._began = time.monotonic()
        self._stopped = ""
        self._failure: ClientError | StageError | None = None
        self._endless: dict[str, list[tuple[Violation, Performance]]] = {}
        """What was seen of scripts with which the client never ends: it takes long, and is seen but once."""
        self._wanted = options.terms.wanted
        has_receiver = options.terms.webhook is not None
        self.topics = topics(
            contract, options.profile, self._wanted, options.terms.edits, has_receiver=has_receiver
        )
        self._scene = scene_of(contract, self._wanted, has_receiver=has_receiver)

    # What is played.

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let Ctrl-C end what is done here; what is known by then is told."""
        try:
            with interrupts.let_in():
                yield
            interrupts.raise_if_heard()
        except KeyboardInterrupt:
            self._stopped = f"it was interrupted at {self._progress.topic or 'its first script'}"

    def rehearse(self) -> None:
        """See whether the client gets anything from the API, and does what it is to do, before it is blamed.

        Raises:
            ClientError: it does not.
        """
        for rehearsal in range(1, _REHEARSALS + 1):
            played = self._theatre.play(Script())
            why = _why_unheard(played)
            if not why:
                break
            if rehearsal == _REHEARSALS or not played.asked or played.ending.outcome == "late":
                raise ClientError(why if rehearsal == 1 else f"{why} (in {rehearsal} scripts of {rehearsal})")
        created = [asked.target for asked in played.at(Place.CREATE)]
        wanted = self._wanted.operation.path if self._wanted else ""
        if created and not any(target.endswith(wanted) for target in created):
            raise ClientError(f"it called {created[0]}, and not {wanted}, which --operation names")

    def all_topics(self) -> None:
        """Deal the examples to the topics, in the seed's order."""
        deck = list(self.topics)
        Random(self._options.seed).shuffle(deck)  # noqa: S311 - nothing is kept secret by it
        each, rest = divmod(self._options.examples, len(deck))
        shares = [each + (place < rest) for place in range(len(deck))]
        if not each:
            deck, shares = deck[:rest], shares[:rest]
        part = self._options.part
        ours = [*zip(deck, shares, strict=True)][part.index :: part.of]
        self._progress.of = len(ours)
        besides = others(self.topics)
        for topic, share in ours:
            self._topic(topic, topic.scripts(besides), share)
            self._progress.done += 1
            if self._found and self._options.only_first:
                break

    def scripts(self, scripts: Sequence[tuple[str, Script]]) -> None:
        """Play scripts as they are."""
        self._progress.of = len(scripts)
        for name, script in scripts:
            self._begin(name)
            for violation, played in self._violations(script):
                self._found[violation.rule, f"{violation.mark} {name}"] = Finding(violation, played, name)
            self._progress.findings = len(self._found)
            if self._failure:
                raise self._failure
            self._progress.done += 1

    def result(self, profile: str, number_of_topics: int) -> Result:
        """Return what is known."""
        order = [rule.id for rule in RULES]
        findings = sorted(self._found.values(), key=lambda finding: order.index(finding.violation.rule))
        return Result(
            client=self._client.name,
            call=self._options.terms.call,
            version=__version__,
            profile=profile,
            seed=self._options.seed,
            rules=self._options.rules,
            topics=number_of_topics,
            played=self._played,
            seconds=time.monotonic() - self._began,
            coverage=self._coverage,
            findings=tuple(findings),
            stopped=self._stopped,
            notes=tuple(self._notes()),
            places=tuple(map(str, self._scene.places)),
            ends=tuple(state for state in OVER if self._scene.has_job((state,))),
            operation=self._wanted.call if self._wanted else "",
            part=self._options.part,
        )

    def _notes(self) -> list[str]:
        notes = []
        if not self._judge.pace and "poll.pace" in self._options.rules:
            notes.append(
                "poll.pace was not judged: the client's clock is real; --pace says what to judge by."
            )
        if unjudged := self._coverage.outcomes["unjudged"]:
            notes.append(
                f"{counted(unjudged, 'script')} could not be judged to the end: the client sleeps in a way "
                f"that takes real time, and was stopped after {self._options.terms.real_seconds:g} s of it."
            )
        if self._coverage.unanswered:
            notes.append(
                f"{counted(self._coverage.unanswered, 'event')} got no answer from the client's receiver for "
                "as long as a request of the client could wait, which is not judged: have it answer at once, "
                "beside what else the client does."
            )
        return notes

    # One topic.

    def _begin(self, name: str) -> None:
        self._progress.topic, self._progress.shrinking = name, False
        self._coverage.topics[name] += 1
        self._progress.show()

    def _topic(self, topic: Topic, scripts: SearchStrategy[Script], share: int) -> None:
        """Draw and play some scripts of a topic, and shrink what they show."""
        self._begin(topic.name)
        known = set(self._found)
        first_failure: list[float] = []

        def meet(script: Script) -> None:
            is_late = first_failure and time.monotonic() - first_failure[0] > _SHRINKS_FOR
            if self._failure or (is_late and not self._is_known(script)):
                return  # its time to shrink is over: only what is known to fail still does
            for violation, _ in self._violations(script, topic.name):
                if violation.signature not in self._settled and not self._is_told(violation):
                    first_failure[:] = first_failure or [time.monotonic()]
                    self._progress.shrinking = True
                    raise self._class_of(violation.signature)

        with _without_violations():
            self._given(meet, scripts, topic, share)()
        if self._failure:
            raise self._failure
        for signature in [signature for signature in self._found if signature not in known]:
            if signature in self._found:
                self._settle(signature)

    def _is_known(self, script: Script) -> bool:
        return any(finding.script == script for finding in self._found.values())

    def _given(
        self, meet: Callable[[Script], None], scripts: SearchStrategy[Script], topic: Topic, share: int
    ) -> Callable[[], None]:
        key = f"{self._client.name}\0{topic.name}"
        settings = hypothesis.settings(
            max_examples=share,
            database=self._database(key),
            deadline=None,
            phases=_PHASES,
            suppress_health_check=_HEALTH,
            report_multiple_bugs=True,
            verbosity=Verbosity.quiet,
            print_blob=False,
        )
        seeded = hypothesis.seed(int(sha256(f"{self._options.seed}\0{key}".encode()).hexdigest()[:12], 16))
        drawn = hypothesis.given(script=scripts)(lambda script: meet(script))
        return settings(seeded(drawn))  # the other way round the seed would take the database away

    def _database(self, key: str) -> ExampleDatabase | None:
        database = self._options.database
        return None if database is None else _OfTopic(database, key.encode())

    def _class_of(self, signature: Signature) -> type[_Violated]:
        return self._classes.setdefault(signature, type("Violated", (_Violated,), {}))

    # One script.

    def _violations(self, script: Script, topic: str = "") -> list[tuple[Violation, Performance]]:
        """Play a script, count what was met, and keep the smallest script of each violation."""
        if (known := self._endless.get(script.text)) is not None:
            return known
        interrupts.raise_if_heard()
        try:
            played = self._theatre.play(script)
        except (ClientError, StageError) as error:  # hypothesis would take it for a failure of the script's
            self._failure = error
            return []
        self._played += 1
        self._progress.played = self._played
        self._coverage.note(played)
        violations = [(violation, played) for violation in self._judge.violations(played)]
        for violation, _ in violations:
            self._take_down(violation, played, topic)
        if played.ending.outcome == "late":
            self._endless[script.text] = violations
        self._progress.show()
        return violations

    def _take_down(self, violation: Violation, played: Performance, topic: str) -> None:
        if self._is_told(violation):
            self._found[as_legal(violation)].times += 1
            return
        known = self._found.get(violation.signature)
        if known is None and topic:
            self._found[violation.signature] = Finding(violation, played, topic)
            self._seen_at[violation.signature] = time.monotonic()
            self._leave_to_legal(violation)
            self._progress.findings = len(self._found)
        elif known is not None:
            known.times += 1
            if violation.signature not in self._settled and played.script.size < known.script.size:
                known.violation, known.played = violation, played

    def _is_told(self, violation: Violation) -> bool:
        """Tell whether it is a crash in a failure that legal answers are known to make as well."""
        return violation.rule == IN_FAILURES and as_legal(violation) in self._found

    def _leave_to_legal(self, violation: Violation) -> None:
        """Tell a crash but once: what legal answers do needs no failure."""
        if violation.rule == IN_LEGAL and (told := self._found.pop((IN_FAILURES, violation.mark), None)):
            self._found[violation.signature].times += told.times

    def _settle(self, signature: Signature) -> None:
        """Take the last step of shrinking, and see whether it shows again."""
        finding = self._found[signature]
        began, tries = time.monotonic(), 0

        def shows(script: Script) -> bool:
            nonlocal tries
            passed, tries = time.monotonic() - began, tries + 1
            if passed > _TRIES_FOR or (passed > _SHRINKS_FOR and tries > _TRIES):
                finding.smallest = False
                return False
            return self._again(script, signature) is not None

        shrunk = smallest(finding.script, shows)
        again = self._again(shrunk, signature)
        finding.steady = again is not None
        if again is not None:
            finding.violation, finding.played = again
        finding.shrunk_in = time.monotonic() - self._seen_at[signature]
        self._settled.add(signature)

    def _again(self, script: Script, signature: Signature) -> tuple[Violation, Performance] | None:
        """Play a script, and return the violation that is looked for."""
        seen = self._violations(script)
        return next((each for each in seen if each[0].signature == signature), None)


def _why_unheard(played: Performance) -> str:
    """Say why a client has got nothing from the API, though all should have gone right; nothing if it has."""
    called = [asked for asked in played.asked if asked.place]
    if not played.asked:
        ending = played.ending
        message = last_line(masked(ending.error or ending.output, played.token)) or ending.outcome
        return f"it never called the API: {_URL} got no request, and it ended: {message}"
    if not called:
        asked = played.asked[0]
        what = masked(f"{asked.method} {asked.target}", played.token)
        return f"it never called the API: {_URL} was asked for {what}, which the contract does not have"
    if all(asked.status == HTTPStatus.UNAUTHORIZED for asked in called):
        fault = next((fault for asked in called for fault in asked.faults), "")
        return f"its token was refused: {fault or 'answered 401'}; have it send {_TOKEN}"
    return ""


_URL = "the url that it is given (task.url, {url}, BLUEHOUR_URL)"
_TOKEN = "the token that it is given (task.token, {token}, BLUEHOUR_TOKEN)"  # noqa: S105 - words, no token

IN_LEGAL, IN_FAILURES = "error.legal", "error.fault"


def as_legal(violation: Violation) -> Signature:
    """Return the signature that a crash in a failure would have, were legal answers enough to make it."""
    return IN_LEGAL, violation.mark


@contextmanager
def _without_violations() -> Iterator[None]:
    """Let nothing out that is known already: violations have been taken down. A bug of ours does get out."""
    try:
        yield
    except (_Violated, Flaky):
        pass
    except BaseExceptionGroup as group:
        _, others = group.split(_Violated)
        if others is not None:
            raise others from None


class _OfTopic(ExampleDatabase):
    """A database in which each topic of each client has its own shelf."""

    def __init__(self, database: ExampleDatabase, key: bytes) -> None:
        super().__init__()
        self._database = database
        self._key = key

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """See `ExampleDatabase`."""
        return self._database.fetch(self._of_topic(key))

    def save(self, key: bytes, value: bytes) -> None:
        """See `ExampleDatabase`."""
        self._database.save(self._of_topic(key), value)

    def delete(self, key: bytes, value: bytes) -> None:
        """See `ExampleDatabase`."""
        self._database.delete(self._of_topic(key), value)

    def _of_topic(self, key: bytes) -> bytes:
        return sha256(self._key + b"\0" + key).digest()
