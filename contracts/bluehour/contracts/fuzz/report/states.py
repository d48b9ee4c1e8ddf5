"""A picture of the orders in which clients met a job's states: arcs from one to the next, with counts.

Forward arcs are above the line of states, backward ones below it. Two arcs have either another middle or
another height, so that no number lies on another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from ...report.texts import visible
from ...statuses import OVER
from ..coverage import Coverage

_STATES = ("draft", "queued", "rendering")
_START = ""

_BETWEEN = 104
_LEFT = 30
_LOW, _RISE = 34, 28
"""The height of the shortest arc, and by how much each state in between makes one higher."""
_PILL, _HALF = 92, 15
_THICKEST = 5.0


@dataclass(frozen=True)
class StatesPicture:
    """The picture, and the same in words."""

    svg: Markup
    words: str


def states_picture(coverage: Coverage) -> StatesPicture | None:
    """Return the picture; None where no project was seen."""
    arcs = dict(_arcs(coverage.transitions))
    if not arcs:
        return None
    order = _order(arcs)
    places = {state: _LEFT + _BETWEEN * number for number, state in enumerate(order)}
    base = (
        _LOW + _RISE * max(0, *(order.index(after) - order.index(before) - 1 for before, after in arcs)) + 18
    )
    below = max(0, *(order.index(before) - order.index(after) for before, after in arcs))
    height = base + _HALF + (10 if not below else _LOW - _HALF + _RISE * (below - 1) + 14)
    width = places[order[-1]] + _PILL / 2 + 8
    most = max(arcs.values())
    met = {state for arc in arcs for state in arc}
    drawn = [
        *(_arc(places, order, base, arc, count / most) for arc, count in arcs.items()),
        *(_number(places, order, base, arc, count) for arc, count in arcs.items()),
        *(_pill(places[state], base, state, state in met) for state in order),
    ]
    words = "; ".join(f"{before or 'first'} to {after}: {count:,}" for (before, after), count in arcs.items())
    svg = Markup(
        '<svg class="states" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">{}</svg>'
    ).format(width, height, visible(words), Markup("").join(drawn))
    return StatesPicture(svg, words)


def _arcs(transitions: Mapping[str, int]) -> Iterator[tuple[tuple[str, str], int]]:
    for name, count in transitions.items():
        before, _, after = name.partition("→")
        yield (before.strip(), after.strip()), count


def _order(arcs: Mapping[tuple[str, str], int]) -> list[str]:
    """The states from left to right; what no contract has comes before those in which a job ends."""
    known = (_START, *_STATES, *OVER)
    strange = dict.fromkeys(state for arc in arcs for state in arc if state not in known)
    return [_START, *_STATES, *strange, *OVER]


def _arc(
    places: Mapping[str, int], order: Sequence[str], base: float, arc: tuple[str, str], share: float
) -> Markup:
    """Half an ellipse, and a head that points at the state."""
    start, end = places[arc[0]], places[arc[1]]
    is_forward = end > start
    side = -1 if is_forward else 1
    edge = base + side * (_HALF + 1)
    rise = _height(order, arc)
    thick = max(1.2, _THICKEST * math.sqrt(share))
    head = f"M{end - 5} {edge + side * 8:.1f}L{end} {edge:.1f}L{end + 5} {edge + side * 8:.1f}Z"
    radius = f"{abs(end - start) / 2:.1f} {rise:.1f}"
    line = f"M{start} {edge:.1f}A{radius} 0 0 1 {end} {edge + side * 4:.1f}"
    return Markup('<path class="arc {}" d="{}" stroke-width="{:.1f}"/><path class="head {}" d="{}"/>').format(
        _kind(arc), line, thick, _kind(arc), head
    )


def _number(
    places: Mapping[str, int], order: Sequence[str], base: float, arc: tuple[str, str], count: int
) -> Markup:
    start, end = places[arc[0]], places[arc[1]]
    side = -1 if end > start else 1
    top = base + side * (_HALF + 1 + _height(order, arc))
    return Markup('<text class="times" x="{:.1f}" y="{:.1f}">{}</text>').format(
        (start + end) / 2, top + 5, f"{count:,}"
    )


def _height(order: Sequence[str], arc: tuple[str, str]) -> float:
    between = abs(order.index(arc[1]) - order.index(arc[0])) - 1
    return _LOW - _HALF + _RISE * between


def _kind(arc: tuple[str, str]) -> str:
    return arc[1] if arc[1] in OVER else "on"


def _pill(x: float, base: float, state: str, is_met: bool) -> Markup:
    if state == _START:
        return Markup('<circle class="first" cx="{}" cy="{:.1f}" r="6"/>').format(x, base)
    name = visible(state)
    shown = name if len(name) <= 11 else f"{name[:10]}…"
    kind = f"{state if state in OVER else 'on'}{'' if is_met else ' unmet'}"
    return Markup(
        '<rect class="state {}" x="{:.1f}" y="{:.1f}" width="{}" height="{}" rx="{}"/>'
        '<text class="name {}" x="{:.1f}" y="{:.1f}">{}</text>'
    ).format(kind, x - _PILL / 2, base - _HALF, _PILL, 2 * _HALF, _HALF, kind, x, base + 5, escape(shown))
