"""What a create makes of a request: the project's name, size and frames, and what it costs in the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from bluehour.openapi import terms
from bluehour.openapi.model import Operation
from bluehour.openapi.outputs import size_of
from bluehour.openapi.terms import really_made

from .clock import isoformat
from .pictures import Clip
from .projects import Project

_of_operations = lru_cache(maxsize=1024)
"""Remembers what was found out of an operation; those of a contract that was edited are let go in time."""


def name_for(operation: Operation, body: Mapping[str, Any], at: float) -> str:
    """Return the name asked for; else the default, with the time in place of `dateTime`; else none."""
    if "name" in body and _takes_name(operation):
        return str(body["name"])
    return _default_name(operation).replace("dateTime", isoformat(at))


@_of_operations
def _takes_name(operation: Operation) -> bool:
    return operation.json_body is not None and "name" in operation.json_body.schema.properties


@_of_operations
def _default_name(operation: Operation) -> str:
    return str(operation.with_defaults({}).get("name", ""))


def measured(
    project: Project,
    operation: Operation,
    request: Mapping[str, Any],
    clips: Iterable[Clip],
    longest_edge: int,
) -> Project:
    """Return a project with the size and the frames of what it makes, and with what that costs at its end.

    Args:
        project: as it was asked for.
        operation: that makes it.
        request: as `terms.meant` returns it.
        clips: what is known of the files that it is made of.
        longest_edge: pixels, the most that the plan allows where nothing says how large it is to be.
    """
    asked = terms.output(operation, request, project.plan)
    if asked.fps is None:
        return project
    source = _source_of(list(clips))
    made = really_made(asked, source.seconds, source.fps)
    width, height = size_of(asked, source.size, longest_edge)
    return replace(
        project,
        settled=terms.settled_price(operation, request, project.plan, made),
        width=width + width % 2,  # as videos have it
        height=height + height % 2,
        fps=made.fps,
        seconds=made.seconds,
    )


def _source_of(clips: Sequence[Clip]) -> Clip:
    """Return what a project is made of: its first video, else its first picture and sound."""
    if video := next((clip for clip in clips if clip.fps), None):
        return video
    return Clip(
        size=next((clip.size for clip in clips if clip.size), None),
        seconds=next((clip.seconds for clip in clips if clip.seconds), None),
    )
