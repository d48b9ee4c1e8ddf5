"""Any other OpenAPI file: every operation answers legally, and requests are judged."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from bluehour.mock_server.app import create_app
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import load
from bluehour.openapi.model import Operation, Parameter

from .conftest import data

SPECS = Path(__file__).parents[1] / "openapi" / "specs"
PETSTORE = load(SPECS / "petstore-3.0.yaml")
LIBRARY = load(SPECS / "library-3.1.json")


def client_of(spec: Path) -> FlaskClient:
    return create_app(Mock(load(spec))).test_client()


def as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return ",".join(map(as_text, value)) if isinstance(value, list) else orjson.dumps(value).decode()


def credentials(operation: Operation) -> dict[str, Any]:
    request: dict[str, Any] = {"headers": {}, "query_string": {}, "cookies": {}}
    for scheme in operation.security[0] if operation.security else ():
        if scheme.type == "apiKey":
            place = {"header": "headers", "query": "query_string", "cookie": "cookies"}[scheme.location]
            request[place][scheme.parameter] = "key"
        elif scheme.scheme == "basic":
            request["headers"]["Authorization"] = "Basic " + base64.b64encode(b"u:p").decode()
        else:
            request["headers"]["Authorization"] = "Bearer token"
    return request


def legal_request(operation: Operation) -> dict[str, Any]:
    """What a client would send: credentials, every required parameter, and an example body."""
    request = credentials(operation)
    path = operation.path
    for parameter in operation.parameters:
        path = add(parameter, path, request)
    if operation.body:
        name, media = next(iter(operation.body.content.items()))
        if media.is_json:
            request["data"] = orjson.dumps(media.example)
            request["content_type"] = name
        elif isinstance(media.example, dict):
            request["data"] = {key: as_text(value) for key, value in media.example.items()}
            request["content_type"] = name
        else:
            request["data"], request["content_type"] = as_text(media.example), name
    return {"path": path, "method": operation.method, **request}


def add(parameter: Parameter, path: str, request: dict[str, Any]) -> str:
    if parameter.location == "path":
        return path.replace(f"{{{parameter.name}}}", as_text(parameter.example))
    if parameter.required and parameter.location in ("query", "header"):
        place = {"query": "query_string", "header": "headers"}[parameter.location]
        exploded = isinstance(parameter.example, list) and parameter.explode
        request[place][parameter.name] = parameter.example if exploded else as_text(parameter.example)
    return path


def send(client: FlaskClient, request: dict[str, Any]) -> Any:
    for name, value in request.pop("cookies").items():
        client.set_cookie(name, value)
    return client.open(**request, buffered=True)


def operations() -> list[Any]:
    files = ("petstore-3.0.yaml", "library-3.1.json")
    return [
        pytest.param(SPECS / file, operation, id=operation.id)
        for file in files
        for operation in load(SPECS / file).operations
    ]


@pytest.mark.parametrize(("spec", "operation"), operations())
def test_every_operation_answers_legally(spec: Path, operation: Operation) -> None:
    answer = send(client_of(spec), legal_request(operation))
    status, declared = operation.success
    assert answer.status_code == status, answer.data
    if declared.content:
        media = declared.media_type(answer.content_type)
        assert media is not None
        if media.is_json:
            assert media.schema.faults(orjson.loads(answer.data)) == []
    else:
        assert answer.data == b""


@pytest.mark.parametrize(("spec", "operation"), [one for one in operations() if one.values[1].security])
def test_every_secured_operation_wants_credentials(spec: Path, operation: Operation) -> None:
    if () in operation.security:
        return
    request = {**legal_request(operation), "cookies": {}}
    declared = credentials(operation)
    for place in ("headers", "query_string"):
        request[place] = {k: v for k, v in request[place].items() if k not in declared[place]}
    assert send(client_of(spec), request).status_code == 401


@pytest.mark.parametrize(("spec", "operation"), [one for one in operations() if one.values[1].parameters])
def test_every_required_parameter_is_asked_for(spec: Path, operation: Operation) -> None:
    for parameter in operation.parameters:
        if parameter.required and parameter.location in ("query", "header"):
            request = legal_request(operation)
            place = {"query": "query_string", "header": "headers"}[parameter.location]
            del request[place][parameter.name]
            answer = send(client_of(spec), request)
            assert answer.status_code in (400, 422)
            assert parameter.name in answer.get_data(as_text=True) or not answer.data


def test_a_spec_with_base_path_answers_with_and_without_it(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "openapi: 3.0.3\ninfo: {title: T, version: '1'}\nservers: [{url: 'https://example.com/api/v3/'}]\n"
        "paths: {/a: {get: {responses: {200: {description: d, content: {text/plain: {example: hello}}}}}}}\n"
    )
    client = client_of(spec)
    for path in ("/a", "/api/v3/a"):
        answer = client.get(path)
        assert (answer.status_code, answer.data, answer.content_type) == (200, b"hello", "text/plain")


OBJECT = "schema: {$ref: '#/components/schemas/F'}"
LIST = "schema: {$ref: '#/components/schemas/L'}"
HEAD = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\n"


def served(tmp_path: Path, paths: str) -> FlaskClient:
    spec = tmp_path / "spec.yaml"
    spec.write_text(HEAD + paths)
    return client_of(spec)


def test_read_only_fields_are_not_asked_for_and_write_only_ones_not_shown(tmp_path: Path) -> None:
    client = served(
        tmp_path,
        """
paths:
  /users:
    post:
      requestBody:
        required: true
        content: &user {application/json: {schema: {$ref: '#/components/schemas/User'}}}
      responses: {'201': {description: d, content: *user}}
components:
  schemas:
    User:
      type: object
      required: [id, name, password]
      properties:
        id: {type: integer, readOnly: true}
        name: {type: string}
        password: {type: string, writeOnly: true}
""",
    )
    answer = client.post("/users", json={"name": "a", "password": "b"})
    assert answer.status_code == 201
    assert set(data(answer)) == {"id", "name"}
    assert data(client.post("/users", json={"name": "a"}))["message"].startswith(
        "Missing required field: password"
    )


@pytest.mark.parametrize(
    ("parameter", "legal", "illegal"),
    [
        (f"style: deepObject, {OBJECT}", "?f[a]=1", "?f[a]=x"),
        (OBJECT, "?a=1&b=z", "?b=z"),
        (f"explode: false, {OBJECT}", "?f=a,1", "?f=a,x"),
        (f"style: pipeDelimited, explode: false, {LIST}", "?f=1|2", "?f=1|x"),
        (LIST, "?f=1&f=2", "?f=1&f=x"),
        (f"content: {{application/json: {{{LIST}}}}}", "?f=[1,2]", "?f=[x]"),
        ("schema: {type: integer}", "?f=-10", "?f=1_0"),
        ("schema: {type: number}", "?f=1e1", "?f=%D9%A5"),
        ("schema: {type: boolean}", "?f=true", "?f=True"),
    ],
)
def test_parameters_are_read_by_their_style(tmp_path: Path, parameter: str, legal: str, illegal: str) -> None:
    client = served(
        tmp_path,
        f"""
paths: {{/a: {{get: {{parameters: [{{name: f, in: query, required: true, {parameter}}}],
                     responses: {{'204': {{description: d}}}}}}}}}}
components:
  schemas:
    F: {{type: object, required: [a], properties: {{a: {{type: integer}}, b: {{type: string}}}}}}
    L: {{type: array, items: {{type: integer}}}}
""",
    )
    assert client.get("/a" + legal).status_code == 204
    assert client.get("/a" + illegal).status_code == 400
    assert client.get("/a").status_code == 400


def test_a_list_may_be_in_the_path(tmp_path: Path) -> None:
    schema = "{type: array, maxItems: 3, items: {type: integer}}"
    parameter = f"{{name: ids, in: path, required: true, schema: {schema}}}"
    answers = "{'204': {description: d}}"
    client = served(
        tmp_path, f"paths: {{'/a/{{ids}}': {{get: {{parameters: [{parameter}], responses: {answers}}}}}}}"
    )
    assert [client.get(f"/a/{ids}").status_code for ids in ("1,2,3", "1,2,3,4", "1,x")] == [204, 400, 400]


@pytest.mark.parametrize(
    ("responses", "status"),
    [
        ("{'404': {description: d}}", 404),
        ("{default: {description: d}}", 200),
        ("{}", 200),
        ("{'302': {description: d}}", 302),
    ],
)
def test_an_operation_answers_with_whatever_it_declares(tmp_path: Path, responses: str, status: int) -> None:
    client = served(tmp_path, f"paths: {{/a: {{get: {{responses: {responses}}}}}}}")
    assert client.get("/a").status_code == status


def test_a_refusal_takes_the_form_that_the_operation_declares(tmp_path: Path) -> None:
    client = served(
        tmp_path,
        """
paths:
  /text:
    get: &get
      parameters: [{name: q, in: query, required: true, schema: {type: string}}]
      responses: {'400': {description: d, content: {text/plain: {schema: {type: string}}}}}
  /detail:
    get:
      <<: *get
      responses:
        '422':
          description: d
          headers: {X-Id: {required: true, schema: {type: integer}}}
          content: {application/json: {schema: {required: [detail], properties: {detail: {type: string}}}}}
""",
    )
    missing = "Missing required query parameter: q (expected string)"
    text, detail = client.get("/text"), client.get("/detail")
    assert (text.status_code, text.content_type, text.data) == (400, "text/plain", missing.encode())
    assert (detail.status_code, data(detail)) == (422, {"detail": missing})
    assert detail.headers["X-Id"].isdecimal()


def test_a_deep_body_of_a_recursive_schema_is_no_crash(tmp_path: Path) -> None:
    tree = "{type: object, properties: {a: {$ref: '#/components/schemas/Tree'}, n: {type: integer}}}"
    content = "{application/json: {schema: {$ref: '#/components/schemas/Tree'}}}"
    client = served(
        tmp_path,
        f"paths: {{/a: {{post: {{requestBody: {{content: {content}}}, responses: {{}}}}}}}}\n"
        f"components: {{schemas: {{Tree: {tree}}}}}",
    )
    for levels in (100, 240, 300):
        body: Any = {"n": "x"}
        for _ in range(levels):
            body = {"a": body}
        assert client.post("/a", data=json.dumps(body), content_type="application/json").status_code == 400


def test_a_path_with_parameters_side_by_side_is_matched_in_bounded_time(tmp_path: Path) -> None:
    names = "xyz"
    declared = ", ".join(
        f"{{in: path, name: {name}, required: true, schema: {{type: string}}}}" for name in names
    )
    client = served(
        tmp_path,
        f"paths: {{'/{{x}}-{{y}}-{{z}}.json': {{get: {{parameters: [{declared}], responses: {{}}}}}}}}",
    )
    assert client.get("/a-b-c.json").status_code == 200
    assert client.get("/" + "-" * 8_000).status_code == 404


ANYTHING = "content: {application/json: {schema: {}}}"
AN_OBJECT = "schema: {type: object, properties: {a: {type: object}}}"


@pytest.mark.parametrize("levels", [200, 300, 1_000, 5_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_deep_parameters_and_forms_are_no_crash_nor_is_the_journal_of_them(
    tmp_path: Path, levels: int, opening: str, closing: str
) -> None:
    parameters = f"""
      - {{in: query, name: j, {ANYTHING}}}
      - {{in: header, name: H, {ANYTHING}}}
      - {{in: query, name: o, {AN_OBJECT}}}
      - {{in: query, name: f, style: deepObject, {AN_OBJECT}}}
      - {{in: query, name: n, schema: {{type: integer}}}}"""
    body = f"{{content: {{application/x-www-form-urlencoded: {{{AN_OBJECT}}}}}}}"
    client = served(
        tmp_path,
        f"paths:\n  /a:\n    post: {{requestBody: {body}, responses: {{}}}}\n"
        f"    get:\n     responses: {{}}\n     parameters:{parameters}",
    )
    deep = opening * levels + "1" + closing * levels
    queries: list[dict[str, str]] = [{"j": deep}, {"o": deep}, {"f[a]": deep}, {"f" + "[a]" * levels: "1"}]
    answers = [client.get("/a", query_string=query) for query in [*queries, {"n": "9" * levels}]]
    answers += [client.get("/a", headers={"H": deep}), client.post("/a", data={"a": deep})]
    assert {answer.status_code for answer in answers} <= {200, 400}
    for shown in ("journal", "journal.har"):
        assert client.get(f"/_mock/{shown}").status_code == 200


def test_the_accept_header_chooses_among_what_can_be_written(tmp_path: Path) -> None:
    pet = "{schema: {type: object, properties: {a: {type: integer, example: 1}}}}"
    content = f"{{application/xml: {pet}, application/json: {pet}, text/csv: {{example: 'a;b'}}}}"
    client = served(
        tmp_path, f"paths: {{/a: {{get: {{responses: {{'200': {{description: d, content: {content}}}}}}}}}}}"
    )
    for accept, chosen in [("*/*", "json"), ("text/csv", "csv"), ("application/xml", "xml"), ("", "json")]:
        assert client.get("/a", headers={"Accept": accept}).content_type.endswith(chosen)


def test_an_operation_that_allows_no_answer_says_so(tmp_path: Path) -> None:
    schema = "{type: object, required: [a], properties: {a: {$ref: '#/components/schemas/Endless'}}}"
    content = "{application/json: {schema: {$ref: '#/components/schemas/Endless'}}}"
    client = served(
        tmp_path,
        f"paths: {{/a: {{get: {{responses: {{'200': {{description: d, content: {content}}}}}}}}}}}\n"
        f"components: {{schemas: {{Endless: {schema}}}}}",
    )
    answer = client.get("/a")
    assert answer.status_code == 500
    assert data(answer)["message"].startswith("The contract allows no answer here")


def test_the_defaults_of_a_servers_variables_make_its_base_path(tmp_path: Path) -> None:
    servers = "[{url: 'https://a/{base}/v9', variables: {base: {default: b}}}]"
    client = served(tmp_path, f"servers: {servers}\npaths: {{/a/: {{get: {{responses: {{}}}}}}}}")
    assert [client.get(path).status_code for path in ("/b/v9/a/", "/a/", "/a")] == [200, 200, 200]


def test_merge_keys_in_yaml_are_merged(tmp_path: Path) -> None:
    client = served(
        tmp_path,
        "x-base: &base {responses: {'200': {description: d, content: {text/plain: {example: hi}}}}}\n"
        "paths: {/a: {get: {<<: *base, summary: s}}}",
    )
    assert client.get("/a").data == b"hi"


def test_a_third_editor_is_a_block_of_yaml(tmp_path: Path) -> None:
    document = load().document
    editor = {**document["paths"]["/v1/ai-face-editor"]["post"], "operationId": "x", "x-credits": 7}
    spec = tmp_path / "spec.json"
    spec.write_bytes(orjson.dumps({**document, "paths": {**document["paths"], "/v1/hat": {"post": editor}}}))
    answer = client_of(spec).post(
        "/v1/hat",
        json={"assets": {"image_file_path": "api-assets/id/1234.png"}, "style": {}},
        headers={"Authorization": "Bearer any"},
    )
    assert data(answer)["credits_charged"] == 7


def test_an_unknown_behaviour_is_told(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "openapi: 3.1.0\ninfo: {title: T, version: '1'}\n"
        "paths: {/a: {get: {x-behaviour: sing, responses: {}}}}"
    )
    with pytest.raises(LookupError, match=r"GET /a: no x-behaviour 'sing'; there are create-project"):
        client_of(spec)


@pytest.mark.parametrize("disposition", ["form-data; page", "form-data; filename=a.png", "form-data"])
def test_a_part_of_a_form_that_has_no_name_is_refused(disposition: str) -> None:
    body = f"--x\r\nContent-Disposition: {disposition}\r\n\r\ntext\r\n--x--\r\n"
    answer = client_of(SPECS / "library-3.1.json").post(
        "/scans", query_string={"api_key": "key"}, data=body, content_type="multipart/form-data; boundary=x"
    )
    assert answer.status_code == 400, answer.data
