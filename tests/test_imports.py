"""What imports what: no circle, no arrow that runs back up, and the inner parts know no framework.

Every import counts: within functions, and those for type checkers alone. A *room* is a file or a folder at
the top of a package.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("openapi", "mock_server", "contracts")
"""Each may import those before it."""

_PARSERS = r"http|datastructures|formparser"
WEB = (
    rf"flask|werkzeug(?!\.(?:{_PARSERS})\b)(?:\.\w+)?|jinja2|granian|uvicorn|httptools|uvloop|click"
    r"|http\.server|socketserver|wsgiref"
)
"""Frameworks and servers. What of werkzeug parses headers and forms is neither."""

MAY_NOT: Mapping[str, str] = {
    "openapi": rf"{WEB}|bluehour\.(mock_server|contracts)",
    "mock_server": r"bluehour\.contracts",
    "mock_server.core": rf"{WEB}|bluehour\.mock_server\.(?!core\b)\w+",
    "mock_server.api": rf"{WEB}|bluehour\.mock_server\.server",
}
"""By the name of a package or of a room, what it may not import, as the beginnings of names."""


def modules() -> dict[str, Path]:
    """All modules of the packages, by name; a package's own module has the package's name."""
    found = {}
    for package in PACKAGES:
        root = ROOT / package
        for path in root.rglob("*.py"):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return {name: path for name, path in found.items() if name.count(".") and in_a_package(name)}


def in_a_package(name: str) -> bool:
    return name.startswith(tuple(f"bluehour.{package}" for package in PACKAGES))


MODULES = modules()


def imported_by(module: str, path: Path, source: str | None = None) -> Iterator[str]:
    """The full names of what a module imports: modules, or names in them."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source or path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            base = [*base, node.module] if node.module else base
            yield from (".".join([*base, alias.name]) for alias in node.names)


IMPORTS = {name: frozenset(imported_by(name, path)) for name, path in MODULES.items()}

Graph = dict[str, set[str]]


def between_modules(imports: Mapping[str, Iterable[str]]) -> Graph:
    """The modules of ours that each module imports."""
    return {
        name: {of for each in imported if (of := module_of(each)) not in (None, name)}
        for name, imported in imports.items()
    }


def module_of(name: str) -> str | None:
    """The module that a full name is in, if it is one of ours."""
    return next((each for each in (name, name.rpartition(".")[0]) if each in MODULES), None)


def between_rooms(package: str, graph: Graph) -> Graph:
    """The rooms of a package that each of its rooms imports."""
    rooms: Graph = {}
    for name, imported in graph.items():
        if (room := room_of(name, package)) is not None:
            others = {room_of(each, package) for each in imported} - {room, None}
            rooms.setdefault(room, set()).update(filter(None, others))
    return rooms


def room_of(module: str, package: str) -> str | None:
    """The room that a module is in, if it is in that package; the package's own module is one as well."""
    _, inner, *rest = module.split(".")
    return (rest or ["__init__"])[0] if inner == package else None


def circle_in(graph: Graph) -> str:
    """One circle, as a line to read; nothing where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return " <- ".join(error.args[1])
    return ""


MODULE_GRAPH = between_modules(IMPORTS)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_room_imports_itself_by_way_of_others(package: str) -> None:
    assert not circle_in(between_rooms(package, MODULE_GRAPH))


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert not circle_in(MODULE_GRAPH)


def modules_of(part: str) -> list[str]:
    """The modules of a package or of a room."""
    return [name for name in MODULES if f"{name}.".startswith(f"bluehour.{part}.")]


@pytest.mark.parametrize("part", [part for part in MAY_NOT if modules_of(part)])
def test_nothing_imports_what_lies_above_it(part: str) -> None:
    forbidden = re.compile(rf"(?:{MAY_NOT[part]})(?:\.|$)")
    assert not {
        name: above for name in modules_of(part) if (above := sorted(filter(forbidden.match, IMPORTS[name])))
    }


def test_imports_are_seen_wherever_they_stand() -> None:
    source = """
from typing import TYPE_CHECKING
from . import sibling
from .. import uncle as someone
from .other import name
if TYPE_CHECKING:
    from ..hidden import Type
def late():
    import inner.part
"""
    path = Path("part.py")
    assert set(imported_by("bluehour.contracts.room.part", path, source)) == {
        "typing.TYPE_CHECKING",
        "bluehour.contracts.room.sibling",
        "bluehour.contracts.uncle",
        "bluehour.contracts.room.other.name",
        "bluehour.contracts.hidden.Type",
        "inner.part",
    }
