"""`python -m mock_server` is `bluehour`."""

from __future__ import annotations

from .cli import main

main(prog_name="bluehour")
