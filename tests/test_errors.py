"""Whoever calls Bluehour catches all of its errors by their one root."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from pathlib import Path

import pytest

from bluehour.contracts import ClientBroken
from bluehour.openapi.contract import load
from bluehour.openapi.data import DataError
from bluehour.openapi.document import SpecError
from bluehour.openapi.errors import BluehourError

ROOT = Path(__file__).parent.parent
ROOTED = ("openapi", "contracts")
"""The packages whose errors all have the root."""


def rootless(package: str) -> Iterator[str]:
    """The public errors of a package that derive from Python's own alone."""
    for path in (ROOT / package / "bluehour").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
                if any(is_error(base) for base in bases) and BluehourError.__name__ not in bases:
                    yield f"{path.name}: {node.name}"


def is_error(name: str) -> bool:
    known = getattr(builtins, name, None)
    return isinstance(known, type) and issubclass(known, Exception)


@pytest.mark.parametrize("package", ROOTED)
def test_every_error_has_the_one_root(package: str) -> None:
    assert list(rootless(package)) == ["errors.py: BluehourError"][: package == "openapi"]


@pytest.mark.parametrize(("error", "kind"), [(DataError, ValueError), (ClientBroken, AssertionError)])
def test_an_error_stays_of_the_kind_that_python_has_for_it(error: type, kind: type) -> None:
    assert issubclass(error, BluehourError)
    assert issubclass(error, kind)


def test_a_contract_that_cannot_be_served_is_caught_by_the_root(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("openapi: 2.0")
    with pytest.raises(BluehourError) as caught:
        load(tmp_path / "spec.yaml")
    assert isinstance(caught.value, SpecError)
