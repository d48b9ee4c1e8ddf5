"""Each rule is a test: it fails where the deployment breaks it, and is skipped where it can't be judged."""

from __future__ import annotations

import warnings

import pytest

from bluehour.openapi.contract import load
from bluehour.openapi.document import MAGIC_HOUR

from ..rules import Rule, rules_of
from .conftest import Outcome, spec_of


def test_the_deployment_can_be_judged(bluehour_outcome: Outcome) -> None:
    """It is there, it takes the token, and the budget suffices to begin."""
    if bluehour_outcome.stopped:
        pytest.fail(f"The deployment could not be judged: {bluehour_outcome.stopped}", pytrace=False)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each rule that the contract's server can be judged by."""
    if "rule" in metafunc.fixturenames:
        contract = load(spec_of(metafunc.config) or MAGIC_HOUR)
        metafunc.parametrize("rule", rules_of(contract), ids=lambda rule: rule.id)


def test_rule(rule: Rule, bluehour_outcome: Outcome) -> None:
    """The deployment keeps the rule."""
    if rule.id in bluehour_outcome.broken:
        pytest.fail(bluehour_outcome.broken[rule.id], pytrace=False)
    if rule.id in bluehour_outcome.warned:
        warnings.warn(bluehour_outcome.warned[rule.id], stacklevel=1)
    if rule.id in bluehour_outcome.unjudged:
        pytest.skip(bluehour_outcome.unjudged[rule.id])
