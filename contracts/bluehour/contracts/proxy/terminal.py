"""What the proxy says on the terminal: a greeting, and a line per request with what is wrong below it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import click

from bluehour.mock_server import control
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.requestlog import brief, json_line, text_line
from bluehour.openapi.wording import counted, printable

from .bench import Verdict

_INDENT = " " * 10


def greeting(mock: Mock, base_url: str, console_url: str, version: str) -> str:
    """Return the start-up text."""
    sign_in = "?token=…" if mock.world.settings.control_token else ""
    operations = counted(len(mock.world.contract.operations), "operation")
    return (
        f"Bluehour {version} is a proxy at {base_url} before {mock.upstream}  (Ctrl-C stops it)\n"
        f"Both directions are judged by {mock.world.contract.title}, {operations}. "
        f"Console at {console_url}{control.PREFIX}{sign_in}\n"
    )


class Printer:
    """Writes a verdict: lines for a person to read along, or a JSON object for a machine.

    Args:
        write: takes the lines.
        as_json: which of the two.
        colour: whether lines have colours.
    """

    def __init__(self, write: Callable[[str], object], *, as_json: bool, colour: bool) -> None:
        self._write = write
        self._as_json = as_json
        self._colour = colour

    def __call__(self, verdict: Verdict) -> None:
        """Write it in one piece, so that nothing comes between its lines."""
        if self._as_json:
            self._write(json_line(_object(verdict)) + "\n")
        else:
            self._write("".join(f"{line}\n" for line in self._lines(verdict)))

    def _lines(self, verdict: Verdict) -> Iterator[str]:
        yield text_line(_facts(verdict), colour=self._colour)
        for fault in verdict.faults:
            where = "" if fault.message.startswith(fault.where) else f"{fault.where}: "
            yield self._detail("fault", "yellow", where + fault.message)
        for violation in verdict.violations:
            yield self._detail("broken", "red", f"{violation.rule.id}: {violation.message}")
        for remark in verdict.remarks:
            yield self._detail("note", "cyan", remark)

    def _detail(self, kind: str, colour: str, message: str) -> str:
        label = f"{kind:<6}"
        return f"{_INDENT}{click.style(label, fg=colour) if self._colour else label}  {printable(message)}"


def _facts(verdict: Verdict) -> dict[str, Any]:
    return {
        "at": int(time.time()),
        "status": verdict.status,
        "method": _brief(verdict.method),
        "path": _brief(verdict.path),
        "ms": round(verdict.seconds * 1000, 1),
        **verdict.note,
        **({"error": _brief(verdict.note["error"])} if "error" in verdict.note else {}),
    }


def _brief(text: str) -> str:
    return brief(text, str)  # a verdict has no secrets


def _object(verdict: Verdict) -> dict[str, Any]:
    broken = [
        {"rule": each.rule.id, "operation": each.operation, "field": each.field, "message": each.message}
        for each in verdict.violations
    ]
    faults = [{"where": fault.where, "message": fault.message} for fault in verdict.faults]
    return {**_facts(verdict), "faults": faults, "broken": broken, "remarks": verdict.remarks}
