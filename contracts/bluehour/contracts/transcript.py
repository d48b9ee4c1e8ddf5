"""A journal in a few lines of text: what was asked, what came back, and what was odd about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bluehour.mock_server.control.client import Entry

_MOST = 40
_LONGEST_MESSAGE = 120


def transcript(entries: Sequence[Entry]) -> str:
    """Return one line per request, oldest first; of many the last ones."""
    shown = entries[-_MOST:]
    width = max((len(_asked(entry)) for entry in shown), default=0)
    lines = [_line(entry, width) for entry in shown]
    left_out = len(entries) - len(shown)
    return "\n".join([f"… {left_out:,} before these", *lines] if left_out else lines)


def _line(entry: Entry, width: int) -> str:
    line = f"{_asked(entry):<{width}}  {entry.response.status}"
    remarks = "; ".join(_remarks(entry))
    return f"{line}  {remarks}" if remarks else line


def _asked(entry: Entry) -> str:
    return f"{entry.request.method} {entry.request.path}"


def _remarks(entry: Entry) -> list[str]:
    remarks = []
    if entry.credits:
        remarks.append(f"{entry.credits:+,} credit{'' if abs(entry.credits) == 1 else 's'}")
    if entry.forced:
        remarks.append(f"forced: {entry.forced}")
    if entry.faults:
        remarks += dict.fromkeys(fault.message for fault in entry.faults)
    elif entry.response.status >= 400 or entry.operation == "imageProjects.getDetails":
        remarks.append(_message(entry))
    return [remark for remark in (*remarks, *entry.warnings) if remark]


def _message(entry: Entry) -> str:
    """What an answer tells a person: a refusal's message, or a project's status."""
    try:
        answer = entry.response.json
    except ValueError:
        return ""
    message = (answer.get("message") or answer.get("status")) if isinstance(answer, dict) else None
    return str(message or "")[:_LONGEST_MESSAGE]
