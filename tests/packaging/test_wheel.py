"""The wheel in an environment of its own: all of Bluehour is in it, and it is in nobody's way."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples.installed import Environment, installed

REPOSITORY = Path(__file__).parents[2]
ROOTS = ("openapi", "mock_server", "contracts")

NEEDS = ("pytest>=9", "build>=1.2,<2")
OPENAPI = "openapi==2.0.0"
"""Somebody else's package, which has a package `openapi` at its top, as a project may have a folder."""

SUITE = """
import contracts
import openapi
import pytest


def test_its_own_packages_are_its_own():
    assert contracts.WHOSE == openapi.WHOSE == "the project's"


def test_the_plugin_is_there(magic_hour):
    assert magic_hour.credits == 10_000
"""


@pytest.fixture(scope="module")
def environment() -> Iterator[Environment]:
    with installed("wheel", NEEDS) as environment:
        yield environment


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with packages `contracts` and `openapi` of its own, and a suite that uses the plugin."""
    for name in ("contracts", "openapi"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text('WHOSE = "the project\'s"\n', "utf-8")
    (tmp_path / "test_project.py").write_text(SUITE, "utf-8")
    return tmp_path


def assert_passed(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_a_project_with_folders_of_the_same_names_runs_its_suite_beside_a_clone(project: Path) -> None:
    environment = {**os.environ, "PYTEST_ADDOPTS": "-p no:cacheprovider"}
    pytest_here = [sys.executable, "-m", "pytest"]
    assert_passed(subprocess.run(pytest_here, cwd=project, env=environment, capture_output=True, text=True))


@pytest.mark.thorough
def test_a_project_with_folders_of_the_same_names_runs_its_suite(
    environment: Environment, project: Path
) -> None:
    assert_passed(environment.run("-m", "pytest", cwd=project))


@pytest.mark.thorough
def test_somebody_else_s_package_of_the_same_name_stays_as_it_is(project: Path) -> None:
    whose = "import importlib.metadata as m, openapi; print(m.version('openapi'), openapi.__file__)"
    with installed("wheel-beside-openapi", (*NEEDS, OPENAPI)) as environment:
        assert_passed(environment.run("-m", "pytest", cwd=project))
        done = environment.run("-c", whose, cwd=project.parent)
        assert done.returncode == 0, done.stderr
        version, file = done.stdout.split()
        assert version == OPENAPI.rpartition("=")[2]
        files = environment.run("-m", "pip", "show", "--files", "openapi", cwd=project.parent).stdout
        assert Path(file).is_relative_to(environment.folder)
        assert f"{Path(file).parent.name}/{Path(file).name}" in files


@pytest.mark.thorough
def test_the_command_tells_its_version(environment: Environment, tmp_path: Path) -> None:
    done = environment.run("-m", "bluehour", "--version", cwd=tmp_path)
    assert re.fullmatch(r"bluehour \d+\.\d+\.\d+\n", done.stdout), done.stderr


@pytest.mark.thorough
def test_the_mock_comes_up_with_its_contract_and_its_pages(environment: Environment, tmp_path: Path) -> None:
    with environment.started("-m", "bluehour", "serve", "--port", "0", cwd=tmp_path) as process:
        url = first_url(process)
        contract = json.loads(read(f"{url}/openapi.json"))
        assert "/v1/ai-face-editor" in contract["paths"]
        for page in ("/_mock", "/docs"):
            html = read(url + page)
            static = set(re.findall(r'(?:href|src)="([^"]+\.(?:css|js))"', html))
            assert static, page
            for name in static:
                assert read(urllib.parse.urljoin(f"{url}{page}", name)), name


@pytest.mark.thorough
def test_a_missing_extra_is_installed_from_the_same_wheel(environment: Environment, tmp_path: Path) -> None:
    done = environment.run("-m", "bluehour", "check", "http://127.0.0.1:9", cwd=tmp_path)
    assert done.returncode == 2, done.stdout
    assert re.search(r"pip install '/\S+/bluehour-\S+-py3-none-any\.whl\[contracts\]'\n", done.stderr)


@pytest.mark.thorough
def test_the_wheel_has_every_file_of_the_source_roots(environment: Environment) -> None:
    assert packaged(environment.wheel) == sources()


@pytest.mark.thorough
def test_the_source_distribution_makes_the_same_wheel(environment: Environment, tmp_path: Path) -> None:
    done = environment.run("-m", "build", "--outdir", str(tmp_path), str(REPOSITORY), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")  # which was made from the source distribution beside it
    assert list(tmp_path.glob("*.tar.gz"))
    assert contents(wheel) == contents(environment.wheel)


def first_url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return found[0]
    raise AssertionError("it has not come up")


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read().decode())


def contents(wheel: Path) -> dict[str, int]:
    """Return the files of a wheel with their checksums; what names all others is left out."""
    with zipfile.ZipFile(wheel) as archive:
        return {
            file.filename: file.CRC for file in archive.infolist() if not file.filename.endswith("RECORD")
        }


def packaged(wheel: Path) -> set[str]:
    return {name for name in contents(wheel) if name.startswith("bluehour/")}


def sources() -> set[str]:
    """Return what has to be in a wheel, by the names that it has there."""
    contract = REPOSITORY / "openapi"
    files = [contract / "magic_hour.yaml", *(contract / "magic-hour").iterdir()]
    found = {f"bluehour/openapi/{path.relative_to(contract)}" for path in files}
    for root in ROOTS:
        folder = REPOSITORY / root
        found |= {
            str(path.relative_to(folder))
            for path in (folder / "bluehour").rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
    return found
