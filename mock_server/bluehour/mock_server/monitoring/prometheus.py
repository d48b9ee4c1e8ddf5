"""A mock's figures for Prometheus, by prometheus-client; imported when somebody asks for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import TypeVar

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from .requests import BOUNDS
from .watched import Watched

CONTENT_TYPE = CONTENT_TYPE_LATEST

_PROCESS = "process"
"""Who has counted: several behind one address answer in turns, and each figure goes on as its own."""

_Labels = TypeVar("_Labels", bound=tuple[str, ...])


class Exposition(Collector):
    """The figures of one mock, in a registry of its own: another mock of the process has another.

    Args:
        watched: what is looked at.
        version: of this package.
    """

    def __init__(self, watched: Watched, version: str) -> None:
        self._watched = watched
        self._version = version
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def text(self) -> str:
        """Return the figures as they are now, in Prometheus' text format."""
        return generate_latest(self._registry).decode()

    def collect(self) -> Iterator[Metric]:
        """Return the figures as they are now."""
        yield InfoMetricFamily("bluehour_build", "What is running.", {"version": self._version})
        yield from self._of_requests()
        yield from self._of_jobs()
        waiting = self._watched.waiting
        yield _counted(
            GaugeMetricFamily("bluehour_queue_depth", "What waits for its turn now.", labels=["queue"]),
            {(queue,): depth for queue, depth in waiting.items()},
        )
        workers, process = self._watched.workers(), self._watched.process
        yield GaugeMetricFamily("bluehour_workers", "Processes of bluehour work.", len(workers))
        yield _counted(
            _counter("bluehour_deliveries", "Deliveries that are over.", "outcome"),
            {(process, outcome): number for outcome, number in self._watched.webhooks.ended.items()},
        )
        journal = self._watched.journal
        yield _counted(
            _counter("bluehour_journal_dropped_entries", "Entries of the journal that made room for others."),
            {(process,): 0 if journal is None else journal.dropped},
        )

    def _of_requests(self) -> Iterator[Metric]:
        answered, process = self._watched.requests.read(), self._watched.process
        yield _counted(
            _counter("bluehour_requests", "Requests to the API.", "operation", "status"),
            {
                (process, operation, status): number
                for operation, each in answered.items()
                for status, number in each.by_class.items()
            },
        )
        durations = HistogramMetricFamily(
            "bluehour_request_duration_seconds",
            "How long the mock worked on a request, without delays that were forced.",
            labels=[_PROCESS, "operation"],
        )
        for operation, each in answered.items():
            durations.add_metric([process, operation], _buckets(each.by_bucket), each.ms / 1000)
        yield durations

    def _of_jobs(self) -> Iterator[Metric]:
        labels = [_PROCESS, "kind", "status"]
        unfinished = GaugeMetricFamily(
            "bluehour_jobs_unfinished", "Jobs that are unfinished now.", labels=labels
        )
        finished = _counter("bluehour_jobs_finished", "Jobs that have finished.", "kind", "status")
        charged = _counter("bluehour_credits_charged", "Credits that creates took.")
        refunded = _counter("bluehour_credits_refunded", "Credits that ends gave back.")
        for process, jobs in self._watched.job_figures().items():
            _counted(unfinished, self._by_kind(process, jobs.unfinished))
            _counted(finished, self._by_kind(process, jobs.finished))
            charged.add_metric([process], jobs.charged)
            refunded.add_metric([process], jobs.refunded)
        yield from (unfinished, finished, charged, refunded)

    def _by_kind(
        self, process: str, numbers: Mapping[tuple[str, str], int]
    ) -> Mapping[tuple[str, str, str], int]:
        contract = self._watched.world.contract
        by_kind: Counter[tuple[str, str, str]] = Counter()
        for (operation_id, status), number in numbers.items():
            by_kind[process, contract.operation(operation_id).project_kind, status] += number
        return by_kind


def _counter(name: str, means: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(name, means, labels=[_PROCESS, *labels])


def _buckets(by_bucket: Iterable[int]) -> list[tuple[str, float]]:
    """Return how many were as quick as each bucket's upper end, or quicker."""
    ends = [*(f"{bound / 1000}" for bound in BOUNDS), "+Inf"]
    return list(zip(ends, accumulate(by_bucket), strict=True))


def _counted(family: CounterMetricFamily | GaugeMetricFamily, numbers: Mapping[_Labels, float]) -> Metric:
    for labels, number in numbers.items():
        family.add_metric(labels, number)
    return family
