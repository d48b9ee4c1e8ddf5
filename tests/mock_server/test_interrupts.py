"""Ctrl-C is written down before it is raised, and heard by every command from its first moment on."""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from bluehour.mock_server import interrupts
from tests.interrupting import COMMAND, LOST, in_the_background, interrupt, on_linux, wait_until_it_listens


@pytest.fixture
def listening() -> Iterator[None]:
    with interrupts.listening():
        yield


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize("lose", LOST)
def test_what_python_drops_is_heard_by_whoever_asks(lose: Callable[[], None]) -> None:
    interrupts.raise_if_heard()
    lose()
    assert interrupts.heard()
    with pytest.raises(KeyboardInterrupt):
        interrupts.raise_if_heard()


@pytest.mark.usefixtures("listening")
def test_it_is_raised_at_once_but_where_it_is_held() -> None:
    with interrupts.held():
        signal.raise_signal(signal.SIGINT)
    assert interrupts.heard()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.usefixtures("listening")
def test_what_was_held_is_raised_where_it_is_let_in() -> None:
    with interrupts.held():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt), interrupts.let_in():
            raise AssertionError("it was let in")


@pytest.mark.usefixtures("listening")
def test_an_error_that_a_library_makes_of_it_is_taken_for_it() -> None:
    def in_a_library() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            raise AssertionError("the engine has run")  # as hypothesis has one

    with interrupts.held():
        with pytest.raises(AssertionError), interrupts.let_in():
            raise AssertionError("before it came")
        with pytest.raises(KeyboardInterrupt), interrupts.let_in():
            in_a_library()


@pytest.mark.usefixtures("listening")
def test_no_import_is_broken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bluehour_test_slow_module.py").write_text(
        "import signal\nsignal.raise_signal(signal.SIGINT)\nwhole = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert importlib.import_module("bluehour_test_slow_module").whole
    assert interrupts.heard()


def test_whoever_listened_before_listens_again() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupts.listening(), interrupts.held():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    assert not interrupts.heard()


def test_the_second_one_ends_a_command_at_once_with_all_that_it_has_started() -> None:
    code = """if True:
        import signal, subprocess
        from bluehour.mock_server import interrupts
        interrupts.listen(3)
        child = subprocess.Popen(["sleep", "600"], start_new_session=True)
        interrupts.children.add(child.pid)
        signal.raise_signal(signal.SIGINT)
        print("held", flush=True)
        signal.raise_signal(signal.SIGINT)
        print("gone on")
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (3, "held\n")  # which the child would have kept open


@on_linux
@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("serve --port 0", 0, ""),
        ("proxy --upstream http://127.0.0.1:9 --port 0", 0, ""),
        ("check http://127.0.0.1:9", 3, "interrupted by Ctrl-C\n"),
        ("fuzz -- true", 3, "interrupted by Ctrl-C\n"),
        ("weights", 3, "interrupted by Ctrl-C\n"),
    ],
)
def test_every_command_hears_it_from_its_first_moment_on(command: str, code: int, said: str) -> None:
    with in_the_background(*command.split()) as process:
        wait_until_it_listens(process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (code, "", said)


@on_linux
@pytest.mark.parametrize("command", ["serve --port 0", "proxy --upstream http://127.0.0.1:9 --port 0"])
def test_a_server_in_the_background_of_a_shell_ends_by_it(command: str) -> None:
    with in_the_background(*command.split()) as process:
        assert process.stdout is not None
        assert "http://127.0.0.1:" in process.stdout.readline()
        interrupt(process)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


INTERRUPTED_AT_A_CALL = """if True:
    import signal, sys
    from bluehour.__main__ import main

    left = int(sys.argv.pop(1))

    def count(frame, event, argument):
        global left
        left -= event == "call"
        if left <= 0 or frame.f_code.co_name == "greeting":
            sys.setprofile(None)
            signal.raise_signal(signal.SIGINT)

    sys.setprofile(count)
    main()
"""
"""Runs a command with Ctrl-C at a call of some function, or at the latest when a server is up."""


@pytest.mark.thorough
@pytest.mark.parametrize("command", ["serve --port 0", "proxy --upstream http://127.0.0.1:9 --port 0"])
def test_a_server_that_is_starting_ends_by_it_at_any_moment(command: str) -> None:
    moments = Random(12)
    for _ in range(15):
        call = str(moments.randrange(1, 450_000))  # more than are made until it is up
        done = subprocess.run(
            [sys.executable, "-c", INTERRUPTED_AT_A_CALL, call, *command.split()],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, ""), f"at call {call}"


def test_without_an_interrupt_the_exit_code_is_the_commands_own() -> None:
    assert subprocess.run([*COMMAND, "--version"], capture_output=True).returncode == 0
    assert subprocess.run([*COMMAND, "serve", "--port", "x"], capture_output=True).returncode == 2
