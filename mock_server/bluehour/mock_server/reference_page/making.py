"""What comes out of an operation, for a person: its `x-output`, a line for each thing that it says."""

from __future__ import annotations

from typing import Any

from bluehour.openapi.model import Operation
from bluehour.openapi.outputs import SAME

from .cases import Case, in_words, shown
from .offers import offered

_TITLES = {
    "format": "Format",
    "name": "File name",
    "count": "How many",
    "seconds": "Length, in seconds",
    "most-seconds": "Longest clip, in seconds",
    "fps": "Frames a second",
    "longest-edge": "Longer side, in pixels",
    "shortest-edge": "Shorter side, in pixels",
    "scale": "Size",
    "aspect": "Shape",
    "transparent": "Background",
    "content": "Content",
    "audio": "Sound",
}
"""In the order in which a reader asks for it."""

_SIZES = ("longest-edge", "shortest-edge", "scale")


def what_comes_out(operation: Operation) -> tuple[tuple[str, str], ...]:
    """Return what an operation makes: what is said, and how it is; nothing of one that makes nothing."""
    if not operation.node.keys() & {"x-output", "x-project-type"}:
        return ()
    said = {"format": SAME, "count": 1, **operation.node.get("x-output", {})}
    lines = [(_TITLES[name], _told(operation, name, said[name])) for name in _TITLES if name in said]
    if operation.project_kind in ("image", "video") and not said.keys() & {*_SIZES}:
        lines.append(("Size", "the source's, with a longer side of at most what the plan allows"))
    return tuple(lines)


def _told(operation: Operation, name: str, amount: Any) -> str:
    if amount == SAME:
        return "the source's"
    cases = offered(operation, amount)
    if name == "scale":
        return f"the source's, times {in_words(cases)}"
    if name == "transparent":
        return "transparent"
    if name == "audio":
        cases = [Case(case.when, _SOUND.get(case.value, case.value)) for case in cases]
        return in_words(cases, lambda value: value if value in _SOUND.values() else f"as {shown(value)} says")
    return in_words(cases)


_SOUND = {True: "yes", False: "no"}
