"""The ready Python worker: runs a client, a Python function, once for every line that comes.

    python python_worker.py client.py:edit

The files of this folder need nothing but Python 3.9, so they also run where only the client is installed. How
it talks is told in docs/fuzz-protocol.md. `@contracts.fuzz_client` runs clients by the same functions, in its
own process.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import dis
import hashlib
import http.client
import importlib.util
import inspect
import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

if __package__:
    from .moved_clocks import is_of_python
    from .virtual_time import Stopped, VirtualTime
else:  # run as a file, beside the other one; mypy reads it as a module
    from moved_clocks import is_of_python  # type: ignore[import-not-found,no-redef,unused-ignore]
    from virtual_time import (  # type: ignore[import-not-found,no-redef,unused-ignore]
        Stopped,
        VirtualTime,
    )

Refusals = tuple[type[BaseException], ...]
Reply = dict[str, Any]

_MOST_OUTPUT = 64 * 2**10
_FUNCTION = "edit"


@dataclass(frozen=True)
class Task:
    """What a client is to have done, once: an edit of the photo, or what `--operation` asks for.

    Attributes:
        url: the base URL of the API, such as `http://127.0.0.1:41234`.
        token: the bearer token.
        photo: the path of the picture to edit, a JPEG file.
        out: the path of an empty folder for what is downloaded.
        patience: seconds after which one request should be given up.
        operation: the id of the operation that is wanted, such as `textToVideo.createVideo`; nothing where
            the choice is the client's.
        path: its path, such as `/v1/text-to-video`.
        request: the body that is wanted of it, in which files that are to be uploaded have their paths here.
        video, audio: the paths of a video and of a sound that can be uploaded.
        webhook_url: where the client's receiver of webhooks has to listen; nothing where it has none.
        webhook_secret: what its events are signed with.
    """

    url: str
    token: str
    photo: str
    out: str
    patience: float
    operation: str = ""
    path: str = ""
    request: Mapping[str, Any] = field(default_factory=dict)
    video: str = ""
    audio: str = ""
    webhook_url: str = ""
    webhook_secret: str = ""


_KEYS = [each.name for each in fields(Task)]
_NEEDED = [each.name for each in fields(Task) if each.default is each.default_factory is MISSING]

# One run of the client.


def run(client: Callable[[Task], Any], task: Task, refusals: Refusals | None = None) -> Reply:
    """Run a client, sync or async, and return how it ended, as the protocol has it, without what it said.

    Args:
        client: does what is wanted.
        task: what that is.
        refusals: what it may raise; None for what `_is_refusal` takes for one.
    """
    try:
        result = client(task)
        if inspect.isawaitable(result):
            result = asyncio.run(_awaited(result))
        return _done(result)
    except Stopped:
        return {"outcome": "stopped"}
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001, RUF100 - whatever it is, it is what the client did
        return _failed(error, refusals)


async def _awaited(result: Any) -> Any:
    return await result


def _done(result: Any) -> Reply:
    fields = result if isinstance(result, Mapping) else {}
    parts = [
        result,
        *_paths(_field(result, fields, "files")),
        *_paths(_field(result, fields, "downloaded_paths")),
    ]
    parts += result if isinstance(result, (list, tuple)) else []
    files = [os.fspath(part) for part in parts if isinstance(part, os.PathLike) or _is_a_path(part)]
    pictures = [bytes(part) for part in parts if isinstance(part, (bytes, bytearray))]
    status = _field(result, fields, "status")
    credits_charged = _field(result, fields, "credits_charged")
    return {
        "outcome": "done",
        "status": None if status is None else str(getattr(status, "value", status)),
        "files": files,
        "digests": [hashlib.sha256(picture).hexdigest() for picture in pictures],
        "credits": credits_charged if isinstance(credits_charged, int) else None,
    }


def _paths(value: Any) -> list[Any]:
    """One path, or several."""
    if value is None or isinstance(value, (str, os.PathLike)):
        return [] if value is None else [Path(value)]
    return [Path(each) for each in value if isinstance(each, (str, os.PathLike))]


def _is_a_path(value: Any) -> bool:
    """Whether a text that was returned is a path, and not, say, the project's id."""
    return isinstance(value, str) and (os.path.isabs(value) or os.path.exists(value))


def _field(result: Any, fields: Mapping[str, Any], name: str) -> Any:
    return fields.get(name) if fields else getattr(result, name, None)


def _failed(error: BaseException, refusals: Refusals | None) -> Reply:
    kind = type(error).__name__
    return {
        "outcome": "refused" if _is_refusal(error, refusals) else "crashed",
        "error": f"{kind}: {_words(error)}"[:_MOST_OUTPUT],
        "type": kind,
        "where": _where(error.__traceback__),
    }


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as worse:  # noqa: BLE001, RUF100 - an error that can't even be told
        return f"its words can't be had: {type(worse).__name__}"


def _is_refusal(error: BaseException, refusals: Refusals | None) -> bool:
    """Tell whether somebody meant to say this: by a class that is not Python's, or by words in a plain one.

    So is what the network does. A KeyError, a TypeError, a JSONDecodeError is none, whoever raised it.
    """
    if inner := getattr(error, "exceptions", None):  # of a group, each has to be one
        return all(_is_refusal(each, refusals) for each in inner)
    if refusals is not None:
        return isinstance(error, refusals)
    if isinstance(error, _OF_THE_NETWORK):
        return True
    top = type(error).__module__.partition(".")[0]
    is_of_python = top == "builtins" or top in _STANDARD
    return not is_of_python or (type(error) in _OF_ANYBODY and _is_said(error.__traceback__))


_OF_THE_NETWORK: Refusals = (
    OSError,
    http.client.HTTPException,
    asyncio.TimeoutError,  # an OSError only from Python 3.11 on
    concurrent.futures.TimeoutError,
)
_OF_ANYBODY = (Exception, RuntimeError, ValueError)
"""Classes that clients raise which have none of their own, and that Python itself raises too."""


def _is_said(trace: TracebackType | None) -> bool:
    """Tell whether an error comes from a `raise`, and from one of the client's or a library's."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:  # of a group, and made by somebody
        return True
    code = trace.tb_frame.f_code
    is_raised = dis.opname[code.co_code[trace.tb_lasti]] == "RAISE_VARARGS"
    return is_raised and not _is_no_clients(code.co_filename)


_STANDARD: frozenset[str] = getattr(
    sys, "stdlib_module_names", frozenset(sys.builtin_module_names) | {"json"}
)
"""Python 3.9 does not know the names; json is the one whose errors escape."""


def _where(trace: TracebackType | None) -> str:
    """The innermost line that is no line of Python's own library, nor of this file."""
    frames = [frame for frame in traceback.extract_tb(trace) if not _is_no_clients(frame.filename)]
    if not frames:
        return ""
    last = frames[-1]
    return f"{'/'.join(Path(last.filename).parts[-2:])}:{last.lineno} in {last.name}"


def _is_no_clients(filename: str) -> bool:
    return filename.startswith((str(Path(__file__).parent), "<")) or is_of_python(filename)


# The process.


class Output(io.TextIOWrapper):
    """What the client writes on its outputs, in the place of both: a text stream like any other."""

    def __init__(self) -> None:
        self._bytes = _Capped()
        super().__init__(self._bytes, encoding="utf-8", errors="backslashreplace", write_through=True)

    def taken(self) -> str:
        """Return what was written, and forget it."""
        self.flush()
        text = self._bytes.getvalue().decode("utf-8", "replace")
        self._bytes.seek(0)
        self._bytes.truncate()
        return text


class _Capped(io.BytesIO):
    """Keeps the first bytes of what is written."""

    def write(self, data: Any) -> int:
        room = max(0, _MOST_OUTPUT - self.tell())
        super().write(bytes(data)[:room])
        return len(bytes(data))


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
    wire, output = _Wire(), Output()
    sys.stdout = sys.stderr = output
    clock = VirtualTime(wire.sleep)
    with clock.installed():
        client, refusals = loaded(arguments[0])
        wire.tell({"ready": 1, "clock": "virtual"})
        while task := _next_task(wire):
            output.taken()  # what was still to be said of the task before
            clock.begin()
            reply = run(client, task, refusals)
            clock.end()
            wire.tell({**reply, "said": output.taken()})


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
        _leave(f"{file} can't be loaded: {type(error).__name__}: {' '.join(_words(error).split())}")
    named: Any = getattr(module, function or _FUNCTION, None)
    if not callable(named):
        _leave(f"{file} has no function {function or _FUNCTION}")
    refusals = getattr(named, "refuses", None)
    refusals = getattr(module, "REFUSES", None) if refusals is None else refusals
    return getattr(named, "client", named), tuple(refusals) if refusals is not None else None


def _next_task(wire: _Wire) -> Task | None:
    try:
        message = wire.hear()
        if message is None:
            return None
        return Task(**{name: message[name] for name in _KEYS if name in message or name in _NEEDED})
    except (ValueError, KeyError, TypeError) as error:
        _leave(f"no task: {error!r}")


def _leave(message: str) -> NoReturn:
    print(message, file=sys.__stderr__)  # the one line that says why it ends
    sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
