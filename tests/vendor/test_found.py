"""What docs/found says of the vendor's SDKs is so: each script is played again, and shows its rule."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bluehour.contracts.fuzz.script import loaded

from .conftest import skip_without_npm
from .fuzzed.__main__ import FOUND, PACKAGES, fuzz

KNOWN_FROM_A_PROTOTYPE = ("TypeError", "JSONDecodeError")


@pytest.mark.thorough
@pytest.mark.parametrize("name", PACKAGES)
def test_every_script_of_an_sdk_shows_the_rule_that_it_was_found_by(name: str, tmp_path: Path) -> None:
    skip_without_npm(PACKAGES[name])
    report = tmp_path / "report.json"
    played = fuzz(PACKAGES[name], "--replay", str(FOUND / name), "--json", str(report), quiet=True)
    assert played.returncode == 1, played.stderr
    shown = {(each["topic"], each["rule"]) for each in json.loads(report.read_text())["findings"]}
    said = {(path.name, json.loads(path.read_text())["breaks"]) for path in (FOUND / name).glob("*.json")}
    assert said <= shown
    assert len(said) >= 10


def test_a_single_script_is_played_by_the_command_of_the_page() -> None:
    (script,) = (FOUND / "python-0.90.0").glob("error.fault-typeerror-*.json")
    played = fuzz(PACKAGES["python-0.90.0"], "--replay", str(script), quiet=True)
    assert "TypeError: expected string or bytes-like object" in played.stdout
    assert played.returncode == 1


def test_what_was_known_of_0_90_0_is_among_it() -> None:
    told = [json.loads(path.read_text())["by"] for path in (FOUND / "python-0.90.0").glob("*.json")]
    for error in KNOWN_FROM_A_PROTOTYPE:
        assert any(each.startswith(error) for each in told)


def test_the_page_names_every_script() -> None:
    page = (FOUND / "README.md").read_text()
    scripts = sorted(FOUND.glob("*/*.json"))
    assert scripts
    for path in scripts:
        assert f"({path.parent.name}/{path.name})" in page
        assert loaded(path.read_text())
