"""The faulty clients are caught by the rules that name their bugs, and the careful one never.

By default for each rule the first client that breaks it; all of them by `make test-thorough`, and with as
many seeds as wanted by `make bench-fuzz ARGS="--seeds 5"`.
"""

from __future__ import annotations

import pytest

from bluehour.contracts.fuzz.results import Result
from bluehour.contracts.fuzz.rules import RULES
from bluehour.contracts.fuzz.strategies import Profile
from tests.faulty_clients.entry import FaultyClient
from tests.faulty_clients.meeting import met
from tests.faulty_clients.registry import CAREFUL, FAULTY, RECEIVING
from tests.profiles import few

SEEDS = range(5)
MEETINGS = [(client, number % len(SEEDS)) for number, client in enumerate(FAULTY)]
UNSEEN = dict.fromkeys(
    ("retries-without-end", "asks-again-at-once-when-a-poll-fails"),
    "no script of 200 has as many failures in a row as retry.backoff must see of a pause of this length",
)
"""Clients that nothing has caught yet with any of the seeds, each with the reason."""

FIRST = {client.rule: (client, seed) for client, seed in reversed(MEETINGS)}
"""For each rule the first meeting with a client that breaks it."""


@pytest.mark.parametrize("client", [CAREFUL, RECEIVING], ids=lambda client: client.name)
@pytest.mark.parametrize("profile", [Profile.REALISTIC, Profile.HOSTILE])
@pytest.mark.parametrize("seed", few(SEEDS, 0))
def test_the_careful_clients_break_no_rule(seed: int, profile: Profile, client: FaultyClient) -> None:
    result = met(client, seed, profile=profile)
    assert [finding.violation for finding in result.findings] == []
    assert result.played >= 200


HOSTILE = [client for client in FAULTY if client.profile is Profile.HOSTILE]


@pytest.mark.parametrize("client", few(HOSTILE, HOSTILE[0]), ids=lambda client: client.name)
def test_who_is_wrong_only_about_what_no_server_sends_passes_what_is_realistic(client: FaultyClient) -> None:
    result = met(client, 0, profile=Profile.REALISTIC)
    assert [finding.violation for finding in result.findings] == []


def met_as_marked(client: FaultyClient, seed: int) -> Result:
    if client.name in UNSEEN:
        pytest.xfail(UNSEEN[client.name])
    return met(client, seed, client.rule)


@pytest.mark.parametrize(
    ("client", "seed"),
    few(MEETINGS, *FIRST.values()),
    ids=lambda value: value.name if isinstance(value, FaultyClient) else f"seed {value}",
)
def test_a_faulty_client_is_caught_by_the_rule_that_names_its_bug(client: FaultyClient, seed: int) -> None:
    result = met_as_marked(client, seed)
    assert {finding.violation.rule for finding in result.findings} == {client.rule}
    assert all(finding.steady for finding in result.findings)


def test_every_rule_has_a_client_that_breaks_it() -> None:
    assert {client.rule for client in FAULTY} == {rule.id for rule in RULES}
    assert len(FAULTY) >= 25
