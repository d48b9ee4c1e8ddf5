"""The commands of docs/checking.md, run as they stand but for the address."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from bluehour.mock_server.cli import main
from tests.deviants.serving import served

PAGE = (Path(__file__).parents[3] / "docs" / "checking.md").read_text("utf-8")


def test_the_commands_of_the_page_do_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"<!-- tested: check -->\n```sh\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    with served(None) as server:
        for line in block.replace("http://127.0.0.1:4010", server.url).splitlines():
            name, *arguments = shlex.split(line, comments=True)
            assert name == "bluehour"
            result = CliRunner().invoke(main, arguments)
            assert result.exit_code == 0, result.output
    assert "Conforms" in (tmp_path / "report.html").read_text("utf-8")


def test_the_page_tells_the_default_budget() -> None:
    from bluehour.contracts.check.run import LOCAL_BUDGET

    assert f"it is {LOCAL_BUDGET} for a server on this\nmachine" in PAGE
