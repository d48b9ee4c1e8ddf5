"""Reading operations out of a document: what is shared, what overrides, what is looked up where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bluehour.openapi.contract import Contract, load
from bluehour.openapi.document import SpecError

SPEC = """
openapi: 3.1.0
info: {title: T, version: '1'}
security: [{key: []}]
paths:
  /shared:
    $ref: '#/components/pathItems/Shared'
  /open:
    get:
      security: []
      responses: {default: {description: d}}
components:
  securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}
  pathItems:
    Shared:
      parameters:
        - {name: q, in: query, schema: {type: string}}
        - {name: r, in: query, style: form, explode: false, schema: {type: array}}
      get:
        operationId: shared
        parameters: [{name: q, in: query, required: true, schema: {type: integer}}]
        requestBody:
          content: {'Application/JSON; charset=utf-8': {schema: {default: 1}}, 'image/*': {}}
        responses:
          '201': {description: d}
          2XX: {description: d}
          '404': {description: d}
"""


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    return load(path)


def test_a_path_item_may_stand_elsewhere(contract: Contract) -> None:
    assert [operation.path for operation in contract.operations] == ["/shared", "/open"]


def test_an_operations_own_parameter_overrides_the_paths(contract: Contract) -> None:
    parameters = {parameter.name: parameter for parameter in contract.operation("shared").parameters}
    assert parameters["q"].required
    assert parameters["q"].schema.node == {"type": "integer"}
    assert not parameters["r"].explode


def test_security_is_the_documents_unless_the_operation_has_its_own(contract: Contract) -> None:
    shared, anybody = contract.operations
    assert [[scheme.parameter for scheme in alternative] for alternative in shared.security] == [["X-Key"]]
    assert anybody.security == ()


@pytest.mark.parametrize(("status", "found"), [(201, "201"), (204, "2XX"), (404, "404"), (500, None)])
def test_an_answer_is_found_by_status_then_by_class(
    contract: Contract, status: int, found: str | None
) -> None:
    response = contract.operation("shared").response(status)
    assert (response and response.status) == found


def test_the_default_answer_is_found_last(contract: Contract) -> None:
    response = contract.operation("GET /open").response(418)
    assert response is not None
    assert response.status == "default"


@pytest.mark.parametrize(
    ("content_type", "found"),
    [
        ("application/json", "application/json"),
        ("image/png; q=1", "image/*"),
        ("text/html", None),
        ("", None),
    ],
)
def test_a_media_type_is_found_without_its_parameters_and_by_wildcard(
    contract: Contract, content_type: str, found: str | None
) -> None:
    body = contract.operation("shared").body
    assert body is not None
    media = body.media_type(content_type)
    assert (media and media.name) == found


def test_of_an_illegal_example_the_legal_part_is_shown_and_the_rest_told(tmp_path: Path) -> None:
    schema = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
    content = {"application/json": {"schema": schema, "example": {"id": "none", "note": "hi"}}}
    answer = {"description": "d", "content": content}
    path = tmp_path / "spec.json"
    paths = {"/e": {"get": {"responses": {"200": answer}}}}
    path.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": paths}))
    contract = load(path)
    media = contract.operations[0].responses["200"].json
    assert media is not None
    assert media.example == {"id": 1, "note": "hi"}
    assert [f"{defect}" for defect in contract.defects] == [
        "#/paths/~1e/get/responses/200: the published example is not legal at id; what is, is shown"
    ]
    with pytest.raises(SpecError, match="the published example is not legal"):
        load(path, strict=True)


def test_a_webhook_that_cannot_be_read_is_left_out_and_told() -> None:
    webhooks = {"sold": {"post": {"parameters": [{"in": "header"}]}}, "lost": {"post": {"deprecated": True}}}
    contract = Contract({"openapi": "3.1.0", "webhooks": webhooks})
    assert {name: each.deprecated for name, each in contract.webhooks.items()} == {"lost": True}
    (defect,) = contract.defects
    assert str(defect).startswith("#/webhooks/sold/post: it can't be read")
