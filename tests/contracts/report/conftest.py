"""Reports, and the forms that they take."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bluehour.contracts.report import as_json, github, har, html, junit, sarif, terminal
from bluehour.contracts.results import Report

from . import reports

Form = Callable[[Report], str]

FORMS: dict[str, Form] = {
    "terminal": lambda report: terminal(report, colour=True, width=100),
    "html": html,
    "junit": junit,
    "json": as_json,
    "har": har,
    "github": github,
    "sarif": sarif,
}


@pytest.fixture(params=list(FORMS.values()), ids=list(FORMS))
def form(request: pytest.FixtureRequest) -> Form:
    """Every form that a report has."""
    made: Form = request.param
    return made


@pytest.fixture(scope="session")
def sample() -> Report:
    return reports.sample()
