"""One line per request: for a person to read along, or as JSON for a machine."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from threading import get_ident
from typing import Any, TextIO

import click
import orjson

from bluehour.openapi.messages import Request
from bluehour.openapi.wording import cut, printable

from ..api.reply import Reply
from ..api.trace import Trace
from ..control import PREFIX

_LONGEST_FACT = 400
"""Characters of a path, or of what was wrong."""

_SENT = ("error", "forced")
"""Facts that may repeat what a client sent, beside its method and path."""

_LOOKS = (f"{PREFIX}/", "/favicon.ico/")
"""How the paths begin that a browser reads for the console."""

_COLOURS = {2: "green", 3: "cyan", 4: "yellow", 5: "red"}

Line = Callable[[Mapping[str, Any]], str]


class RequestLog:
    """Writes a line for every request.

    Args:
        write: takes each line, such as `sys.stderr.write`.
        line: makes one of them: `text_line` or `json_line`.
        hide: takes secrets out of a text.
    """

    def __init__(self, write: Callable[[str], object], line: Line, hide: Callable[[str], str]) -> None:
        self._write = write
        self._line = line
        self._hide = hide

    def __call__(self, request: Request, trace: Trace, reply: Reply, ms: float) -> None:
        """Write the line of a request that was answered, within so many milliseconds.

        None of who only looks at the mock, such as the console: a client's lines are what is looked for.
        """
        if _only_looks(request) and reply.status < 400:
            return
        facts = {
            "at": int(time.time()),
            "status": reply.status,
            "method": cut(request.method, _LONGEST_FACT),
            "path": brief(request.path, self._hide),
            "ms": round(ms, 1),
            **trace.note,
        }
        if trace.forced:
            facts["forced"] = trace.forced
        for key in _SENT:
            if key in facts:
                facts[key] = brief(facts[key], self._hide)
        self._write(self._line(facts) + "\n")


def _only_looks(request: Request) -> bool:
    return request.method in ("GET", "HEAD") and (request.path + "/").startswith(_LOOKS)


def brief(text: str, hide: Callable[[str], str]) -> str:
    """Return what was sent for one line: without secrets, and no more of it than somebody reads."""
    return cut(hide(text), _LONGEST_FACT)


@lru_cache(maxsize=1)
def _time_of_day(second: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(second))


@lru_cache(maxsize=1)
def _date_and_time(second: int) -> str:
    return datetime.fromtimestamp(second).astimezone().isoformat()


class LoopWriter:
    """Writes what comes in one turn of the event loop in one go; under load a write per line costs a tenth.

    Args:
        stream: written to and flushed, in the loop's thread only.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._loop = asyncio.get_running_loop()
        self._thread = get_ident()
        self._waiting: deque[str] = deque()
        self._due = False

    def write(self, line: str) -> None:
        """Take a line, from any thread."""
        self._waiting.append(line)
        if not self._due:
            self._due = True
            is_here = get_ident() == self._thread  # most lines are: no other thread need be woken
            (self._loop.call_soon if is_here else self._loop.call_soon_threadsafe)(self.flush)

    def flush(self) -> None:
        """Write what is waiting; called by itself soon after each line."""
        self._due = False  # first, so that a line which comes from now on asks for a turn of its own
        lines = []
        while self._waiting:
            lines.append(self._waiting.popleft())
        self._stream.write("".join(lines))
        self._stream.flush()


def json_line(facts: Mapping[str, Any]) -> str:
    """Return the facts as a JSON object; the time with its date, and the zone of this machine."""
    return orjson.dumps({**facts, "at": _date_and_time(facts["at"])}).decode()


def text_line(facts: Mapping[str, Any], *, colour: bool = False) -> str:
    """Return a line such as `07:21:03  200 POST /v1/ai-face-editor  2.1 ms  cm6p…: 1 credit, 9,999 left`."""
    status = f"{facts['status']}"
    if colour:
        status = click.style(status, fg=_COLOURS.get(facts["status"] // 100))
    what = f"{facts['method']} {facts['path']}  {facts['ms']} ms"
    message = _message(facts)
    return f"{_time_of_day(facts['at'])}  {status} {printable(f'{what}  {message}' if message else what)}"


def _message(facts: Mapping[str, Any]) -> str:
    forced = f"forced by {facts['forced']}" if "forced" in facts else ""
    return "  ".join(filter(None, (_happened(facts), forced)))


def _happened(facts: Mapping[str, Any]) -> str:
    if "error" in facts:
        return str(facts["error"])
    if "charged" in facts:
        credits = "credit" if facts["charged"] == 1 else "credits"
        left = f", {facts['balance']:,} left" if "balance" in facts else ""
        return f"{facts['project']}: {facts['charged']} {credits}{left}"
    return " ".join(str(facts[key]) for key in ("item", "project", "job", "uploaded") if key in facts)
