"""Data from strangers: what is too deep, too much or no data at all is refused before it crashes a reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from bluehour.openapi.contract import load_anew
from bluehour.openapi.data import DEEPEST, DataError, from_json, from_yaml
from bluehour.openapi.document import LARGEST_FILE, SpecError, parse_file

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 10)}]\n" for number in range(1, 10)
)
MERGING_LAUGHS = "a0: &a0 {k: 1}\n" + "".join(
    f"a{number}: &a{number}\n  <<: [{', '.join([f'*a{number - 1}'] * 10)}]\n" for number in range(1, 10)
)
STACKED = "".join(
    f"a{number}: &a{number} {'[' * 50}{f'*a{number - 1}' if number else 1}{']' * 50}\n" for number in range(5)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 50_000, "nested more than 200 levels deep, at line 1"),
        ("- " * 50_000 + "x", "nested more than 200 levels deep, at line 1"),
        (
            "".join(" " * depth + "a:\n" for depth in range(300)),
            "nested more than 200 levels deep, at line 201",
        ),
        ('{"a": ' * 300 + "1" + "}" * 300, "nested more than 200 levels deep, at a/a/a/a/…"),
        ('{"a": ' * 50_000 + "1" + "}" * 50_000, "not valid JSON: .*limit"),
        (STACKED, "nested more than 200 levels deep, at a3/0/0/0/…"),
        (LAUGHS, "more than 1,000,000 values, with what aliases stand for, at line 6"),
        (MERGING_LAUGHS, "more than 1,000,000 values, with what aliases stand for, at line 13"),
        ("a: &a [*a]", r"the alias \*a stands for what it is in, at line 1"),
        ("a: &a\n  b: {c: *a}", r"the alias \*a stands for what it is in, at line 2"),
        ("a: *b", "not valid YAML: found undefined alias at line 1, column 4"),
        ("a: 1\nb: " + "9" * 5_000, "not valid YAML: JSON can't hold this number at line 2, column 4"),
        ("b: 0x" + "f" * 5_000, "not valid YAML: JSON can't hold this number at line 1, column 4"),
        ("b: -.inf", "not valid YAML: JSON can't hold this number at line 1, column 4"),
        ("b: .NaN", "not valid YAML: JSON can't hold this number at line 1, column 4"),
        ("b: !!int '1:1:1'", "not valid YAML: JSON can't hold this number at line 1, column 4"),
        ("b: !!set {x}", "not valid YAML: .*2002:set' at line 1, column 4"),
        ("b: !!binary aGk=", "not valid YAML: .*2002:binary' at line 1, column 4"),
        ("b: !!python/object:os.system x", "not valid YAML: .* at line 1, column 4"),
        ('b: "\\ud800"', "not valid YAML: .* at line 1"),
        ('{"b": "\\ud800"}', "not valid JSON: .*surrogate"),
        ("x" * (LARGEST_FILE + 1), "larger than 32 MiB"),
    ],
    ids=lambda text: repr(text[:24]),
)
def test_a_file_beyond_the_limits_is_refused_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "a file.yaml"
    file.write_text(text)
    with pytest.raises(SpecError, match=reason) as refused:
        parse_file(file)
    assert str(refused.value).startswith(f"{file}: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("opening", ["[", '{"a": '])
def test_data_of_the_deepest_level_is_read_and_no_deeper(opening: str) -> None:
    closing = "]" if opening == "[" else "}"

    def text(levels: int) -> str:
        return opening * levels + "1" + closing * levels

    for read in (from_json, lambda text: from_json(text.encode()), lambda text: from_yaml(text.encode())):
        assert read(text(DEEPEST)) is not None
        with pytest.raises(DataError, match="nested more than 200 levels"):
            read(text(DEEPEST + 1))


def test_what_is_wide_is_not_deep() -> None:
    assert from_json("[" + "[], " * 1000 + "[1]]") == [*([[]] * 1000), [1]]


def test_anchors_and_merge_keys_stand_for_what_they_name() -> None:
    text = b"d: &d {a: 1, b: 2}\ne: {<<: *d, b: 3}\nf: [*d, *d]\ng: &s x\nh: *s"
    kept = {"a": 1, "b": 2}
    assert from_yaml(text) == {"d": kept, "e": {"a": 1, "b": 3}, "f": [kept, kept], "g": "x", "h": "x"}


def test_numbers_are_those_of_yaml_1_2() -> None:
    text = b"[010, 0x1F, 0o17, +5, 1e3, -.5, 2., 12:30:45, 1_000, 123456789012345678901234567890]"
    assert from_yaml(text) == [
        10,
        31,
        15,
        5,
        1000.0,
        -0.5,
        2.0,
        "12:30:45",
        "1_000",
        123456789012345678901234567890.0,
    ]


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_a_contract_almost_too_deep_is_served(tmp_path: Path, version: str) -> None:
    schema: dict[str, Any] = {"type": "string", "readOnly": True}
    for _ in range(DEEPEST - 12):
        schema = {"items": schema}
    body = {"content": {"application/json": {"schema": schema}}}
    paths = {"/a": {"post": {"requestBody": body, "responses": {}}}}
    document = {"openapi": version, "info": {"title": "T", "version": "1"}, "paths": paths}
    file = tmp_path / "deep.json"
    file.write_bytes(orjson.dumps(document))
    read = load_anew(file).operations[0].body
    assert read is not None
    assert read.content["application/json"].schema.accepts([[[]]])
