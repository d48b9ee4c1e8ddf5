"""Checks a deviant, in this process where that shows what it does, else over the network."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from bluehour.contracts.check.inprocess import AppWire
from bluehour.contracts.check.run import Options, check
from bluehour.contracts.results import Report
from bluehour.contracts.rules import RULES
from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock

from ..editors import EDITORS
from .deviant import Deviant
from .serving import TIME_SCALE, Served, served

TOKEN = "mhk_test_creator_10000_check"

NAMING = tuple(rule for rule in RULES if not rule.id.endswith(".random"))
"""The rules that name a fault; what schemathesis makes up finds some of the same, takes long, names none."""


def checked(deviant: Deviant | None, **options: Any) -> Report:
    """Check a deviant, or the right server where it is None, without a network: waiting moves its clock."""
    return measured(deviant, **options)[0]


def measured(deviant: Deviant | None, **options: Any) -> tuple[Report, int]:
    """Check a deviant as `checked` does; return the credits that its own ledger has booked, too."""
    if deviant is not None and deviant.name.endswith("not-answered"):
        return measured_over_http(deviant, **options)
    clock = Clock()
    with closing(Mock(EDITORS, Settings(time_scale=TIME_SCALE), clock=clock)) as mock:
        wire = AppWire((deviant.wrap if deviant else create_app)(mock))
        settings = Options(**{"target": mock.world.base_url, "token": TOKEN, "rules": NAMING, **options})
        report = check(settings, contract=EDITORS, wire=wire, sleep=clock.advance, now=clock.now)
        return report, Served(mock.world.base_url, mock).booked()


def measured_over_http(deviant: Deviant | None, **options: Any) -> tuple[Report, int]:
    """Check a deviant that is served, as the command does; return the same."""
    with served(deviant) as server:
        settings = {"target": server.url, "token": TOKEN, "rules": NAMING, "patience": 5, **options}
        return check(Options(**settings), contract=EDITORS), server.booked()
