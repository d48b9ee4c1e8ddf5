"""Runs the check once for all tests of the suite, also where several workers share them."""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from ..commands import what_is_missing

if TYPE_CHECKING:
    from ..check.run import Options
    from ..results import Report

_LOOKED_FOR_EVERY = 0.2

_ALSO_OURS = ("token", "second-token", "empty-token", "max-requests", "max-credits", "seed")
"""Options of `bluehour check` that the suite has by names of its own."""


_how = pytest.StashKey["Options"]()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check has found, as far as tests tell it: everything by the rules' ids.

    Attributes:
        broken: what is wrong, in words, of rules that are errors.
        warned: the same of rules that are warnings.
        unjudged: why a rule was judged nowhere.
        stopped: why the check ended before its end, or never began in earnest; nothing where it did.
    """

    broken: dict[str, str] = field(default_factory=dict)
    warned: dict[str, str] = field(default_factory=dict)
    unjudged: dict[str, str] = field(default_factory=dict)
    stopped: str = ""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say what is missing before the first test rather than in each of them."""
    if not any(Path(__file__).parent in item.path.parents for item in items):
        return
    if missing := what_is_missing("the suite", "schemathesis"):
        raise pytest.UsageError(missing)
    if not config.getoption("bluehour_url"):
        raise pytest.UsageError(
            "the suite needs a deployment: pytest --pyargs bluehour.contracts.suite --bluehour-url URL"
        )
    config.stash[_how] = _options(config)


@pytest.fixture(scope="session")
def bluehour_outcome(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Check the deployment; of several workers one does it, and the others wait for what it has found."""
    if not hasattr(pytestconfig, "workerinput"):  # which xdist gives to its workers
        return _checked(pytestconfig)
    shared = tmp_path_factory.getbasetemp().parent / "bluehour-outcome.json"
    with _turn(shared.with_suffix(".turn")) as is_ours:
        if is_ours:
            part = shared.with_suffix(".part")
            part.write_text(json.dumps(asdict(_checked(pytestconfig))), encoding="utf-8")
            part.replace(shared)
    while not shared.exists():
        time.sleep(_LOOKED_FOR_EVERY)
    return Outcome(**json.loads(shared.read_text(encoding="utf-8")))


@contextmanager
def _turn(path: Path) -> Iterator[bool]:
    """Whether this worker is the first to ask; if it fails, the next one may."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        yield False
        return
    try:
        yield True
    except BaseException:
        path.unlink()
        raise


def _checked(config: pytest.Config) -> Outcome:
    from ..check.run import check

    return _outcome(check(config.stash[_how]))


def spec_of(config: pytest.Config) -> str | None:
    """Return the file, or the address, of the contract that is checked by; None for Magic Hour's."""
    spec: str | None = config.getoption("bluehour_spec") or config.getini("bluehour_spec") or None
    return spec


def _options(config: pytest.Config) -> Options:
    """Return how to check: as `bluehour check` would, were it told the same.

    Raises:
        pytest.UsageError: it can't be told so.
    """
    from ..check.cli import options_from

    told = {name: config.getoption(f"bluehour_{name.replace('-', '_')}") for name in _ALSO_OURS}
    told["spec"] = spec_of(config)
    arguments = [f"--{name}={value}" for name, value in told.items() if value is not None]
    try:
        return options_from(
            [config.getoption("bluehour_url"), *arguments, *shlex.split(config.getoption("bluehour_check"))]
        )
    except (click.ClickException, ValueError) as error:
        words = error.format_message() if isinstance(error, click.ClickException) else str(error)
        raise pytest.UsageError(words) from None


def _outcome(report: Report) -> Outcome:
    from ..report import finding_of
    from ..results import Exit, State
    from ..rules import Severity

    judged = {each.rule.id for each in report.verdicts if each.state is not State.UNJUDGED}
    broken: dict[Severity, dict[str, str]] = {severity: {} for severity in Severity}
    for finding in report.findings:
        broken[finding.rule.severity].setdefault(finding.rule.id, finding_of(report, finding.rule))
    return Outcome(
        broken=broken[Severity.ERROR],
        warned=broken[Severity.WARNING],
        unjudged={each.rule.id: each.reason for each in report.unjudged if each.rule.id not in judged},
        stopped=report.stopped or ("the budget is too small" if report.exit_code is Exit.UNJUDGED else ""),
    )
