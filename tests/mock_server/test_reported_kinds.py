"""Files that are not Magic Hour's, served: what users of mocks report, each kind with its right answer."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
import yaml
from werkzeug.test import TestResponse

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import Contract
from bluehour.openapi.upgrade import upgraded

from .conftest import FACE, face

HEAD = {"openapi": "3.0.3", "info": {"title": "T", "version": "1"}}
OK = {"200": {"description": "ok", "content": {"application/json": {"example": {"ok": True}}}}}
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def served(text: str) -> Contract:
    return Contract(upgraded({**HEAD, **yaml.safe_load(text)}))


def asked(
    contract: Contract, method: str, path: str, settings: Settings | None = None, **asked: Any
) -> TestResponse:
    with closing(Mock(contract, settings or Settings())) as mock:
        return create_app(mock).test_client().open(path, method=method, **asked)


def path_with(operation: str) -> str:
    return f"paths: {{/a: {{{operation}}}}}"


# --- refusals -----------------------------------------------------------------------------------------------

NEEDS_A = (
    "requestBody: {required: true, content: {application/json: {schema: {type: object, required: [a]}}}}"
)
MISSING = "Missing required field: a (expected value)"


def refused_as(schema: str, media_type: str = "application/json") -> TestResponse:
    bad = f"'400': {{description: bad, content: {{{media_type}: {{schema: {schema}}}}}}}"
    text = path_with(f"post: {{{NEEDS_A}, responses: {{'200': {{description: ok}}, {bad}}}}}")
    return asked(served(text), "POST", "/a", data="{}", headers=JSON)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (
            "{required: [code, detail], properties: {code: {enum: [bad_input]}, detail: {type: string}}}",
            {"code": "bad_input", "detail": MISSING},
        ),
        (
            "{required: [code, message], properties: {code: {type: integer, enum: [7]},"
            " message: {type: string}}}",
            {"code": 7, "message": MISSING},
        ),
        (
            "{required: [error], properties: {error: {required: [message, type], properties: "
            "{message: {type: string}, type: {enum: [invalid_request_error]}}}}}",
            {"error": {"message": MISSING, "type": "invalid_request_error"}},
        ),
        (
            "{required: [errors], properties: {errors: {type: array, minItems: 1, items: "
            "{required: [detail], properties: {detail: {type: string}}}}}}",
            {"errors": [{"detail": MISSING}]},
        ),
    ],
)
def test_a_refusal_is_told_in_the_files_own_shape(schema: str, expected: Any) -> None:
    answer = refused_as(schema)
    assert (answer.status_code, answer.json) == (400, expected)


def test_a_problem_says_its_own_status() -> None:
    schema = "{properties: {title: {type: string}, status: {type: integer}, detail: {type: string}}}"
    answer = refused_as(schema, "application/problem+json")
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert (answer.json["status"], answer.json["detail"]) == (400, MISSING)


def test_what_has_no_place_in_the_body_is_told_in_a_header() -> None:
    answer = refused_as("{required: [n], properties: {n: {type: integer}}}")
    assert answer.json == {"n": 1}
    assert answer.headers["Bluehour-Faults"] == MISSING


def test_a_code_in_an_answer_that_is_no_refusal_changes_none() -> None:
    schema = "{required: [code], properties: {code: {type: integer, enum: [0, 1]}}}"
    ok = f"'200': {{description: ok, content: {{application/json: {{schema: {schema}}}}}}}"
    contract = served(path_with(f"get: {{responses: {{{ok}}}}}"))
    assert asked(contract, "GET", "/a").json == {"code": 0}
    assert asked(contract, "GET", "/nowhere").status_code == 404


# --- who calls ----------------------------------------------------------------------------------------------


def with_scheme(scheme: str) -> Contract:
    text = path_with("get: {security: [{it: []}], responses: {'200': {description: ok}}}")
    return served(f"{text}\ncomponents: {{securitySchemes: {{it: {scheme}}}}}")


@pytest.mark.parametrize(
    ("scheme", "challenge", "headers"),
    [
        ("{type: http, scheme: basic}", 'Basic realm="API"', {"Authorization": "Basic dTpw"}),
        ("{type: http, scheme: bearer}", "Bearer", {"Authorization": "Bearer my-invalid-key"}),
        (
            "{type: http, scheme: digest}",
            'Digest realm="API"',
            {"Authorization": 'Digest username="u", realm="r", nonce="n", uri="/a", response="x"'},
        ),
        ("{type: apiKey, in: header, name: X-Key}", 'ApiKey in="header", name="X-Key"', {"X-Key": "k"}),
    ],
)
def test_a_401_names_the_scheme_that_is_asked_for(
    scheme: str, challenge: str, headers: dict[str, str]
) -> None:
    refused = asked(with_scheme(scheme), "GET", "/a")
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, challenge)
    assert asked(with_scheme(scheme), "GET", "/a", headers=headers).status_code == 200


# --- parameters and bodies ----------------------------------------------------------------------------------


def with_parameter(parameter: str, path: str = "/a") -> Contract:
    contract: dict[str, Any] = {"get": {"parameters": [yaml.safe_load(parameter)], "responses": OK}}
    return Contract(upgraded({**HEAD, "paths": {path: contract}}))


LIST_OR_SWITCH = "{anyOf: [{type: array, items: {type: integer}}, {type: boolean}]}"
LABEL = "{name: x, in: path, required: true, style: label, schema: {type: integer}}"
NESTED = "{type: object, properties: {in: {type: object, properties: {x: {type: integer}}}}}"
JSON_TEXT = "{application/json: {schema: {type: object, required: [k], properties: {k: {type: integer}}}}}"


@pytest.mark.parametrize(
    ("parameter", "path", "target", "status"),
    [
        (f"{{name: q, in: query, schema: {LIST_OR_SWITCH}}}", "/a", "/a?q=1", 200),
        (f"{{name: q, in: query, schema: {LIST_OR_SWITCH}}}", "/a", "/a?q=1&q=2", 200),
        (f"{{name: q, in: query, schema: {LIST_OR_SWITCH}}}", "/a", "/a?q=true", 200),
        (f"{{name: q, in: query, schema: {LIST_OR_SWITCH}}}", "/a", "/a?q=x", 400),
        (f"{{name: q, in: query, style: deepObject, schema: {NESTED}}}", "/a", "/a?q[in][x]=1", 200),
        (f"{{name: q, in: query, style: deepObject, schema: {NESTED}}}", "/a", "/a?q[in][x]=z", 400),
        (f"{{name: q, in: query, required: true, content: {JSON_TEXT}}}", "/a", '/a?q={"k":1}', 200),
        (f"{{name: q, in: query, required: true, content: {JSON_TEXT}}}", "/a", '/a?q={"k":"x"}', 400),
        (
            "{name: x, in: path, required: true, style: label, schema: {type: integer}}",
            "/a/{x}",
            "/a/.5",
            200,
        ),
        (
            "{name: x, in: path, required: true, style: label, schema: {type: integer}}",
            "/a/{x}",
            "/a/.z",
            400,
        ),
        (
            "{name: x, in: path, required: true, style: matrix, schema: {type: integer}}",
            "/a/{x}",
            "/a/;x=5",
            200,
        ),
        (
            "{name: x, in: path, required: true, style: matrix, explode: true,"
            " schema: {type: array, items: {type: integer}}}",
            "/a/{x}",
            "/a/;x=5;x=6",
            200,
        ),
    ],
)
def test_a_parameter_is_read_by_its_style(parameter: str, path: str, target: str, status: int) -> None:
    assert asked(with_parameter(parameter, path), "GET", target).status_code == status


def with_form() -> Contract:
    fields = (
        "amount: {type: integer}, expand: {type: array, items: {type: string}},"
        " metadata: {type: object, additionalProperties: {type: string}},"
        " card: {type: object, properties: {n: {type: integer}}, additionalProperties: false}"
    )
    schema = f"{{type: object, additionalProperties: false, properties: {{{fields}}}}}"
    body = f"requestBody: {{content: {{application/x-www-form-urlencoded: {{schema: {schema}}}}}}}"
    return served(path_with(f"post: {{{body}, responses: {{'200': {{description: ok}}}}}}"))


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("amount=5&metadata[a]=1&metadata[b]=2", 200),
        ("amount=5&card[n]=4", 200),
        ("amount=5&card[n]=x", 400),
        ("amount=5&card[m]=4", 400),
        ("amount=5&expand[]=a&expand[]=b", 200),
        ("amount=5&expand[0]=a&expand[1]=b", 200),
        ("amount=5&other[a]=1", 400),
    ],
)
def test_a_form_has_lists_and_objects_in_brackets(form: str, status: int) -> None:
    assert asked(with_form(), "POST", "/a", data=form, headers=FORM).status_code == status


def test_files_of_one_name_are_a_list() -> None:
    fields = "one: {type: string, format: binary}, many: {type: array, maxItems: 2, items: {type: string}}"
    schema = f"{{type: object, properties: {{{fields}}}}}"
    body = f"requestBody: {{content: {{multipart/form-data: {{schema: {schema}}}}}}}"
    contract = served(path_with(f"post: {{{body}, responses: {{'200': {{description: ok}}}}}}"))
    for count, status in ((1, 200), (2, 200), (3, 400)):
        files = [(io.BytesIO(b"x"), f"{number}.png") for number in range(count)]
        data = {"one": (io.BytesIO(b"x"), "a.png"), "many": files}
        assert asked(contract, "POST", "/a", data=data).status_code == status


def test_a_compressed_body_is_read_and_one_that_cannot_be_is_refused() -> None:
    contract = served(path_with(f"post: {{{NEEDS_A}, responses: {{'200': {{description: ok}}}}}}"))
    squeezed = gzip.compress(b'{"a": 1}')
    coded = {**JSON, "Content-Encoding": "gzip"}
    assert asked(contract, "POST", "/a", data=squeezed, headers=coded).status_code == 200
    assert asked(contract, "POST", "/a", data=gzip.compress(b"{}"), headers=coded).status_code == 400
    bomb = gzip.compress(bytes(64 * 2**20))
    assert b"more than" in asked(contract, "POST", "/a", data=bomb, headers=coded).data
    unknown = asked(contract, "POST", "/a", data=squeezed, headers={**JSON, "Content-Encoding": "zstd"})
    assert b"Content-Encoding" in unknown.data


@pytest.mark.parametrize("squeezed", [gzip.compress, lambda body: b"\xef\xbb\xbf" + body])
def test_a_project_remembers_what_was_meant(squeezed: Callable[[bytes], bytes]) -> None:
    headers = {**JSON, "Authorization": "Bearer mhk_test_creator_5"}
    if squeezed is gzip.compress:
        headers["Content-Encoding"] = "gzip"
    with closing(Mock()) as mock:
        client = create_app(mock).test_client()
        body = squeezed(json.dumps(face()).encode())
        assert client.post(FACE, data=body, headers=headers).status_code == 200
        assert client.get("/_mock/projects").status_code == 200
        (project,) = mock.world.store.projects()
        assert json.loads(project.request) == face()


@pytest.mark.parametrize("body", [b'\xef\xbb\xbf{"a": 1}', b'{"a": "\\u0000"}'])
def test_a_mark_of_the_byte_order_and_a_nul_are_legal_json(body: bytes) -> None:
    contract = served(path_with(f"post: {{{NEEDS_A}, responses: {{'200': {{description: ok}}}}}}"))
    assert asked(contract, "POST", "/a", data=body, headers=JSON).status_code == 200


def test_what_a_part_calls_read_only_need_not_be_sent() -> None:
    text = """
paths:
  /u:
    post:
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/U'}}}}
      responses: {'201': {description: made}}
components:
  schemas:
    Base: {type: object, properties: {id: {type: string, readOnly: true}, name: {type: string}}}
    U: {allOf: [{$ref: '#/components/schemas/Base'}], required: [id, name]}
"""
    assert asked(served(text), "POST", "/u", data='{"name": "a"}', headers=JSON).status_code == 201
    assert asked(served(text), "POST", "/u", data='{"id": "a"}', headers=JSON).status_code == 400


def test_a_path_or_an_operation_may_have_servers_of_its_own() -> None:
    text = """
servers: [{url: 'https://x.example/v1'}]
paths:
  /a:
    servers: [{url: 'https://files.example/files'}]
    get: {responses: {'200': {description: ok}}}
    post:
      servers: [{url: '/{stage}', variables: {stage: {default: beta}}}]
      responses: {'200': {description: ok}}
"""
    calls = [("GET", "/files/a"), ("POST", "/beta/a"), ("GET", "/v1/a"), ("GET", "/a"), ("GET", "/beta/a")]
    assert [asked(served(text), *call).status_code for call in calls] == [200, 200, 200, 200, 405]


# --- answers ------------------------------------------------------------------------------------------------


def test_declared_headers_are_sent() -> None:
    headers = (
        "headers: {Location: {schema: {type: string}, example: /a/1}, X-Left: {schema: {type: integer}},"
        " X-More: {schema: {type: boolean}, example: true}}"
    )
    contract = served(path_with(f"post: {{responses: {{'201': {{description: made, {headers}}}}}}}"))
    answer = asked(contract, "POST", "/a")
    assert [answer.headers[name] for name in ("Location", "X-Left", "X-More")] == ["/a/1", "1", "true"]


EXAMPLES = path_with(
    "get: {responses: {'200': {description: ok, content: {application/json: {examples: "
    "{cat: {value: {n: cat}}, dog: {value: {n: dog}}}}}}, '404': {description: none, content: "
    "{application/json: {examples: {plain: {value: {e: p}}, nf: {value: {e: nf}}}}}}}}"
)


@pytest.mark.parametrize(
    ("prefer", "status", "body"),
    [
        ("example=dog", 200, {"n": "dog"}),
        ("code=404, example=nf", 404, {"e": "nf"}),
        ("example=zebra", 404, None),
    ],
)
def test_a_named_example_can_be_asked_for(prefer: str, status: int, body: Any) -> None:
    answer = asked(served(EXAMPLES), "GET", "/a", headers={"Prefer": prefer})
    assert answer.status_code == status
    assert body is None or answer.json == body


VERSIONS = (
    "'application/json; version=1': {example: {v: 1}}, 'application/json; version=2': {example: {v: 2}}"
)


@pytest.mark.parametrize(
    ("content", "accept", "status", "content_type"),
    [
        (VERSIONS, "application/json; version=2", 200, "application/json; version=2"),
        (VERSIONS, "application/json", 200, "application/json; version=1"),
        ("application/vnd.api+json: {example: {}}", "application/json", 200, "application/vnd.api+json"),
        ("text/csv: {example: 'a,b'}, application/json: {example: {}}", "text/csv", 200, "text/csv"),
        ("text/csv: {example: 'a,b'}, application/json: {example: {}}", "*/*", 200, "application/json"),
        ("text/csv: {example: 'a,b'}, application/json: {example: {}}", "image/png", 406, "application/json"),
    ],
)
def test_a_representation_is_chosen_by_accept(
    content: str, accept: str, status: int, content_type: str
) -> None:
    contract = served(
        path_with(f"get: {{responses: {{'200': {{description: ok, content: {{{content}}}}}}}}}")
    )
    answer = asked(contract, "GET", "/a", headers={"Accept": accept})
    assert (answer.status_code, answer.content_type) == (status, content_type)


# --- pages of other origins ---------------------------------------------------------------------------------

PAGE = "http://localhost:3000"
PREFLIGHT = {
    "Origin": PAGE,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type,authorization",
}


def test_a_page_of_another_origin_may_call() -> None:
    contract = served(EXAMPLES)
    before = asked(contract, "OPTIONS", "/a", headers=PREFLIGHT)
    assert before.status_code == 200
    assert "GET" in before.headers["Access-Control-Allow-Methods"]
    assert before.headers["Access-Control-Allow-Headers"] == "content-type,authorization"
    nowhere = asked(contract, "OPTIONS", "/nowhere", headers=PREFLIGHT)
    assert nowhere.status_code == 200, "or the page would never see the 404"
    assert "POST" in nowhere.headers["Access-Control-Allow-Methods"]
    assert asked(contract, "OPTIONS", "/nowhere").status_code == 404
    for target in ("/a", "/nowhere"):
        answer = asked(contract, "GET", target, headers={"Origin": PAGE})
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("target", "settings"),
    [("/a", Settings(cors=False)), ("/_mock/state", Settings()), ("/_mock", Settings())],
)
def test_no_page_may_call_what_is_closed(target: str, settings: Settings) -> None:
    answer = asked(served(EXAMPLES), "GET", target, settings, headers={"Origin": PAGE})
    assert "Access-Control-Allow-Origin" not in answer.headers


# --- XML ----------------------------------------------------------------------------------------------------

XML = """
paths:
  /made:
    get:
      responses: {'200': {description: ok, content: &pet
        {application/xml: {schema: {$ref: '#/components/schemas/Pet'}}}}}
    post:
      requestBody: {required: true, content: *pet}
      responses: {'200': {description: ok}}
  /shown:
    get:
      responses:
        '200':
          description: ok
          content:
            application/json: {schema: {type: object}, example: {n: 1}}
            application/xml: {schema: {type: object}, example: '<pet><n>1</n></pet>'}
components:
  schemas:
    Pet:
      type: object
      required: [n]
      properties: {id: {type: integer, xml: {attribute: true}}, n: {type: string, example: doggie}}
"""


def test_xml_is_answered_as_published_or_by_the_schema() -> None:
    shown = asked(served(XML), "GET", "/shown", headers={"Accept": "application/xml"})
    assert (shown.content_type, shown.text) == ("application/xml", "<pet><n>1</n></pet>")
    assert asked(served(XML), "GET", "/shown").json == {"n": 1}
    made = asked(served(XML), "GET", "/made")
    assert made.content_type == "application/xml"
    assert made.text.endswith('<Pet id="1"><n>doggie</n></Pet>')


@pytest.mark.parametrize(
    ("body", "status"),
    [("<Pet><n>a</n></Pet>", 200), ("<Pet/>", 400), ('<Pet id="x"><n>a</n></Pet>', 400), ("<", 400)],
)
def test_xml_is_judged(body: str, status: int) -> None:
    headers = {"Content-Type": "application/xml"}
    assert asked(served(XML), "POST", "/made", data=body, headers=headers).status_code == status


def test_a_wildcard_answers_data_as_json() -> None:
    content = "{'*/*': {schema: {type: object}, example: {n: 1}}}"
    contract = served(path_with(f"get: {{responses: {{'200': {{description: ok, content: {content}}}}}}}"))
    assert asked(contract, "GET", "/a").json == {"n": 1}
