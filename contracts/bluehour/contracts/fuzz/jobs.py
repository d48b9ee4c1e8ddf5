"""Several processes that deal a run's topics out among them, and the one result that comes of it."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from multiprocessing.connection import Connection, wait
from typing import Any

import click

from bluehour.mock_server import interrupts
from bluehour.mock_server.cli import Problem

from ..display import Display
from .coverage import Coverage
from .engine import IN_FAILURES, Progress, as_legal
from .results import Exit, Finding, Part, Result
from .rules import RULES

Play = Callable[[Any, Part, Progress], Result]
"""Plays a part of a run; a function of a module, as another process has to find it."""

_LOOKED_AT_EVERY = 0.2
"""Seconds between two looks whether Ctrl-C came."""


@dataclass
class _Job:
    """A process, and what is known of it."""

    process: Any
    told: Connection
    progress: Progress
    result: Result | None = None
    is_over: bool = False


def in_parts(play: Play, given: Any, jobs: int, display: Display) -> Result:
    """Play a run in several processes, and return what all of them have found.

    Args:
        play: plays a part of it.
        given: what it is told beside the part; it has to be picklable.
        jobs: how many processes.
        display: shows how far all of them are.

    Raises:
        Problem: one of them can't, or has ended without a result; the others are ended.
        KeyboardInterrupt: Ctrl-C came before there was anything to know.
    """
    began, used = time.monotonic(), _cpu_of_children()
    started = [_start(play, given, Part(index, jobs)) for index in range(jobs)]
    try:
        _watch(started, display)
    except BaseException:
        _signal(started, signal.SIGKILL)
        raise
    finally:
        for job in started:
            job.process.join()
            interrupts.children.discard(job.process.pid)
    results = [job.result for job in started if job.result]
    if not results:
        raise KeyboardInterrupt
    used, seconds = _cpu_of_children() - used, time.monotonic() - began
    gain = f"--jobs {jobs}: {used:.1f} CPU seconds in {seconds:.1f} seconds."
    whole = merged(results)
    whole = replace(whole, notes=(*whole.notes, gain))
    return whole if len(results) == jobs else replace(whole, stopped=whole.stopped or interrupts.WORDS)


def _cpu_of_children() -> float:
    """Return the CPU seconds of all processes that this one has waited for, clients of theirs included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _start(play: Play, given: Any, part: Part) -> _Job:
    context = multiprocessing.get_context("spawn")
    told, tells = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(play, given, part, tells))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # and so it is there, until it can be heard
    process.start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    tells.close()
    interrupts.children.add(process.pid or 0)
    return _Job(process, told, Progress())


def _watch(jobs: Sequence[_Job], display: Display) -> None:
    """Take what the processes tell until each has ended; hand Ctrl-C on to them."""
    is_handed_on = False
    while unfinished := [job for job in jobs if not job.is_over]:
        for told in wait([job.told for job in unfinished], _LOOKED_AT_EVERY):
            job = next(job for job in unfinished if job.told is told)
            _take(job)
        if interrupts.heard() and not is_handed_on:
            is_handed_on = True
            _signal(jobs, signal.SIGINT)
        known = [job.progress for job in jobs]
        display.show(sum(each.done for each in known), sum(each.of for each in known), _together(known))


def _take(job: _Job) -> None:
    try:
        told = job.told.recv()
    except EOFError:
        job.process.join()
        raise Problem(f"a process of --jobs ended with {job.process.exitcode}, and no result") from None
    if isinstance(told, Result | None):
        job.result, job.is_over = told, True
    elif isinstance(told, Progress):
        job.progress = told
    else:
        raise Problem(told)


def _together(known: Sequence[Progress]) -> Progress:
    at = next((each.topic for each in known if each.done < each.of), "")
    return Progress(
        topic=f"{at}, and others" if at else "",
        played=sum(each.played for each in known),
        findings=sum(each.findings for each in known),
        shrinking=any(each.shrinking for each in known),
    )


def _signal(jobs: Iterable[_Job], number: int) -> None:
    for job in jobs:
        if job.process.is_alive():
            with suppress(OSError):
                os.kill(job.process.pid, number)


class _Told(Display):
    """Hands on how far a process is."""

    def __init__(self, tells: Connection) -> None:
        self._tells = tells

    def show(self, done: float, of: float, message: object) -> None:
        if isinstance(message, Progress):
            self._tells.send(replace(message, display=Display()))


def _work(play: Play, given: Any, part: Part, tells: Connection) -> None:
    """Play a part, in a process of its own; Ctrl-C comes by the one that has started it."""
    os.setpgrp()
    interrupts.listen(Exit.UNJUDGED)
    signal.signal(signal.SIGTERM, interrupts.hear)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        with interrupts.held():
            tells.send(play(given, part, Progress(display=_Told(tells))))
    except click.ClickException as error:
        tells.send(error.format_message())
    except KeyboardInterrupt:
        tells.send(None)  # nothing was known yet
    sys.exit()


def merged(results: Sequence[Result]) -> Result:
    """Return one result of several of the same run: of each violation the smallest script, all counts summed.

    Args:
        results: of all parts, at least one.
    """
    found: dict[tuple[str, str], Finding] = {}
    for finding in (each for result in results for each in result.findings):
        known = found.setdefault(finding.violation.signature, finding)
        if known is not finding:
            smaller = min(known, finding, key=lambda each: each.script.size)
            found[finding.violation.signature] = replace(smaller, times=known.times + finding.times)
    for signature, finding in [*found.items()]:
        if signature[0] == IN_FAILURES and (told := found.get(as_legal(finding.violation))):
            told.times += found.pop(signature).times
    order = [rule.id for rule in RULES]
    return replace(
        results[0],
        played=sum(each.played for each in results),
        seconds=max(each.seconds for each in results),
        coverage=_summed([each.coverage for each in results]),
        findings=tuple(sorted(found.values(), key=lambda each: order.index(each.violation.rule))),
        stopped=next((each.stopped for each in results if each.stopped), ""),
        notes=tuple(dict.fromkeys(note for each in results for note in each.notes)),
        part=Part(),
    )


def _summed(each: Sequence[Coverage]) -> Coverage:
    total = Coverage()
    for coverage in each:
        for of in fields(Coverage):
            setattr(total, of.name, getattr(total, of.name) + getattr(coverage, of.name))
    return total
