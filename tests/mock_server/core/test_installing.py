"""A message about what is not installed names the place where this copy of Bluehour came from."""

from __future__ import annotations

import json
import shlex
from importlib.metadata import PackageNotFoundError
from typing import Any

import pytest

from bluehour.mock_server.core import installing
from bluehour.mock_server.core.installing import command_for

CLONE = "file:///home/ada/a%20clone"
GIT = "https://git.example.com/ada/bluehour.git"
FROM_AN_INDEX = "pip install 'bluehour[inference]'"


def say_it_came_from(monkeypatch: pytest.MonkeyPatch, written: str | None) -> None:
    """Have the installer's note of the origin (PEP 610) be this text."""

    class Distribution:
        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return written

    monkeypatch.setattr(installing, "distribution", lambda name: Distribution())


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        ({"url": CLONE, "dir_info": {"editable": True}}, "pip install -e '/home/ada/a clone[inference]'"),
        ({"url": CLONE, "dir_info": {}}, "pip install '/home/ada/a clone[inference]'"),
        (
            {"url": "file:///tmp/bluehour-0.1.0-py3-none-any.whl", "archive_info": {"hash": "sha256=00"}},
            "pip install '/tmp/bluehour-0.1.0-py3-none-any.whl[inference]'",
        ),
        (
            {"url": GIT, "vcs_info": {"vcs": "git", "commit_id": "0" * 40, "requested_revision": "main"}},
            f"pip install 'bluehour[inference] @ git+{GIT}@main'",
        ),
        (
            {"url": CLONE, "vcs_info": {"vcs": "git", "commit_id": "0" * 40}},
            f"pip install 'bluehour[inference] @ git+{CLONE}'",
        ),
        (
            {"url": GIT, "vcs_info": {"vcs": "git", "commit_id": "0" * 40}, "subdirectory": "kit"},
            f"pip install 'bluehour[inference] @ git+{GIT}#subdirectory=kit'",
        ),
        (
            {"url": "https://example.com/bluehour-0.1.0.tar.gz", "archive_info": {}},
            "pip install 'bluehour[inference] @ https://example.com/bluehour-0.1.0.tar.gz'",
        ),
    ],
    ids=["editable clone", "clone", "wheel", "git", "git on disk", "git in a folder", "archive elsewhere"],
)
def test_an_extra_is_added_from_where_this_copy_came(
    origin: dict[str, Any], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_it_came_from(monkeypatch, json.dumps(origin))
    assert command_for("inference") == command
    assert shlex.split(command)[:2] == ["pip", "install"]


@pytest.mark.parametrize("written", [None, "", "{}", "[]", "no JSON", '{"url": 7, "dir_info": []}'])
def test_a_copy_whose_origin_nobody_wrote_down_is_named_as_on_an_index(
    written: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_it_came_from(monkeypatch, written)
    assert command_for("inference") == FROM_AN_INDEX


def test_a_copy_that_is_not_installed_at_all_is_named_as_on_an_index(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(installing, "distribution", nowhere)
    assert command_for("inference") == FROM_AN_INDEX
