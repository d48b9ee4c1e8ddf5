"""The reference at /docs tells what the contract says, of any contract, and nothing in it comes alive."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from bluehour.mock_server.app import create_app
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.reference_page import page as page_module
from bluehour.mock_server.reference_page.prose import prose
from bluehour.openapi.contract import Contract, load
from bluehour.openapi.resources import Action
from tests.profiles import examples

from ...openapi.test_schema import schemas, values
from .told import Page, client_of, page_of, words

SPECS = Path(__file__).parents[2] / "openapi" / "specs"
OTHERS = sorted([*SPECS.glob("*.yaml"), *SPECS.glob("*.json")])


def contract_of(paths: Any = None, **rest: Any) -> Contract:
    info = {"title": "Small", "version": "1"}
    return Contract({"openapi": "3.1.0", "info": info, "paths": paths or {}, **rest})


def answering(schema: Any, **rest: Any) -> Contract:
    content = {"application/json": {"schema": schema}}
    return contract_of({"/a": {"get": {"responses": {"200": {"content": content}}, **rest}}})


@pytest.fixture(scope="module")
def page() -> Page:
    return page_of(load())


# --- Magic Hour's -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", load().operations, ids=lambda one: one.id)
def test_every_operation_is_told_under_its_id(page: Page, operation: Any) -> None:
    text = page.texts[operation.id]
    assert f"{operation.method} {operation.path}" in text
    assert operation.node["summary"] in text
    for status in operation.responses:
        assert re.search(rf"\b{status}\b", text)
    assert f"#{operation.id}" in page.all("href")


def fields_of(node: Any, document: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    from bluehour.openapi.document import resolve

    node = resolve(document, node)
    for name, field in node.get("properties", {}).items():
        yield (*path, name), {**resolve(document, field), **field}
        yield from fields_of(field, document, (*path, name))
    if "items" in node:
        yield from fields_of(node["items"], document, (*path, "[]"))


def every_field() -> Iterator[Any]:
    contract = load()
    for operation in contract.operations:
        if operation.body:
            media = operation.body.content["application/json"]
            for path, field in fields_of(media.schema.node, contract.document):
                yield pytest.param(operation.id, path, field, id=f"{operation.id}-{'.'.join(path)}")


@pytest.mark.parametrize(("anchor", "path", "field"), list(every_field()))
def test_every_field_has_its_type_its_bounds_and_its_meaning(
    page: Page, anchor: str, path: tuple[str, ...], field: dict[str, Any]
) -> None:
    rows = page.rows_of(anchor, path[-1])
    assert any(all(squeezed(said) in squeezed(row) for said in sayings(field)) for row in rows), rows


def sayings(field: dict[str, Any]) -> list[str]:
    """What a reader wants to find in a field's row."""
    types = field["type"] if isinstance(field["type"], list) else [field["type"]]
    said = [" or ".join(types), *bounds(field)]
    said += [f"in steps of {field['multipleOf']}"] if "multipleOf" in field else []
    said += [field["pattern"]] if "pattern" in field else []
    said += [json.dumps(choice, ensure_ascii=False) for choice in field.get("enum", ())]
    said += ["default"] * ("default" in field) + ["deprecated"] * ("deprecated" in field)
    said += [str(field["default"])] if isinstance(field.get("default"), str) else []
    said += [field.get("description", "").replace("`", "")]
    return said


def squeezed(text: str) -> str:
    """A text without its spaces: a page has some around code."""
    return "".join(text.split())


def bounds(field: dict[str, Any]) -> list[str]:
    match field:
        case {"minimum": least, "maximum": most}:
            return [f"{least} to {most}".replace("-", "\N{MINUS SIGN}")]
        case {"minimum": least}:
            return [f"at least {least}"]
        case {"maximum": most}:
            return [f"at most {most}"]
    return []


def test_a_required_field_is_marked_and_an_optional_one_is_not(page: Page) -> None:
    assert "resolution required integer" in page.row("aiPhotoEditor.createImage", "resolution")
    assert "required" not in page.row("aiPhotoEditor.createImage", "name")


def test_published_examples_are_shown(page: Page) -> None:
    text = page.texts["aiPhotoEditor.createImage"]
    assert '"image_description": "A photo of a person"' in text
    assert "As in the vendor's own test suite" in text
    assert '"frame_cost": 10' in text


@pytest.mark.parametrize("event", load().webhooks)
def test_every_webhook_is_told_with_its_headers(page: Page, event: str) -> None:
    text = page.texts[f"event-{event}"]
    assert "magic-hour-event-signature" in text
    assert "HMAC-SHA256" in text
    assert "payload" in text


def test_job_errors_and_plans_are_told(page: Page) -> None:
    for code, message in load().extension("x-job-errors").items():
        assert f"{code} {message}" in words(page.text)
    assert "creator 1024 2 GiB" in words(page.text)


def test_what_any_request_may_be_answered_is_told(page: Page) -> None:
    for status in load().server_responses:
        assert str(status) in words(page.text).split("Answers to any request")[-1]


def test_it_says_how_to_authenticate(page: Page) -> None:
    assert "Authorization: Bearer …" in page.text


def test_it_leads_to_the_contract_and_to_the_console(page: Page) -> None:
    assert {"/openapi.json", "/_mock"} <= set(page.all("href"))


# --- its commands -------------------------------------------------------------------------------------------


def sent(command: str, client: FlaskClient) -> Any:
    """What the server answers a curl command: the options that the page writes."""
    arguments = iter(shlex.split(command.replace("\\\n", " "))[1:])
    request: dict[str, Any] = {"headers": []}
    url = method = ""
    for option in arguments:
        match option:
            case "-X":
                method = next(arguments)
            case "-H":
                name, _, value = next(arguments).partition(":")
                request["headers"].append((name, value.lstrip()))
            case "--data-raw" | "--data-binary":
                request["data"] = next(arguments)
            case "-F":
                name, _, content = next(arguments).partition("=")
                request.setdefault("data", {})[name] = content
                request["content_type"] = "multipart/form-data"
            case "--head":
                method = "HEAD"
            case "--globoff" | "--path-as-is":
                pass
            case _:
                assert not url, f"no option of ours: {option}"
                url = option
    parts = urlsplit(url)
    request["method"] = method or ("POST" if "data" in request else "GET")
    return client.open(unquote(parts.path), query_string=parts.query, buffered=True, **request)


@pytest.mark.parametrize("path", [None, *OTHERS], ids=lambda path: path.stem if path else "magic-hour")
def test_every_command_works_as_it_is_written(path: Path | None) -> None:
    contract = load(path) if path else load()
    commands = page_of(contract).commands
    assert len(commands) == len(contract.operations)
    for command in commands:
        # Each by a mock that was just started: what others have put there, or deleted, changes the answer.
        answer = sent(command, create_app(Mock(contract)).test_client())
        assert answer.status_code < 400, (command, answer.data)


def test_commands_call_the_address_at_which_the_page_is_read() -> None:
    client = client_of(load())
    for host in ("127.0.0.1:8080", "mock.test", "[::1]:9000"):
        page = Page(client.get("/docs", headers={"Host": host}).get_data(as_text=True))
        assert all(f" 'http://{host}/v1/" in command for command in page.commands)


@pytest.mark.parametrize("host", ["evil'; rm -rf ~ #", "a.test'$(id)", "<script>", "a b"])
def test_an_address_that_is_none_gets_into_no_command(host: str) -> None:
    html = client_of(load()).get("/docs", environ_overrides={"HTTP_HOST": host}).get_data(as_text=True)
    assert host not in html
    assert all(" 'http://127.0.0.1:80/v1/" in command for command in Page(html).commands)


# --- any contract's -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.stem)
def test_every_operation_of_other_contracts_is_told(path: Path) -> None:
    contract = load(path)
    page = page_of(contract)
    for operation in contract.operations:
        text = page.texts[re.sub(r"[^\w.\-]+", "-", operation.id).strip("-")]
        assert f"{operation.method} {operation.path}" in text
        assert all(parameter.name in text for parameter in operation.parameters)
        assert all(status in text for status in operation.responses)
        text += page.texts.get("section-main", "").rpartition("Shared answers")[2]
        for response in operation.responses.values():
            assert all(name in text for name in response.content)
            assert all(header.name in text for header in response.headers)


@pytest.mark.parametrize("path", [None, *OTHERS], ids=lambda path: path.stem if path else "magic-hour")
def test_no_link_within_the_page_leads_nowhere_and_no_id_is_there_twice(path: Path | None) -> None:
    page = page_of(load(path) if path else load())
    ids = page.all("id")
    assert len(ids) == len(set(ids))
    assert {href[1:] for href in page.all("href") if href.startswith("#")} <= set(ids)
    assert {one for labels in page.all("aria-labelledby") for one in labels.split()} <= set(ids)


def test_a_recursive_schema_ends_in_a_link_to_itself() -> None:
    shelf = {
        "type": "object",
        "properties": {"below": {"type": "array", "items": {"$ref": "#/components/schemas/Shelf"}}},
    }
    contract = answering({"$ref": "#/components/schemas/Shelf"})
    page = page_of(Contract({**contract.document, "components": {"schemas": {"Shelf": shelf}}}))
    assert "see Shelf" in page.texts["GET-a"]
    assert "#schema:Shelf" in page.all("href")
    assert "below" in page.texts["schema:Shelf"]


def test_alternatives_and_parts_are_told() -> None:
    cat = {"type": "object", "title": "Cat", "properties": {"lives": {"type": "integer", "maximum": 9}}}
    named = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    either = {"oneOf": [cat, {"type": "string", "minLength": 2}]}
    text = page_of(answering({"allOf": [named, {"properties": {"pet": either}}]})).texts["GET-a"]
    assert "name required string" in text
    assert "one of: Cat object" in text
    assert "lives integer at most 9" in text
    assert "one of: form 2 string at least 2 characters" in text


def test_a_field_that_may_be_null_is_no_alternative() -> None:
    schema = {"properties": {"a": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}}
    text = page_of(answering(schema)).texts["GET-a"]
    assert "a integer or null" in text
    assert "any of" not in text


def test_a_deprecated_operation_says_so() -> None:
    assert "Deprecated" in page_of(answering({}, deprecated=True)).texts["GET-a"]


def test_a_contract_with_nothing_in_it_is_a_page() -> None:
    page = page_of(contract_of())
    assert "Small" in page.texts["section-main"]
    assert "asks for no credentials" in page.text


def test_operations_with_like_ids_have_anchors_of_their_own() -> None:
    paths: Any = {
        f"/{name}": {"get": {"operationId": name, "responses": {}}} for name in ("a b", "a-b", "a/b")
    }
    assert {"a-b", "a-b-2", "a-b-3"} <= set(page_of(contract_of(paths)).all("id"))


def test_a_huge_contract_links_to_its_schemas_instead_of_repeating_them() -> None:
    big = {"type": "object", "properties": {f"field{n}": {"type": "string"} for n in range(100)}}
    outer = {"type": "object", "properties": {"big": {"$ref": "#/components/schemas/Big"}}}
    responses = {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Outer"}}}}}
    paths = {f"/{n}": {"get": {"operationId": f"get{n}", "responses": responses}} for n in range(200)}
    page = page_of(contract_of(paths, components={"schemas": {"Big": big, "Outer": outer}}))
    assert "see Big" in page.texts["get199"]
    assert "field99 string" not in page.texts["get199"]
    assert "field99 string" in page.texts["schema:Big"]


@examples(30)
@given(schema=schemas, example=values)
def test_any_schema_can_be_told(schema: Any, example: Any) -> None:
    content = {"application/json": {"schema": schema, "example": example}}
    parameter = {"name": "p", "in": "query", "schema": schema, "example": example}
    operation = {"parameters": [parameter], "responses": {"200": {"content": content}}}
    page = page_of(contract_of({"/a": {"get": operation}}))
    assert "GET /a" in page.texts["GET-a"]


KEYWORDS = ["type", "properties", "items", "enum", "required", "oneOf", "anyOf", "allOf", "$ref", "minimum"]
KEYWORDS += ["maxLength", "minLength", "format", "pattern", "examples", "default", "description", "title"]
KEYWORDS += ["additionalProperties", "prefixItems", "discriminator", "multipleOf", "deprecated", "const"]
KEYWORDS += [
    "x-default",
    "x-means",
    "x-allowed",
    "x-plan-needed",
    "x-required-if",
    "x-most-items",
    "by",
    "of",
]
KEYWORDS += ["x-asset-type", "field", "product", "difference", "smallest", "characters", "else"]
nonsense = st.recursive(
    values | st.just("#/components/schemas/N") | st.just("#/nowhere") | st.sampled_from(["object", "array"]),
    lambda inner: st.dictionaries(st.sampled_from(KEYWORDS), inner, max_size=4) | st.lists(inner, max_size=3),
    max_leaves=12,
)


@examples(150)
@given(node=st.dictionaries(st.sampled_from(KEYWORDS), nonsense, max_size=5))
def test_what_is_no_schema_at_all_spoils_no_page(node: Any) -> None:
    reference = {"$ref": "#/components/schemas/N"}
    content = {"application/json": {"schema": reference}}
    paths = {"/a": {"get": {"responses": {"200": {"content": content}}}}}
    assert "GET /a" in page_of(contract_of(paths, components={"schemas": {"N": node}})).texts["GET-a"]


# --- a stranger's text --------------------------------------------------------------------------------------

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{ 7*7 }}"


def poisoned(node: Any) -> Any:
    """A document of which every text that a person reads is an attack."""
    if isinstance(node, list):
        return [poisoned(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: EVIL
        if isinstance(value, str) and key in ("description", "summary", "title", "operationId", "version")
        else poisoned(value)
        for key, value in node.items()
    }


def test_nothing_in_a_contract_comes_alive() -> None:
    document = poisoned(load().document)
    document["tags"] = [{"name": EVIL, "description": EVIL}]
    document["components"]["schemas"]["FaceEditorRequest"]["properties"][EVIL] = {
        "enum": [EVIL],
        "default": EVIL,
        "pattern": EVIL,
        "examples": [EVIL],
        "format": EVIL,
    }
    document["x-job-errors"] = {EVIL: EVIL}
    for item in document["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                operation["tags"] = [EVIL]
    page = page_of(Contract(document))
    clean = page_of(load())
    assert EVIL in page.text
    assert [tag for tag, _ in page.elements if tag in ("script", "img", "iframe", "style")] == ["script"]
    assert {name for _, a in page.elements for name in a} <= {name for _, a in clean.elements for name in a}


def test_it_may_not_run_anything_but_its_own_script(page: Page) -> None:
    policy = client_of(load()).get("/docs").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.all("style") == []
    assert [name for _, attributes in page.elements for name in attributes if name.startswith("on")] == []


@pytest.mark.parametrize("path", [None, *OTHERS], ids=lambda path: path.stem if path else "magic-hour")
def test_it_needs_nothing_from_elsewhere(path: Path | None) -> None:
    page = page_of(load(path) if path else load())
    for link in [*page.all("href"), *page.all("src")]:
        assert link.startswith(("#", "/docs/", "data:,")) or link in ("/openapi.json", "/_mock")
    client = client_of(load())
    for asset in ("base.css", "reference.css", "reference.js"):
        content = client.get(f"/docs/{asset}")
        assert content.status_code == 200
        assert not re.search(r"https?://|@import|url\(", content.get_data(as_text=True))


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a\n\nb", "<p>a</p><p>b</p>"),
        ("`<b>` and **c**", "<p><code>&lt;b&gt;</code> and <strong>c</strong></p>"),
        ("> q\n\na", "<blockquote><p>q</p></blockquote><p>a</p>"),
        ("- `x`: y\n  z\n- w", "<ul><li><code>x</code>: y z</li><li>w</li></ul>"),
        ("[us](javascript:x)", "<p>us (javascript:x)</p>"),
        ("## T", "<p><strong>T</strong></p>"),
        ("```json\n{<}\n```", '<pre tabindex="0"><code>{&lt;}</code></pre>'),
        ("<i>", "<p>&lt;i&gt;</p>"),
        ("", ""),
    ],
)
def test_a_description_is_told_in_its_own_form(text: str, html: str) -> None:
    assert prose(text) == html


def test_a_heading_of_many_marks_is_no_work() -> None:
    assert prose("# a" + " #" * 100_000 + "x #").endswith(" #x</strong></p>")


@given(text=st.text(st.sampled_from("<>&\"'`*[]()#->~ \nab1."), max_size=60))
def test_no_description_makes_an_element_of_its_own(text: str) -> None:
    allowed = "p|code|strong|blockquote|ul|li"
    left = re.sub(rf'</?(?:{allowed})>|<pre tabindex="0">|</pre>', "", prose(text))
    assert not re.search(r"[<>]", left)


# --- for everybody ------------------------------------------------------------------------------------------


def test_it_can_be_used_without_seeing_it(page: Page) -> None:
    tags = [tag for tag, _ in page.elements]
    assert (tags.count("main"), tags.count("h1")) == (1, 1)
    assert ("html", {"lang": "en"}) in page.elements
    first_link = next(attributes for tag, attributes in page.elements if tag == "a")
    assert first_link["href"] == "#section-main"
    assert all("aria-label" in attributes for tag, attributes in page.elements if tag == "nav")
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    main = levels[levels.index(1) :]
    assert all(below - above <= 1 for above, below in pairwise(main))


# --- how it is served ---------------------------------------------------------------------------------------


def test_the_page_is_made_once_and_not_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    make = page_module._html

    def counting(contract: Contract, actions: Mapping[str, Action], mark: str) -> str:
        made.append(1)
        return make(contract, actions, mark)

    monkeypatch.setattr(page_module, "_html", counting)
    client = client_of(load())
    assert made == []
    first, second = client.get("/docs").data, client.get("/docs").data
    assert first == second
    assert made == [1]


def test_a_slash_at_the_end_makes_no_difference() -> None:
    client = client_of(load())
    assert client.get("/docs/").data == client.get("/docs").data


@pytest.mark.parametrize("path", ["/docs", "/docs/", "/docs/base.css"])
def test_a_contracts_own_docs_win(path: str) -> None:
    contract = contract_of({path: {"get": {"responses": {"204": {"description": "mine"}}}}})
    assert client_of(contract).get(path).status_code == 204


def test_a_contracts_docs_below_its_base_path_win() -> None:
    paths: Any = {"/docs": {"get": {"responses": {}}}}
    assert client_of(contract_of(paths, servers=[{"url": "/api"}])).get("/docs").get_data() == b""
    below = contract_of({"/base": {"get": {"responses": {}}}}, servers=[{"url": "/docs/x"}])
    assert client_of(below).get("/docs").status_code == 200


def test_a_lone_surrogate_which_yaml_can_hold_is_no_obstacle() -> None:
    text = yaml.safe_load('"\\ud800 there"')
    assert "? there" in page_of(answering({"description": text})).text
