"""Meets a client with scripts, as the command `bluehour fuzz` does."""

from __future__ import annotations

import socket

from bluehour.contracts.fuzz.clients.choosing import client_of
from bluehour.contracts.fuzz.clients.crash_signs import CrashSigns
from bluehour.contracts.fuzz.engine import Options, fuzz
from bluehour.contracts.fuzz.playing import Terms
from bluehour.contracts.fuzz.results import Result
from bluehour.contracts.fuzz.rules import selected, with_receiver
from bluehour.contracts.fuzz.stage import webhook_at
from bluehour.contracts.fuzz.strategies import Profile
from bluehour.openapi.contract import load

from .entry import FaultyClient

EXAMPLES = {Profile.REALISTIC: 200, Profile.HOSTILE: 250}
"""So many that each topic is met, or nearly."""


def met(faulty: FaultyClient, seed: int, rule: str = "", profile: Profile | None = None) -> Result:
    """Fuzz a client; with a rule, by that alone, and until it is broken."""
    profile = profile or faulty.profile
    client = client_of([faulty.command], is_worker=False, interpreter=None, signs=CrashSigns())
    rules = with_receiver(selected((rule,) if rule else (), ()), is_there=faulty.has_receiver)
    webhook = (
        webhook_at(f"http://127.0.0.1:{free_port()}/hook", None, load()) if faulty.has_receiver else None
    )
    terms = Terms(600, 20, webhook=webhook)
    options = Options(EXAMPLES[profile], seed, profile, rules, terms, only_first=bool(rule))
    try:
        return fuzz(load(), client, options)
    finally:
        client.close()


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
