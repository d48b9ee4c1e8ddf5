"""The models come out of one known wheel, are checked, and lie in the cache whole or not at all."""

from __future__ import annotations

import hashlib
import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bluehour.mock_server.cli.weights import weights as command
from bluehour.mock_server.rendering.reference import weights

CONTENTS = {"face.tflite": b"a model", "LICENSE": b"Apache License"}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and small files that are wanted in it."""
    wanted = {name: (f"inside/{name}", _digest(data)) for name, data in CONTENTS.items()}
    monkeypatch.setattr(weights, "_FILES", wanted)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "bluehour"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return _wheel(tmp_path / "small.whl", CONTENTS)


def _wheel(path: Path, contents: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in contents.items():
            archive.writestr(f"inside/{name}", data)
    return path


def _pip(monkeypatch: pytest.MonkeyPatch, act: Callable[[Path], tuple[int, str]]) -> None:
    """Put an act in pip's place: it is given the folder to fetch into, and returns exit code and stderr."""

    def run(arguments: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        code, said = act(Path(arguments[arguments.index("--dest") + 1]))
        return subprocess.CompletedProcess(arguments, code, "", said)

    monkeypatch.setattr(subprocess, "run", run)


def test_the_models_are_taken_from_a_wheel_on_disk(cache: Path, wheel: Path) -> None:
    folder = weights.fetch(wheel)

    assert {file.name: file.read_bytes() for file in folder.iterdir()} == CONTENTS
    assert weights.folder() == folder
    assert [path.name for path in cache.iterdir()] == [folder.name]


def test_what_is_there_is_not_fetched_again(
    cache: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = weights.fetch(wheel)
    _pip(monkeypatch, lambda into: pytest.fail("pip was asked"))

    assert weights.fetch() == folder


def test_models_that_are_not_there_are_asked_for_by_their_command(cache: Path) -> None:
    with pytest.raises(weights.WeightsError, match="bluehour weights"):
        weights.folder()


def test_a_broken_folder_is_not_used_but_replaced(cache: Path, wheel: Path) -> None:
    folder = weights.fetch(wheel)
    (folder / "face.tflite").write_bytes(b"half a mod")
    with pytest.raises(weights.WeightsError):
        weights.folder()

    assert weights.fetch(wheel) == folder
    assert (weights.folder() / "face.tflite").read_bytes() == b"a model"
    assert [path.name for path in cache.iterdir()] == [folder.name]


def test_a_model_that_is_not_the_known_one_leaves_nothing(cache: Path, tmp_path: Path) -> None:
    other = _wheel(tmp_path / "other.whl", {**CONTENTS, "LICENSE": b"another licence"})

    with pytest.raises(weights.WeightsError, match="inside/LICENSE in the wheel has the sha256"):
        weights.fetch(other)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("contents", [b"", b"no archive", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_wheel_is_refused(cache: Path, tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "some.whl"
    path.write_bytes(contents)

    with pytest.raises(weights.WeightsError, match=r"some\.whl isn't a wheel of mediapipe"):
        weights.fetch(path)


def test_a_wheel_that_is_damaged_or_encrypted_is_refused(cache: Path, wheel: Path) -> None:
    whole = wheel.read_bytes()
    encrypted = bytearray(whole)
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # of a file's two headers
        encrypted[whole.index(mark) + flags] |= 1
    for contents in (encrypted, whole.replace(CONTENTS["face.tflite"], b"another")):
        wheel.write_bytes(contents)
        with pytest.raises(weights.WeightsError, match=r"small\.whl isn't a wheel of mediapipe"):
            weights.fetch(wheel)


def test_pip_is_asked_for_one_wheel_on_every_platform(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def act(into: Path) -> tuple[int, str]:
        fetched = _wheel(into / "fetched.whl", CONTENTS)
        monkeypatch.setattr(weights, "_WHEEL_SHA256", _digest(fetched.read_bytes()))
        return 0, ""

    _pip(monkeypatch, act)
    told: list[str] = []

    assert weights.fetch(report=told.append) == weights.folder()
    assert told == ["Fetching mediapipe==0.10.21 by pip: 36 MB, of which 4 MB are kept"]


def test_a_wheel_that_is_not_the_known_one_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def act(into: Path) -> tuple[int, str]:
        _wheel(into / "fetched.whl", CONTENTS)
        return 0, ""

    _pip(monkeypatch, act)

    with pytest.raises(weights.WeightsError, match=r"fetched\.whl that pip fetched has the sha256"):
        weights.fetch()
    assert list(cache.iterdir()) == []


def test_what_pip_says_last_is_passed_on(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pip(monkeypatch, lambda into: (1, "WARNING: no route\nERROR: No matching distribution found\n"))

    with pytest.raises(weights.WeightsError) as caught:
        weights.fetch()
    said = "pip could not fetch mediapipe==0.10.21 (--from takes its wheel): No matching distribution found"
    assert str(caught.value) == said


def test_a_network_that_is_away_is_told_of(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/")  # where nobody listens
    with pytest.raises(weights.WeightsError, match=r"no package index answers$"):
        weights.fetch()


def test_without_an_index_the_real_pip_fails_in_one_line(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))

    with pytest.raises(weights.WeightsError, match=r"^pip could not fetch .*: .+$"):
        weights.fetch()


def test_a_cache_that_can_not_be_written_is_named(
    cache: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(wheel))  # a file

    with pytest.raises(weights.WeightsError, match=r"can't be kept in .*small\.whl"):
        weights.fetch(wheel)


def test_a_cache_that_is_not_absolute_is_passed_over(
    cache: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    monkeypatch.setenv("HOME", str(tmp_path))

    assert weights.fetch(wheel).parent == tmp_path / ".cache" / "bluehour"


def test_the_command_says_what_lies_where(cache: Path, wheel: Path) -> None:
    done = CliRunner().invoke(command, ["--from", str(wheel)])

    assert done.exit_code == 0
    folder, model, licence = done.stdout.splitlines()
    assert Path(folder) == weights.folder()
    assert model.split() == ["face.tflite", "7", "bytes", "Apache", "License", "2.0"]
    assert licence.split() == ["LICENSE", "14", "bytes"]


def test_the_command_fails_in_one_line(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "no.whl").write_bytes(b"no archive")

    done = CliRunner().invoke(command, ["--from", str(tmp_path / "no.whl")])

    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    assert "no.whl isn't a wheel" in done.stderr
