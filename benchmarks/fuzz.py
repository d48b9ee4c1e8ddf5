"""Counts the faulty clients that `bluehour fuzz` catches, and measures how fast it plays and shrinks."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from statistics import median

import click

from bluehour.contracts.fuzz.results import Result
from tests.faulty_clients.entry import FaultyClient
from tests.faulty_clients.meeting import met
from tests.faulty_clients.registry import CAREFUL, FAULTY


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="So many, from 0.")
@click.option(
    "--every", type=click.IntRange(min=1), default=1, show_default=True, help="Take each n-th client."
)
@click.argument("names", nargs=-1)
def main(seeds: int, every: int, names: tuple[str, ...]) -> None:
    """Meet faulty clients, all or those of NAMES, each with 200 scripts a seed, and tell which are caught.

    \b
    Exit codes: 0 all were, and the careful client was not; 1 else
    """
    chosen = [client for client in FAULTY if client.name in names or not names]
    blamed, missed = _careful(range(seeds)), _faulty(chosen[::every], range(seeds))
    sys.exit(bool(blamed or missed))


def _careful(seeds: Sequence[int]) -> int:
    """The careful client: how fast it is met, and that nothing is found. Returns how often something was."""
    blamed = 0
    for seed in seeds:
        result = met(CAREFUL, seed)
        told = ", ".join(finding.violation.message for finding in result.findings)
        print(f"careful, seed {seed}: {_rate(result)}  {told or 'nothing found'}", flush=True)
        blamed += bool(result.findings)
    return blamed


def _faulty(clients: Sequence[FaultyClient], seeds: Sequence[int]) -> int:
    """The faulty ones, each by its own rule. Returns how many were not caught with every seed."""
    shrunk, missed = [], []
    for number, client in enumerate(clients, 1):
        began, caught = time.monotonic(), []
        for seed in seeds:
            result = met(client, seed, client.rule)
            caught.append(bool(result.findings))
            shrunk += [finding.shrunk_in for finding in result.findings]
        missed += [] if all(caught) else [client.name]
        mark = "caught" if all(caught) else f"MISSED with {caught.count(False)} seeds"
        seconds = time.monotonic() - began
        print(f"{number:3} {client.rule:16} {client.name:40} {mark}, {seconds:.1f} s", flush=True)
    print(f"{len(clients) - len(missed)} of {len(clients)} caught with {len(seeds)} seeds", *missed)
    if shrunk:
        print(f"shrinking took {median(shrunk):.2f} s (median), {max(shrunk):.2f} s at most")
    return len(missed)


def _rate(result: Result) -> str:
    return f"{result.played} scripts in {result.seconds:.1f} s, {result.played / result.seconds:.0f} a second"


if __name__ == "__main__":
    main()
