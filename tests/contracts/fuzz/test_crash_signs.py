"""What a command's output shows of a crash."""

from __future__ import annotations

import pytest

from bluehour.contracts.fuzz.clients.command import CrashSigns


@pytest.mark.parametrize(
    ("said", "crashed"),
    [
        ("Traceback (most recent call last):\n  File ...", True),
        ("Error: no\n\n    at edit (client.js:3:7)\n", True),
        ("it was at 12:30:45", False),
        ("\n" * 60_000, False),
    ],
    ids=["Python", "Node", "a time", "many lines"],
)
def test_a_stack_trace_is_a_crash(said: str, crashed: bool) -> None:
    assert CrashSigns().show_in(1, said) is crashed
