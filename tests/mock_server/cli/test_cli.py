"""The command line is quick to answer what needs no work."""

from __future__ import annotations

import subprocess
import sys

import pytest

SLOW = ("asyncio", "flask", "hypothesis", "jsonschema_rs", "schemathesis", "sqlalchemy", "yaml")
"""What takes long to import, and no help is needed for."""

COMMANDS = ("serve", "check", "drift", "fuzz", "proxy", "weights")


@pytest.mark.parametrize(
    "arguments",
    ["--version", "--help", *(f"{name} --help" for name in COMMANDS)],
)
def test_help_imports_nothing_that_is_slow(arguments: str) -> None:
    code = f"""if True:
        import sys
        from bluehour.mock_server.cli import main

        main({arguments.split()}, standalone_mode=False)
        print("imported:", *({{*{SLOW}}} & sys.modules.keys()))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.endswith("imported:\n"), done.stdout + done.stderr
