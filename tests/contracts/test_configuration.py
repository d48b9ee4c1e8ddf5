"""Options of `bluehour check` out of variables and files: which goes first, and what is wrong in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bluehour.contracts.check.run import Options
from bluehour.mock_server.cli import main


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Options]:
    """The options of the check that would be run."""
    kept: list[Options] = []

    class Ran(Exception):
        pass

    def run(options: Options, *_: object) -> None:
        kept.append(options)
        raise Ran

    monkeypatch.setattr("bluehour.contracts.check.run.check", run)
    return kept


def check(*args: Any) -> str:
    """Run the command, and return what it says."""
    return CliRunner().invoke(main, ["check", *map(str, args)]).output


URL = "http://127.0.0.1:9"


def test_a_file_gives_options_and_the_url(here: Path, asked: list[Options]) -> None:
    Path("ci.toml").write_text(
        f'url = "{URL}"\nmax-credits = 7\nonly = ["path", "method"]\nheader = "X-Team: pictures of it"\n'
        "timeout = 2.5\nfirst = true\n"
    )
    check("--config", "ci.toml")
    (options,) = asked
    assert (options.target, options.max_credits, options.timeout) == (URL, 7, 2.5)
    assert options.only_first
    assert {rule.group for rule in options.asked} == {"path", "method"}
    assert options.network.headers == (("X-Team", "pictures of it"),)


def test_pyproject_is_read_where_no_file_is_named_and_the_command_s_own_table_goes_before(
    here: Path, asked: list[Options]
) -> None:
    Path("pyproject.toml").write_text(
        "[tool.bluehour]\nmax-credits = 7\nseed = 3\n[tool.bluehour.check]\nmax-credits = 8\n"
    )
    check(URL)
    Path("ci.toml").write_text("seed = 4\n[check]\nrate = 1\n")
    check(URL, "--config", "ci.toml")
    first, second = asked
    assert (first.max_credits, first.seed, first.rate) == (8, 3, None)
    assert (second.max_credits, second.seed, second.rate) == (None, 4, 1)


def test_the_command_line_goes_before_variables_and_these_before_the_file(
    here: Path, asked: list[Options], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("ci.toml").write_text("max-credits = 1\nseed = 1\nrate = 1\n")
    monkeypatch.setenv("BLUEHOUR_CHECK_CONFIG", "ci.toml")
    monkeypatch.setenv("BLUEHOUR_CHECK_MAX_CREDITS", "2")
    monkeypatch.setenv("BLUEHOUR_CHECK_SEED", "2")
    monkeypatch.setenv("BLUEHOUR_CHECK_HEADER", "X-Team: pictures of it\nX-Stage: two")
    monkeypatch.setenv("BLUEHOUR_TOKEN", "mine")
    monkeypatch.setenv("BLUEHOUR_CHECK_URL", URL)
    check("--max-credits", 3)
    (options,) = asked
    assert (options.max_credits, options.seed, options.rate, options.token) == (3, 2, 1, "mine")
    assert options.network.headers == (("X-Team", "pictures of it"), ("X-Stage", "two"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("max_credits = 7", "ci.toml: there is no option max_credits; the nearest is max-credits"),
        ("[chek]\nseed = 1", "ci.toml: there is no option chek; the nearest is"),
        ("[check]\nsed = 1", "ci.toml: check: there is no option sed; the nearest is seed"),
        ('config = "other.toml"', "there is no option config"),
        ("seed = [1]", "ci.toml: seed takes one value"),
        ("max-credits = true", "ci.toml: max-credits is no matter of true or false"),
        ("pixels = 1", "ci.toml: pixels is true or false"),
        ("max-credits = -1", "ci.toml: max-credits: -1 is not in the range"),
        ('picture = "none.png"', "ci.toml: picture: File 'none.png' does not exist"),
        ("check = 1", "ci.toml: check is no table"),
        ("seed = ", "ci.toml is no TOML"),
        ("seed = '\udcff'", "ci.toml is no TOML"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_in_a_line(
    here: Path, asked: list[Options], text: str, says: str
) -> None:
    Path("ci.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    output = check(URL, "--config", "ci.toml")
    assert not asked
    assert output.startswith("Error: ")
    assert output.count("\n") == 1
    assert says in output


def test_a_file_that_is_not_there_is_named(here: Path, asked: list[Options]) -> None:
    assert "'none.toml' does not exist" in check(URL, "--config", "none.toml")
    assert not asked


def test_another_pyproject_says_nothing(here: Path, asked: list[Options]) -> None:
    Path("pyproject.toml").write_text("[tool.ruff]\nline-length = 1\n[project]\nname = 'a'\n")
    check(URL)
    assert asked[0].max_credits is None
