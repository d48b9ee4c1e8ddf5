"""What docs/found/idioms.md says is so: each script is played again, and shows its rule."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bluehour.contracts.fuzz.script import loaded
from tests.profiles import few
from tests.vendor.fuzzed.__main__ import FOUND

from .__main__ import IDIOMS, fuzz


@pytest.mark.parametrize("name", few([*IDIOMS], "requests-tenacity"))
def test_every_script_of_a_client_shows_the_rule_that_it_was_found_by(name: str, tmp_path: Path) -> None:
    if missing := IDIOMS[name].missing:
        pytest.skip(f"this machine has no {missing}")
    report, scripts = tmp_path / "report.json", FOUND / "idioms" / name
    played = fuzz(name, "--replay", str(scripts), "--json", str(report), quiet=True)
    assert played.returncode == 1, played.stderr
    shown = {(each["topic"], each["rule"]) for each in json.loads(report.read_text())["findings"]}
    said = {(path.name, path.stem) for path in scripts.glob("*.json")}
    assert said
    assert said <= shown


def test_the_page_names_every_script_and_every_client_with_its_reasons() -> None:
    page = (FOUND / "idioms.md").read_text()
    named = set(re.findall(r"\(idioms/([^)]+)\)", page))
    scripts = {f"{path.parent.name}/{path.name}": path for path in (FOUND / "idioms").glob("*/*.json")}
    assert named == set(scripts)
    assert all(loaded(path.read_text()) for path in scripts.values())
    for name, idiom in IDIOMS.items():
        assert f"/{idiom.file})\n\n{idiom.why}\n" in page, name
