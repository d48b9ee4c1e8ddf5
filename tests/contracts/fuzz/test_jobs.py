"""A run in several processes, or in parts for several machines, finds what it finds in one."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from bluehour.contracts.fuzz.results import Exit

from . import careful

CLIENTS = """
    import time

    import careful


    class Client(careful.Client):
        def create(self, path):
            try:
                return super().create(path)
            except careful.Refused:
                return super().create(path)


    def edit(task):
        return Client(task).edit()


    def slow(task):
        open(f"{__file__}.{time.monotonic_ns()}.began", "w").close()
        return careful.edit(task)
"""
ROOT = Path(__file__).parents[3]
COMMAND = (sys.executable, "-m", "bluehour", "fuzz")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "careful.py").write_text(Path(careful.__file__).read_text())
    (tmp_path / "clients.py").write_text(dedent(CLIENTS))
    return tmp_path


def run(folder: Path, *options: str, client: str = "clients.py:edit") -> subprocess.CompletedProcess[str]:
    given = ["--examples", "60", "--database", str(folder / f"kept{len(options)}"), *options, "--", client]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*COMMAND, *given], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def merge(folder: Path, *reports: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    arguments = [*options, *(f"--merge={report}" for report in reports)]
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


def facts(folder: Path, *options: str, client: str = "clients.py:edit") -> dict[str, Any]:
    done = run(folder, *options, "--json", "facts.json", client=client)
    assert done.returncode in (Exit.KEPT, Exit.FINDINGS), done.stderr
    told: dict[str, Any] = json.loads((folder / "facts.json").read_text())
    return told


def found(told: dict[str, Any]) -> set[str]:
    return {each["rule"] for each in told["findings"]}


def test_several_processes_find_what_one_does(folder: Path) -> None:
    alone, together = facts(folder), facts(folder, "--jobs", "3")
    assert found(alone)
    assert found(together) == found(alone)
    assert re.fullmatch(r"--jobs 3: \d+\.\d CPU seconds in \d+\.\d seconds\.", together["notes"][-1])
    assert not any("--jobs" in note for note in alone["notes"])
    assert together["coverage"]["topics"] == alone["coverage"]["topics"]


def test_the_parts_of_several_machines_are_the_whole(folder: Path) -> None:
    whole, parts = facts(folder), [facts(folder, "--part", f"{index}/2") for index in (1, 2)]
    topics = sum((Counter(each["coverage"]["topics"]) for each in parts), Counter[str]())
    assert topics == Counter(whole["coverage"]["topics"])
    assert found(parts[0]) | found(parts[1]) == found(whole)


def test_the_reports_of_several_machines_are_told_as_one_run(folder: Path) -> None:
    whole = facts(folder)
    for index in (1, 2):
        (folder / f"{index}.json").write_text(json.dumps(facts(folder, "--part", f"{index}/2")))
    done = merge(folder, "1.json", "2.json", options=("--json", "whole.json", "--report", "whole.html"))
    together = json.loads((folder / "whole.json").read_text())
    assert done.returncode == Exit.FINDINGS
    assert "Stopped" not in done.stdout
    assert found(together) == found(whole)
    assert len(together["findings"]) == len({(each["rule"], each["mark"]) for each in together["findings"]})
    assert together["coverage"]["topics"] == whole["coverage"]["topics"]
    assert together["findings"][0]["message"] in (folder / "whole.html").read_text()


def test_a_part_that_is_missing_is_told_and_is_no_success(folder: Path) -> None:
    facts(folder, "--part", "2/3", client="careful.py:edit")
    done = merge(folder, "facts.json")
    assert done.returncode == Exit.UNJUDGED
    assert "Stopped before its end: of 3 parts, not here: 1, 3" in done.stdout


def test_what_is_not_the_parts_of_one_run_is_a_line(folder: Path) -> None:
    one = facts(folder, "--part", "1/2", client="careful.py:edit")
    (folder / "seed.json").write_text(json.dumps(one | {"seed": 7}))
    (folder / "three.json").write_text(json.dumps(one | {"part": {"index": 2, "of": 3}}))
    (folder / "newer.json").write_text(json.dumps(one | {"format": 9}))
    (folder / "none.json").write_text("[]")
    for other, says in {
        "facts.json": "facts.json tells part 1 again, which facts.json tells",
        "seed.json": "seed.json is of another run than facts.json: its seed differs",
        "three.json": "three.json is one of 3 parts, and facts.json one of 2",
        "newer.json": "newer.json: its format is 9, and 1 can be read",
        "none.json": "none.json: it is no JSON report of this Bluehour's fuzz",
    }.items():
        done = merge(folder, "facts.json", other)
        assert (done.returncode, done.stdout) == (Exit.USAGE, "")
        assert done.stderr.splitlines()[-1] == f"Error: --merge: {says}"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--jobs", "2", "--part", "1/2"), "--jobs and --part exclude each other"),
        (("--jobs", "2", "--operation", "nothing"), "--operation: "),
        (("--part", "3/2"), "say which part of how many, as in 2/4"),
        (("--part", "half"), "say which part of how many, as in 2/4"),
    ],
)
def test_what_can_not_be_is_a_line(folder: Path, options: tuple[str, ...], says: str) -> None:
    done = run(folder, *options)
    assert (done.returncode, done.stdout) == (Exit.USAGE, "")
    assert says in done.stderr.splitlines()[-1]


def test_a_client_that_can_not_be_run_is_told_once(folder: Path) -> None:
    done = run(folder, "--jobs", "2", client="clients.py:nothing")
    assert (done.returncode, done.stdout) == (Exit.USAGE, "")
    assert done.stderr.count("Error: ") == 1


def test_ctrl_c_ends_all_of_them_and_what_is_known_is_told(folder: Path) -> None:
    options = ["--examples", "100000", "--jobs", "2", "--database", "kept", "--", "clients.py:slow"]
    running = subprocess.Popen(
        [*COMMAND, *options],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while len(list(folder.glob("*.began"))) < 50:  # one process may be at it, the other still on its way
        assert running.poll() is None
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=120)
    assert running.returncode == Exit.UNJUDGED
    assert "Stopped before its end: " in out
    assert re.search(r"No rule was seen broken in \d+ scripts", out)
