"""`pytest --pyargs bluehour.contracts.suite`: each rule a test, one check for all of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from bluehour.contracts.rules import RULES
from tests.deviants.catalogue import DEVIANTS
from tests.deviants.serving import served
from tests.editors import editors_file

SPEC = ("--bluehour-spec", f"{editors_file()}")


def run(folder: Path, *args: str, env: Mapping[str, str] = os.environ) -> subprocess.CompletedProcess[str]:
    """Run the suite from elsewhere, as somebody who has installed Bluehour."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--pyargs",
        "bluehour.contracts.suite",
        "-p",
        "no:cacheprovider",
        *args,
    ]
    ours = {name: value for name, value in env.items() if not name.startswith("PYTEST_")}
    return subprocess.run(command, cwd=folder, env=ours, capture_output=True, text=True, check=False)


@pytest.mark.thorough
def test_a_right_server_passes_every_rule_also_with_several_workers_and_one_check(tmp_path: Path) -> None:
    with served(None) as server:
        done = run(tmp_path, "-n", "2", *SPEC, "--bluehour-url", server.url, "--bluehour-token", "any-token")
        booked = server.booked()
    assert done.returncode == 0, done.stdout
    assert f"{len(RULES) + 1} passed" in done.stdout
    assert booked <= 60


def test_a_broken_rule_fails_its_test_alone_and_says_what_is_wrong(tmp_path: Path) -> None:
    broken = next(each for each in DEVIANTS if each.name == "unknown-path-is-200")
    with served(broken) as server:
        done = run(tmp_path, *SPEC, "-k", "path or judged", "--bluehour-url", server.url)
    assert done.returncode == 1, done.stdout
    assert "path.unknown" in done.stdout
    assert "curl" in done.stdout


def test_it_takes_every_option_of_the_command(tmp_path: Path) -> None:
    with served(None) as server:
        options = "--header 'X-Team: pictures' --only path.unknown"
        done = run(tmp_path, *SPEC, "--bluehour-check", options, "-k", "path", "--bluehour-url", server.url)
        journal = server.mock.journal
        assert journal is not None
        teams = {dict(entry.request_headers).get("X-Team") for entry in journal.all()}
    assert done.returncode == 0, done.stdout
    assert teams == {"pictures"}


def test_an_option_that_there_is_not_is_told_in_a_line(tmp_path: Path) -> None:
    done = run(tmp_path, *SPEC, "--bluehour-check", "--heder x", "--bluehour-url", "http://127.0.0.1:9")
    assert done.returncode == 4
    assert done.stderr.startswith("ERROR: No such option '--heder'")


def test_without_its_extra_it_says_in_a_line_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "schemathesis.py").write_text("raise ImportError")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = run(tmp_path, "-p", "no:schemathesis", "--bluehour-url", "http://127.0.0.1:9", env=environment)
    assert done.returncode == 4, done.stdout
    told = "ERROR: the suite needs more than the mock does: pip install"
    assert [line for line in done.stderr.splitlines() if line][-1].startswith(told)


def test_a_server_that_is_not_there_fails_one_test_and_skips_the_others(tmp_path: Path) -> None:
    done = run(tmp_path, *SPEC, "--bluehour-url", "http://127.0.0.1:9")
    assert done.returncode == 1, done.stdout
    assert f"1 failed, {len(RULES)} skipped" in done.stdout
    assert "can't be reached" in done.stdout


def test_without_a_url_it_says_what_is_missing(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 4
    assert "--bluehour-url URL" in done.stdout + done.stderr
