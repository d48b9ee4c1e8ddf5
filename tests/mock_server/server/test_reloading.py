"""`--reload`: an edit takes effect with all state kept; a bad one is told, and the old one goes on."""

from __future__ import annotations

import copy
import os
from pathlib import Path

import pytest

from bluehour.mock_server.app import create_app
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.reloading import Reloader
from bluehour.openapi.contract import Contract, load

from ..conftest import FACE, Caller, face


class Watched:
    """A file and what came of its edits."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.write_text("one")
        self.taken: list[str] = []
        self.said: list[str] = []
        self.reloader = Reloader({path: self._take_up}, self.said.append)

    def _take_up(self) -> str:
        text = self.path.read_text()
        if text == "bad":
            raise ValueError(f"{self.path}: it is bad")
        self.taken.append(text)
        return f"it says {text}"

    def write(self, text: str) -> None:
        """Write as editors do: to another file, that takes the name."""
        part = self.path.with_suffix(".part")
        part.write_text(text)
        part.replace(self.path)
        self.reloader.look()


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "file.yaml")


def test_an_edit_is_taken_up_once(watched: Watched) -> None:
    watched.reloader.look()
    watched.write("two")
    watched.reloader.look()
    assert (watched.taken, watched.said) == (["two"], [f"reloaded {watched.path}: it says two\n"])


def test_a_bad_edit_is_told_once_and_the_next_good_one_taken(watched: Watched) -> None:
    watched.write("bad")
    watched.reloader.look()
    assert watched.said == [f"not reloaded {watched.path}, the old one is kept: it is bad\n"]
    watched.write("good")
    assert watched.taken == ["good"]


def test_a_file_that_is_gone_for_a_moment_is_waited_for(watched: Watched) -> None:
    watched.path.unlink()
    watched.reloader.look()
    assert (watched.taken, watched.said) == ([], [])
    watched.write("back")
    assert watched.taken == ["back"]


def test_an_edit_of_the_same_length_is_seen(watched: Watched) -> None:
    watched.path.write_text("two")
    os.utime(watched.path, (1, 1))
    watched.reloader.look()
    assert watched.taken == ["two"]


def test_a_contract_that_lacks_what_is_in_use_is_refused() -> None:
    mock = Mock()
    caller = Caller(create_app(mock).test_client(), "mhk_test_pro_10")
    caller.create(face())
    for part, name, wrong in (
        ("paths", FACE, "the operation aiFaceEditor.editImage is gone"),
        ("x-plans", "pro", "the plan pro is gone"),
    ):
        document = copy.deepcopy(mock.world.contract.document)
        del document[part][name]
        with pytest.raises(ValueError, match=wrong):
            mock.world.adopt(Contract(document))
        assert mock.world.contract is load()
    document = copy.deepcopy(mock.world.contract.document)
    del document["x-plans"]["business"]
    mock.world.adopt(Contract(document))
    assert list(mock.world.plans) == ["free", "creator", "pro"]
    mock.close()


def test_a_reset_after_a_reload_brings_back_rules_that_fit() -> None:
    mock = Mock()
    mock.scenarios.start_with([{"match": {"operation": "aiFaceEditor.editImage"}, "delay": 0}])
    mock.scenarios.remove("rule-1")
    document = copy.deepcopy(mock.world.contract.document)
    del document["paths"][FACE]
    with pytest.raises(ValueError, match="a rule does not fit"):
        mock.world.adopt(Contract(document))
    mock.world.reset()
    assert len(mock.scenarios.all()) == 1
    mock.close()
