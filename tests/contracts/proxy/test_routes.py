"""Paths are matched as a regular expression would match them, but in no more time than they are long."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.contracts.proxy.routes import Routes
from bluehour.openapi.contract import Contract

PATHS = ["/a", "/a/b", "/a/{x}", "/{x}/b", "/a/{x}-{y}.json", "/a/{x}{y}", "/a/-{x}-{y}--{z}"]


def routes(*paths: str) -> Routes:
    operations: dict[str, Any] = {path: {"get": {"responses": {}}} for path in paths}
    return Routes(Contract({"openapi": "3.1.0", "paths": operations}))


def as_regular_expressions(path: str, asked: str) -> dict[str, str] | None:
    names = re.findall(r"\{(\w)\}", path)
    match = re.fullmatch("([^/]+)".join(map(re.escape, re.split(r"\{\w\}", path))), asked)
    return None if match is None else dict(zip(names, match.groups(), strict=True))


@pytest.mark.parametrize("path", PATHS)
@given(rest=st.text("ab-./", max_size=8))
def test_a_path_fits_what_its_regular_expression_would(path: str, rest: str) -> None:
    operation, values = routes(path).find("GET", "/a/" + rest)
    expected = as_regular_expressions(path, "/a/" + rest)
    assert (operation is not None, values) == (expected is not None, expected or {})


def test_many_dashes_are_no_work() -> None:
    operation, _ = routes("/a/{x}-{y}-{z}-{u}-{v}.json").find("GET", "/a/" + "-" * 60_000)
    assert operation is None
