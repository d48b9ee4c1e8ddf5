"""What of a contract keeps state, found out from the shapes of its paths and schemas."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from bluehour.openapi.contract import Contract, load
from bluehour.openapi.resources.lifecycle import lifecycle_of
from bluehour.openapi.resources.words import id_among, plain, singular
from bluehour.openapi.schema import Schema
from bluehour.openapi.upgrade import upgraded

SPECS = Path(__file__).parent / "specs"
ITEM = "{type: object, properties: {id: {type: string}, name: {type: string}}}"


def contract(text: str) -> Contract:
    head = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}}
    return Contract(upgraded({**head, **yaml.safe_load(text)}))


def answering(schema: str, status: int = 200) -> str:
    return (
        f"responses: {{'{status}': {{description: d, content: {{application/json: {{schema: {schema}}}}}}}}}"
    )


def sending(schema: str) -> str:
    return f"requestBody: {{content: {{application/json: {{schema: {schema}}}}}}}"


def kinds(made: Contract) -> dict[str, str]:
    return {
        f"{action.operation.method} {action.operation.path}": f"{action.kind} {action.resource.path}"
        for action in made.actions.values()
    }


def crud(collection: str, parameter: str = "id", item: str = ITEM) -> str:
    return f"""
  {collection}:
    get: {{{answering(f"{{type: array, items: {item}}}")}}}
    post: {{{sending(item)}, {answering(item, 201)}}}
  {collection}/{{{parameter}}}:
    parameters: [{{name: {parameter}, in: path, required: true, schema: {{type: string}}}}]
    get: {{{answering(item)}}}
    put: {{{sending(item)}, {answering(item)}}}
    delete: {{responses: {{'204': {{description: d}}}}}}
"""


def test_a_collection_and_its_items() -> None:
    assert kinds(contract(f"paths: {crud('/pets')}")) == {
        "GET /pets": "list /pets",
        "POST /pets": "create /pets",
        "GET /pets/{id}": "read /pets",
        "PUT /pets/{id}": "replace /pets",
        "DELETE /pets/{id}": "delete /pets",
    }


def test_what_nothing_makes_keeps_no_state() -> None:
    text = f"paths: {{'/pets/{{id}}': {{get: {{{answering(ITEM)}}}, delete: {{responses: {{}}}}}}}}"
    assert kinds(contract(text)) == {}


def test_a_put_makes_where_nothing_else_does() -> None:
    put = f"put: {{{sending(ITEM)}, {answering(ITEM)}}}"
    text = f"paths: {{'/pets/{{id}}': {{get: {{{answering(ITEM)}}}, {put}}}}}"
    made = contract(text)
    assert kinds(made) == {"GET /pets/{id}": "read /pets", "PUT /pets/{id}": "replace /pets"}
    assert [each.creates for each in made.actions.values()] == [False, True]


@pytest.mark.parametrize(
    ("envelope", "place"),
    [
        ("{type: object, properties: {data: %s}}", ("data",)),
        ("{type: object, properties: {result: {type: object, properties: {pet: %s}}}}", ("result", "pet")),
        ("{oneOf: [%s, {type: 'null'}]}", ()),
        ("{allOf: [%s]}", ()),
    ],
)
def test_items_are_found_in_their_envelopes(envelope: str, place: tuple[str, ...]) -> None:
    schema = envelope % ITEM
    text = f"""
paths:
  /pets: {{post: {{{sending(ITEM)}, {answering(schema)}}}}}
  /pets/{{petId}}: {{get: {{{answering(schema)}}}}}
"""
    assert [each.shown_at for each in contract(text).actions.values()] == [place, place]


@pytest.mark.parametrize(
    ("envelope", "place"),
    [
        ("{type: array, items: %s}", ()),
        ("{type: object, properties: {pets: {type: array, items: %s}, total: {type: integer}}}", ("pets",)),
        ("{type: object, properties: {data: {type: array, items: %s}, tags: {type: array}}}", ("data",)),
        ("{type: object, properties: {_embedded: {type: object, properties: {x: {type: array, items: %s}}}}}",
         ("_embedded", "x")),
    ],
)  # fmt: skip
def test_lists_are_found_in_their_envelopes(envelope: str, place: tuple[str, ...]) -> None:
    text = f"""
paths:
  /pets: {{get: {{{answering(envelope % ITEM)}}}, post: {{{sending(ITEM)}, {answering(ITEM)}}}}}
  /pets/{{petId}}: {{get: {{{answering(ITEM)}}}}}
"""
    found = contract(text).actions.values()
    assert [each.shown_at for each in found if each.kind == "list"] == [place]


def test_items_of_items_belong_to_them() -> None:
    made = contract(f"paths: {crud('/users', 'userId')}{crud('/users/{userId}/posts', 'postId')}")
    parents = {each.resource.path: each.resource.parent for each in made.actions.values()}
    assert parents["/users"] is None
    parent = parents["/users/{userId}/posts"]
    assert parent is not None
    assert parent.path == "/users"


BEGIN = "{type: object, required: [id], properties: {id: {type: string}}}"
JOB = "{type: object, properties: {id: {type: string}, status: {enum: [queued, done]}}}"


@pytest.mark.parametrize(
    "why",
    [
        f"tags: [Jobs], {answering(BEGIN)}",
        f"summary: Starts an export. Poll it by the exports API., {answering(BEGIN)}",
        answering("{type: object, properties: {exportId: {type: string}}}"),
        "responses: {'202': {description: d, links: {l: {operationId: poll, parameters:"
        " {exportId: '$response.body#/ref'}}}, content: {application/json: {schema:"
        " {type: object, properties: {ref: {type: string}}}}}}}",
    ],
    ids=["tag", "text", "name of the id", "link"],
)
def test_an_answer_that_is_only_an_id_is_tied_to_the_get_that_reads_it(why: str) -> None:
    text = f"""
paths:
  /convert: {{post: {{{why}}}}}
  /exports/{{exportId}}: {{get: {{operationId: poll, tags: [Jobs], {answering(JOB)}}}}}
  /other/{{otherId}}: {{get: {{tags: [Other], {answering(JOB)}}}}}
"""
    assert kinds(contract(text)) == {
        "POST /convert": "create /exports",
        "GET /exports/{exportId}": "read /exports",
    }


def test_an_id_that_two_could_read_is_tied_to_neither() -> None:
    text = f"""
paths:
  /convert: {{post: {{tags: [T], {answering(BEGIN)}}}}}
  /a/{{id}}: {{get: {{tags: [T], {answering(JOB)}}}}}
  /b/{{id}}: {{get: {{tags: [T], {answering(JOB)}}}}}
"""
    assert kinds(contract(text)) == {}


def test_a_thing_of_which_there_is_one() -> None:
    text = (
        f"paths: {{/settings: {{get: {{{answering(ITEM)}}}, put: {{{sending(ITEM)}, {answering(ITEM)}}}}}}}"
    )
    found = contract(text).actions
    assert {each.resource.is_singleton for each in found.values()} == {True}
    assert kinds(contract(text)) == {"GET /settings": "read /settings", "PUT /settings": "replace /settings"}


def test_hints_add_what_is_not_seen_and_take_out_what_is_not_so() -> None:
    text = f"""
paths: {crud("/pets")}
  /adopt: {{post: {{x-resource: {{action: create, of: /pets, id: ref}},
    {answering("{type: object, properties: {ref: {type: string}}}")}}}}}
"""
    assert kinds(contract(text))["POST /adopt"] == "create /pets"
    without = contract(text.replace("put: {", "put: {x-resource: false, "))
    assert "PUT /pets/{id}" not in kinds(without)
    assert "GET /pets/{id}" in kinds(without)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["draft", "queued", "rendering", "complete", "error"], ("queued", "rendering", "complete")),
        (["PENDING", "IN_PROGRESS", "SUCCEEDED", "FAILED"], ("PENDING", "IN_PROGRESS", "SUCCEEDED")),
        (["new", "transcribing", "done"], ("new", "transcribing", "done")),
        (["queued", "ready"], ("queued", None, "ready")),
        (["placed", "approved", "delivered"], None),
        (["on", "off"], None),
    ],
)  # fmt: skip
def test_the_words_of_a_status_have_an_order(words: list[str], expected: tuple[str, ...] | None) -> None:
    item = Schema({}, {"properties": {"id": {}, "job_status": {"type": "string", "enum": words}}})
    found = lifecycle_of(item, sendable=frozenset())
    assert (found and (found.waiting, found.running, found.done)) == expected
    assert lifecycle_of(item, sendable=frozenset({"job_status"})) is None, "a client says it, no clock does"


@pytest.mark.parametrize(
    ("fields", "parameter", "collection", "expected"),
    [
        (["name", "petId"], "pet_id", "pets", "petId"),
        (["id", "name"], "petName", "pets", "name"),
        (["id", "petId"], "orderId", "orders", "id"),
        (["id", "object"], "customer", "customers", "id"),
        (["user_id", "name"], "id", "users", "user_id"),
        (["title"], "bookId", "books", None),
    ],
)
def test_the_field_that_a_parameter_names(
    fields: list[str], parameter: str, collection: str, expected: str | None
) -> None:
    assert id_among(fields, parameter, collection) == expected


def test_words_are_one_however_they_are_written() -> None:
    assert {plain(each) for each in ("petId", "pet_id", "pet-id", "PetID")} == {"petid"}
    words = ["pets", "boxes", "stories", "addresses", "status", "news", "classes", "gas"]
    assert [singular(word) for word in words] == [
        "pet",
        "box",
        "story",
        "address",
        "statu",
        "new",
        "class",
        "ga",
    ]


@pytest.mark.parametrize(
    ("spec", "stateful"),
    [("pet-shop-3.0.yaml", 15), ("scribe-3.1.yaml", 8), ("library-3.1.json", 10), ("petstore-3.0.yaml", 5)],
)
def test_how_much_of_a_whole_file_keeps_state(spec: str, stateful: int) -> None:
    made = load(SPECS / spec)
    assert len(made.actions) == stateful, Counter(kinds(made).values())


def test_what_has_a_behaviour_of_its_own_is_left_alone() -> None:
    assert load().actions == {}


def test_no_schema_however_wrong_ends_the_search() -> None:
    for wrong in ("{type: [1]}", "{properties: 3}", "{allOf: x}", "{properties: {id: 4}, enum: x}", "7"):
        both = f"post: {{{answering(wrong)}}}, get: {{{answering(wrong)}}}"
        assert contract(f"paths: {{/a: {{{both}}}, '/a/{{id}}': {{{both}}}}}").actions is not None
