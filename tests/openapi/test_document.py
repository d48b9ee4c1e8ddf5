"""Files that can't be served say so in one line; YAML means what JSON would."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bluehour.openapi.contract import load
from bluehour.openapi.document import SpecError, at_pointer, read, resolve

HEAD = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\n"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return tmp_path / "spec.yaml"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not valid JSON"),
        ("a: [", "not valid YAML"),
        ("- 1", "expected an object"),
        ("swagger: '1.2'", "found swagger 1.2"),
        ("openapi: 4.0.0\npaths: {}", "expected OpenAPI 3.0, 3.1 or 3.2"),
        (HEAD + "paths: []", "'paths' must be an object"),
    ],
)
def test_a_file_that_cannot_be_served_says_why_in_one_line(spec: Path, text: str, reason: str) -> None:
    spec.write_text(text)
    with pytest.raises(SpecError, match=reason) as refused:
        load(spec)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            HEAD + "paths: {/a: {get: {responses: {200: {$ref: '#/components/responses/No'}}}}}",
            "names nothing",
        ),
        (
            HEAD + "paths: {/a: {get: {responses: {200: {$ref: 'other.yaml#/a'}}}}}",
            r"other\.yaml: No such file",
        ),
        (HEAD + "paths: {/a: {get: {parameters: [{in: query}]}}}", "#/paths/~1a/get: it can't be read"),
        (
            HEAD + "paths: {/a: {get: {parameters: [{in: query, name: q, schema: {pattern: '('}}]}}}",
            "#/paths/~1a/get/parameters/0/schema/pattern: the pattern '[(]' can't be used",
        ),
    ],
)
def test_what_is_wrong_is_told_in_one_line_and_with_strict_refused(
    spec: Path, text: str, reason: str
) -> None:
    spec.write_text(text)
    assert [re.search(reason, str(defect)) is not None for defect in load(spec).defects][:1] == [True]
    with pytest.raises(SpecError, match=reason) as refused:
        load(spec, strict=True)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"nowhere\.yaml: No such file"):
        read(tmp_path / "nowhere.yaml")


def test_dates_switches_and_statuses_in_yaml_are_text(spec: Path) -> None:
    spec.write_text(HEAD + "paths: {}\nx-a: [2024-07-25, on, no, true]\nx-b: {200: {a: 1}}")
    document = read(spec)
    assert document["x-a"] == ["2024-07-25", "on", "no", True]
    assert document["x-b"] == {"200": {"a": 1}}


def test_a_pointer_finds_its_place() -> None:
    document = {"paths": {"/a~b/{c}%": {"get": [1, 2]}}}
    assert at_pointer(document, "#/paths/~1a~0b~1{c}%25/get") == [1, 2]
    assert at_pointer(document, "#/paths/~1a~0b~1{c}%25/get/1") == 2


@pytest.mark.parametrize("reference", ["#/a/b", "#/a/0/b", "#/list/7", "#/list/x"])
def test_a_pointer_to_nothing_is_told(reference: str) -> None:
    with pytest.raises(SpecError, match="names nothing"):
        at_pointer({"a": [1], "list": [1]}, reference)


def test_a_circle_of_references_is_told() -> None:
    document = {"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}}
    with pytest.raises(SpecError, match="leads in a circle"):
        resolve(document, document["a"])
