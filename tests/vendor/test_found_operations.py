"""The vendor's SDKs do what `bluehour fuzz --operation` asks for, but for what docs/found says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bluehour.openapi.contract import load
from tests.profiles import few

from .conftest import skip_without_npm
from .fuzzed.__main__ import BEYOND, FOUND, PACKAGES, fuzz
from .sdks import PY_90

RIGHT = {"format": "bluehour fuzz script 1", "script": {"job": ["queued", "rendering", "complete"]}}

WITHDRAWN = "/v1/ai-photo-editor"
WRONG = {f"/v1/{operation}" for name, operation, _ in BEYOND if name == PY_90.name}
PATHS = [
    each.path
    for each in load().operations
    if each.behaviour == "create-project" and each.path not in {WITHDRAWN, *WRONG}
]


@pytest.fixture
def right(tmp_path: Path) -> str:
    """A script in which all goes right."""
    file = tmp_path / "right.json"
    file.write_text(json.dumps(RIGHT))
    return str(file)


@pytest.mark.parametrize(
    "path",
    few(PATHS, "/v1/text-to-video", "/v1/ai-voice-cloner", "/v1/face-swap-photo", "/v1/face-detection"),
)
def test_generate_makes_what_is_asked_for(path: str, right: str) -> None:
    played = fuzz(PY_90, "--operation", path, "--replay", right, "--skip", "poll.pace", quiet=True)
    assert played.returncode == 0, played.stdout + played.stderr


def test_generate_keeps_as_many_pictures_as_are_asked_for(right: str) -> None:
    asked = ("--operation", "ai-image-generator", "--request", '{"image_count": 4}')
    played = fuzz(PY_90, *asked, "--replay", right, "--skip", "poll.pace", quiet=True)
    assert played.returncode == 0, played.stdout + played.stderr


@pytest.mark.parametrize(("name", "operation", "does"), BEYOND)
def test_what_generate_does_wrong_is_found(name: str, operation: str, does: str, right: str) -> None:
    skip_without_npm(PACKAGES[name])
    asked = ("--operation", operation, "--replay", right, "--only", "request.given")
    played = fuzz(PACKAGES[name], *asked, quiet=True)
    assert played.returncode == 1, played.stdout + played.stderr
    assert "✗ request.given" in played.stdout
    assert f"| {name} | `{operation}` | {does} |" in (FOUND / "README.md").read_text()
