"""`--reload`: an edit takes effect with all state kept; a bad one is told, and the old one goes on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mock_server.reloading import Reloader


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
