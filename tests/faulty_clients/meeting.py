"""Meets a client with scripts, as the command `bluehour fuzz` does."""

from __future__ import annotations

from contracts.fuzz.clients.choosing import client_of
from contracts.fuzz.clients.command import CrashSigns
from contracts.fuzz.engine import Options, fuzz
from contracts.fuzz.playing import Terms
from contracts.fuzz.results import Result
from contracts.fuzz.rules import selected
from contracts.fuzz.strategies import Profile
from openapi.contract import load

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
