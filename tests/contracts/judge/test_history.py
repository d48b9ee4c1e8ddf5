"""Stories of projects and uploads: each rule is broken by some, and right ones break none."""

from __future__ import annotations

from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.contracts.exchange import Exchange, Headers
from bluehour.contracts.judge import Judge
from bluehour.openapi.contract import Contract
from tests.profiles import examples

from ..bodies.schemas import JSON_VALUES
from .stories import (
    BASE,
    CONTRACT,
    DAY,
    DELETE,
    ERROR,
    FACE,
    JSON_HEADERS,
    PHOTO,
    READ,
    START,
    TOKEN,
    UPLOADS,
    answer,
    broken,
    complete,
    create,
    delete,
    deleted,
    exchange,
    failed,
    issued,
    kept,
    link,
    not_found,
    project,
    read,
    rulings,
    unanswered,
    violations,
    when,
)

OTHER = "mhk_live_Second4Account5Token6"
EXAMPLE = CONTRACT.extension("x-example-projects")[0]
HOUR, YEAR = 3600.0, 365 * 86400.0


def dated(seconds: float) -> Headers:
    """Headers of an answer by a server whose clock is so far ahead of ours."""
    return (*JSON_HEADERS, ("Date", formatdate(START + seconds, usegmt=True)))


# --- stories that break a rule, and that rule alone ---------------------------------------------------------

WRONG: dict[str, tuple[str, list[Exchange]]] = {
    # Money.
    "a create charges twice its price": (
        "credits.price",
        [create(credits_charged=2, frame_cost=2)],
    ),
    "a create charges nothing": ("credits.price", [create(credits_charged=0, frame_cost=0)]),
    "the dear editor charges the cheap one's price": (
        "credits.price",
        [create(operation=PHOTO, credits_charged=1, frame_cost=1)],
    ),
    "the deprecated cost of a create is another": ("credits.same", [create(frame_cost=2)]),
    "the deprecated cost of a project is another": (
        "credits.same",
        [create(), read(1, total_frame_cost=0)],
    ),
    "a project has cost another amount than its create said": (
        "credits.same",
        [create(), read(1, credits_charged=3)],
    ),
    "a project costs more once it is complete": (
        "credits.same",
        [create(), read(1), complete(5, credits_charged=2)],
    ),
    "a job fails and is not refunded": ("credits.refund", [create(), failed(5, credits_charged=1)]),
    "a dear job is refunded in part": (
        "credits.refund",
        [create(operation=PHOTO), failed(5, type=PHOTO.project_type, credits_charged=4)],
    ),
    # Ids.
    "two creates get the same id": ("project.id", [create(), create(1)]),
    "two creates of two editors get the same id": ("project.id", [create(), create(1, operation=PHOTO)]),
    "a create gets the published example's id": ("project.id", [create(id=EXAMPLE)]),
    # Being found.
    "a project is not found": ("project.found", [create(), not_found(1)]),
    "a project gets lost": ("project.found", [create(), read(1), not_found(2)]),
    # What stays.
    "a project shows another id": ("project.kept", [create(), read(1, id="p2", path_id="p1")]),
    "a project shows another name": ("project.kept", [create(), read(1, name="Frown")]),
    "a project shows no name": ("project.kept", [create(), read(1, name=None)]),
    "a name that the server made up changes": (
        "project.kept",
        [create(name=None), read(1, name="A"), read(2, name="B")],
    ),
    "a project shows another type": ("project.kept", [create(), read(1, type="PHOTO_EDITOR")]),
    "a project's time of creation moves": (
        "project.kept",
        [create(), read(1), read(2, created_at=when(2))],
    ),
    "a project is not enabled, and nobody has deleted it": (
        "project.kept",
        [create(), read(1, enabled=False)],
    ),
    "a project was created yesterday": ("project.created-at", [create(), read(1, created_at=when(-86400))]),
    "a project was created in another zone's time": (
        "project.created-at",
        [create(), read(1, created_at=when(2 * HOUR))],
    ),
    # The status.
    "a job is queued again": ("project.status", [create(), read(1, status="rendering"), read(2)]),
    "a job that is complete is rendered again": (
        "project.status",
        [create(), complete(5), read(6, status="rendering")],
    ),
    "a job that is complete fails": ("project.status", [create(), complete(5), failed(6)]),
    "a job that has failed is complete": (
        "project.status",
        [create(), failed(5), complete(6, credits_charged=1)],
    ),
    "a job that is complete is canceled": (
        "project.status",
        [create(), complete(5), read(6, status="canceled")],
    ),
    "a job that is queued becomes a draft": ("project.status", [create(), read(1), read(2, status="draft")]),
    # The error.
    "a job fails without an error": ("project.error", [create(), failed(5, error=None)]),
    "a job fails with an error that says nothing": (
        "project.error",
        [create(), failed(5, error={"code": "", "message": ""})],
    ),
    "a job that is rendered has an error": (
        "project.error",
        [create(), read(1, status="rendering", error=ERROR)],
    ),
    "a job that is complete has an error": ("project.error", [create(), complete(5, error=ERROR)]),
    # Downloads.
    "a job is complete without a picture": ("project.downloads", [create(), complete(5, downloads=[])]),
    "a job has more pictures than it counts": (
        "project.downloads",
        [create(), complete(5, downloads=[link(5), link(5)])],
    ),
    "a job is complete with no picture and counts none": (
        "project.downloads",
        [create(), complete(5, downloads=[], image_count=0)],
    ),
    "a job that is rendered has a picture": (
        "project.downloads",
        [create(), read(1, status="rendering", downloads=[link(1)])],
    ),
    "a job that has failed has a picture": ("project.downloads", [create(), failed(5, downloads=[link(5)])]),
    "a link lives for an hour": ("download.expiry", [create(), complete(5, downloads=[link(5, HOUR)])]),
    "a link lives for two days": ("download.expiry", [create(), complete(5, downloads=[link(5, 2 * DAY)])]),
    "a link has expired when it is shown": (
        "download.expiry",
        [create(), complete(5, downloads=[link(5, -HOUR)])],
    ),
    "a link is not signed afresh": (
        "download.expiry",
        [create(), complete(5), complete(DAY / 2, downloads=[link(5)])],
    ),
    "the links of minutes ago are shown again": (
        "download.expiry",
        [create(), complete(5), complete(300, downloads=[link(5)])],
    ),
    # Deletes.
    "a job that was complete fails once it is deleted": (
        "project.status",
        [create(), complete(5), delete(6), failed(7, enabled=False)],
    ),
    "a deleted project is still enabled": (
        "project.deleted",
        [create(), delete(6), complete(7, downloads=[])],
    ),
    "a deleted project has a picture": (
        "project.deleted",
        [create(), delete(6), deleted(7, downloads=[link(7)])],
    ),
    "a deleted project is gone": ("project.deleted", [create(), delete(6), not_found(7)]),
    "a deleted project comes back": ("project.deleted", [create(), delete(6), deleted(7), complete(8)]),
    "a project can't be deleted by its owner": ("project.delete", [create(), delete(6, 404)]),
    "a project can't be deleted again": ("project.delete", [create(), delete(6), delete(7, 404)]),
    # Uploads.
    "fewer links are issued than were asked for": ("upload.items", [issued(0, "a.png", asked=2)]),
    "more links are issued than were asked for": ("upload.items", [issued(0, "a.png", "b.png", asked=1)]),
    "none is issued": ("upload.items", [issued(0, asked=1)]),
    "a link is issued for another extension": ("upload.items", [issued(0, "a.jpg")]),
    "a link is issued without an extension": ("upload.items", [issued(0, "a.png", "b")]),
    "the same link is issued again": ("upload.unique", [issued(0, "a.png"), issued(1, "a.png")]),
    "the same link is issued twice at once": ("upload.unique", [issued(0, "a.png", "a.png")]),
    "a link has expired when it is issued": ("upload.expiry", [issued(0, "a.png", lives=-1)]),
    "a link expires when it is issued": ("upload.expiry", [issued(0, "a.png", lives=0)]),
    "a link is good for a minute": ("upload.lifetime", [issued(0, "a.png", lives=60)]),
    "a link is good for a week": ("upload.lifetime", [issued(0, "a.png", lives=7 * 86400)]),
}

TOLD_TOO = {"upload.expiry": {"upload.lifetime"}}
"""A link that has expired does not live as long as links do either."""


@pytest.mark.parametrize("title", WRONG)
def test_a_wrong_story_breaks_its_rule_and_no_other(title: str) -> None:
    rule_id, story = WRONG[title]
    found = violations(*story)
    assert {each.rule.id for each in found} - TOLD_TOO.get(rule_id, set()) == {rule_id}
    assert all(each.message.strip() for each in found)
    assert not violations(*story[:-1]), "only the last exchange shows it"


def test_every_rule_of_history_is_broken_by_a_story() -> None:
    """`project.ends` is broken by time alone, which whoever waits tells; here it is only kept."""
    history = {
        "credits.price", "credits.same", "credits.refund",
        "project.id", "project.found", "project.kept", "project.created-at", "project.status",
        "project.error", "project.downloads", "project.deleted", "project.delete",
        "download.expiry", "upload.items", "upload.unique", "upload.expiry", "upload.lifetime",
    }  # fmt: skip
    looked_at = {each for story in RIGHT.values() for each in kept(*story) if not each.startswith("answer.")}
    assert {rule_id for rule_id, _ in WRONG.values()} == history == looked_at - {"project.ends"}


def test_a_job_that_stays_complete_without_a_picture_breaks_one_rule() -> None:
    assert broken(create(), complete(5, downloads=[]), complete(60, downloads=[])) == {"project.downloads"}


# --- stories that are right ---------------------------------------------------------------------------------

RIGHT: dict[str, list[Exchange]] = {
    "a job is queued, rendered and complete": [
        create(),
        read(1),
        read(2, status="rendering"),
        complete(4),
        complete(9),
    ],
    "a job is a draft first": [create(), read(1, status="draft"), read(2)],
    "a job is complete at once": [create(), complete(0)],
    "a job is seen twice in each status": [create(), read(1), read(2), complete(3), complete(4)],
    "a job fails": [create(), read(1), failed(5), failed(6)],
    "a job is canceled and refunded": [create(), read(1), read(2, status="canceled", credits_charged=0)],
    "a job is canceled and not refunded": [create(), read(1), read(2, status="canceled")],
    "two jobs go side by side": [
        create(),
        create(1, id="p2", name="Frown", operation=PHOTO),
        complete(9),
        read(
            9,
            id="p2",
            name="Frown",
            type="PHOTO_EDITOR",
            credits_charged=10,
            path_id="p2",
            created_at=when(1),
        ),
    ],
    "a job has two pictures": [create(), complete(5, downloads=[link(5), link(5)], image_count=2)],
    "a link is signed afresh at every read": [create(), complete(5), complete(DAY - 1), complete(2 * DAY)],
    "a link is not signed afresh for two reads at once": [
        create(),
        complete(5, took=0.5),
        complete(5.2, downloads=[link(5)]),
        complete(7, downloads=[link(5)]),
    ],
    "a link lives a little longer": [create(), complete(5, downloads=[link(5, DAY * 1.05)])],
    "a project is deleted": [create(), complete(5), delete(6), deleted(7), deleted(8)],
    "a project is deleted again": [create(), delete(6), delete(7), deleted(8)],
    "a project is deleted while it is queued": [
        create(),
        read(1),
        delete(2),
        read(3, enabled=False),
        failed(9, enabled=False),
    ],
    "a name is left to the server": [create(name=None), read(1, name="Face"), read(2, name="Face")],
    "another account does not find it": [create(), not_found(1, token=OTHER), read(2)],
    "another account can't delete it": [create(), delete(1, 404, token=OTHER), read(2)],
    "nobody finds it without a token": [create(), not_found(1, token=None), read(2)],
    "links are issued": [issued(0, "a.png", "b.png"), issued(1, "c.png")],
    "clocks are apart by minutes": [
        create(),
        complete(1, created_at=when(-299), downloads=[link(290)]),
    ],
    "the server's clock is a year ahead and says so": [
        create(headers=dated(YEAR)),
        complete(1, headers=dated(YEAR + 1), created_at=when(YEAR), downloads=[link(YEAR + 1)]),
    ],
    "the server's clock is a year behind, and its links are good by it": [
        issued(0, "a.png", lives=HOUR - YEAR, headers=dated(-YEAR))
    ],
    # Answers that say nothing of projects.
    "a create is refused": [
        exchange(FACE, answer(400, {"code": "invalid_request", "message": "Missing", "id": "p1"}), body={}),
        not_found(1),
    ],
    "a create is not answered": [unanswered(FACE, 0), not_found(1)],
    "a read is not answered": [create(), unanswered(READ, 1), read(2)],
    "a delete is refused for being too fast": [
        create(),
        exchange(DELETE, answer(429, {"code": "too_many_requests", "message": "Too Many Requests"}), 1),
        read(2),
    ],
    "a read is refused for another reason": [
        create(),
        exchange(READ, answer(401, {"code": "unauthorized", "message": "Unauthorized"}), 1),
        read(2),
    ],
    "a project is read that nobody has seen created": [complete(5), failed(6), not_found(7)],
    "the published example is read": [
        complete(5, id=EXAMPLE, path_id=EXAMPLE, created_at="2024-10-19T05:16:19.027Z", credits_charged=5)
    ],
    # Side by side, nobody knows what came first.
    "of two reads side by side the slow one shows an earlier status": [
        create(),
        complete(3, took=1),
        read(2, took=3, status="rendering"),
        complete(9),
    ],
    "a read began before its create was answered": [create(took=2), not_found(1), read(3)],
    "a delete began before its create was answered": [create(took=2), delete(1, 404), read(3)],
    "a read side by side with a delete shows what was before": [
        create(),
        delete(2, took=2),
        complete(3),
        deleted(5),
    ],
    "a read side by side with a delete shows what is after": [
        create(),
        delete(2, took=2),
        deleted(3),
        deleted(5),
    ],
    "a read side by side with a delete finds nothing": [
        create(),
        delete(2, took=2),
        not_found(3),
        deleted(5),
    ],
}


@pytest.mark.parametrize("title", RIGHT)
def test_a_right_story_breaks_nothing(title: str) -> None:
    assert broken(*RIGHT[title]) - {"answer.arrives"} == set()


def read_after(lost: Exchange) -> list[Exchange]:
    return [create(), complete(1), lost, deleted(5)]


@pytest.mark.parametrize(
    "lost",
    [
        unanswered(DELETE, 2),
        exchange(DELETE, answer(500, {"code": "internal_server_error", "message": "Sorry"}), 2),
    ],
    ids=["silence", "500"],
)
def test_a_delete_that_was_not_answered_may_have_been_carried_out(lost: Exchange) -> None:
    of_projects = {each for each in broken(*read_after(lost)) if not each.startswith("answer.")}
    assert of_projects <= {"project.delete"}


# --- who called, and what -----------------------------------------------------------------------------------


def test_the_case_of_the_word_bearer_makes_no_other_caller() -> None:
    lost = not_found(1)
    request = replace(lost.request, headers=(("authorization", f"bearer  {TOKEN}"),))
    assert broken(create(), replace(lost, request=request)) == {"project.found"}


@pytest.mark.parametrize(("project_id", "path"), [("a/b c", "a%2Fb%20c"), ("é", "%C3%A9"), ("p1", "p1?x=/y")])
def test_a_project_is_known_by_its_id_however_the_path_is_written(project_id: str, path: str) -> None:
    lost = exchange(READ, not_found(1).answer, 1, path=f"/v1/image-projects/{path}")
    assert broken(create(id=project_id), lost) == {"project.found"}


def test_head_is_not_taken_for_get() -> None:
    assert broken(create(), exchange(READ, answer(404), 1, method="HEAD")) == set()


def test_the_links_of_another_kind_of_asset_have_its_extension() -> None:
    items = [{"type": "video", "extension": "mp4"}, {"type": "audio", "extension": "mp3"}]

    def issued_as(*paths: str) -> Exchange:
        body = {
            "items": [
                {"upload_url": f"{BASE}/{each}", "file_path": each, "expires_at": when(HOUR)}
                for each in paths
            ]
        }
        return exchange(UPLOADS, answer(200, body), body={"items": items})

    assert broken(issued_as("a.mp4", "b.mp3")) == set()
    (first, second) = violations(issued_as("b.mp3", "a.mp4"))
    assert (first.rule.id, first.field, second.field) == (
        "upload.items",
        "items[0].file_path",
        "items[1].file_path",
    )


# --- what is told -------------------------------------------------------------------------------------------


def test_a_violation_shows_the_exchange_before() -> None:
    (found,) = violations(create(), read(1, status="rendering"), read(2))
    assert (found.operation, found.field) == ("GET /v1/image-projects/{id}", "status")
    assert found.message == "The status was rendering, and is queued now"
    assert [each.number for each in found.related] == [2]


def test_a_lost_project_shows_its_create() -> None:
    (found,) = violations(create(), read(1), not_found(2))
    assert [each.number for each in found.related] == [1]


def test_a_repeated_link_shows_where_it_was_given_out() -> None:
    found = violations(issued(0, "a.png"), issued(1, "b.png"), issued(2, "a.png"))
    assert {each.field for each in found} == {"items[0].file_path", "items[0].upload_url"}
    assert [[other.number for other in each.related] for each in found] == [[1], [1]]


def test_a_price_is_told_in_the_contracts_words() -> None:
    (found,) = violations(create(operation=PHOTO, credits_charged=9, frame_cost=9))
    assert found.words == "x-credits: 10"
    assert found.message == "It charges 9 credits; its price is 10"


def test_a_lifetime_is_told_in_hours() -> None:
    (found,) = violations(create(), complete(5, downloads=[link(5, HOUR)]))
    assert found.message == "The link expires 1 h after this answer; links live 24 h"
    (found,) = violations(create(), read(1, created_at=when(-3 * 86400)))
    assert found.message.endswith("3 days before the create was sent")


# --- other contracts ----------------------------------------------------------------------------------------


def test_a_contract_without_lifetimes_and_examples_is_judged_by_the_rest() -> None:
    document = {key: value for key, value in CONTRACT.document.items() if not key.startswith("x-")}
    judge = Judge(Contract(document))
    for each in (create(id=EXAMPLE), complete(5, path_id=EXAMPLE, id=EXAMPLE, downloads=[link(5, 1)])):
        assert judge.observe(each) == []


# --- any answer at all --------------------------------------------------------------------------------------


def says(kind: str, *names: str) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """A step of which some fields say anything."""
    anything = st.fixed_dictionaries({}, optional=dict.fromkeys(names, JSON_VALUES))
    return st.tuples(st.just(kind), anything)


@examples(80)
@given(
    st.lists(
        st.one_of(
            says("create", "id", "credits_charged", "frame_cost"),
            says("read", *project()),
            says("issue", "upload_url", "file_path", "expires_at", "items"),
            says("delete"),
        ),
        max_size=6,
    ),
    st.text(max_size=20),
)
def test_whatever_answers_say_they_can_be_judged(steps: list[tuple[str, dict[str, Any]]], date: str) -> None:
    story = [create()]
    headers = (*JSON_HEADERS, ("Date", date))
    for at, (kind, said) in enumerate(steps, 1):
        match kind:
            case "create":
                story.append(create(at, headers=headers, **said))
            case "read":
                story.append(exchange(READ, answer(200, {**project(), **said}, headers), at))
            case "issue":
                item = {"upload_url": "u", "file_path": "p", "expires_at": when(9)} | said
                body = {"items": said.get("items", [item])}
                asked = said.get("items", [{"type": "image", "extension": "png"}])
                story.append(exchange(UPLOADS, answer(200, body, headers), at, {"items": asked}))
            case _:
                story.append(delete(at))
    assert len(rulings(*story)) >= len(story)


@pytest.mark.parametrize("status", [[], {}, [1], {"a": 1}], ids=repr)
def test_a_status_that_is_no_text_breaks_the_schema_alone(status: Any) -> None:
    assert broken(create(), read(1, status=status), read(2)) == {"answer.schema"}
