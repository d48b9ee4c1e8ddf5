"""Runs of the fuzz: the same seed finds the same, and what is found is as small as it can be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from hypothesis.database import InMemoryExampleDatabase

from bluehour.contracts import Task
from bluehour.contracts.fuzz import engine
from bluehour.contracts.fuzz.clients import ClientError, Limits
from bluehour.contracts.fuzz.clients.function import Function
from bluehour.contracts.fuzz.clock import ClientClock
from bluehour.contracts.fuzz.engine import Progress, replay
from bluehour.contracts.fuzz.files import save, scripts_in
from bluehour.contracts.fuzz.performance import Ending
from bluehour.contracts.fuzz.playing import Terms
from bluehour.contracts.fuzz.results import Exit, Result
from bluehour.contracts.fuzz.script import Fault, Place, Script, ScriptError, Turn, story
from bluehour.contracts.fuzz.shrinking import smallest
from bluehour.contracts.fuzz.strategies import Profile, Topic, topics
from tests.interrupting import LOST

from . import careful
from .playing import CONTRACT, TERMS, at, function, fuzzed, options

BUSY = Turn(status=429)
NULL = Turn(fields={"name": None})
QUEUED = ("queued", "rendering", "complete")
MORE = Turn(headers={"Vary": "Origin"})
TWO_RULES = frozenset({"pay.once", "error.legal"})


class NoNull(careful.Client):
    """Crashes where a project has no name."""

    def read(self, project: str) -> dict[str, Any]:
        told = super().read(project)
        told["name"].lower()
        return told


class PaysTwice(careful.Client):
    """Creates again whenever an answer is not to be read, and says nothing of what it has cost."""

    def edit(self) -> dict[str, Any]:
        return super().edit() | {"credits_charged": None}

    def create(self, path: str) -> str:
        try:
            return super().create(path)
        except careful.Refused:
            return super().create(path)


class Both(PaysTwice, NoNull):
    """Has two bugs."""


class NeedsBoth(careful.Client):
    """Crashes only where it was sent away, and the project has no name."""

    busy = False

    def wait(self, answer: careful.Answer, tries: int) -> float:
        self.busy = True
        return super().wait(answer, tries)

    def read(self, project: str) -> dict[str, Any]:
        told = super().read(project)
        if self.busy and told["name"] is None:
            raise KeyError("name")
        return told


FEW = [
    Topic("busy", at(Place.CREATE, BUSY)),
    Topic("name null", at(Place.POLL, NULL, NULL, NULL, job=QUEUED)),
    Topic("empty", at(Place.CREATE, Turn(fault=Fault.EMPTY)), is_legal=False),
    Topic("headers", Script(dict.fromkeys((Place.CREATE, Place.POLL), (MORE,)), job=QUEUED)),
]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> list[Topic]:
    """The engine knows four topics."""
    monkeypatch.setattr(engine, "topics", lambda *_, **__: FEW)
    return FEW


def found(result: Result) -> list[tuple[str, str, Script]]:
    return [(each.violation.rule, each.violation.mark, each.script) for each in result.findings]


# The same again.


def test_the_same_seed_finds_the_same_and_plays_as_much(few: list[Topic]) -> None:
    first, second = (fuzzed(Both, examples=12, seed=3, rules=TWO_RULES) for _ in range(2))
    assert len(first.findings) == 2
    assert found(first) == found(second)
    assert first.played == second.played
    assert (first.seed, first.profile, first.topics) == (3, "realistic", 4)
    assert first.coverage.answers == second.coverage.answers


def test_the_seed_chooses_the_topics_where_there_are_fewer_examples() -> None:
    met = [set(fuzzed(careful.Client, examples=6, seed=seed).coverage.topics) for seed in (1, 2, 1)]
    assert [len(each) for each in met] == [6, 6, 6]
    assert met[0] == met[2] != met[1]
    assert met[0] <= {topic.name for topic in topics(CONTRACT, Profile.REALISTIC)}


def test_examples_are_dealt_to_all_topics(few: list[Topic]) -> None:
    result = fuzzed(careful.Client, examples=9)
    assert set(result.coverage.topics) == {topic.name for topic in few}
    assert result.played <= 9
    assert result.coverage.outcomes.total() == result.played


def test_a_right_client_keeps_every_rule() -> None:
    result = fuzzed(careful.Client, examples=40, profile=Profile.LEGAL)
    assert (result.findings, result.exit_code, result.stopped) == ((), Exit.KEPT, "")
    assert result.rules == options().rules


# The smallest script.


def test_what_is_found_is_shrunk_to_the_one_answer_that_shows_it(few: list[Topic]) -> None:
    result = fuzzed(NoNull, examples=12)
    (finding,) = result.findings
    assert result.exit_code is Exit.FINDINGS
    assert finding.violation.rule == "error.legal"
    assert finding.script == at(Place.POLL, NULL)
    assert list(story(finding.script)) == ["poll answered with success, name is null"]
    assert finding.steady
    assert finding.times > 1
    assert finding.played.ending.kind == "AttributeError"


def test_what_only_a_bad_server_does_is_shrunk_too(monkeypatch: pytest.MonkeyPatch) -> None:
    booked = at(Place.CREATE, Turn(status=500, booked=True, page=True, headers={"Vary": "a"}), job=QUEUED)
    monkeypatch.setattr(engine, "topics", lambda *_, **__: [Topic("booked", booked, is_legal=False)])
    (finding,) = fuzzed(
        PaysTwice, examples=1, profile=Profile.HOSTILE, rules=frozenset({"pay.once"})
    ).findings
    assert (finding.violation.rule, finding.violation.mark) == ("pay.once", "booked")
    assert finding.script == at(Place.CREATE, Turn(status=500, booked=True))


def test_an_unknown_status_is_shrunk_without_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page with a status that nobody has named may be shrunk to JSON with that status."""

    class Strict(careful.Client):
        def api(self, *arguments: Any, **known: Any) -> dict[str, Any]:
            try:
                return super().api(*arguments, **known)
            except careful.Refused as error:
                raise KeyError(str(error)) from error

    odd = Topic("create 520", at(Place.CREATE, Turn(status=520, page=True)), is_legal=False)
    monkeypatch.setattr(engine, "topics", lambda *_, **__: [odd])
    (finding,) = fuzzed(Strict, examples=1, profile=Profile.HOSTILE).findings
    assert finding.steady
    assert [asked.status for asked in finding.played.at(Place.CREATE)] == [520]


def test_two_bugs_are_two_findings_each_with_its_own_script(few: list[Topic]) -> None:
    result = fuzzed(Both, examples=12, rules=TWO_RULES)
    assert [(rule, script) for rule, _, script in found(result)] == [
        ("pay.once", at(Place.CREATE, Turn(fault=Fault.EMPTY))),
        ("error.legal", at(Place.POLL, NULL)),
    ]


def test_two_bugs_in_one_topic_are_both_found(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Script({Place.CREATE: (Turn(fault=Fault.EMPTY),), Place.POLL: (NULL,)})
    monkeypatch.setattr(engine, "topics", lambda *_, **__: [Topic("both", both, is_legal=False)])
    result = fuzzed(Both, examples=8)
    assert {finding.violation.rule for finding in result.findings} == {"pay.once", "error.fault"}
    assert result.findings[0].script == at(Place.CREATE, Turn(fault=Fault.EMPTY))
    assert result.findings[1].script == both


def test_what_takes_two_answers_keeps_both(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Script({Place.CREATE: (BUSY, MORE), Place.POLL: (MORE, NULL, NULL)}, job=QUEUED, pictures=2)
    monkeypatch.setattr(engine, "topics", lambda *_, **__: [Topic("both", both)])
    (finding,) = fuzzed(NeedsBoth, examples=1).findings
    assert finding.script == Script({Place.CREATE: (BUSY,), Place.POLL: (NULL,)})


def test_a_finding_that_comes_and_goes_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "topics", lambda *_, **__: FEW[:1])
    runs: list[int] = []

    def edit(task: Task) -> Any:
        runs.append(1)
        if len(runs) == 2:  # the first is the rehearsal
            raise KeyError("once")
        return careful.edit(task)

    (finding,) = fuzzed(edit, examples=1).findings
    assert not finding.steady


class CrashesOnWhatItCantRead(careful.Client):
    """Crashes at one line, whether legal answers or failures have led there."""

    def read(self, project: str) -> dict[str, Any]:
        try:
            told = super().read(project)
        except careful.Refused:
            told = {}
        if told.get("name") is None:
            raise KeyError("name")
        return told


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_crash_is_told_once_whatever_else_leads_to_it(
    monkeypatch: pytest.MonkeyPatch, order: tuple[int, int]
) -> None:
    broken = Topic("broken", at(Place.POLL, Turn(fault=Fault.BROKEN_JSON)), is_legal=False)
    both = FEW[1], broken
    monkeypatch.setattr(engine, "topics", lambda *_, **__: [both[number] for number in order])
    (finding,) = fuzzed(CrashesOnWhatItCantRead, examples=6).findings
    assert (finding.violation.rule, finding.script) == ("error.legal", at(Place.POLL, NULL))


def test_what_is_shown_by_is_what_the_last_replay_took(monkeypatch: pytest.MonkeyPatch) -> None:
    """A longer script may ask for less: it is not kept for that."""

    class Endless(careful.Client):
        def wait_for(self, project: str) -> dict[str, Any]:
            while True:
                self.read(project)
                sleep(2)

    loud = Script({Place.CREATE: (BUSY, MORE), Place.POLL: (MORE,) * 3}, job=QUEUED, pictures=2)
    monkeypatch.setattr(engine, "topics", lambda *_, **__: [Topic("loud", loud)])
    findings = fuzzed(Endless, examples=2, rules=frozenset({"end.in-time"})).findings
    assert [finding.script for finding in findings] == [Script()]


def test_a_script_that_there_was_no_time_to_shrink_says_so(
    few: list[Topic], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_TRIES_FOR", 0.0)
    monkeypatch.setattr(engine, "_SHRINKS_FOR", 0.0)
    (finding,) = fuzzed(NoNull, examples=4).findings
    assert not finding.smallest


FULL = Script(
    {
        Place.CREATE: (Turn(status=429, code="too_many_requests", headers={"A": "b"}), MORE, MORE),
        Place.POLL: (MORE,) * 6 + (Turn(fields={"name": None, "type": "x", "a.b": 1}, case="upper"),),
    },
    job=("queued",) * 9 + ("rendering", "error"),
    job_error="no_source_face",
    pictures=4,
    same_name=True,
)


@pytest.mark.parametrize(
    ("shows", "shrunk"),
    [
        (lambda script: True, Script()),
        (lambda script: script.turn(Place.CREATE, 0).status == 429, at(Place.CREATE, BUSY)),
        (
            lambda script: any("type" in turn.fields for turn in script.answers.get(Place.POLL, ())),
            at(Place.POLL, Turn(fields={"type": "x"})),
        ),
        (lambda script: script.turn(Place.POLL, 6).case == "upper", None),
        (lambda script: script.job[-1] == "error", Script(job=("error",))),
        (lambda script: script.job.count("queued") > 2, Script(job=(*("queued",) * 3, "complete"))),
        (lambda script: script.pictures > 1, Script(pictures=2)),
        (lambda script: script.same_name and script.pictures > 1, Script(pictures=2, same_name=True)),
        (lambda script: script.turn(Place.CREATE, 1) == MORE, at(Place.CREATE, Turn(), MORE)),
    ],
)
def test_the_last_step_leaves_out_whatever_is_not_needed(
    shows: Callable[[Script], bool], shrunk: Script | None
) -> None:
    smaller = smallest(FULL, shows)
    assert shows(smaller)
    assert shrunk is None or smaller == shrunk
    assert smallest(smaller, shows) == smaller
    if shrunk is None:
        assert len(smaller.answers[Place.POLL]) == 7
        assert smaller.answers[Place.POLL][6] == Turn(case="upper")
        assert Place.CREATE not in smaller.answers


# What was found before.


def test_what_has_failed_is_tried_first_with_any_seed(few: list[Topic]) -> None:
    database = InMemoryExampleDatabase()
    many = fuzzed(NeedsBoth, examples=60, seed=1, database=database)
    (finding,) = many.findings
    fresh = [fuzzed(NeedsBoth, examples=4, seed=seed) for seed in range(2)]
    assert [result.findings for result in fresh] == [(), ()], "the simplest scripts do not show it"
    again = fuzzed(NeedsBoth, examples=4, seed=1234, database=database)
    assert [each.script for each in again.findings] == [finding.script]


def test_what_has_failed_with_one_client_is_nothing_to_another(few: list[Topic]) -> None:
    database = InMemoryExampleDatabase()
    assert fuzzed(NoNull, examples=8, database=database).findings
    driven = function(NoNull)
    driven.name = "another"
    before = len(database.data)
    fuzzed(careful.Client, examples=4, database=database)
    assert fuzzed(driven, examples=8, database=database).findings
    assert len(database.data) > before


# What is judged, and until when.


def test_only_the_rules_that_are_asked_for_are_judged(few: list[Topic]) -> None:
    pay, crash = frozenset({"pay.once"}), frozenset({"error.legal"})
    assert [each.violation.rule for each in fuzzed(Both, examples=8, rules=pay).findings] == ["pay.once"]
    assert [each.violation.rule for each in fuzzed(Both, examples=8, rules=crash).findings] == ["error.legal"]


def test_the_first_finding_may_be_the_last(few: list[Topic]) -> None:
    result = fuzzed(Both, examples=4, only_first=True)
    assert len(result.findings) == 1
    assert len(result.coverage.topics) < 4
    assert result.exit_code is Exit.FINDINGS


def test_findings_come_in_the_rules_order(few: list[Topic]) -> None:
    for seed in range(3):
        rules = [
            finding.violation.rule
            for finding in fuzzed(Both, examples=4, seed=seed, rules=TWO_RULES).findings
        ]
        assert rules == ["pay.once", "error.legal"]


# A client that can't be driven.


def test_a_client_that_sends_nothing_is_no_clients_fault() -> None:
    def edit(task: Task) -> None:
        raise careful.Refused("I need a key\nin my pocket")

    with pytest.raises(ClientError, match=r"got no request, and it ended: .*in my pocket") as error:
        fuzzed(edit)
    assert len(str(error.value).splitlines()) == 1


class Unheard(careful.Client):
    """Tells the API nothing that it knows, and counts how often it is run."""

    runs = 0

    def edit(self) -> dict[str, Any]:
        Unheard.runs += 1
        return super().edit()


def test_a_client_whose_token_is_refused_is_told_so_after_ten_scripts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class OtherToken(Unheard):
        def __init__(self, task: Task) -> None:
            super().__init__(Task(**vars(task) | {"token": "mhk_live_of_production"}))

    monkeypatch.setattr(Unheard, "runs", 0)
    with pytest.raises(ClientError, match=r"its token was refused: .*in 10 scripts of 10") as error:
        fuzzed(OtherToken, examples=200)
    assert Unheard.runs == 10
    assert "task.token" in str(error.value)
    assert "mhk_live" not in str(error.value)


def test_a_client_that_calls_what_no_api_has_is_told_so_after_ten_scripts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class AnotherPath(Unheard):
        def __init__(self, task: Task) -> None:
            super().__init__(Task(**vars(task) | {"url": f"{task.url}/api"}))

    monkeypatch.setattr(Unheard, "runs", 0)
    with pytest.raises(ClientError, match=r"it never called the API: .* POST /api/v1/files/upload-urls"):
        replay(CONTRACT, function(AnotherPath), options(), [("right.json", Script())])
    assert Unheard.runs == 10


def test_a_client_that_gets_through_at_last_is_fuzzed(
    few: list[Topic], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(Unheard):
        def __init__(self, task: Task) -> None:
            token = {} if Unheard.runs > 2 else {"token": "not yet"}
            super().__init__(Task(**vars(task) | token))

    monkeypatch.setattr(Unheard, "runs", 0)
    assert fuzzed(Slow, examples=4).exit_code is Exit.KEPT


def test_a_client_that_says_nothing_either_is_told_by_how_it_ended() -> None:
    with pytest.raises(ClientError, match="and it ended: done"):
        fuzzed(lambda task: None)


def test_the_token_is_not_in_what_is_told_of_such_a_client() -> None:
    def edit(task: Task) -> None:
        raise careful.Refused(f"{task.token} is no key")

    with pytest.raises(ClientError) as error:
        fuzzed(edit)
    assert "mhk_live" not in str(error.value)


class Driven:
    """The careful client, until it is told otherwise."""

    name = "driven"
    call = ""
    virtual = True

    def __init__(
        self, error: BaseException, after: int, client: type[careful.Client] = careful.Client
    ) -> None:
        self._careful = function(client)
        self._error = error
        self._left = after

    def run(self, task: Task, clock: ClientClock, limits: Limits) -> Ending:
        self._left -= 1
        if self._left < 0:
            raise self._error
        return self._careful.run(task, clock, limits)

    def close(self) -> None:
        pass


@contextmanager
def ctrl_c() -> Iterator[None]:
    """Ctrl-C must not get out of the engine, and never to pytest, which would end."""
    try:
        yield
    except KeyboardInterrupt:
        raise AssertionError("Ctrl-C got out") from None


def test_ctrl_c_ends_a_run_with_what_is_known() -> None:
    with ctrl_c():
        result = fuzzed(Driven(KeyboardInterrupt(), 4), examples=20)
    assert result.played == 3
    assert result.stopped.startswith("it was interrupted at ")
    assert (result.findings, result.exit_code) == ((), Exit.UNJUDGED)


@pytest.mark.parametrize("lose", LOST)
def test_ctrl_c_that_python_drops_ends_a_run_all_the_same(lose: Callable[[], None]) -> None:
    played = 0

    class Losing(careful.Client):
        def edit(self) -> dict[str, Any]:
            nonlocal played
            played += 1
            return super().edit()

    class InThisThread(Driven):
        def run(self, task: Task, clock: ClientClock, limits: Limits) -> Ending:
            ending = super().run(task, clock, limits)
            if played == 4:
                lose()
            return ending

    with ctrl_c():
        result = fuzzed(InThisThread(AssertionError(), 100, Losing), examples=20)
    assert (played, result.played) == (4, 3)  # the first one is a rehearsal
    assert result.exit_code is Exit.UNJUDGED


def test_ctrl_c_while_it_is_shrunk_keeps_what_was_found(few: list[Topic]) -> None:
    with ctrl_c():
        result = fuzzed(Driven(KeyboardInterrupt(), 6, NoNull), examples=12)
    assert result.stopped
    assert [each.violation.rule for each in result.findings] == ["error.legal"]
    assert result.exit_code is Exit.FINDINGS


def test_ctrl_c_ends_a_replay_with_what_is_known() -> None:
    scripts = [(f"{n}.json", Script()) for n in range(3)]
    with ctrl_c():
        result = replay(CONTRACT, Driven(KeyboardInterrupt(), 2), options(), scripts)  # one is a rehearsal
    assert result.played == 1
    assert result.stopped
    assert result.exit_code is Exit.UNJUDGED


def test_a_client_that_breaks_down_on_the_way_is_an_error() -> None:
    with pytest.raises(ClientError, match="no more"):
        fuzzed(Driven(ClientError("no more"), 5), examples=20)


def test_an_error_of_ours_is_not_taken_for_one_of_the_clients() -> None:
    with pytest.raises(ZeroDivisionError):
        fuzzed(Driven(ZeroDivisionError(), 5), examples=20)


# Saved and replayed.


def test_what_is_saved_breaks_the_same_when_it_is_replayed(few: list[Topic], tmp_path: Path) -> None:
    result = fuzzed(Both, examples=12, rules=TWO_RULES)
    paths = save(result, tmp_path / "deep" / "down")
    assert list(paths) == [0, 1]
    assert sorted(Path(path).name for path in paths.values())[1] == "pay.once-empty.json"
    scripts = list(scripts_in(tmp_path / "deep" / "down"))
    again = replay(CONTRACT, function(Both), options(), scripts)
    assert found(again) == found(result)
    assert [finding.topic for finding in again.findings] == [Path(paths[n]).name for n in (0, 1)]
    assert (again.profile, again.topics, again.played, again.exit_code) == ("replay", 2, 2, Exit.FINDINGS)
    mended = replay(CONTRACT, function(careful.Client), options(), scripts)
    assert (mended.findings, mended.exit_code) == ((), Exit.KEPT)


def test_a_saved_script_says_what_it_breaks_and_how_it_was_found(few: list[Topic], tmp_path: Path) -> None:
    result = fuzzed(PaysTwice, examples=4, seed=9)
    (path,) = save(result, tmp_path).values()
    told = json.loads(Path(path).read_text())
    assert told["breaks"] == "pay.once"
    assert told["by"] == "2 creates were charged for 1 job: 2 credits"
    assert told["client"] == result.client
    assert told["found"].endswith("profile realistic, seed 9")
    assert told["story"] == ["create answered with success, the body is empty"]
    assert told["script"] == {"answers": {"create": [{"fault": "empty"}]}}
    assert list(scripts_in(Path(path))) == [("pay.once-empty.json", result.findings[0].script)]


def test_a_run_replaces_what_the_one_before_it_has_saved(few: list[Topic], tmp_path: Path) -> None:
    for seed in (1, 2):
        save(fuzzed(Both, examples=4, seed=seed, rules=TWO_RULES), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("content", "says"), [(None, "has no file *.json"), ("[]", '"format"'), (b"\xff", "can't be read")]
)
def test_a_folder_without_a_script_is_refused_in_a_line(
    tmp_path: Path, content: str | bytes | None, says: str
) -> None:
    if content is not None:
        (tmp_path / "a.json").write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ScriptError, match=r".") as error:
        list(scripts_in(tmp_path))
    assert says in str(error.value)
    assert str(tmp_path) in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_file_that_is_not_there_is_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="can't be read"):
        list(scripts_in(tmp_path / "none.json"))


# How far it is.


def test_progress_is_told_with_each_script(few: list[Topic]) -> None:
    told: list[tuple[float, float, str]] = []

    class Shown:
        def show(self, done: float, of: float, said: object) -> None:
            told.append((done, of, str(said)))

    progress = Progress(display=Shown())  # type: ignore[arg-type]
    engine.fuzz(CONTRACT, function(NoNull), options(examples=4), progress)
    assert {of for _, of, _ in told} == {4}
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert any("1 finding  shrinking: " in said for _, _, said in told)
    assert told[0][2].startswith("0 scripts  0 findings  ")


def test_a_client_of_two_edits_may_be_charged_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "topics", lambda *_, **__: FEW[3:])

    def edit(task: Task) -> Any:
        careful.edit(task)
        return careful.edit(task) | {"credits_charged": None}

    terms = Terms(TERMS.seconds, TERMS.real_seconds, edits=2)
    assert fuzzed(edit, examples=1, terms=terms, rules=frozenset({"pay.once"})).findings == ()
    assert fuzzed(edit, examples=1, rules=frozenset({"pay.once"})).findings


def test_a_client_is_named_by_its_function() -> None:
    assert Function(careful.edit, None).name == "tests.contracts.fuzz.careful.edit"
