"""How many wrong servers `bluehour check` finds, for how many credits, beside `schemathesis run` on the same.

The servers are those of tests/deviants, each wrong in one way, which an oracle has proven. Both are
run against each over HTTP: ours as the command is, schemathesis with all its phases and the settings that
schemathesis.toml has for this contract. Ours alone runs in this process, where waiting takes no time. A
server counts as found where the exit code says so; the right server, which is checked first, must not be.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click

from bluehour.contracts.check.findings import BUDGET
from bluehour.contracts.results import Exit
from tests.deviants.catalogue import DEVIANTS
from tests.deviants.checking import measured, measured_over_http
from tests.deviants.deviant import Deviant
from tests.deviants.known import NOT_FOUND
from tests.deviants.serving import served

_SETTINGS = Path(__file__).parents[1] / "schemathesis.toml"
_PATIENCE = 300

_BUDGET = 60
"""Credits that a check may spend on a server: whatever that books beside, ends it early."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one server.

    Attributes:
        lacks: what the budget did not suffice for, if so.
        theirs: whether schemathesis has found it; None where it was not run.
    """

    name: str
    group: str
    found: bool
    rules: tuple[str, ...]
    credits: int
    requests: int
    seconds: float
    lacks: str = ""
    theirs: bool | None = None
    their_credits: int = 0
    their_seconds: float = 0


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--every", type=click.IntRange(min=1), default=8, show_default=True, help="Take each n-th server."
)
@click.option("--no-schemathesis", is_flag=True, help="Run our own check alone.")
@click.option("--workers", type=click.IntRange(min=1), default=os.cpu_count() or 1, show_default="the cores")
@click.option("--table", type=click.Path(dir_okay=False, path_type=Path), help="Write a line of each server.")
@click.argument("names", nargs=-1)
def main(every: int, no_schemathesis: bool, workers: int, table: Path | None, names: tuple[str, ...]) -> None:
    """Count the wrong servers that are found; NAMES are parts of the names of those to take, instead of all.

    With the defaults it takes about ten minutes on two cores; schemathesis has most of that.

    Exit codes: 0 all are found that can be, 1 some are not, or the right server is said to be wrong.
    """
    chosen = (
        [each for each in DEVIANTS if any(name in each.name for name in names)]
        if names
        else DEVIANTS[::every]
    )
    outcomes = []
    with ProcessPoolExecutor(workers) as processes:
        measured = processes.map(
            partial(_measure, beside=not no_schemathesis), [None, *(each.name for each in chosen)]
        )
        for number, outcome in enumerate(measured):
            outcomes.append(outcome)
            click.echo(f"{number:4} of {len(chosen)}  {_line(outcome)}", err=True)
    right, *wrong = outcomes
    click.echo("\n".join(_table(right, wrong)))
    if table is not None:
        table.write_text("\n".join(_markdown(right, wrong)) + "\n", "utf-8")
    missed = [each for each in wrong if not each.found and each.name not in NOT_FOUND and not each.lacks]
    sys.exit(1 if missed or right.found else 0)


def _measure(name: str | None, beside: bool) -> Outcome:
    deviant = next((each for each in DEVIANTS if each.name == name), None)
    started = time.perf_counter()
    report, credits = (measured_over_http if beside else measured)(deviant, max_credits=_BUDGET)
    outcome = Outcome(
        name=name or "the right server",
        group=deviant.group if deviant else "",
        found=report.exit_code is Exit.FINDINGS,
        rules=tuple(dict.fromkeys(each.rule.id for each in report.findings)),
        credits=credits,
        requests=len(report.exchanges),
        seconds=time.perf_counter() - started,
        lacks=next((each.reason for each in report.verdicts if each.reason.startswith(BUDGET)), ""),
    )
    return _beside(outcome, deviant) if beside else outcome


def _beside(outcome: Outcome, deviant: Deviant | None) -> Outcome:
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(_SETTINGS), "run"]
    started = time.perf_counter()
    with served(deviant) as server:
        options = ["-H", "Authorization: Bearer mhk_test_pro_1000000", "--seed", "1", "--no-color"]
        try:
            done = subprocess.run(
                [*command, f"{server.url}/openapi.json", *options],
                capture_output=True,
                check=False,
                timeout=_PATIENCE,
            )
            found = done.returncode == 1
        except subprocess.TimeoutExpired:
            found = False
        credits = server.booked()
    seconds = time.perf_counter() - started
    return replace(outcome, theirs=found, their_credits=credits, their_seconds=seconds)


def _line(outcome: Outcome) -> str:
    found = "found" if outcome.found else "  -  "
    theirs = {True: "found", False: "  -  ", None: ""}[outcome.theirs]
    return f"{found} {theirs:6} {outcome.name:44} {', '.join(outcome.rules[:4])}"


def _table(right: Outcome, wrong: Sequence[Outcome]) -> Iterator[str]:
    beside = right.theirs is not None
    of_group: Counter[str] = Counter()
    ours: Counter[str] = Counter()
    theirs: Counter[str] = Counter()
    for each in wrong:
        of_group[each.group] += 1
        ours[each.group] += each.found
        theirs[each.group] += bool(each.theirs)
    yield f"\n{'area':16}{'servers':>9}{'bluehour':>10}" + (f"{'schemathesis':>14}" if beside else "")
    for group, count in of_group.items():
        yield f"{group:16}{count:>9}{ours[group]:>10}" + (f"{theirs[group]:>14}" if beside else "")
    total = len(wrong)
    yield f"{'all':16}{total:>9}{ours.total():>10}" + (f"{theirs.total():>14}" if beside else "")
    yield f"{'':25}{_share(ours.total(), total):>10}" + (
        f"{_share(theirs.total(), total):>14}" if beside else ""
    )
    yield ""
    yield f"The right server: {right.requests:,} requests, {right.credits} credits, " + (
        "nothing found" if not right.found else f"FALSE ALARM: {', '.join(right.rules)}"
    )
    if beside:
        alarm = "a false alarm" if right.theirs else "nothing found"
        yield f"The same by schemathesis: {right.their_credits:,} credits, {alarm}"
    yield from (f"Not found: {each.name}  ({_reason(each)})" for each in wrong if not each.found)


def _reason(missed: Outcome) -> str:
    return NOT_FOUND.get(missed.name) or missed.lacks or "no reason known"


def _markdown(right: Outcome, wrong: Sequence[Outcome]) -> Iterator[str]:
    breaks = {each.name: each.breaks for each in DEVIANTS}
    missed = [each for each in wrong if not each.found]
    yield "# What `bluehour check` finds in servers that are wrong in one way"
    yield ""
    yield f"{len(wrong) - len(missed)} of {len(wrong)} are found."
    yield f"The right server takes {right.requests:,} requests and {right.credits} credits, and breaks"
    yield f"{len(right.rules)} rules. The budget is {_BUDGET} credits; those of the table are by the server's"
    yield "own ledger, so that what it books in silence counts, too. This page is written by"
    yield "`python -m benchmarks.check --every 1 --no-schemathesis --table docs/found/servers.md`."
    yield ""
    yield "| Server | What is wrong | Found by | Requests | Credits |"
    yield "|---|---|---|---|---|"
    for each in wrong:
        found = ", ".join(f"`{rule}`" for rule in each.rules) or f"not: {_reason(each)}"
        yield f"| {each.name} | {breaks[each.name]} | {found} | {each.requests:,} | {each.credits} |"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else ""


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.check")
