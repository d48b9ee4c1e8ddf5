"""`--edits`: a client that makes several projects at once, and what goes wrong with one of them."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bluehour.contracts import Task
from bluehour.contracts.fuzz.script import RIGHT, Fault, Place, Script, Turn
from bluehour.contracts.fuzz.strategies import Profile, topics
from tests.profiles import few

from . import careful
from .playing import CONTRACT, TERMS, at, broken, fuzzed, judged, play, theatre

MOST = 3
THREE = replace(TERMS, edits=MOST)
SLOW = Script(job=("queued", "rendering", "rendering", "complete"))
GATEWAY = at(Place.CREATE, RIGHT, Turn(status=504, page=True, booked=True))


class Several(careful.Client):
    """Makes three projects before it waits for the first. Whatever fails, it has the others, and says so."""

    def edit(self) -> dict[str, Any]:
        made, failed = list[str](), 0
        for _ in range(MOST):
            try:
                made.append(self.create(self.upload()))
            except careful.Refused:
                failed += 1
        for nth, project in enumerate(made):
            try:
                self.download_into(nth, self.wait_for(project))
            except careful.Refused:
                failed += 1
        return {"status": "error" if failed else "complete"}

    def download_into(self, nth: int, project: dict[str, Any]) -> None:
        self.nth = nth
        self.download(project)

    def save(self, number: int, link: str, picture: bytes) -> str:
        file = Path(self.task.out) / f"{self.nth}-{number}.png"
        file.write_bytes(picture)
        return str(file)


def in_threads(task: Task) -> dict[str, Any]:
    """Make three at the same time, each by a thread of its own."""
    told: list[dict[str, Any]] = []

    def one(nth: int) -> None:
        client = OfThread(task, nth)
        try:
            told.append(client.edit())
        except careful.Refused:
            told.append({"status": "error"})

    threads = [threading.Thread(target=one, args=(nth,)) for nth in range(MOST)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = {each["status"] for each in told}
    return {"status": statuses.pop() if len(statuses) == 1 else "error"}


class OfThread(careful.Client):
    """One of several."""

    def __init__(self, task: Task, nth: int) -> None:
        super().__init__(task)
        self.nth = nth

    save = Several.save


class SavesUnderOneName(Several):
    """Each project has its output.png, and all of them are one file."""

    def download_into(self, nth: int, project: dict[str, Any]) -> None:
        super().download_into(0, project)


class WaitsForTheLastOnly(Several):
    """One variable has the id of the project: the second create writes over the first one's."""

    def edit(self) -> dict[str, Any]:
        for _ in range(MOST):
            project = self.create(self.upload())
        self.download_into(0, self.wait_for(project))
        return {"status": "complete"}


class DownloadsOne(Several):
    """It waits for all of them, and takes the pictures of the first one that is done."""

    def download_into(self, nth: int, project: dict[str, Any]) -> None:
        if not hasattr(self, "nth"):
            super().download_into(nth, project)


class MakesAllAgain(Several):
    """Where one of them fails, the whole batch is made once more, those that are paid for as well."""

    def edit(self) -> dict[str, Any]:
        first = super().edit()
        return first if first["status"] == "complete" else super().edit()


@pytest.mark.parametrize("client", [Several, in_threads])
@pytest.mark.parametrize("profile", few([*Profile], Profile.HOSTILE))
def test_a_careful_client_breaks_no_rule_whatever_its_jobs_meet(client: Any, profile: Profile) -> None:
    with theatre(client, THREE) as opened:
        for topic in topics(CONTRACT, profile, edits=MOST):
            played = opened.play(topic.about)
            assert judged(played) == [], topic.name
            assert played.ending.outcome == "done", topic.name


@pytest.mark.parametrize("client", [Several, in_threads])
def test_three_are_made_and_their_pictures_differ(client: Any) -> None:
    played = play(SLOW, client, THREE)
    assert played.ending.status == "complete"
    assert len(played.charges) == len(played.made) == len(set(played.ending.files.values())) == MOST


FAULTY = [
    (SavesUnderOneName, Script(), "download.kept", "3 files came whole, 1 is there"),
    (WaitsForTheLastOnly, Script(), "result.true", "it reports success, and project 1 of 3 was never seen"),
    (DownloadsOne, Script(), "result.true", "it reports success, and 1 of 3 files came whole"),
    (MakesAllAgain, GATEWAY, "pay.once", "6 creates were charged for 3 jobs: 6 credits"),
]


@pytest.mark.parametrize(("client", "script", "rule", "says"), FAULTY)
def test_what_goes_wrong_with_several_is_told(client: Any, script: Script, rule: str, says: str) -> None:
    told = {violation.rule: violation.message for violation in judged(play(script, client, THREE))}
    assert told[rule] == says


@pytest.mark.parametrize(("client", "script", "rule", "says"), FAULTY)
def test_it_is_found_by_scripts_that_are_drawn(client: Any, script: Script, rule: str, says: str) -> None:
    result = fuzzed(client, terms=THREE, rules=frozenset({rule}), examples=220, only_first=True)
    assert {finding.violation.rule for finding in result.findings} == {rule}
    assert result.topics == len(topics(CONTRACT, Profile.REALISTIC, None, MOST))


@pytest.mark.parametrize(
    "script",
    [
        Script(job=("error",)),
        at(Place.POLL, Turn(status=404)),
        at(Place.DOWNLOAD, Turn(fault=Fault.CUT)),
    ],
)
def test_where_one_has_failed_nobody_knows_of_which_it_tells(script: Script) -> None:
    class SaysSuccess(Several):
        def edit(self) -> dict[str, Any]:
            return super().edit() | {"status": "complete"}

    assert broken(play(script, SaysSuccess, THREE)) == set()


def test_only_who_makes_several_is_met_with_what_happens_to_the_second() -> None:
    one, several = ({topic.name for topic in topics(CONTRACT, Profile.HOSTILE, None, n)} for n in (1, 2))
    assert several > one
    assert {"create 504 page at the second", "the second create 402"} <= several - one
