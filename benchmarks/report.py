"""What was measured, as a table for a person, as JSON for a machine, and held against the targets."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.load import Run
from benchmarks.servers import Candidate

_TIMES_FASTER = 2.0
_FIRST_200_SECONDS = 0.7
_RESIDENT_BYTES = 120_000_000

_LABEL, _COLUMN = 30, 18


@dataclass(frozen=True, slots=True)
class Measured:
    """All that was measured of one server."""

    candidate: Candidate
    runs: tuple[Run, ...]
    first_200s: tuple[float, ...]
    """Seconds, of each start."""
    resident: int | None
    """Bytes after the runs; None where the system does not tell."""

    @property
    def median(self) -> Run:
        """The run of median throughput, the lower of two."""
        by_throughput = sorted(self.runs, key=lambda run: run.requests_per_second)
        return by_throughput[(len(by_throughput) - 1) // 2]

    @property
    def first_200(self) -> float:
        """The median of the starts."""
        return statistics.median(self.first_200s)

    @property
    def errors(self) -> int:
        """Of all runs."""
        return sum(run.errors for run in self.runs)


@dataclass(frozen=True, slots=True)
class Target:
    """What the server should reach; `met` is None where that was not measured."""

    text: str
    measured: str
    met: bool | None


def table(ours: Measured, other: Measured | None) -> str:
    """Return the report's table: a column per server, and how they compare."""
    servers = [ours] if other is None else [ours, other]
    heads = [f"{each.candidate.name} {each.candidate.version}" for each in servers]
    rows = [_row("", heads, "" if other is None else "ratio")]
    for label, texts, values, compared in _figures(servers):
        rows.append(_row(label, texts, _ratio(values) if compared else ""))
    return "\n".join(row.rstrip() for row in rows)


def _figures(servers: Sequence[Measured]) -> Iterator[tuple[str, list[str], list[float | None], bool]]:
    rates = [each.median.requests_per_second for each in servers]
    yield "requests/s, median run", [f"{rate:,.0f}" for rate in rates], [*rates], True
    for index in range(len(servers[0].runs)):
        each_rate = [each.runs[index].requests_per_second for each in servers]
        yield f"  run {index + 1}", [f"{rate:,.0f}" for rate in each_rate], [*each_rate], True
    for label, values in (
        ("p50 of the median run", [each.median.p50 for each in servers]),
        ("p99 of the median run", [each.median.p99 for each in servers]),
    ):
        yield label, [f"{value:.2f} ms" for value in values], [*values], True
    yield "errors, all runs", [f"{each.errors:,}" for each in servers], [], False
    first = [each.first_200 for each in servers]
    label = f"first 200, median of {len(servers[0].first_200s)}"
    yield label, [f"{seconds:.2f} s" for seconds in first], [*first], True
    resident = [each.resident for each in servers]
    yield "memory after the runs", [_megabytes(size) for size in resident], [*resident], True


def targets(ours: Measured, other: Measured | None) -> list[Target]:
    """Hold the figures against what the project promises."""
    return [
        _beside_prism(ours, other),
        Target(
            f"first 200 within {_FIRST_200_SECONDS} s",
            f"{ours.first_200:.2f} s",
            ours.first_200 <= _FIRST_200_SECONDS,
        ),
        Target(
            f"below {_megabytes(_RESIDENT_BYTES)} after the runs",
            _megabytes(ours.resident),
            None if ours.resident is None else ours.resident < _RESIDENT_BYTES,
        ),
    ]


def _beside_prism(ours: Measured, other: Measured | None) -> Target:
    text = f"at least {_TIMES_FASTER:.0f}x Prism's throughput, at a lower p99"
    if other is None:
        return Target(text, "Prism was not measured", None)
    times = ours.median.requests_per_second / other.median.requests_per_second
    measured = f"{times:.1f}x, {ours.median.p99:.2f} ms to {other.median.p99:.2f} ms"
    return Target(text, measured, times >= _TIMES_FASTER and ours.median.p99 < other.median.p99)


def target_lines(reached: Sequence[Target]) -> str:
    """Return a line per target, met or NOT met."""
    verdict = {True: "met", False: "NOT met", None: "not measured"}
    return "\n".join(f"{verdict[each.met]:<13} {each.text}: {each.measured}" for each in reached)


def warnings(servers: Sequence[Measured]) -> list[str]:
    """Return a loud line for each server that failed requests: its figures are worth nothing."""
    return [
        f"!!! {each.errors:,} requests to {each.candidate.name} FAILED: its figures do not count !!!"
        for each in servers
        if each.errors
    ]


def as_json(
    ours: Measured, other: Measured | None, reached: Sequence[Target], setting: dict[str, Any]
) -> dict[str, Any]:
    """Return everything, as data."""
    servers = [ours] if other is None else [ours, other]
    return {
        "setting": setting,
        "servers": [asdict(each) | {"median": asdict(each.median)} for each in servers],
        "targets": [asdict(each) for each in reached],
    }


def _row(label: str, texts: Sequence[str], ratio: str) -> str:
    columns = "".join(f"{text:>{_COLUMN}}" for text in texts)
    return f"{label:<{_LABEL}}{columns}{ratio:>9}"


def _ratio(values: Sequence[float | None]) -> str:
    if len(values) != 2 or not values[0] or not values[1]:
        return ""
    ratio = values[0] / values[1]
    return f"{ratio:.1f}x" if ratio >= 1 else f"{ratio:.2f}x"


def _megabytes(size: int | None) -> str:
    return "unknown" if size is None else f"{size / 1e6:.0f} MB"
