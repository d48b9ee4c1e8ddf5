"""Ctrl-C of a check: always heard, and not a credit is spent after it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from bluehour.contracts.check.inprocess import AppWire
from bluehour.contracts.check.run import Options, check
from bluehour.contracts.check.wire import Wire
from bluehour.contracts.exchange import Answer, Request
from bluehour.contracts.results import Exit, Report
from bluehour.mock_server import interrupts
from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.inprocess import running
from bluehour.openapi.terms import usual_price
from tests.deviants.catalogue import DEVIANTS
from tests.deviants.deviant import Deviant
from tests.deviants.serving import TIME_SCALE, Served, served
from tests.editors import EDITORS, editors_file
from tests.interrupting import LOST, in_the_background, interrupt, on_linux, wait_until_it_listens

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PRICED = tuple(operation.path for operation in EDITORS.operations if usual_price(operation))


class Interrupted:
    """A wire on which Ctrl-C comes once: with the first free call after three that cost credits."""

    def __init__(self, wire: Wire, happens: Callable[[], None]) -> None:
        self.sent_after = 0
        self._wire = wire
        self._paid = 0
        self._happens: Callable[[], None] | None = happens

    def send(self, request: Request, timeout: float, *, fresh: bool, most: int = 0) -> Answer:
        self.sent_after += self._happens is None
        answer = self._wire.send(request, timeout, fresh=fresh)
        is_paid = answer.status == 200 and request.url.endswith(PRICED)
        self._paid += is_paid
        if self._paid >= 3 and not is_paid and self._happens:
            happens, self._happens = self._happens, None
            happens()
        return answer


def interrupted(
    happens: Callable[[], None], deviant: Deviant | None = None
) -> tuple[Report, Interrupted, int]:
    """Check a server in this process; return what is told, the wire, and what the server has booked."""
    with closing(Mock(EDITORS, Settings(time_scale=0))) as mock:
        app = deviant.wrap(mock) if deviant else create_app(mock)
        wire = Interrupted(AppWire(app), happens)
        report = check(
            Options("http://127.0.0.1:4010", "any-token"), contract=EDITORS, wire=wire, sleep=lambda _: None
        )
        entries = [
            entry
            for account in mock.world.store.accounts()
            for entry in mock.world.store.ledger(account.id).entries
        ]
    return report, wire, -sum(entry.amount for entry in entries if entry.amount < 0)


def pressed() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("happens", [pressed, *LOST])
def test_nothing_is_sent_after_it_even_where_python_drops_it(happens: Callable[[], None]) -> None:
    report, wire, booked = interrupted(happens)
    assert (report.exit_code, report.stopped) == (Exit.UNJUDGED, interrupts.WORDS)
    assert wire.sent_after == 0
    assert report.spent == booked > 0
    assert sum(exchange.booked for exchange in report.exchanges) == booked


def test_a_rule_that_was_seen_broken_by_then_is_told() -> None:
    broken = next(each for each in DEVIANTS if each.name == "unknown-path-is-200")
    report, _, _ = interrupted(pressed, broken)
    assert (report.exit_code, report.stopped) == (Exit.FINDINGS, interrupts.WORDS)


class Interrupting:
    """The mock; it presses Ctrl-C when the first create was charged, before it answers."""

    def __init__(self, mock: Mock) -> None:
        self.press: Callable[[], None] = pressed
        self.was_pressed = False
        self.sent_after = 0
        self._app = create_app(mock)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.sent_after += self.was_pressed
        answer = self._app(environ, start_response)
        if environ["PATH_INFO"] not in PRICED or self.was_pressed:
            return answer
        body = b"".join(answer)
        if b"credits_charged" in body:
            self.was_pressed = True
            self.press()
        return [body]


@contextmanager
def interrupting() -> Iterator[tuple[Interrupting, str]]:
    apps: list[Interrupting] = []

    def app_of(mock: Mock) -> Interrupting:
        apps.append(Interrupting(mock))
        return apps[0]

    with (
        closing(Mock(EDITORS, Settings(time_scale=TIME_SCALE))) as mock,
        running(mock, make_app=app_of) as url,
    ):
        yield apps[0], url


@on_linux
def test_a_call_that_is_paid_for_and_under_way_is_waited_for_and_booked(tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    with (
        interrupting() as (app, url),
        in_the_background("check", url, "--spec", editors_file(), "--json", facts) as process,
    ):
        app.press = lambda: interrupt(process)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 3, out + err
    assert interrupts.WORDS in out
    assert "Traceback" not in err
    assert app.sent_after == 0
    told = json.loads(facts.read_text())
    assert told["stopped"] == interrupts.WORDS
    assert told["credits"]["spent"] == 1


@on_linux
def test_the_second_one_ends_it_without_waiting() -> None:
    with interrupting() as (app, url), in_the_background("check", url, "--spec", editors_file()) as process:

        def press_until_it_ends() -> None:
            while process.poll() is None:
                interrupt(process)

        app.press = press_until_it_ends
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (3, ""), err
    assert "Traceback" not in err


RULES = ("refuse.random", "accept.random", "credits.balance")
"""Rules that are soon judged, some of them by what hypothesis draws, and some by creates side by side."""

QUICK: tuple[str | Path, ...] = (
    "--spec",
    editors_file(),
    *(part for rule in RULES for part in ("--only", rule)),
)


@on_linux
def test_a_report_that_is_being_written_is_written_whole(tmp_path: Path) -> None:
    pipe = tmp_path / "facts.json"
    os.mkfifo(pipe)
    with (
        served(None) as server,
        in_the_background("check", server.url, *QUICK, "--json", pipe) as process,
    ):
        with pipe.open() as facts:  # the check has ended by now, and waits until it can write
            interrupt(process)
            told = json.loads(facts.read())
        out, err = process.communicate(timeout=120)
    assert told["exit_code"] == 0
    assert "conforms" in out
    assert (process.returncode, err.splitlines()[-1]) == (3, interrupts.WORDS)


@dataclass(frozen=True)
class Ended:
    """How a check ended that was interrupted.

    Attributes:
        code: its exit code.
        said: all that it wrote.
        spent: as its report has it; 0 where it had none yet.
        is_late: whether it had sent all that it ever sends.
    """

    code: int
    said: str
    spent: int
    is_late: bool


def interrupted_after(seconds: float, server: Served, facts: Path) -> Ended | None:
    """Interrupt a check some seconds after its first moment; None where it was over by then."""
    facts.unlink(missing_ok=True)
    with in_the_background("check", server.url, *QUICK, "--json", facts) as process:
        wait_until_it_listens(process)
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=seconds)
            return None
        interrupt(process)
        sent = server.requests()
        said = "".join(process.communicate(timeout=120))
    spent = json.loads(facts.read_text())["credits"]["spent"] if facts.exists() else 0
    return Ended(process.returncode, said, spent, server.requests() == sent)


@pytest.mark.thorough
@on_linux
@pytest.mark.parametrize("seed", range(3))
def test_it_is_heard_at_any_moment(seed: int, tmp_path: Path) -> None:
    """60 in all; nothing is demanded of the clock but that the moments differ."""
    moments, heard = Random(seed), 0
    with served(None) as server:
        began = time.monotonic()
        with in_the_background("check", server.url, *QUICK) as process:
            process.communicate()
        longest = time.monotonic() - began
        while heard < 20:
            moment, booked = moments.uniform(0, longest), server.booked()
            ended = interrupted_after(moment, server, tmp_path / "facts.json")
            if ended is None or (ended.code == 0 and ended.is_late):
                continue
            told = f"seed {seed}, {moment:.3f} s of {longest:.3f} s: exit code {ended.code}\n{ended.said}"
            assert ended.code == 3, told
            assert interrupts.WORDS in ended.said, told
            assert "Traceback" not in ended.said, told
            assert server.booked() - booked <= ended.spent, told
            heard += 1
