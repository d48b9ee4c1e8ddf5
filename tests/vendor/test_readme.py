"""The examples of the README and of docs/forcing.md, run as they stand but for the address."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bluehour.mock_server.mock import Mock
from bluehour.mock_server.scenarios.scenarios import read_scenario
from bluehour.mock_server.server.inprocess import running

from .conftest import skip_without_npm
from .packages import Package
from .sdks import NODE_43, PY_50

ROOT = Path(__file__).parents[2]
FORCING = "docs/forcing.md"


def blocks_of(language: str, page: str = "README.md") -> list[str]:
    """Return the blocks of a page that are marked as tested in a language."""
    marked = rf"<!-- tested: {language} -->\n```\w+\n(.*?)```"
    return re.findall(marked, (ROOT / page).read_text("utf-8"), re.DOTALL)


def run(package: Package, block: str, served: str, folder: Path) -> str:
    """Run a block in a folder and return what it printed."""
    assert "http://127.0.0.1:4010" in block
    script = folder / "example"
    script.write_text(block.replace("http://127.0.0.1:4010", served), "utf-8")
    done = subprocess.run(
        package.run(script),
        cwd=folder,
        env=package.environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.rstrip("\n")


@pytest.fixture
def folder(tmp_path: Path, portrait: Path) -> Path:
    """A folder with a portrait.png in it, as the examples assume."""
    shutil.copy(portrait, tmp_path)
    return tmp_path


def test_the_readme_has_examples_in_both_languages() -> None:
    assert blocks_of("python")
    assert blocks_of("node")


@pytest.mark.parametrize("block", blocks_of("python"), ids=["face-editor", "photo-editor"])
def test_an_example_of_the_sdk_prints_what_its_comment_says(block: str, served: str, folder: Path) -> None:
    said = re.search(r"^print\(.*\)  # (.+)$", block, re.MULTILINE)
    assert said, "the example has no comment to hold it to"
    assert run(PY_50, block, served, folder) == said[1]
    assert (folder / "output.png").read_bytes().startswith(b"\x89PNG")


def test_the_example_of_the_control_client_prints_what_its_comment_says(tmp_path: Path) -> None:
    (block,) = blocks_of("python", FORCING)
    said = re.search(r"^print\(.*\)  # (.+)$", block, re.MULTILINE)
    mock = Mock()
    with closing(mock), running(mock) as url:
        script = tmp_path / "example.py"
        script.write_text(block.replace("http://127.0.0.1:4010", url), "utf-8")
        done = subprocess.run([sys.executable, script], stdout=subprocess.PIPE, text=True, check=True)
    assert said
    assert done.stdout.strip() == said[1]


def test_the_scenario_is_one(tmp_path: Path) -> None:
    (block,) = blocks_of("scenario", FORCING)
    path = tmp_path / "rules.yaml"
    path.write_text(block, "utf-8")
    Mock().scenarios.start_with(read_scenario(path))


@pytest.mark.parametrize("block", blocks_of("node"), ids=["face-editor"])
def test_a_node_example_ends_with_a_picture_to_download(block: str, served: str, folder: Path) -> None:
    skip_without_npm(NODE_43)
    assert re.fullmatch(rf"complete {served}/\S+", run(NODE_43, block, served, folder))
