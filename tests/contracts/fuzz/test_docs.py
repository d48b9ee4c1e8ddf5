"""What docs/fuzz-protocol.md says is so."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bluehour.contracts import Task
from bluehour.contracts.fuzz.cli import fuzz
from bluehour.contracts.fuzz.clients.ending import of_reply
from bluehour.contracts.fuzz.script import IN_WORDS, Fault, Place, dumped, loaded, story

from . import careful
from .playing import asked_for, broken, play

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "fuzz-protocol.md").read_text("utf-8")
EXAMPLES: list[dict[str, Any]] = [
    json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
]


def example(key: str) -> dict[str, Any]:
    return next(each for each in EXAMPLES if key in each)


class PaysTwice(careful.Client):
    def create(self, path: str) -> str:
        try:
            return super().create(path)
        except careful.Refused:
            return super().create(path)


def test_the_script_is_one_and_breaks_what_it_says() -> None:
    told = example("script")
    script = loaded(json.dumps(told))
    assert list(story(script)) == told["story"]
    assert told["breaks"] in broken(play(script, PaysTwice))
    assert broken(play(script)) == set()
    assert json.loads(dumped(script, {"breaks": told["breaks"]})) == told


def test_the_task_has_what_a_task_has() -> None:
    fields = inspect.get_annotations(Task).keys()
    assert example("url").keys() - {"task"} == fields
    assert all(f"`task.{name}`" in TEXT for name in fields)


def test_the_task_of_an_operation_is_what_is_asked() -> None:
    told = next(each for each in EXAMPLES if each.get("path"))
    asked = asked_for("ai-talking-photo").task
    assert {name: asked[name] for name in told if name != "request"} == {
        name: value for name, value in told.items() if name != "request"
    }
    named = json.dumps(asked["request"])
    for path in (asked["photo"], asked["audio"]):
        named = named.replace(path, f"/…/{Path(path).name}")
    assert json.loads(named) == told["request"]


@pytest.mark.parametrize(
    "told", [each for each in EXAMPLES if "outcome" in each], ids=lambda each: each["outcome"]
)
def test_replies_can_be_read(told: dict[str, Any], tmp_path: Path) -> None:
    ending = of_reply(told, tmp_path)
    assert ending.outcome == told["outcome"]
    assert (ending.status, ending.credits) == (told.get("status", ""), told.get("credits"))
    assert (ending.kind, ending.error, ending.where) == tuple(
        told.get(name, "") for name in ("type", "error", "where")
    )


def test_every_outcome_is_named() -> None:
    assert all(f"`{outcome}`" in TEXT for outcome in ("done", "refused", "crashed", "stopped"))


def test_every_place_is_named() -> None:
    named = re.search(r"`answers` has, for (.*?),\s+what the first", TEXT, re.DOTALL)
    assert named
    assert set(re.findall(r"`([a-z-]+)`", named[1])) == set(Place)


def test_its_links_lead_to_files() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", TEXT)
    assert links
    assert all((DOCS / link).is_file() for link in links)


def test_the_help_names_every_option_and_every_variable_that_the_docs_name() -> None:
    told = CliRunner().invoke(fuzz, ["--help"]).output
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", TEXT)) - {
        "--api",
        "--key",
        "--out",
    }  # the command's own
    assert options >= {"--clean-exit", "--crash", "--save", "--replay"}
    assert {option for option in options if option not in told} == set()


def test_every_option_has_a_word_of_help() -> None:
    assert [
        each.name
        for each in fuzz.params
        if each.param_type_name == "option" and not getattr(each, "help", "")
    ] == []


def test_every_fault_is_told_where_the_docs_send_their_reader() -> None:
    assert "script.py" in TEXT
    assert set(IN_WORDS) == set(Fault)
