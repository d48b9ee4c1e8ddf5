"""`bluehour serve --renderer reference` as a person uses it: killed amid its work, or not installed."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from PIL import Image

from bluehour.mock_server.core.installing import command_for
from bluehour.mock_server.core.projects import PENDING
from bluehour.mock_server.core.stores.opening import open_store

from ...conftest import FACE, PHOTO, face, photo
from ...server.test_serving import Served, refused, serving
from .recorded.photos import portrait

PAGE = (Path(__file__).parents[4] / "docs" / "reference-renderer.md").read_text("utf-8")

_BLUEHOUR = (sys.executable, "-m", "bluehour")
_PATIENCE = 60.0
_WITHOUT_TORCH = """
import sys

class Uninstalled:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise ModuleNotFoundError(name=name)

sys.meta_path.insert(0, Uninstalled())

from bluehour.mock_server.cli import main

main(prog_name="bluehour")
"""


def _upload(served: Served) -> str:
    file = io.BytesIO()
    Image.fromarray(portrait()).save(file, "PNG")
    return served.upload(file.getvalue())


def _bluehour_without_torch(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _WITHOUT_TORCH, *arguments], capture_output=True, text=True, timeout=120
    )


def test_without_the_extra_it_says_in_a_line_what_to_install() -> None:
    done = _bluehour_without_torch("serve", "--renderer", "reference", "--port", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == f"Error: the reference renderer needs torch, which is missing: {command_for('inference')}\n"
    )


def test_without_the_extra_all_else_works() -> None:
    helped = _bluehour_without_torch("--help")
    assert helped.returncode == 0
    assert "weights" in helped.stdout
    assert _bluehour_without_torch("weights", "--help").returncode == 0
    assert _bluehour_without_torch("check", "--rules").returncode == 0


def test_without_the_models_it_says_in_a_line_how_to_fetch_them(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    done = subprocess.run(
        [*_BLUEHOUR, "serve", "--renderer", "reference", "--port", "0"],
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].endswith("fetch them by: bluehour weights")


@pytest.mark.parametrize("option", [("--device", "cpu"), ("--photo-model", ".")])
def test_an_option_of_the_reference_renderer_is_none_of_the_other(option: tuple[str, str]) -> None:
    said = refused("--port", "0", *option)
    assert said == "Error: --device and --photo-model are options of --renderer reference alone\n"


def test_the_commands_of_the_page_do_what_it_says(models: Path) -> None:
    pytest.importorskip("torch")
    (block,) = re.findall(r"<!-- tested: reference -->\n```sh\n(.*?)```", PAGE, re.DOTALL)
    install, fetch, serve, _ = (shlex.split(line, comments=True) for line in block.splitlines())
    assert install == ["pip", "install", "-e", ".[inference]"]
    fetched = subprocess.run([*_BLUEHOUR, *fetch[1:]], capture_output=True, text=True, timeout=60)
    assert (fetched.returncode, fetched.stderr) == (0, "")
    assert fetched.stdout.startswith(str(models))
    assert serve[:2] == ["bluehour", "serve"]
    with serving(*serve[2:], OMP_NUM_THREADS="1") as served:
        made = served.post(FACE, face(_upload(served), mouth_smile=60))["id"]
        assert _complete(served, made)["downloads"]


@pytest.mark.thorough
def test_a_killed_server_s_jobs_are_taken_up_again_and_charged_once(models: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    store = f"sqlite:///{tmp_path / 'mock.db'}"
    options = ("--renderer", "reference", "--store", store, "--assets", str(tmp_path / "assets"))
    with serving(*options, OMP_NUM_THREADS="1") as served:
        asset = _upload(served)
        large = photo(asset, resolution=1024)
        made = [served.post(PHOTO, large)["id"] for _ in range(2)]  # seconds of work
        made.append(served.post(FACE, face(asset, mouth_smile=60))["id"])
        os.killpg(served.process.pid, signal.SIGKILL)
        served.process.wait()
    with_none = open_store(store)
    left = [project for project in map(with_none.project, made) if project and project.outcome == PENDING]
    with_none.close()
    assert left, "it was killed before it had done them all"

    with serving(*options, OMP_NUM_THREADS="1") as served:
        projects = [_complete(served, each) for each in made]
    assert sum(int(str(each["credits_charged"])) for each in projects) == 21
    kept = open_store(store)
    account = kept.accounts()[0]
    assert kept.balance(account.id, time.time() + 60) == account.credits - 21
    assert len([entry for entry in kept.ledger(account.id).entries if entry.project_id]) == len(made)
    kept.close()


def _complete(served: Served, project_id: str) -> dict[str, object]:
    """Poll until a project is complete."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        request = urllib.request.Request(
            f"{served.url}/v1/image-projects/{project_id}", headers={"Authorization": "Bearer any"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            project: dict[str, object] = json.load(answer)
        if project["status"] == "complete":
            return project
        assert project["status"] in ("queued", "rendering"), project
        time.sleep(0.1)
    raise TimeoutError(project_id)
