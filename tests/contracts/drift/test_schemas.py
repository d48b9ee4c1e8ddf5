"""What is told of two schemas, in what clients send and in what they get."""

from __future__ import annotations

from typing import Any

import pytest

from .specs import answering, cases, found, line, taking, told

CASES = cases("schemas.yaml")
OWNER = {"type": "object", "properties": {"name": {"type": "string"}}}


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_a_difference_is_told_once_and_as_grave_as_it_is(case: dict[str, Any]) -> None:
    for side, document, where in (
        ("sent", taking, "POST /pets request"),
        ("got", answering, "GET /pets 200"),
    ):
        if side in case:
            ours, theirs = (document(case[each], Owner=OWNER) for each in ("ours", "theirs"))
            lines = [line(one).replace(f" {where}", "") for one in found(ours, theirs)]
            assert sorted(lines) == sorted(case[side])


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_a_schema_has_no_drift_from_itself(case: dict[str, Any]) -> None:
    for side in ("ours", "theirs"):
        for document in (taking, answering):
            assert not told(document(case[side], Owner=OWNER), document(case[side], Owner=OWNER))


def test_a_shared_schema_is_told_wherever_it_is() -> None:
    person = {
        "properties": {
            "home": {"$ref": "#/components/schemas/Place"},
            "work": {"$ref": "#/components/schemas/Place"},
        }
    }
    places = ({"properties": {"city": {"type": "string", "maxLength": most}}} for most in (20, 10))
    ours, theirs = (answering(person, Place=place) for place in places)
    assert told(ours, theirs) == [
        "changed GET /pets 200 home.city: maxLength 20 → 10",
        "changed GET /pets 200 work.city: maxLength 20 → 10",
    ]


def test_a_shared_schema_is_told_of_every_operation() -> None:
    def document(most: int) -> dict[str, Any]:
        one, other = (
            answering({"properties": {"pet": {"$ref": "#/components/schemas/Pet"}}}) for _ in range(2)
        )
        schemas = {"Pet": {"properties": {"name": {"maxLength": most}}}}
        return {
            "paths": {"/a": one["paths"]["/pets"], "/b": other["paths"]["/pets"]},
            "components": {"schemas": schemas},
        }

    assert told(document(20), document(10)) == [
        f"changed GET {path} 200 pet.name: maxLength 20 → 10" for path in ("/a", "/b")
    ]


def pet(age: dict[str, Any]) -> dict[str, Any]:
    """A schema that contains itself, in its fields and in its parts."""
    itself = {"$ref": "#/components/schemas/Pet"}
    kin = {"mother": itself, "children": {"type": "array", "items": {"anyOf": [itself, {"type": "null"}]}}}
    return {"allOf": [itself, {"properties": {**kin, "age": age}}]}


def test_a_schema_that_contains_itself_is_told_once() -> None:
    reference = {"$ref": "#/components/schemas/Pet"}
    ours, theirs = (answering(reference, Pet=pet({"type": each})) for each in ("integer", "string"))
    assert told(ours, theirs) == [
        "breaking GET /pets 200 age: type integer → string",
        "breaking GET /pets 200 children[].age: type integer → string",  # which may be null, unlike the pet
    ]
    assert not told(ours, ours)


def test_two_schemas_that_contain_each_other_end() -> None:
    def document(most: int) -> dict[str, Any]:
        pets = {"properties": {"owner": {"$ref": "#/components/schemas/Owner"}}}
        fields = {
            "pets": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}},
            "age": {"maximum": most},
        }
        return answering({"$ref": "#/components/schemas/Pet"}, Pet=pets, Owner={"properties": fields})

    assert told(document(9), document(8)) == ["changed GET /pets 200 owner.age: maximum 9 → 8"]


def test_what_is_at_a_billion_places_is_told_at_some_of_them() -> None:
    def document(type_: str) -> dict[str, Any]:
        def step(number: int) -> dict[str, Any]:
            return {"$ref": f"#/components/schemas/S{number}"}

        schemas: dict[str, Any] = {
            f"S{number}": {"properties": {"a": step(number + 1), "b": step(number + 1)}}
            for number in range(30)
        }
        return answering(step(0), **schemas, S30={"properties": {"leaf": {"type": type_}}})

    lines = told(document("string"), document("integer"))
    assert 1 <= len(lines) < 5000
    assert all(each.endswith(".leaf: type string → integer") for each in lines)


def test_a_reference_to_what_is_no_schema_is_compared_as_it_is_written() -> None:
    def document(parts: Any) -> dict[str, Any]:
        return {**answering({"$ref": "#/x-odd"}), "x-odd": {"allOf": parts}}

    assert told(document(3), document(4)) == ["breaking GET /pets 200: schema changed"]
    assert not told(document(3), document(3))
