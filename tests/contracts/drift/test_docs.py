"""docs/drift.md, run as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from bluehour.mock_server.cli import main

PAGE = (Path(__file__).parents[3] / "docs" / "drift.md").read_text("utf-8")


def block(mark: str) -> str:
    (found,) = re.findall(rf"<!-- tested: {re.escape(mark)} -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_the_command_of_the_page_tells_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("contract.yaml", "published.yaml"):
        Path(name).write_text(block(f"drift {name}"), "utf-8")
    command, told = block("drift").split("\n", 1)
    result = CliRunner().invoke(main, shlex.split(command.removeprefix("$ bluehour ")))
    assert result.stdout == told
    assert result.exit_code == 1


def test_the_page_names_every_option() -> None:
    helped = CliRunner().invoke(main, ["drift", "--help"]).output
    assert {*re.findall(r"--\w+", helped)} - {"--help"} == {*re.findall(r"`(--\w+)`", PAGE)}
