"""What docs/fuzzing.md says of `bluehour fuzz`, run as it stands."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from .sdks import PY_50, PY_90

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "fuzzing.md").read_text("utf-8")

# The SDK reads the machine's certificates for each of its HTTP clients, which takes most of the time.
ENVIRONMENT = PY_50.environment() | {"SSL_CERT_FILE": "", "SSL_CERT_DIR": "/no-certificates"}


def block(mark: str, language: str) -> str:
    (found,) = re.findall(rf"<!-- tested: {mark} -->\n```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


@pytest.mark.thorough
def test_the_commands_find_what_the_page_shows(tmp_path: Path) -> None:
    (tmp_path / "client.py").write_text(block("fuzz", "python"))
    outputs, codes = [], []
    for line in block("fuzz", "sh").splitlines():
        name, *arguments = shlex.split(line, comments=True)
        command = [str(Path(sysconfig.get_path("scripts"), name)), *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False
        )
        outputs.append(done.stdout)
        codes.append(done.returncode)
    assert codes == [1, 1, 0]
    (shown,) = re.findall(r"```console\n(✗ download\.kept.*?)```", PAGE, re.DOTALL)
    for line in (line.strip() for line in shown.splitlines() if line and " s  " not in line):
        assert line in outputs[0]
    assert "scripts from files" in outputs[1]
    assert "broken in" in (tmp_path / "report.html").read_text("utf-8")


def test_the_command_for_another_operation_asks_for_four_pictures(tmp_path: Path) -> None:
    (tmp_path / "client.py").write_text(block("fuzz operation", "python"))
    (tmp_path / "right.json").write_text('{"format": "bluehour fuzz script 1", "script": {}}')
    name, *arguments = shlex.split(block("fuzz operation", "sh"))
    command = [str(Path(sysconfig.get_path("scripts"), name)), *arguments]
    command[2:2] = ["--replay", "right.json", "--json", "facts.json"]
    environment = ENVIRONMENT | PY_90.environment()
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    met = json.loads((tmp_path / "facts.json").read_text())["coverage"]["answers"]
    assert met["download 200"] == 4


def test_the_test_of_the_page_passes_with_a_careful_client(tmp_path: Path) -> None:
    client = """
        from pathlib import Path

        from tests.faulty_clients.careful import Client


        class MyClient:
            def __init__(self, url, token):
                self.url, self.token = url, token

            def edit(self, photo, save_to):
                self.photo, self.out, self.patience = photo, save_to, 2.0
                return Client(self).edit()

    """
    text = "\n".join(line[8:] for line in client.splitlines())
    quick = block("fuzz test", "python").replace("skip=", "examples=3, skip=")
    (tmp_path / "test_mine.py").write_text(text + quick)
    found = tmp_path / "found"
    found.mkdir()
    script = ROOT / "docs" / "found" / "python-0.50.1" / "download.kept.json"
    (found / script.name).write_text(script.read_text())
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"],
        cwd=tmp_path,
        env=PY_50.environment() | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout
