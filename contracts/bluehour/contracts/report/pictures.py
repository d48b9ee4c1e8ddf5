"""Two pictures of a check as inline SVG: what it had spent after each request, and how long each answer took.

Their colours come from the page's style. A picture is told in words, too, for those who do not see it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from markupsafe import Markup

from bluehour.openapi.wording import counted

from ..exchange import Exchange
from .texts import duration

_WIDTH, _HEIGHT = 520, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 506, 26, 200
_MOST_TICKS = 5
_MANY = 250
"""Requests beyond which marks are drawn smaller."""
_FASTEST = 1e-4
"""Seconds; an answer that came faster, as from a server in the same process, is drawn here."""

Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with its caption, which says the same in words."""

    svg: Markup
    caption: str


def credits_picture(exchanges: Sequence[Exchange], budget: int) -> Picture:
    """Return the credits that were spent after each request, below the budget where that is in sight."""
    spent = exchanges[-1].spent
    in_sight = budget <= 4 * max(spent, 1)
    top = max(1, spent, budget if in_sight else 0)
    across, up = _numbers(exchanges), _linear(0, top, _BOTTOM, _TOP + 6)
    charged = [each for each in exchanges if each.booked]
    refused = [each for each in exchanges if each.answer and 400 <= each.answer.status < 500]
    caption = f"{spent:,} of {counted(budget, 'credit')} spent"
    if charged:
        caption += f" by {counted(len(charged), 'request')}"
    if refused:
        free = "" if any(each.booked for each in refused) else ", at no cost"
        caption += f"; {len(refused):,} refused{free}"
    caption += "."
    parts = [
        *_axes(exchanges, across, [(up(tick), f"{tick:,.0f}") for tick in _ticks(top)], "credits"),
        *(_budget_line(up(budget), budget) if in_sight else _budget_above(budget)),
        _path("line", _steps(exchanges, across, up)),
        _path("charged", (f"M{across(each.number):.1f} {up(each.spent):.1f}h0" for each in charged)),
        _path("refused", dict.fromkeys(f"M{across(each.number):.0f} {_BOTTOM - 5}v5" for each in refused)),
    ]
    return Picture(_svg("credits", "Credits spent, request by request", caption, parts, exchanges), caption)


def latency_picture(exchanges: Sequence[Exchange]) -> Picture:
    """Return how long each answer took, on a scale of powers of ten; those that never came at the top."""
    times = [each.answer.seconds for each in exchanges if each.answer]
    low, high = _decades(times)
    across, up = _numbers(exchanges), _linear(low, high, _BOTTOM, _TOP + 22)
    decades = [(up(power), _power(power)) for power in range(low, high + 1)]
    caption = _caption(exchanges, times)
    marks: dict[str, list[str]] = {"fine": [], "refused": [], "failed": [], "silent": []}
    for each in exchanges:
        marks[_kind(each)].append(_mark(each, across, up))
    parts = [
        *_axes(exchanges, across, decades, "log scale"),
        *(_path(kind, dict.fromkeys(drawn)) for kind, drawn in marks.items()),
    ]
    return Picture(_svg("latency", "Time to answer, request by request", caption, parts, exchanges), caption)


def _kind(exchange: Exchange) -> str:
    if exchange.answer is None:
        return "silent"
    if exchange.answer.status >= 500:
        return "failed"
    return "refused" if exchange.answer.status >= 400 else "fine"


def _mark(exchange: Exchange, across: Scale, up: Scale) -> str:
    """A dot, a bar, a triangle or a cross: none needs its colour to be told from the others."""
    x = across(exchange.number)
    if exchange.answer is None:
        return f"M{x - 4:.1f} {_TOP + 2}l8 8m0-8l-8 8"
    y = up(math.log10(max(exchange.answer.seconds, _FASTEST)))
    match _kind(exchange):
        case "failed":
            return f"M{x:.1f} {y - 5:.1f}l5 9h-10z"
        case "refused":
            return f"M{x:.1f} {y - 2.5:.1f}v5"
        case _:
            return f"M{x:.1f} {y:.1f}h0"


def _caption(exchanges: Sequence[Exchange], times: Sequence[float]) -> str:
    silent = sum(each.answer is None for each in exchanges)
    failed = sum(_kind(each) == "failed" for each in exchanges)
    words = [
        *([f"{counted(failed, 'answer')} of 5xx"] if failed else []),
        *([f"{counted(silent, 'request')} without an answer"] if silent else []),
    ]
    if times:
        most = quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
        words.insert(
            0,
            f"Half of the answers came within {duration(median(times))}, "
            f"95 of 100 within {duration(min(most, max(times)))}, the slowest took {duration(max(times))}",
        )
    return f"{'; '.join(words)}." if words else "No answer came."


def _decades(times: Sequence[float]) -> tuple[int, int]:
    logs = [math.log10(max(each, _FASTEST)) for each in times] or [-3.0]
    low, high = math.floor(min(logs)), math.ceil(max(logs))
    return low, max(high, low + 1)


def _power(of_ten: int) -> str:
    """A power of ten in seconds: `10 ms`, `1 s`."""
    return f"{10.0**of_ten:,.0f} s" if of_ten >= 0 else f"{10.0 ** (of_ten + 3):g} ms"


def _numbers(exchanges: Sequence[Exchange]) -> Scale:
    """Places of request numbers from left to right."""
    first, last = exchanges[0].number, exchanges[-1].number
    if first == last:
        return lambda _: (_LEFT + _RIGHT) / 2
    return _linear(first, last, _LEFT + 8, _RIGHT - 4)


def _linear(low: float, high: float, start: float, end: float) -> Scale:
    return lambda value: start + (value - low) / (high - low) * (end - start)


def _ticks(top: float) -> list[float]:
    """Whole numbers from 0 up, few and round."""
    step = 1.0
    for factor in _factors():
        step = factor
        if top / step <= _MOST_TICKS:
            break
    return [step * number for number in range(int(top / step) + 1)]


def _factors() -> Iterator[float]:
    """1, 2, 5, 10, 20, 50 and so on."""
    power = 1.0
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10


def _steps(exchanges: Sequence[Exchange], across: Scale, up: Scale) -> Iterator[str]:
    yield f"M{_LEFT} {up(exchanges[0].spent - exchanges[0].booked):.1f}"
    before = exchanges[0].spent - exchanges[0].booked
    for each in exchanges:
        if each.spent != before:
            yield f"H{across(each.number):.1f}V{up(each.spent):.1f}"
            before = each.spent
    yield f"H{_RIGHT}"


def _budget_line(y: float, budget: int) -> Iterator[str]:
    yield f'<path class="budget" d="M{_LEFT} {y:.1f}H{_RIGHT}"/>'
    below = y + 15 if y < _BOTTOM - 20 else y - 8
    yield _text("inside", _LEFT + 8, below, f"budget {budget:,}")


def _budget_above(budget: int) -> Iterator[str]:
    yield _text("inside", _LEFT + 8, _TOP - 1, f"↑ budget {budget:,}")


def _axes(
    exchanges: Sequence[Exchange], across: Scale, heights: Iterable[tuple[float, str]], what: str
) -> Iterator[str]:
    for y, words in heights:
        yield f'<path class="grid" d="M{_LEFT} {y:.1f}H{_RIGHT}"/>'
        yield _text("height", _LEFT - 8, y + 4, words)
    first, last = exchanges[0].number, exchanges[-1].number
    for tick in _ticks(last):
        if first <= tick < last and across(tick) < _RIGHT - 40:
            yield _text("number", across(tick), _BOTTOM + 20, f"{tick:,.0f}")
    yield _text("number", across(last), _BOTTOM + 20, f"{last:,}")
    yield _text("axis across", _RIGHT, _BOTTOM + 40, "request number")
    yield _text("axis", 4, 14, what)


def _path(kind: str, pieces: Iterable[str]) -> str:
    drawn = "".join(pieces)
    return f'<path class="mark-{kind}" d="{drawn}"/>' if drawn else ""


def _text(kind: str, x: float, y: float, words: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{words}</text>'


def _svg(
    name: str, title: str, description: str, parts: Iterable[str], exchanges: Sequence[Exchange]
) -> Markup:
    heading = Markup('<title id="{0}-title">{1}</title><desc id="{0}-desc">{2}</desc>').format(
        name, title, description
    )
    # Every part is made here, of numbers and of words of ours.
    drawn = Markup("".join(parts))  # noqa: S704
    return Markup(
        '<svg class="picture{}" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title {}-desc">{}{}</svg>'
    ).format(" dense" if len(exchanges) > _MANY else "", _WIDTH, _HEIGHT, name, name, heading, drawn)
