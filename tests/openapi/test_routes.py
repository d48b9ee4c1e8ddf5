"""Which operation a request calls, and with which values in its path."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.openapi.contract import Contract, load
from bluehour.openapi.routes import Routes

PATHS = ["/a", "/a/b", "/a/{x}", "/{x}/b", "/a/{x}-{y}.json", "/a/{x}{y}", "/a/-{x}-{y}--{z}"]


def contract(*paths: str, servers: tuple[str, ...] = (), methods: tuple[str, ...] = ("get",)) -> Contract:
    operations: dict[str, Any] = {path: {method: {"responses": {}} for method in methods} for path in paths}
    return Contract({"openapi": "3.1.0", "paths": operations, "servers": [{"url": url} for url in servers]})


def routes(*paths: str) -> Routes:
    return Routes(contract(*paths))


def called(found: Routes, path: str, method: str = "GET") -> tuple[str, dict[str, str]] | None:
    """The path of the operation that is called, and the values."""
    match = found.find(method, path)
    return None if match is None else (match.operation.path, dict(match.values))


def as_regular_expressions(path: str, asked: str) -> dict[str, str] | None:
    names = re.findall(r"\{(\w)\}", path)
    match = re.fullmatch("([^/]+)".join(map(re.escape, re.split(r"\{\w\}", path))), asked)
    return None if match is None else dict(zip(names, match.groups(), strict=True))


@pytest.mark.parametrize("path", PATHS)
@given(rest=st.text("ab-./", max_size=8))
def test_a_path_fits_what_its_regular_expression_would(path: str, rest: str) -> None:
    expected = as_regular_expressions(path, "/a/" + rest)
    assert called(routes(path), "/a/" + rest) == (None if expected is None else (path, expected))


def test_many_dashes_are_no_work() -> None:
    assert routes("/a/{x}-{y}-{z}-{u}-{v}.json").find("GET", "/a/" + "-" * 60_000) is None


def test_the_magic_hour_contracts_paths_are_found() -> None:
    found = Routes(load())
    match = found.find("GET", "/v1/image-projects/a%2Fb%20%C3%A9")
    assert match is not None
    assert (match.operation.path, match.values, match.prefix) == (
        "/v1/image-projects/{id}",
        {"id": "a/b é"},
        "",
    )
    assert found.find("POST", "/v1/ai-face-editor") is not None
    for path in ("/v1/ai-face-editor/", "/V1/ai-face-editor", "//v1/ai-face-editor", "/v1/image-projects/"):
        assert found.find("POST", path) is None
        assert found.allowed(path) == []


@pytest.mark.parametrize(
    ("paths", "asked", "meant"),
    [
        (("/pets/{id}", "/pets/mine"), "/pets/mine", "/pets/mine"),
        (("/pets/{id}", "/pets/mine"), "/pets/min%65", "/pets/mine"),
        (("/{a}/{b}/c", "/{a}/b/c"), "/a/b/c", "/{a}/b/c"),
        (("/{x}/b", "/a/{x}"), "/a/b", "/a/{x}"),
        (("/{x}/{y}", "/a/{x}-{y}"), "/a/1-2", "/a/{x}-{y}"),
        (("/f/{name}", "/f/{name}.json"), "/f/x.json", "/f/{name}.json"),
        (("/f/{name}", "/f/{name}.json"), "/f/x.yaml", "/f/{name}"),
    ],
)
def test_of_several_that_fit_the_most_exact_is_meant(paths: tuple[str, ...], asked: str, meant: str) -> None:
    for each in (paths, paths[::-1]):
        match = routes(*each).find("GET", asked)
        assert match is not None
        assert match.operation.path == meant


def test_a_method_that_only_the_less_exact_path_has_is_found_there() -> None:
    found = Routes(
        Contract(
            {
                "openapi": "3.1.0",
                "paths": {"/pets/mine": {"put": {"responses": {}}}, "/pets/{id}": {"get": {"responses": {}}}},
            }
        )
    )
    assert called(found, "/pets/mine") == ("/pets/{id}", {"id": "mine"})
    assert found.allowed("/pets/mine") == ["PUT", "GET", "HEAD"]
    assert found.allowed("/pets/other") == ["GET", "HEAD"]
    assert found.allowed("/pets/") == []


def test_head_calls_what_get_does_unless_the_contract_has_it() -> None:
    assert called(routes("/a"), "/a", "HEAD") == ("/a", {})
    match = Routes(contract("/a", methods=("get", "head"))).find("HEAD", "/a")
    assert match is not None
    assert match.operation.method == "HEAD"
    assert routes("/a").find("POST", "/a") is None


def test_a_contracts_last_slash_may_be_left_out_but_none_be_added() -> None:
    found = routes("/pets/", "/pets/{id}/", "/dogs")
    assert called(found, "/pets/") == called(found, "/pets") == ("/pets/", {})
    assert called(found, "/pets/1") == called(found, "/pets/1/") == ("/pets/{id}/", {"id": "1"})
    assert called(found, "/dogs/") is None
    both = routes("/pets/", "/pets")
    assert [called(both, path) for path in ("/pets", "/pets/")] == [("/pets", {}), ("/pets/", {})]


def test_base_paths_may_stand_before_a_path() -> None:
    based = contract("/pets/{id}", servers=("https://example.org/api/v3", "/"))
    assert called(Routes(based), "/pets/1") == called(Routes(based), "/api/v3/pets/1")
    match = Routes(based).find("GET", "/api/v3/pets/1")
    assert match is not None
    assert match.prefix == "/api/v3"
    only = Routes(based, prefixes=("/examples",))
    assert called(only, "/pets/1") is None
    assert called(only, "/examples/pets/1") == ("/pets/{id}", {"id": "1"})


def test_percent_signs_of_a_path_and_of_a_template_mean_the_same() -> None:
    assert called(routes("/a b/{x}"), "/a%20b/c%2Dd") == ("/a b/{x}", {"x": "c-d"})
    assert called(routes("/a%20b"), "/a%20b") == ("/a%20b", {})
    assert called(routes("/a/b"), "/a%2Fb") is None
