"""`x-output`: what comes out of an operation that makes files, for one request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .amounts import is_number, value_of

MOST_FILES = 16
"""Files of one project."""

MAX_EDGE = 8192
"""Pixels; nothing is made larger, so that no request can take a machine's memory."""

SAME = "same"
"""The format of the picture that was uploaded."""

_NAME = "output"

_UNKNOWN_EDGE = 1024
"""Pixels of a picture that is not at hand."""

_ASPECT = re.compile(r"(\d{1,4}):(\d{1,4})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Output:
    """What is made of one request.

    Attributes:
        format: the files' extension without its dot, or `SAME`.
        name: what the first is called, without its extension; behind it, the others have their numbers.
        count: how many files.
        seconds: how long each plays; None for still pictures.
        start: where in its source it begins, in seconds, if it is a part of one: its `seconds` are the
            difference of an end and this.
        most_seconds: how long it may be at most, where that is limited.
        fps: its frames in a second.
        longest_edge, shortest_edge: pixels of a side; at most one is given.
        scale: how many times the source's size, where neither is given.
        aspect: width and height of the shape that is asked for.
        is_transparent: whether the background is taken away.
        content: the text that a picture encodes.
        has_sound: whether a video is to be heard.
    """

    format: str = SAME
    name: str = _NAME
    count: int = 1
    seconds: float | None = None
    start: float | None = None
    most_seconds: float | None = None
    fps: float | None = None
    longest_edge: float | None = None
    shortest_edge: float | None = None
    scale: float | None = None
    aspect: tuple[int, int] | None = None
    is_transparent: bool = False
    content: str | None = None
    has_sound: bool = True

    @property
    def is_sized(self) -> bool:
        """Whether the request or the contract says how large it is."""
        return any((self.longest_edge, self.shortest_edge, self.scale, self.aspect))

    def names(self, extension: str) -> list[str]:
        """Return what the files are called: `output.png`, `output-2.png` and so on.

        Args:
            extension: without its dot, of pictures in the format of what was uploaded.
        """
        ending = extension if self.format == SAME else self.format
        stems = [self.name, *(f"{self.name}-{number}" for number in range(2, self.count + 1))]
        return [f"{stem}.{ending}" for stem in stems]


def output_of(node: Mapping[str, Any], request: Mapping[str, Any], plan: str) -> Output:
    """Return what an operation makes.

    Args:
        node: its `x-output`.
        request: the body, with what it leaves out filled in.
        plan: of the account.
    """
    said = {name: value_of(amount, request, plan) for name, amount in node.items()}
    numbers = {name: float(value) for name, value in said.items() if is_number(value)}
    content, sound = said.get("content"), said.get("audio")
    start = value_of(_start_in(node.get("seconds")), request, plan)
    return Output(
        format=str(said.get("format") or SAME),
        name=str(said.get("name") or _NAME),
        count=max(1, min(MOST_FILES, round(numbers.get("count", 1)))),
        seconds=numbers.get("seconds"),
        start=float(start) if isinstance(start, int | float) and is_number(start) else None,
        most_seconds=numbers.get("most-seconds"),
        fps=numbers.get("fps"),
        longest_edge=numbers.get("longest-edge"),
        shortest_edge=numbers.get("shortest-edge"),
        scale=numbers.get("scale"),
        aspect=_aspect(said.get("aspect")),
        is_transparent=said.get("transparent") is True,
        content=content if isinstance(content, str) else None,
        has_sound=sound is True if "audio" in node else True,
    )


def size_of(output: Output, source: tuple[int, int] | None, longest_edge: int) -> tuple[int, int]:
    """Return width and height in pixels of what is made.

    Args:
        output: what is asked for.
        source: of what it is made of; None where that is not at hand.
        longest_edge: the most that the plan allows, where nothing says how large it is to be.
    """
    width, height = output.aspect or source or (1, 1)
    if output.shortest_edge:
        factor = output.shortest_edge / min(width, height)
    elif output.longest_edge:
        factor = output.longest_edge / max(width, height)
    else:
        longer = max(source) if source else min(_UNKNOWN_EDGE, longest_edge)
        edge = longer * output.scale if output.scale else min(longer, longest_edge)
        factor = edge / max(width, height)
    factor = max(0, min(factor, MAX_EDGE / max(width, height)))
    return max(1, round(width * factor)), max(1, round(height * factor))


def _start_in(length: Any) -> Any:
    """Return where a part of a source begins: what its length is counted from, if it is so counted."""
    return length["difference"][1] if isinstance(length, dict) and "difference" in length else None


def _aspect(text: Any) -> tuple[int, int] | None:
    found = _ASPECT.fullmatch(text) if isinstance(text, str) else None
    width, height = (int(found[1]), int(found[2])) if found else (0, 0)
    return (width, height) if width and height else None
