"""A Swagger 2.0 file is served as the OpenAPI 3 that means the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from openapi_spec_validator import validate

from bluehour.openapi.contract import load_anew
from bluehour.openapi.swagger import converted

PET = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
SWAGGER: dict[str, Any] = {
    "swagger": "2.0",
    "info": {"title": "T", "version": "1"},
    "host": "pets.example",
    "basePath": "/v2",
    "schemes": ["https", "http"],
    "consumes": ["application/json"],
    "produces": ["application/json"],
    "securityDefinitions": {
        "basic": {"type": "basic"},
        "key": {"type": "apiKey", "in": "header", "name": "api_key"},
        "auth": {
            "type": "oauth2",
            "flow": "accessCode",
            "authorizationUrl": "https://pets.example/a",
            "tokenUrl": "https://pets.example/t",
            "scopes": {"read": "reads"},
        },
    },
    "security": [{"key": []}],
    "parameters": {
        "limit": {"name": "limit", "in": "query", "type": "integer", "maximum": 9},
        "pet": {"name": "pet", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Pet"}},
    },
    "responses": {"Missing": {"description": "not there", "schema": {"$ref": "#/definitions/Pet"}}},
    "definitions": {
        "Pet": PET,
        "Animal": {"discriminator": "kind", "properties": {"kind": {"type": "string"}}},
    },
    "paths": {
        "/pets": {
            "parameters": [{"$ref": "#/parameters/limit"}],
            "get": {
                "parameters": [
                    {"name": "tags", "in": "query", "type": "array", "items": {"type": "string"}},
                    {
                        "name": "ids",
                        "in": "query",
                        "type": "array",
                        "items": {"type": "integer"},
                        "collectionFormat": "multi",
                    },
                ],
                "responses": {
                    "200": {
                        "description": "ok",
                        "schema": {"type": "array", "items": {"$ref": "#/definitions/Pet"}},
                        "examples": {"application/json": [{"name": "Tom"}]},
                        "headers": {"X-Left": {"type": "integer", "description": "how many"}},
                    },
                    "404": {"$ref": "#/responses/Missing"},
                },
            },
            "post": {
                "parameters": [{"$ref": "#/parameters/pet"}],
                "responses": {"201": {"description": "made"}},
            },
        },
        "/photos": {
            "post": {
                "consumes": ["multipart/form-data"],
                "parameters": [
                    {"name": "photo", "in": "formData", "type": "file", "required": True},
                    {"name": "title", "in": "formData", "type": "string", "maxLength": 9},
                ],
                "responses": {"200": {"description": "ok", "schema": {"type": "file"}}},
            }
        },
    },
}


def test_what_becomes_of_it_is_valid_openapi() -> None:
    validate(converted(SWAGGER))


def test_it_is_served_as_it_was_meant(tmp_path: Path) -> None:
    file = tmp_path / "swagger.json"
    file.write_bytes(orjson.dumps(SWAGGER))
    contract = load_anew(file)
    assert contract.defects == []
    assert contract.base_paths == ("/v2",)
    pets, made, photo = contract.operations
    assert [(each.name, each.style, each.explode) for each in pets.parameters] == [
        ("limit", "form", True),
        ("tags", "form", False),
        ("ids", "form", True),
    ]
    assert not pets.parameters[0].schema.accepts(10)
    listed = pets.responses["200"]
    assert listed.json is not None
    assert listed.json.example == [{"name": "Tom"}]
    assert [header.name for header in listed.headers] == ["X-Left"]
    assert pets.responses["404"].json is not None
    assert made.body is not None
    assert made.body.required
    assert made.json_body is not None
    assert not made.json_body.schema.accepts({})
    assert photo.body is not None
    assert list(photo.body.content) == ["multipart/form-data"]
    form = photo.body.content["multipart/form-data"].schema.resolved
    assert form["required"] == ["photo"]
    assert form["properties"]["title"]["maxLength"] == 9
    assert list(photo.responses["200"].content) == ["application/octet-stream"]
    assert [[scheme.name for scheme in each] for each in pets.security] == [["key"]]


def test_paths_and_definitions_may_be_in_other_files(tmp_path: Path) -> None:
    (tmp_path / "paths").mkdir()
    (tmp_path / "api.yaml").write_text("""
swagger: "2.0"
info: {title: T, version: "1"}
produces: [application/json]
paths:
  /pets: {$ref: paths/pets.yaml}
  /toys:
    get:
      responses:
        "200": {description: d, schema: {$ref: "models.yaml#/definitions/Toy"}}
definitions:
  Name: {type: string, minLength: 2}
""")
    (tmp_path / "paths" / "pets.yaml").write_text("""
post:
  parameters:
    - {in: body, name: body, required: true, schema: {$ref: "../models.yaml#/definitions/Pet"}}
  responses:
    "200": {description: d, schema: {$ref: "../models.yaml#/definitions/Pet"}}
""")
    (tmp_path / "models.yaml").write_text("""
definitions:
  Pet:
    type: object
    required: [name]
    properties:
      name: {$ref: "api.yaml#/definitions/Name"}
      toys: {type: array, items: {$ref: "#/definitions/Toy"}}
  Toy:
    type: object
    required: [kind]
    properties:
      kind: {type: string, enum: [ball, bone]}
      owner: {$ref: "#/definitions/Pet"}
""")
    contract = load_anew(tmp_path / "api.yaml")
    assert not contract.defects
    post, get = contract.operations
    assert post.json_body is not None
    schema = post.json_body.schema
    assert schema.accepts({"name": "Rex", "toys": [{"kind": "ball"}]})
    assert not schema.accepts({"name": "R"})
    assert not schema.accepts({"name": "Rex", "toys": [{"kind": "cat"}]})
    toy = get.success[1].json
    assert toy is not None
    assert not toy.schema.accepts({})
