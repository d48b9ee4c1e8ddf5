"""The mock keeps the contract, so whatever it answers, to whomever and whenever, breaks no rule."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.contracts.bodies import illegal, legal, unparsable
from bluehour.mock_server.core.projects import ProjectEnded
from bluehour.openapi.model import JSON, Operation
from tests.profiles import examples

from ..bodies.schemas import OPERATIONS, media_of
from .mocked import MAIN, SECOND, Mocked, mocked
from .stories import CONTRACT, DELETE, FACE, PHOTO, READ, UPLOADS

PICTURE = (Path(__file__).parents[3] / "contracts/bluehour/contracts/portrait.jpg").read_bytes()


@pytest.fixture
def server() -> Iterator[Mocked]:
    with mocked() as server:
        yield server


def statuses(server: Mocked, project: str, seconds: float, steps: int) -> list[str]:
    """Read a project again and again while the clock advances."""
    seen = []
    for _ in range(steps):
        seen.append(server.read(project).field("status"))
        server.advance(seconds / steps)
    return seen


@pytest.mark.parametrize("operation", [FACE, PHOTO], ids=lambda each: each.id)
def test_a_job_from_its_create_to_its_deletion(server: Mocked, operation: Operation) -> None:
    project = server.create(operation=operation)
    seen = statuses(server, project, operation.render_seconds * 2, 8)
    assert [*dict.fromkeys(seen)] == ["queued", "rendering", "complete"]
    (link,) = server.read(project).field("downloads")
    assert server.send("GET", link["url"], None, transfer="download").status == 200
    server.delete(project)
    server.read(project)
    server.delete(project)
    server.advance(90_000)
    assert server.read(project).field("enabled") is False
    assert server.broken == []
    assert server.looked_at >= {
        "project.id", "project.found", "project.kept", "project.created-at", "project.status", "project.ends",
        "project.error", "project.downloads", "project.deleted", "project.delete", "download.expiry",
        "credits.price", "credits.same",
    }  # fmt: skip


@pytest.mark.parametrize("code", CONTRACT.extension("x-job-errors"))
def test_a_job_that_fails(server: Mocked, code: str) -> None:
    project = server.create(f"api-assets/test/{code}.png")
    assert statuses(server, project, 30, 10)[-1] == "error"
    assert server.read(project).field("error")["code"] == code
    assert server.broken == []
    assert "credits.refund" in server.looked_at


@pytest.mark.parametrize("after", [0.0, 1.0, 2.5])
def test_a_job_that_is_canceled(server: Mocked, after: float) -> None:
    project = server.create()
    server.read(project)
    server.advance(after)
    server.end(project, "canceled")
    assert server.read(project).field("status") == "canceled"
    server.advance(10)
    server.read(project)
    assert server.broken == []


def test_a_job_that_is_deleted_while_it_is_rendered(server: Mocked) -> None:
    project = server.create()
    server.advance(1)
    server.read(project)
    server.delete(project)
    for _ in range(4):
        server.read(project)
        server.advance(1)
    assert server.broken == []


def test_an_upload_and_its_edit(server: Mocked) -> None:
    (path,) = server.upload(PICTURE, "jpg")
    project = server.create(path)
    server.advance(60)
    assert server.read(project).field("status") == "complete"
    server.upload(PICTURE, *CONTRACT.extension("x-asset-extensions")["image"])
    assert server.broken == []
    assert server.looked_at >= {"upload.items", "upload.unique", "upload.expiry"}


def test_an_upload_that_is_no_picture(server: Mocked) -> None:
    (path,) = server.upload(b"This is a letter.", "png")
    project = server.create(path)
    server.advance(60)
    assert server.read(project).field("status") == "error"
    assert server.broken == []


def test_the_published_example_project(server: Mocked) -> None:
    project = CONTRACT.extension("x-example-projects")[0]
    for _ in range(2):
        server.read(project)
        server.delete(project)
    assert server.broken == []


def test_another_account(server: Mocked) -> None:
    project = server.create()
    assert server.read(project, SECOND).status == 404
    server.delete(project, SECOND)
    assert server.read(project).field("enabled") is True
    assert server.broken == []


def test_an_account_that_can_not_pay(server: Mocked) -> None:
    assert server.create(token="mhk_test_creator_0") == ""
    assert server.create(operation=PHOTO, token="mhk_test_free_100") == ""
    assert [each.answer.status for each in server.exchanges if each.answer] == [402, 402]
    assert server.broken == []


@pytest.mark.parametrize("operation", CONTRACT.operations, ids=lambda each: each.id)
@pytest.mark.parametrize("token", [None, "", "mhk_test_invalid"])
def test_no_credentials(server: Mocked, operation: Operation, token: str | None) -> None:
    assert server.call(operation, project="p1", token=token).status == 401
    assert server.broken == []


@pytest.mark.parametrize(
    ("method", "path", "operation", "status"),
    [
        ("GET", "/v1/nothing", None, 404),
        ("POST", "/usr/local/lib/python3/site-packages/x.py", None, 404),
        ("PATCH", FACE.path, None, 405),
        ("GET", "/v1/image-projects/c-nobody", READ, 404),
        ("GET", "/v1/image-projects/%2Fhome%2Fme%2Fx", READ, 404),
        ("HEAD", "/v1/image-projects/cuid-example", READ, 200),
        ("OPTIONS", FACE.path, FACE, 200),
        ("DELETE", "/v1/image-projects/c-nobody", DELETE, 404),
    ],
)
def test_odd_paths_and_methods(
    server: Mocked, method: str, path: str, operation: Operation | None, status: int
) -> None:
    assert server.send(method, path, operation=operation).status == status
    assert server.broken == []


def test_an_asset_that_was_never_issued(server: Mocked) -> None:
    assert server.create("api-assets/nobody/1.png") == ""
    assert server.call(UPLOADS, {"items": [{"type": "image", "extension": "mp3"}]}).status == 422
    assert server.broken == []


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_every_illegal_body(server: Mocked, operation: Operation) -> None:
    media = media_of(operation)
    for variant in (*unparsable(media, media.example), *illegal(media, media.example, Random(0))):
        given = server.send(
            "POST", operation.path, MAIN, variant.content, variant.content_type, operation=operation
        )
        assert given.status == CONTRACT.errors["invalid_request"][0], (variant.field, variant.says)
    assert server.broken == []


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_every_legal_edge(server: Mocked, operation: Operation) -> None:
    media = media_of(operation)
    for edge in legal(media, media.example, Random(0)):
        given = server.send(
            "POST", operation.path, MAIN, edge.content, edge.content_type or JSON, operation=operation
        )
        if given.status == 200 and operation is not UPLOADS:
            server.read(given.field("id"))
        else:
            assert given.status in (200, 422), (edge.field, edge.says, given.body)
    assert server.broken == []


steps = st.one_of(
    st.tuples(st.just("create"), st.sampled_from([FACE, PHOTO]), st.sampled_from([MAIN, SECOND]),
              st.sampled_from([None, "api-assets/test/no_source_face.png", "api-assets/nobody/1.png"])),
    st.tuples(st.just("read"), st.integers(0, 3), st.sampled_from([MAIN, MAIN, SECOND, None])),
    st.tuples(st.just("read"), st.integers(0, 3), st.just(MAIN)),
    st.tuples(st.just("delete"), st.integers(0, 3), st.sampled_from([MAIN, SECOND])),
    st.tuples(st.just("advance"), st.sampled_from([0.5, 2.0, 10.0, 100_000.0])),
    st.tuples(st.just("issue"), st.sampled_from(["png", "jpg", "mp3"])),
    st.tuples(st.just("end"), st.integers(0, 3), st.sampled_from(["complete", "canceled", "unknown_error"])),
)  # fmt: skip


@examples(30)
@given(st.lists(steps, max_size=25))
def test_any_story(story: list[tuple[Any, ...]]) -> None:
    with mocked() as server:
        projects = ["c-nobody"]
        for step in story:
            match step:
                case "create", operation, token, asset:
                    projects.insert(0, server.create(asset, operation, token) or "c-nobody")
                case "read", index, token:
                    server.read(projects[index % len(projects)], token)
                case "delete", index, token:
                    server.delete(projects[index % len(projects)], token)
                case "advance", seconds:
                    server.advance(seconds)
                case "issue", extension:
                    server.call(UPLOADS, {"items": [{"type": "image", "extension": extension}] * 2})
                case "end", index, outcome:
                    end(server, projects[index % len(projects)], outcome)
        assert server.broken == []


def end(server: Mocked, project: str, outcome: str) -> None:
    with suppress(KeyError, ProjectEnded):  # there is no such job, or it has ended by itself
        server.end(project, outcome)
