"""The photo booth's own suite, run where Bluehour is installed from its wheel."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from .installed import Environment, installed, needs_of

pytestmark = pytest.mark.thorough  # a wheel is built, and a project's environment filled, in a minute

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "examples" / "photo_booth"

SHOWN = re.compile(r"<!-- tested(?:: pytest)? -->\n```python\n(.*?)```", re.DOTALL)

ILLEGAL = """
import httpx


def test_a_client_that_swallows_its_refusal(magic_hour):
    httpx.post(
        f"{magic_hour.url}/v1/ai-face-editor",
        headers={"Authorization": f"Bearer {magic_hour.token}"},
        json={"assets": {"image_file_path": "api-assets/id/1234.png"}, "style": {"mouth_smile": 7}},
    )
"""


@pytest.fixture(scope="module")
def environment() -> Iterator[Environment]:
    with installed(EXAMPLE.name, needs_of(EXAMPLE)) as environment:
        yield environment


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The example in a folder of its own, far from ours, with the tests that its README and ours show."""
    caches = shutil.ignore_patterns("__pycache__", ".*_cache")
    copy = shutil.copytree(EXAMPLE, tmp_path / "photo_booth", ignore=caches)
    (shown,) = SHOWN.findall((copy / "README.md").read_text("utf-8"))
    (copy / "tests" / "test_readme.py").write_text(shown, "utf-8")
    (shown,) = SHOWN.findall((REPOSITORY / "README.md").read_text("utf-8"))
    (copy / "tests" / "test_our_readme.py").write_text(shown, "utf-8")
    return copy


def test_its_suite_passes_with_nothing_but_the_wheel(environment: Environment, copy: Path) -> None:
    done = environment.run("-m", "pytest", cwd=copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^=+ \d+ passed in ", done.stdout, re.MULTILINE)
    assert "test_readme.py ." in done.stdout
    assert "test_our_readme.py ." in done.stdout


def test_the_plugin_comes_from_the_wheel(environment: Environment, copy: Path) -> None:
    done = environment.run("-c", "from bluehour import contracts; print(contracts.__file__)", cwd=copy)
    assert Path(done.stdout.strip()).is_relative_to(environment.folder)


def test_an_illegal_request_of_a_client_fails_its_test_with_a_diff(
    environment: Environment, copy: Path
) -> None:
    (copy / "tests" / "test_illegal.py").write_text(ILLEGAL, "utf-8")
    done = environment.run("-m", "pytest", "tests/test_illegal.py", cwd=copy)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "ERROR at teardown of test_a_client_that_swallows_its_refusal" in done.stdout
    assert '-     "mouth_smile": 7' in done.stdout
    assert '+     "mouth_smile": 5  (a multiple of 5, from -100 to 100)' in done.stdout
