"""The README's commands of the check, run as they stand but for the address."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from bluehour.mock_server.cli import main
from tests.deviants.serving import served

README = (Path(__file__).parents[3] / "README.md").read_text("utf-8")


def test_the_commands_of_the_readme_do_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"<!-- tested: check -->\n```sh\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    with served(None) as server:
        for line in block.replace("http://127.0.0.1:4010", server.url).splitlines():
            name, *arguments = shlex.split(line, comments=True)
            assert name == "bluehour"
            result = CliRunner().invoke(main, arguments)
            assert result.exit_code == 0, result.output
    assert "Conforms" in (tmp_path / "report.html").read_text("utf-8")


def test_the_readme_tells_the_default_budget() -> None:
    from bluehour.contracts.check.run import LOCAL_BUDGET

    assert f"it is {LOCAL_BUDGET} for a server on this\nmachine" in README
