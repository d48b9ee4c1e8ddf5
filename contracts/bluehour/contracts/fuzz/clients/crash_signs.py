"""How a crash of a command is told from a clean refusal: by a signal, its exit code, what it has written."""

from __future__ import annotations

import builtins
import re
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass

STACK_TRACE = (
    r"Traceback \(most recent call last\)|^panic: |^thread '.*' panicked at|^[ \t]+at \S.*:\d+:\d+\)?$"
    r"|Unhandled (exception|rejection|promise)|Uncaught |^Exception in thread|^\S+\.rb:\d+:in "
    r"|Segmentation fault|core dumped"
)
"""What the output of a crash looks like, in the languages that most clients are written in."""

_OF_PYTHON = re.compile(
    r"^Traceback \(most recent call last\):\n(?P<frames>(?:[ \t]+.*\n)+)(?P<name>[\w.]+)(?::|$)", re.MULTILINE
)
_OF_JAVASCRIPT = re.compile(
    r"^(?:Uncaught )?(?P<name>[\w$]*Error)\b.*\n(?:.*\n){0,20}?[ \t]+at \S", re.MULTILINE
)
_BUGS_OF_JAVASCRIPT = re.compile(r"(Type|Range|Reference|Syntax|Eval|URI|Internal|Assertion)Error")
_NETWORK_OF_JAVASCRIPT = re.compile(
    r"\bcode: '(ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|UND_ERR_|HPE_|ABORT_ERR)"
)
_NETWORK_OF_PYTHON = ("http.client.", "urllib.error.", "socket.", "ssl.")


@dataclass(frozen=True)
class CrashSigns:
    """What tells a crash of a command.

    Attributes:
        pattern: of the output of a crash; None for that of a stack trace whose error nobody meant.
        clean_exits: exit codes of clean refusals; None for each but 0 whose output shows no crash.
    """

    pattern: str | None = None
    clean_exits: frozenset[int] | None = None

    def show_in(self, code: int, output: str) -> bool:
        """Tell whether a command that failed has crashed: by a signal, by its exit code, by its output."""
        if code < 0 or code in (128 + signal.SIGSEGV, 128 + signal.SIGABRT, 128 + signal.SIGBUS):
            return True
        if self.clean_exits is not None:
            return code not in self.clean_exits
        if self.pattern is not None:
            return re.search(self.pattern, output, re.MULTILINE) is not None
        return re.search(STACK_TRACE, output, re.MULTILINE) is not None and not _is_meant(output)


def _is_meant(output: str) -> bool:
    """Whether an output's stack traces are of errors that somebody meant, as the ready workers judge them."""
    verdicts = [*_of_python(output), *_of_javascript(output)]
    return bool(verdicts) and all(verdicts)


def _of_python(output: str) -> Iterator[bool]:
    """The last of a chain is the one that got out."""
    for trace in [*_OF_PYTHON.finditer(output)][-1:]:
        name = trace["name"]
        kind = getattr(builtins, name, None)
        if isinstance(kind, type):
            is_raised = trace["frames"].rstrip("~^ \n").rpartition("\n")[2].lstrip().startswith("raise ")
            is_plain = kind in (Exception, RuntimeError, ValueError) and is_raised
            yield is_plain or issubclass(kind, OSError)
        else:
            is_of_python = name.partition(".")[0] in sys.stdlib_module_names
            yield not is_of_python or name.startswith(_NETWORK_OF_PYTHON)


def _of_javascript(output: str) -> Iterator[bool]:
    """The first is the one that got out: its cause comes after it, indented."""
    if (trace := _OF_JAVASCRIPT.search(output)) and "Traceback (" not in output:
        is_bug = _BUGS_OF_JAVASCRIPT.fullmatch(trace["name"]) is not None
        yield not is_bug or _NETWORK_OF_JAVASCRIPT.search(output) is not None
