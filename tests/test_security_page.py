"""SECURITY.md names the tests of each promise, and they are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_promise_is_tested_by_files_that_there_are() -> None:
    page = (ROOT / "SECURITY.md").read_text("utf-8")
    promises = [line for line in page.splitlines() if line.startswith("| **")]
    assert len(promises) > 5
    for promise in promises:
        named = re.findall(r"\[([^\]]+)\]\((tests/[^)]+)\)", promise)
        assert named, promise
        for name, path in named:
            assert Path(path).name == name
            assert (ROOT / path).is_file(), path


def test_the_readme_leads_there() -> None:
    assert "](SECURITY.md)" in (ROOT / "README.md").read_text("utf-8")
