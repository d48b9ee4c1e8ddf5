"""Meets a client with scripts, as the command `bluehour fuzz` does."""

from __future__ import annotations

from bluehour.contracts.fuzz.clients.choosing import client_of
from bluehour.contracts.fuzz.clients.command import CrashSigns
from bluehour.contracts.fuzz.engine import Options, fuzz
from bluehour.contracts.fuzz.playing import Terms
from bluehour.contracts.fuzz.results import Result
from bluehour.contracts.fuzz.rules import selected
from bluehour.contracts.fuzz.strategies import Profile
from bluehour.openapi.contract import load

from .entry import FaultyClient

EXAMPLES = 200


def met(faulty: FaultyClient, seed: int, rule: str = "") -> Result:
    """Fuzz a client; with a rule, by that alone, and until it is broken."""
    client = client_of([faulty.command], is_worker=False, interpreter=None, signs=CrashSigns())
    rules = selected((rule,) if rule else (), ())
    options = Options(EXAMPLES, seed, Profile.REALISTIC, rules, Terms(600, 20), only_first=bool(rule))
    try:
        return fuzz(load(), client, options)
    finally:
        client.close()
