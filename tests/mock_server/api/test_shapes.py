"""State in files of all the shapes that people give their paths and schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import load_anew

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}

Node = dict[str, Any]


def shape(*required: str, **fields: Node) -> Node:
    return {"type": "object", "required": list(required), "properties": fields}


def many(items: Node) -> Node:
    return {"type": "array", "items": items}


def does(answer: Node | None = None, body: Node | None = None, status: int = 200, **more: Any) -> Node:
    """An operation that takes and answers JSON."""
    response: Node = {"description": "d"}
    if answer is not None:
        response["content"] = {"application/json": {"schema": answer}}
    node: Node = {"responses": {str(status): response}, **more}
    if body is not None:
        node["requestBody"] = {"content": {"application/json": {"schema": body}}}
    return node


def asking(**parameters: Node) -> list[Node]:
    return [{"name": name, "in": "query", "schema": schema} for name, schema in parameters.items()]


class Api:
    """A mock of paths, whose path parameters are texts where they end in `Key`, else numbers."""

    def __init__(self, folder: Path, paths: Node, **components: Node) -> None:
        file = folder / "api.json"
        for path, item in paths.items():
            names = [part[1:].partition("}")[0] for part in path.split("/") if part.startswith("{")]
            item["parameters"] = [
                {"name": name, "in": "path", "required": True, "schema": TEXT if "Key" in name else NUMBER}
                for name in names
            ]
        info = {"title": "T", "version": "1"}
        file.write_text(
            json.dumps(
                {"openapi": "3.1.0", "info": info, "paths": paths, "components": {"schemas": components}}
            )
        )
        self.contract = load_anew(file)
        self.client: FlaskClient = create_app(Mock(self.contract, Settings())).test_client()

    def __call__(self, method: str, path: str, body: Any = None, status: int = 200, **options: Any) -> Any:
        if body is not None:
            options["json"] = body
        answer = self.client.open(path, method=method, **options)
        assert answer.status_code == status, answer.text
        return answer.json


USER, TEAM = shape(id=NUMBER, name=TEXT), shape(id=NUMBER, name=TEXT, size=NUMBER)


@pytest.mark.parametrize("has_detail", [True, False])
def test_what_is_added_below_an_item_is_no_change_of_it(tmp_path: Path, has_detail: bool) -> None:
    paths = {
        "/users": {"post": does(USER, shape(name=TEXT), 201)},
        "/users/{userId}": {"get": does(USER)},
        "/users/{userId}/teams": {"post": does(TEAM, shape(name=TEXT), 201), "get": does(many(TEAM))},
    }
    if has_detail:
        paths["/users/{userId}/teams/{teamId}"] = {"get": does(TEAM)}
    api = Api(tmp_path, paths)
    user = api("POST", "/users", {"name": "Ann"}, 201)["id"]
    team = api("POST", f"/users/{user}/teams", {"name": "Blue"}, 201)
    assert api("GET", f"/users/{user}") == {"id": user, "name": "Ann"}
    assert api("GET", f"/users/{user}/teams") == [team]
    api("POST", "/users/99/teams", {"name": "Red"}, 404)


def test_a_copy_is_another_item_like_the_first(tmp_path: Path) -> None:
    note = shape(id=NUMBER, name=TEXT, text=TEXT)
    paths = {
        "/notes": {"post": does(note, shape(name=TEXT, text=TEXT), 201)},
        "/notes/{noteId}": {"get": does(note)},
        "/notes/{noteId}/copy": {"post": does(note, shape(name=TEXT), 201)},
    }
    api = Api(tmp_path, paths)
    first = api("POST", "/notes", {"name": "a", "text": "t"}, 201)
    copy = api("POST", f"/notes/{first['id']}/copy", {"name": "b"}, 201)
    assert copy == {"id": copy["id"], "name": "b", "text": "t"}
    assert copy["id"] != first["id"]
    assert api("GET", f"/notes/{first['id']}") == first


CAT = shape("kind", "lives", id=NUMBER, kind={"const": "cat"}, lives=NUMBER)
DOG = shape("kind", "barks", id=NUMBER, kind={"const": "dog"}, barks={"type": "boolean"})
KINDS = {
    "oneOf": {"oneOf": [CAT, DOG]},
    "anyOf": {"anyOf": [CAT, DOG]},
    "within allOf": {"allOf": [shape(id=NUMBER), {"oneOf": [CAT, DOG]}]},
}


@pytest.mark.parametrize("pet", KINDS.values(), ids=KINDS)
def test_an_item_may_be_of_several_kinds(tmp_path: Path, pet: Node) -> None:
    paths = {
        "/pets": {"post": does(pet, pet), "get": does(many(pet))},
        "/pets/{petId}": {"get": does(pet), "put": does(pet, pet)},
    }
    api = Api(tmp_path, paths)
    dog = api("POST", "/pets", {"kind": "dog", "barks": True})
    cat = api("POST", "/pets", {"kind": "cat", "lives": 9})
    assert dog == {"id": dog["id"], "kind": "dog", "barks": True}
    assert api("GET", "/pets") == [dog, cat]
    assert api("PUT", f"/pets/{cat['id']}", {"kind": "dog", "barks": False})["barks"] is False


@pytest.mark.parametrize(
    ("field", "parameter"),
    [
        ("gid", "task_gidKey"),
        ("uid", "taskKey"),
        ("slug", "taskKey"),
        ("taskName", "taskKey"),
        ("uuid", "taskKey"),
    ],
)
def test_an_id_may_be_called_as_it_likes(tmp_path: Path, field: str, parameter: str) -> None:
    parameter = parameter.removesuffix("Key")
    task = shape(**{field: TEXT, "title": TEXT})
    held = shape(data=task)
    path = f"/tasks/{{{parameter}}}"
    api = Api(
        tmp_path,
        {
            "/tasks": {
                "post": does(held, shape(data=shape(title=TEXT)), 201),
                "get": does(shape(data=many(task))),
            },
            path: {"get": does(held, parameters=[])},
        },
    )
    assert api.contract.actions
    made = api("POST", "/tasks", {"data": {"title": "T"}}, 201)
    assert api("GET", "/tasks") == {"data": [made["data"]]}
    assert made["data"]["title"] == "T"
    assert made["data"][field]


JOB = shape("id", "status", id=NUMBER, status={"enum": ["queued", "running", "done", "canceled"]})


def test_verbs_may_stand_behind_a_colon(tmp_path: Path) -> None:
    paths = {
        "/jobs": {"post": does(JOB, shape(), 201)},
        "/jobs/{jobKey}": {"get": does(JOB)},
        "/jobs/{jobKey}:cancel": {"post": does(JOB)},
        "/jobs/{jobKey}:pause": {"post": does(status=204)},
    }
    api = Api(tmp_path, paths)
    job = api("POST", "/jobs", {}, 201)
    assert api("POST", f"/jobs/{job['id']}:cancel") == {**job, "status": "canceled"}
    assert api("GET", f"/jobs/{job['id']}")["status"] == "canceled"
    api("POST", "/jobs/99:cancel", status=404)
    api("POST", f"/jobs/{job['id']}:pause", status=204)
    api("POST", "/jobs/99:pause", status=404)


def test_only_the_status_of_a_job_may_be_shown(tmp_path: Path) -> None:
    status = shape("status", status={"enum": ["queued", "running", "done"]})
    api = Api(
        tmp_path,
        {
            "/tasks": {"post": does(shape(id=NUMBER), shape(), 202)},
            "/tasks/{id}/status": {"get": does(status)},
        },
    )
    task = api("POST", "/tasks", {}, 202)["id"]
    assert api("GET", f"/tasks/{task}/status") == {"status": "queued"}
    api("POST", "/_mock/clock", {"advance": 60})
    assert api("GET", f"/tasks/{task}/status") == {"status": "done"}
    api("GET", "/tasks/99/status", status=404)


def test_a_location_is_that_of_the_new_item(tmp_path: Path) -> None:
    created = does(body=shape(title=TEXT), status=201)
    created["responses"]["201"]["headers"] = {"Location": {"schema": TEXT}}
    note = shape(title=TEXT)
    api = Api(tmp_path, {"/notes": {"post": created}, "/notes/{noteId}": {"get": does(note)}})
    answer = api.client.post("/notes", json={"title": "a"})
    assert api("GET", answer.headers["Location"]) == {"title": "a"}


POST = {"$ref": "#/components/schemas/Post"}
WRITTEN = shape(id=NUMBER, userId={**NUMBER, "readOnly": True}, title=TEXT)


def test_what_is_made_below_may_be_kept_above(tmp_path: Path) -> None:
    paths = {
        "/users/{userId}/posts": {"post": does(POST, shape(title=TEXT), 201), "get": does(many(POST))},
        "/posts": {"get": does(many(POST))},
        "/posts/{postId}": {"get": does(POST)},
    }
    api = Api(tmp_path, paths, Post=WRITTEN)
    first = api("POST", "/users/2/posts", {"title": "a"}, 201)
    second = api("POST", "/users/3/posts", {"title": "b"}, 201)
    assert (first["userId"], second["userId"]) == (2, 3)
    assert api("GET", "/posts") == [first, second]
    assert api("GET", "/users/3/posts") == [second]
    assert api("GET", f"/posts/{first['id']}") == first


def test_many_are_answered_as_they_were_made(tmp_path: Path) -> None:
    pet = shape(id=NUMBER, name=TEXT)
    paths = {
        "/pets": {"post": does(pet, pet), "get": does(many(pet))},
        "/pets/{petId}": {"get": does(pet)},
        "/pets/batch": {"post": does(many(pet), many(pet))},
    }
    api = Api(tmp_path, paths)
    made = api("POST", "/pets/batch", [{"name": "a"}, {"name": "b"}])
    assert [each["name"] for each in made] == ["a", "b"]
    assert api("GET", "/pets") == made


def test_a_part_may_need_more_than_is_sent_of_it(tmp_path: Path) -> None:
    parent = {"anyOf": [shape("id", "type", id=TEXT, type={"const": "folder"}), {"type": "null"}]}
    folder = shape(id=NUMBER, parent=parent)
    sent = shape(parent=shape(id=TEXT))
    api = Api(
        tmp_path,
        {"/folders": {"post": does(folder, sent, 201)}, "/folders/{folderId}": {"get": does(folder)}},
    )
    made = api("POST", "/folders", {"parent": {"id": "0"}}, 201)
    assert made["parent"] == {"id": "0", "type": "folder"}


def test_a_code_of_several_does_not_decide_the_status(tmp_path: Path) -> None:
    error = {
        "description": "d",
        "content": {"application/json": {"schema": shape(code={"enum": ["forbidden", "not_found"]})}},
    }
    read = does(USER)
    read["responses"] |= {"403": error, "404": error}
    api = Api(tmp_path, {"/users": {"post": does(USER, USER)}, "/users/{userId}": {"get": read}})
    api("POST", "/users", {"name": "Ann"})
    api("GET", "/users/99", status=404)


def test_changes_may_be_a_json_patch(tmp_path: Path) -> None:
    change = does(USER)
    change["requestBody"] = {"content": {"application/json-patch+json": {"schema": many({"type": "object"})}}}
    change["responses"]["409"] = {"description": "d"}
    api = Api(
        tmp_path,
        {"/users": {"post": does(USER, USER)}, "/users/{userId}": {"get": does(USER), "patch": change}},
    )
    user = api("POST", "/users", {"name": "Ann"})["id"]

    def patch(status: int, *steps: Node) -> Any:
        kind = {"content_type": "application/json-patch+json"}
        return api("PATCH", f"/users/{user}", status=status, data=json.dumps(steps), **kind)

    renamed = {"op": "replace", "path": "/name", "value": "Bea"}
    patch(409, {"op": "test", "path": "/name", "value": "Cid"}, renamed)
    patch(409, {"op": "hop", "path": "/name"})
    assert api("GET", f"/users/{user}")["name"] == "Ann"
    assert patch(200, renamed) == {"id": user, "name": "Bea"}


def paged(folder: Path, answer: Node, **parameters: Node) -> Api:
    listing = does(answer, parameters=asking(**parameters))
    api = Api(
        folder, {"/users": {"post": does(USER, USER), "get": listing}, "/users/{userId}": {"get": does(USER)}}
    )
    for name in "abc":
        api("POST", "/users", {"name": name})
    return api


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        ("nextPageToken", "pageToken"),
        ("next_cursor", "cursor"),
        ("nextToken", "nextToken"),
        ("next_marker", "marker"),
    ],
)
@pytest.mark.parametrize("nothing", [{}, {"type": ["string", "null"]}])
def test_cursors_lead_through_a_list_once(tmp_path: Path, told: str, asked: str, nothing: Node) -> None:
    answer = shape(items=many(USER), **{told: {**TEXT, **nothing}})
    api = paged(tmp_path, answer, limit=NUMBER, **{asked: TEXT})
    page, names = api("GET", "/users?limit=2"), []
    while True:
        names += [each["name"] for each in page["items"]]
        if not page.get(told):
            break
        page = api("GET", f"/users?limit=2&{asked}={page[told]}")
    assert names == ["a", "b", "c"]
    assert api("GET", f"/users?{asked}=none")["items"] == []


@pytest.mark.parametrize("where", ["meta", "pagination", None])
def test_an_envelope_tells_of_its_page(tmp_path: Path, where: str | None) -> None:
    told = shape(total=NUMBER, page=NUMBER, per_page=NUMBER, total_pages=NUMBER, has_more={"type": "boolean"})
    answer = shape(data=many(USER), **({where: told} if where else told["properties"]))
    page = paged(tmp_path, answer, page=NUMBER, per_page=NUMBER)("GET", "/users?page=2&per_page=2")
    assert [each["name"] for each in page.pop("data")] == ["c"]
    assert (page[where] if where else page) == {
        "total": 3, "page": 2, "per_page": 2, "total_pages": 2, "has_more": False
    }  # fmt: skip


def test_pages_may_be_counted_from_0(tmp_path: Path) -> None:
    fields = {"totalElements": NUMBER, "totalPages": NUMBER, "number": NUMBER}
    ends = {"first": {"type": "boolean"}, "last": {"type": "boolean"}}
    api = paged(tmp_path, shape(content=many(USER), **fields, **ends), page=NUMBER, size=NUMBER)
    first, last = api("GET", "/users?size=2"), api("GET", "/users?page=1&size=2")
    assert [each["name"] for page in (first, last) for each in page["content"]] == ["a", "b", "c"]
    assert (first["number"], first["first"], first["last"]) == (0, True, False)
    assert (last["number"], last["first"], last["last"], last["totalPages"]) == (1, False, True, 2)


def test_links_lead_to_the_pages_beside(tmp_path: Path) -> None:
    link = {"type": ["string", "null"], "format": "uri"}
    answer = shape(count=NUMBER, next=link, previous=link, results=many(USER))
    api = paged(tmp_path, answer, limit=NUMBER, offset=NUMBER)
    first = api("GET", "/users?limit=2")
    second = api("GET", first["next"])
    assert [each["name"] for each in second["results"]] == ["c"]
    assert (first["count"], first["previous"], second["next"]) == (3, None, None)
    assert api("GET", second["previous"])["results"] == first["results"]


@pytest.mark.parametrize(
    ("key", "hint", "problem"),
    [
        ("x-resource", "no", "expected false, or an object with 'action' and 'of', found 'no'"),
        ("x-resource", {"action": "fly", "of": "/users"}, "expected one of create,"),
        (
            "x-resource",
            {"action": "create", "of": "/nope"},
            "expected a collection's path in 'of', such as /jobs, /users",
        ),
        ("x-resource", {"action": "create", "foo": 1}, "unknown: foo"),
        ("x-render-seconds", "soon", "expected seconds, found 'soon'"),
        ("x-render-seconds", -1, "expected seconds, found -1"),
        ("x-render-seconds", True, "expected seconds, found True"),
    ],
)
def test_a_wrong_hint_is_told_and_spoils_nothing(tmp_path: Path, key: str, hint: Any, problem: str) -> None:
    made = does(JOB, shape(), 201, **{key: hint})
    api = Api(
        tmp_path,
        {
            "/jobs": {"post": made},
            "/jobs/{jobId}": {"get": does(JOB)},
            "/users": {"get": does(many(USER))},
            "/users/{userId}": {"get": does(USER)},
        },
    )
    assert any(problem in defect.message for defect in api.contract.defects), api.contract.defects
    api("POST", "/jobs", {}, 201)


def test_one_thing_is_changed_in_part_and_belongs_to_what_its_path_names(tmp_path: Path) -> None:
    settings = shape(theme=TEXT, size=NUMBER)
    settings["example"] = {"theme": "dark", "size": 3}
    paths = {
        "/users": {"post": does(USER, USER)},
        "/users/{userId}": {"get": does(USER), "delete": does(status=204)},
        "/users/{userId}/settings": {
            "get": does(settings),
            "patch": does(settings, settings),
            "delete": does(status=204),
        },
    }
    api = Api(tmp_path, paths)
    place = f"/users/{api('POST', '/users', {'name': 'Ann'})['id']}/settings"
    assert api("GET", place) == {"theme": "dark", "size": 3}
    assert api("PATCH", place, {"theme": "light"}) == {"theme": "light", "size": 3}
    assert api("GET", place) == {"theme": "light", "size": 3}
    api("PATCH", "/users/99/settings", {"theme": "light"}, 404)
    api("DELETE", place, status=204)
    api("GET", place, status=404)
