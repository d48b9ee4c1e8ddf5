"""Ctrl-C: heard from the first moment of a command on, and never lost.

Python raises KeyboardInterrupt wherever it happens to be. In a function of `gc.callbacks`, which hypothesis
has, or in a finalizer, which http.client has, the exception is dropped, and the command would go on; in the
middle of an import it leaves half a module, and has crashed one that is written in C. So it is written down
first, then raised where that does no harm; whoever sends, sleeps or begins something new asks for it. The
entry point imports this before anything else, so it needs little; the commands use it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

WORDS: Final = "interrupted by Ctrl-C"

children: Final[set[int]] = set()
"""Process groups that must not outlive this process, where it is ended at once."""


class _State:
    """What is known of Ctrl-C in this process.

    Attributes:
        heard: whether it came.
        is_held: whether it is only written down, and not raised.
        exit_code: of the command that it ends; None where nobody but Python's own code decides on that.
    """

    heard = False
    is_held = False
    exit_code: int | None = None


def listen(exit_code: int) -> None:
    """Hear Ctrl-C for the rest of this process, also where a shell has it ignored in the background.

    It is raised only in `let_in`. A second one ends the process at once.

    Args:
        exit_code: of that end.
    """
    _State.exit_code, _State.is_held = exit_code, True
    signal.signal(signal.SIGINT, hear)
    sys.unraisablehook = _tell_unraisable


@contextmanager
def listening() -> Iterator[None]:
    """Hear Ctrl-C as long as the context lasts, where no command does: in somebody's test, say."""
    is_main = threading.current_thread() is threading.main_thread()  # no other may handle signals
    before = signal.getsignal(signal.SIGINT)
    if before is hear or before is None or not is_main:
        yield
        return
    signal.signal(signal.SIGINT, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        _State.heard = False


def hear(number: int, frame: FrameType | None) -> None:
    """Write it down, then raise it; the second one raises at once. A handler of signals."""
    if _State.heard and _State.exit_code is not None:
        _end_at_once(_State.exit_code)
    was_heard, _State.heard = _State.heard, True
    if was_heard or not (_State.is_held or _is_importing(frame)):
        raise KeyboardInterrupt


def heard() -> bool:
    """Tell whether Ctrl-C came, raised or not, lost or not."""
    return _State.heard


def raise_if_heard() -> None:
    """Raise what was only written down, or was lost. For any thread.

    Raises:
        KeyboardInterrupt: Ctrl-C came.
    """
    if _State.heard:
        raise KeyboardInterrupt


@contextmanager
def held() -> Iterator[None]:
    """Have the first Ctrl-C only written down in here, where nothing must be left half done."""
    with _holding(True):
        yield


@contextmanager
def let_in() -> Iterator[None]:
    """Have it raised in here, within `held` and after `listen`.

    A library may make an error of its own of it, as hypothesis does in the moment before its engine runs. So
    whatever is raised once it came is taken for what it has led to.

    Raises:
        KeyboardInterrupt: Ctrl-C came.
    """
    with _holding(False):
        raise_if_heard()
        try:
            yield
        except Exception:
            raise_if_heard()
            raise


@contextmanager
def _holding(is_held: bool) -> Iterator[None]:
    before, _State.is_held = _State.is_held, is_held
    try:
        yield
    finally:
        _State.is_held = before


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def _tell_unraisable(what: sys.UnraisableHookArgs) -> None:
    """Be silent on a KeyboardInterrupt that was dropped: it is written down."""
    if what.exc_type is not KeyboardInterrupt or not _State.heard:
        sys.__unraisablehook__(what)


def _end_at_once(exit_code: int) -> None:
    for group in children:
        with suppress(OSError):
            os.killpg(group, signal.SIGKILL)
    if os.isatty(2):
        os.write(2, b"\x1b[?25h\n")  # a bar of progress hides the cursor
    os._exit(exit_code)
