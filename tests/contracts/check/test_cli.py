"""The command `bluehour check`: what it says, what it writes, and how it exits."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from bluehour.mock_server.cli import main
from tests.deviants.catalogue import DEVIANTS
from tests.deviants.serving import served
from tests.editors import editors_file

BLUEHOUR = Path(sys.executable).with_name("bluehour")
NOBODY = "http://127.0.0.1:9"
FREE = ("--only", "path", "--only", "project.unknown")
"""Rules that are soon judged."""


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["check", "--spec", f"{editors_file()}", *map(str, args)])


def test_a_server_that_conforms_is_0() -> None:
    with served(None) as server:
        result = run(server.url, *FREE)
    assert result.exit_code == 0, result.output
    assert "conforms" in result.output


def test_a_broken_rule_is_1_and_all_reports_tell_of_it(tmp_path: Path) -> None:
    broken = next(each for each in DEVIANTS if each.name == "unknown-path-is-200")
    files = {name: tmp_path / f"report.{name}" for name in ("html", "xml", "json", "har")}
    with served(broken) as server:
        result = run(
            server.url,
            "--only",
            "path.unknown",
            "--token",
            "mhk_secret_token",
            "--report",
            files["html"],
            "--junit",
            files["xml"],
            "--json",
            files["json"],
            "--har",
            files["har"],
        )
    assert result.exit_code == 1, result.output
    assert "path.unknown" in result.output
    assert "path.unknown" in files["html"].read_text()
    assert ElementTree.parse(files["xml"]).getroot().findall(".//failure")
    facts = json.loads(files["json"].read_text())
    assert facts["exit_code"] == 1
    assert json.loads(files["har"].read_text())["log"]["entries"]
    everything = result.output + "".join(path.read_text() for path in files.values())
    assert "mhk_secret_token" not in everything


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "say what to check"),
        (["127.0.0.1:4010"], "no base URL"),
        (["ftp://127.0.0.1"], "no base URL"),
        (["http://"], "no base URL"),
        (["http://127.0.0.1:99999"], "no base URL"),
        (["http://127.0.0.1:4010/?a=b"], "no base URL"),
        (["https://api.example.com"], "--token"),
        ([NOBODY, "--only", "no.such.rule"], "there is no rule no.such.rule"),
        ([NOBODY, "--skip", "*"], "no rule is left"),
        ([NOBODY, "--max-credits", "-1"], "--max-credits"),
        ([NOBODY, "--picture", "no-such-file.png"], "does not exist"),
        ([NOBODY, "--report", "/no/such/folder/report.html"], "can't be written"),
    ],
)
def test_wrong_usage_is_2_and_one_line_says_what_to_do(args: list[str], says: str) -> None:
    result = run(*args)
    assert result.exit_code == 2, result.output
    assert says in result.output
    assert "Traceback" not in result.output


def test_a_picture_that_is_none_is_2(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_text("no picture")
    result = run(NOBODY, "--picture", picture)
    assert result.exit_code == 2, result.output
    assert str(picture) in result.output


def test_a_server_that_is_not_there_is_3() -> None:
    result = run(NOBODY)
    assert result.exit_code == 3, result.output
    assert "can't be reached: Connection refused" in " ".join(result.output.split())


def test_a_name_that_nobody_has_is_3(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    result = run("http://nobody.invalid", "--token", "any-token")
    assert result.exit_code == 3, result.output
    assert "can't be reached: Name or service not known" in " ".join(result.output.split())


def test_a_token_that_is_refused_is_3() -> None:
    with served(None) as server:
        result = run(server.url, "--token", "mhk_test_invalid")
    assert result.exit_code == 3, result.output
    assert "--token" in result.output


def test_a_budget_that_is_too_small_to_start_is_3() -> None:
    with served(None) as server:
        result = run(server.url, "--max-credits", "9", "--only", "accept.examples")
    assert result.exit_code == 3, result.output
    assert "budget" in result.output


def test_the_plan_is_told_and_nothing_is_sent() -> None:
    result = run(NOBODY, "--plan", "--max-credits", "40")
    assert result.exit_code == 0, result.output
    assert "illegal bodies" in result.output
    assert "The worst case is 40 credits" in result.output


@pytest.mark.thorough
def test_the_plan_says_what_a_right_server_books() -> None:
    planned = run(NOBODY, "--plan", "--token", "any-token").output
    total = next(line for line in planned.splitlines() if line.startswith("in all"))
    with served(None) as server:
        result = run(server.url, "--token", "any-token")
        booked = server.booked()
    assert result.exit_code == 0, result.output
    assert int(total.split()[3]) == booked


def test_rules_are_listed_with_what_they_cost() -> None:
    result = run("--rules", "--only", "credits")
    assert result.exit_code == 0
    assert "credits.price" in result.output
    assert "costs:" in result.output
    assert "auth.required" not in result.output


def test_the_first_broken_rule_is_enough_where_no_more_is_asked_for() -> None:
    broken = next(each for each in DEVIANTS if each.name == "unknown-path-is-200")
    with served(broken) as server:
        result = run(server.url, "-x")
    assert result.exit_code == 1, result.output
    assert "only the first was asked for" in result.output


def test_help_explains_the_exit_codes() -> None:
    text = run("--help").output
    assert all(f"  {code}  " in text for code in range(4))


def test_ctrl_c_ends_it_and_what_is_known_is_told() -> None:
    with served(None) as server:
        process = subprocess.Popen(
            [BLUEHOUR, "check", server.url, "--rate", "40", "--spec", editors_file()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        while len(server.mock.journal or ()) < 5:
            time.sleep(0.02)
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=120)
    assert process.returncode == 3, output
    assert "interrupted by Ctrl-C" in output
    assert "Traceback" not in output
