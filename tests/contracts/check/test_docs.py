"""The commands of docs/checking.md, run as they stand but for the address."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from bluehour.contracts.check.run import example_price, whole_budget
from bluehour.mock_server.cli import main
from tests.deviants.catalogue import DEVIANTS
from tests.deviants.serving import served
from tests.editors import EDITORS, editors_file

PAGE = (Path(__file__).parents[3] / "docs" / "checking.md").read_text("utf-8")


def test_the_commands_of_the_page_do_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"<!-- tested: check -->\n```sh\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bluehour.contracts.check.run.MAGIC_HOUR", editors_file())
    with served(None) as server:
        for line in block.replace("http://127.0.0.1:4010", server.url).splitlines():
            name, *arguments = shlex.split(line, comments=True)
            assert name == "bluehour"
            result = CliRunner().invoke(main, arguments)
            assert result.exit_code == 0, result.output
    assert "Conforms" in (tmp_path / "report.html").read_text("utf-8")


def test_the_file_of_options_on_the_page_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"<!-- tested: config -->\n```toml\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bluehour.contracts.check.run.MAGIC_HOUR", editors_file())
    (tmp_path / "pyproject.toml").write_text(block)
    result = CliRunner().invoke(main, ["check", "--token", "any-token", "--only", "path", "--plan"])
    assert result.exit_code == 0, result.output
    assert "sent to https://staging.example.com, with a budget of 60 credits" in result.output


def test_the_baseline_on_the_page_accepts_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = re.findall(r"<!-- tested: baseline -->\n```yaml\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bluehour.contracts.check.run.MAGIC_HOUR", editors_file())
    (tmp_path / "baseline.yaml").write_text(block)
    wrong = next(each for each in DEVIANTS if each.name == "unknown-path-is-200")
    with served(wrong) as server:
        arguments = ["check", server.url, "--only", "path.unknown", "--baseline", "baseline.yaml"]
        result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "accepted until 2099-03-31" in result.output


def test_the_page_tells_the_default_budget() -> None:
    examples = sum(example_price(each) for each in EDITORS.operations if each.takes_credits)
    assert "it is five times the published\nexamples' prices for a server on this machine" in PAGE
    assert whole_budget(EDITORS) == 5 * examples
