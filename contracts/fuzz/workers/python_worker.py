"""The ready Python worker: runs a client, a Python function, once for every line that comes.

    python python_worker.py client.py:edit

It needs nothing but Python 3.9, so it also runs where only the client is installed. How it talks is told in
docs/fuzz-protocol.md. `@contracts.fuzz_client` runs clients by the same functions, in its own process.
"""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import importlib.util
import inspect
import io
import json
import os
import sys
import sysconfig
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn
from unittest.mock import patch

Refusals = tuple[type[BaseException], ...]
Reply = dict[str, Any]

_MOST_SAID = 64 * 2**10
_FUNCTION = "edit"


@dataclass(frozen=True)
class Task:
    """One edit that a client is to make.

    Attributes:
        url: the base URL of the API, such as `http://127.0.0.1:41234`.
        token: the bearer token.
        photo: the path of the picture to edit, a JPEG file.
        out: the path of an empty folder for what is downloaded.
        patience: seconds after which one request should be given up.
    """

    url: str
    token: str
    photo: str
    out: str
    patience: float


class Stopped(BaseException):
    """The client has had its time. No `except Exception` of the client's catches it."""


# The clock.


class VirtualTime:
    """Sleeping that takes no time: it moves the clocks that a client reads.

    Args:
        ask: is told of every sleep, in seconds, and says how long it was; None for a client that has had its
            time. May wait.
    """

    def __init__(self, ask: Callable[[float], float | None]) -> None:
        self._ask = ask
        self._slept = 0.0
        self._lock = threading.Lock()
        self._is_running = True
        self._left_over: weakref.WeakSet[threading.Thread] = weakref.WeakSet()

    def sleep(self, seconds: float) -> None:
        """Do as `time.sleep` does, at once.

        Raises:
            Stopped: the client has had its time.
        """
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        with self._lock:
            if not self._is_running or threading.current_thread() in self._left_over:
                raise Stopped
            slept = self._ask(seconds)
            if slept is None:
                raise Stopped
            self._slept += slept

    async def sleep_async(self, delay: float, result: Any = None) -> Any:
        """Do as `asyncio.sleep` does, at once; others get their turn."""
        if delay > 0:
            self.sleep(delay)
        await _ASYNC_SLEEP(0)
        return result

    @contextmanager
    def installed(self, names: dict[str, Any] | None = None) -> Iterator[None]:
        """Put the clock in the place of the real one.

        Args:
            names: of a module that may have said `from time import sleep`.
        """
        ours: dict[Any, Any] = {time.sleep: self.sleep, asyncio.sleep: self.sleep_async}
        for clock in (time.time, time.monotonic, time.perf_counter):
            ours[clock] = self._moved(clock)
        bound = {name: ours[value] for name, value in (names or {}).items() if _is_key(value, ours)}
        with ExitStack() as stack:
            for real in _OF_TIME:
                stack.enter_context(patch.object(time, real.__name__, ours[real]))
            stack.enter_context(patch.object(asyncio, "sleep", self.sleep_async))
            stack.enter_context(patch.dict(names if names is not None else {}, bound))
            yield

    def begin(self) -> None:
        """Begin with another task: its clock is the real one until it sleeps."""
        self._slept = 0.0
        self._is_running = True

    def end(self) -> None:
        """End a task. Threads that it has left may still want to sleep: they end, whenever they do."""
        with self._lock:
            self._is_running = False
            self._left_over.update(set(threading.enumerate()) - {threading.current_thread()})

    def _moved(self, clock: Callable[[], float]) -> Callable[[], float]:
        return lambda: clock() + self._slept


_ASYNC_SLEEP = asyncio.sleep
_OF_TIME: tuple[Any, ...] = (time.sleep, time.time, time.monotonic, time.perf_counter)


def _is_key(value: Any, known: Mapping[Any, Any]) -> bool:
    try:
        return value in known
    except TypeError:  # nothing that can be a key
        return False


# One run of the client.


def run(client: Callable[[Task], Any], task: Task, refusals: Refusals | None = None) -> Reply:
    """Run a client, sync or async, and return how it ended, as the protocol has it, without what it said.

    Args:
        client: makes the edit.
        task: which one.
        refusals: what it may raise; None for every class of its own, or of a library's, and OSError's.
    """
    try:
        result = client(task)
        if inspect.isawaitable(result):
            result = asyncio.run(_awaited(result))
        return _done(result)
    except Stopped:
        return {"outcome": "stopped"}
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise
    except BaseException as error:  # noqa: BLE001, RUF100 - whatever it is, it is what the client did
        return _failed(error, refusals)


async def _awaited(result: Any) -> Any:
    return await result


def _done(result: Any) -> Reply:
    parts = result if isinstance(result, (list, tuple)) else [result]
    told = result if isinstance(result, Mapping) else {}
    files = [os.fspath(part) for part in parts if isinstance(part, (str, os.PathLike))]
    pictures = [bytes(part) for part in parts if isinstance(part, (bytes, bytearray))]
    for name in ("files", "downloaded_paths"):
        files += [os.fspath(path) for path in (_field(result, told, name) or [])]
    status = _field(result, told, "status")
    credits_charged = _field(result, told, "credits_charged")
    return {
        "outcome": "done",
        "status": getattr(status, "value", status),
        "files": files,
        "digests": [hashlib.sha256(picture).hexdigest() for picture in pictures],
        "credits": credits_charged if isinstance(credits_charged, int) else None,
    }


def _field(result: Any, told: Mapping[str, Any], name: str) -> Any:
    return told.get(name) if told or isinstance(result, (str, bytes)) else getattr(result, name, None)


def _failed(error: BaseException, refusals: Refusals | None) -> Reply:
    kind = type(error).__name__
    return {
        "outcome": "refused" if _is_refusal(error, refusals) else "crashed",
        "error": f"{kind}: {error}"[:_MOST_SAID],
        "type": kind,
        "where": _where(error.__traceback__),
    }


def _is_refusal(error: BaseException, refusals: Refusals | None) -> bool:
    if refusals is not None:
        return isinstance(error, refusals)
    top = type(error).__module__.partition(".")[0]
    is_of_python = top == "builtins" or top in _STANDARD
    return not is_of_python or isinstance(error, (OSError, http.client.HTTPException))


_STANDARD: frozenset[str] = getattr(
    sys, "stdlib_module_names", frozenset(sys.builtin_module_names) | {"json"}
)
"""Python 3.9 does not know the names; json is the one whose errors escape."""


def _where(trace: TracebackType | None) -> str:
    """The innermost line that is no line of Python's own library, nor of this file."""
    frames = [frame for frame in traceback.extract_tb(trace) if not _is_of_python(frame.filename)]
    if not frames:
        return ""
    last = frames[-1]
    return f"{'/'.join(Path(last.filename).parts[-2:])}:{last.lineno} in {last.name}"


def _is_of_python(filename: str) -> bool:
    if filename == __file__ or filename.startswith("<"):
        return True
    return filename.startswith(sysconfig.get_path("stdlib")) and "site-packages" not in filename


# The process.


class _Said(io.TextIOBase):
    """What the client writes on its outputs, in the place of both."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self._size < _MOST_SAID:
            self._text.append(text)
            self._size += len(text)
        return len(text)

    def taken(self) -> str:
        text, self._text, self._size = "".join(self._text)[:_MOST_SAID], [], 0
        return text


class _Wire:
    """Lines of JSON to and from Bluehour."""

    def __init__(self) -> None:
        self._input = sys.stdin.buffer
        self._output = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)  # what is written past sys.stdout is not for Bluehour either

    def tell(self, message: Mapping[str, Any]) -> None:
        self._output.write(json.dumps(message).encode() + b"\n")

    def hear(self) -> dict[str, Any] | None:
        """Return the next line; None at the end."""
        line = self._input.readline()
        if not line:
            return None
        message: dict[str, Any] = json.loads(line)
        return message

    def sleep(self, seconds: float) -> float | None:
        self.tell({"sleep": seconds})
        answer = self.hear() or {}
        return answer.get("slept")


def main(arguments: list[str]) -> None:
    """Run the client that the only argument names, as long as tasks come."""
    if len(arguments) != 1:
        _leave("say which client to run: python_worker.py client.py:function")
    wire, said = _Wire(), _Said()
    sys.stdout = sys.stderr = said
    clock = VirtualTime(wire.sleep)
    with clock.installed():
        client, refusals = loaded(arguments[0])
        wire.tell({"ready": 1, "clock": "virtual"})
        while task := _next_task(wire):
            said.taken()  # what was still to be said of the task before
            clock.begin()
            reply = run(client, task, refusals)
            clock.end()
            wire.tell({**reply, "said": said.taken()})


def loaded(name: str) -> tuple[Callable[[Task], Any], Refusals | None]:
    """Return the client that `client.py:function` names, and what it may raise; leave if it can't be had."""
    file, _, function = name.partition(":")
    sys.path[:0] = [os.getcwd(), str(Path(file).parent.absolute())]
    if not Path(file).is_file():
        _leave(f"there is no file {file}")
    spec = importlib.util.spec_from_file_location(Path(file).stem, file)
    assert spec is not None  # noqa: S101 - the file is there, and its name ends in .py
    assert spec.loader is not None  # noqa: S101 - as above
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # noqa: BLE001, RUF100 - told in one line, whatever it is
        _leave(f"{file} can't be loaded: {type(error).__name__}: {error}")
    named: Any = getattr(module, function or _FUNCTION, None)
    if not callable(named):
        _leave(f"{file} has no function {function or _FUNCTION}")
    refusals = getattr(named, "refuses", None) or getattr(module, "REFUSES", None)
    return getattr(named, "client", named), tuple(refusals) if refusals is not None else None


def _next_task(wire: _Wire) -> Task | None:
    try:
        message = wire.hear()
        if message is None:
            return None
        return Task(**{name: message[name] for name in ("url", "token", "photo", "out", "patience")})
    except (ValueError, KeyError, TypeError) as error:
        _leave(f"no task: {error!r}")


def _leave(message: str) -> NoReturn:
    print(message, file=sys.__stderr__)  # the one line that says why it ends
    sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
