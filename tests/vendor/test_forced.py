"""Everything that can be forced on a client, and what each of the vendor's SDKs makes of it.

Each test also reads the ledger: whether a call that went wrong was paid for is what its caller wants to know.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen
from uuid import uuid4

import pytest

from bluehour.mock_server.control.client import Control
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.mock_server.server.inprocess import running
from bluehour.openapi.contract import load

from .sdks import WITH_BOTH_EDITORS, ApiError, Client, OtherError, Sdk, only

CREATE, PHOTO, READ = "aiFaceEditor.editImage", "aiPhotoEditor.createImage", "imageProjects.getDetails"
DELETE, ISSUE = "imageProjects.delete", "videoAssets.generatePresignedUrl"

EXAMPLE = {"image_file_path": "api-assets/id/1234.png"}
FACE: dict[str, Any] = {"assets": EXAMPLE, "style": {}}
HAT = {"image_description": "A person", "prompt": "A hat", "likeness_strength": 5, "prompt_strength": 3}

METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    CREATE: ("ai_face_editor.create", FACE),
    PHOTO: ("ai_photo_editor.create", {"assets": EXAMPLE, "resolution": 512, "style": HAT}),
    READ: ("image_projects.get", {"id": "cuid-example"}),
    DELETE: ("image_projects.delete", {"id": "cuid-example"}),
    ISSUE: ("files.upload_urls.create", {"items": [{"extension": "png", "type": "image"}]}),
}

PAID, REFUNDED, FREE = [-1], [-1, 1], list[int]()

FOR_EVER = 3600.0
"""Seconds that no client here waits."""


@pytest.fixture(scope="module")
def control() -> Iterator[Control]:
    """A mock whose clock stands still and whose jobs take no time, unless one is forced to be stuck."""
    clock = Clock()
    clock.freeze()
    settings = Settings(time_scale=0, concurrency=True)
    with closing(Mock(settings=settings, clock=clock)) as mock, running(mock) as url:
        yield Control(url)


@dataclass(frozen=True, slots=True)
class Customer:
    """A client with an account of its own, and with rules that fit nobody else."""

    client: Client
    control: Control
    account: str

    def forced(self, operation: str | None = None, **rule: Any) -> None:
        """Force what a rule says on an operation, or on any; on the next call alone with `times=1`."""
        match = {} if operation in ("upload", "download") else {"token": self.client.token}
        if operation is not None:
            match["operation"] = operation
        self.control.rules.add({**rule, "match": match})

    def call(self, operation: str) -> Any:
        method, arguments = METHODS[operation]
        return self.client.call(method, **arguments)

    def generate(self, photo: Path, folder: Path) -> Any:
        return self.client.call(
            "ai_face_editor.generate",
            assets={"image_file_path": str(photo)},
            style={},
            download_directory=str(folder),
        )

    def read(self, project_id: str) -> Any:
        return self.client.call("image_projects.get", id=project_id)

    @property
    def booked(self) -> list[int]:
        """What projects were charged (negative) and refunded (positive)."""
        ledger = self.control.accounts.get(self.account).ledger
        return [entry.amount for entry in ledger if entry.project is not None]


@pytest.fixture
def customer(sdk: Sdk, control: Control) -> Iterator[Customer]:
    yield customer_with(sdk, control, f"any-token-{uuid4().hex}")
    control.rules.clear()


def customer_with(sdk: Sdk, control: Control, token: str) -> Customer:
    return Customer(sdk.client(control.url, token), control, control.accounts.set(token).id)


def impatient(customer: Customer) -> Customer:
    """The same with a timeout of a second, and given up on after two, as Node's covers headers alone."""
    return replace(customer, client=replace(customer.client, timeout=1, patience=2))


def error_of(customer: Customer, operation: str = CREATE) -> str:
    """Return the name of the type that a call raises, other than ApiError."""
    with pytest.raises(OtherError) as failure:
        customer.call(operation)
    return failure.value.kind


def refusal_of(customer: Customer, operation: str = CREATE) -> ApiError:
    with pytest.raises(ApiError) as refused:
        customer.call(operation)
    return refused.value


def documented(*operations: str) -> list[Any]:
    """Return each of the operations with each error that the contract documents for it."""
    errors = [
        (operation, int(status))
        for operation in operations
        for status in load().operation(operation).responses
        if status.isdecimal() and int(status) >= 400
    ]
    assert errors
    return [pytest.param(*error, id="-".join(map(str, error))) for error in errors]


# Statuses.


@pytest.mark.parametrize(("operation", "status"), documented(CREATE, READ, DELETE, ISSUE))
def test_a_documented_error_is_raised_with_the_documented_body_and_costs_nothing(
    customer: Customer, operation: str, status: int
) -> None:
    customer.forced(operation, answer={"status": status})

    _assert_documented(customer, operation, status)


@only(WITH_BOTH_EDITORS)
@pytest.mark.parametrize(("operation", "status"), documented(PHOTO))
def test_a_documented_error_of_the_photo_editor_is_raised_likewise(
    customer: Customer, operation: str, status: int
) -> None:
    customer.forced(operation, answer={"status": status})

    _assert_documented(customer, operation, status)


def _assert_documented(customer: Customer, operation: str, status: int) -> None:
    refusal = refusal_of(customer, operation)

    declared = load().operation(operation).response(status)
    assert declared is not None
    assert declared.json is not None
    assert (refusal.status, refusal.body) == (status, declared.json.example)
    assert customer.booked == FREE


@pytest.mark.parametrize(
    ("status", "code"), [(429, "too_many_requests"), (503, "service_unavailable")], ids=str
)
def test_whoever_is_to_come_back_later_is_told_when(customer: Customer, status: int, code: str) -> None:
    customer.forced(CREATE, answer={"status": status, "retry_after": 7}, times=1)

    refusal = refusal_of(customer)

    assert (refusal.status, refusal.body["code"]) == (status, code)
    assert refusal.headers["retry-after"] == "7"
    assert customer.booked == FREE
    customer.call(CREATE)
    assert customer.booked == PAID


def test_an_answer_may_be_any_status_text_and_header(customer: Customer) -> None:
    answer = {"status": 418, "body": "short and stout", "headers": {"X-Pot": "tea"}}
    customer.forced(CREATE, answer=answer)

    refusal = refusal_of(customer)

    assert (refusal.status, refusal.body, refusal.headers["x-pot"]) == (418, None, "tea")
    assert refusal.headers["content-type"].startswith("text/plain")
    assert customer.booked == FREE


def test_a_created_that_was_forced_is_the_published_one_and_is_nobodys_project(customer: Customer) -> None:
    customer.forced(CREATE, answer={"status": 200})

    assert customer.call(CREATE) == {"id": "cuid-example", "credits_charged": 1, "frame_cost": 1}
    assert customer.booked == FREE


def test_a_rule_for_another_token_is_not_for_this_one(sdk: Sdk, customer: Customer) -> None:
    customer.forced(answer={"status": 500})
    other = customer_with(sdk, customer.control, f"any-token-{uuid4().hex}")

    other.call(CREATE)

    assert refusal_of(customer).status == 500
    assert (customer.booked, other.booked) == (FREE, PAID)


# Connections and bodies.


def test_a_late_answer_is_an_answer(customer: Customer) -> None:
    customer.forced(CREATE, delay=0.1)

    assert customer.call(CREATE)["credits_charged"] == 1
    assert customer.booked == PAID


def test_whoever_gives_up_on_an_answer_has_paid_for_it(customer: Customer) -> None:
    customer.forced(CREATE, delay=FOR_EVER)

    expected = "ReadTimeout" if customer.client.sdk.is_python else "AbortError"
    assert error_of(impatient(customer)) == expected
    assert customer.booked == PAID


@pytest.mark.parametrize(
    ("fault", "in_python", "in_node"),
    [
        ("drop", "RemoteProtocolError", "FetchError"),
        ("cut", "RemoteProtocolError", "StillWaiting"),  # Node's fetch never ends such a body
        ("malformed_json", "JSONDecodeError", "FetchError"),
        ("empty_body", "JSONDecodeError", "FetchError"),
    ],
)
def test_an_answer_that_can_not_be_read_raises_and_is_paid_for(
    customer: Customer, fault: str, in_python: str, in_node: str
) -> None:
    customer.forced(CREATE, fault=fault)

    expected = in_python if customer.client.sdk.is_python else in_node
    assert error_of(impatient(customer)) == expected
    assert customer.booked == PAID
    (project,) = customer.control.projects.all(account=customer.account)
    assert customer.read(project.id)["status"] == "complete"  # made, though its id never got there


@pytest.mark.parametrize(
    ("fault", "in_python", "in_node"),
    [
        ("drop", "RemoteProtocolError", "FetchError"),
        ("cut", "RemoteProtocolError", "StillWaiting"),
        ("malformed_json", "JSONDecodeError", "FetchError"),
        ("empty_body", "JSONDecodeError", "FetchError"),
    ],
)
def test_a_poll_that_can_not_be_read_raises_and_the_next_one_is_as_ever(
    customer: Customer, fault: str, in_python: str, in_node: str
) -> None:
    created = customer.call(CREATE)
    customer.forced(READ, fault=fault, times=1)

    expected = in_python if customer.client.sdk.is_python else in_node
    assert error_of(impatient(customer), READ) == expected
    assert customer.read(created["id"])["status"] == "complete"
    assert customer.booked == PAID


def test_a_connection_that_is_lost_before_the_request_arrives_costs_nothing(customer: Customer) -> None:
    customer.forced(CREATE, fault="drop", carry_out=False)

    expected = "RemoteProtocolError" if customer.client.sdk.is_python else "FetchError"
    assert error_of(customer) == expected
    assert customer.booked == FREE
    assert customer.control.projects.all(account=customer.account) == []


def test_a_create_that_is_sent_again_after_a_lost_answer_is_paid_for_twice(customer: Customer) -> None:
    customer.forced(CREATE, fault="drop", times=1)

    error_of(customer)
    customer.call(CREATE)

    assert customer.booked == PAID * 2


def test_a_proxys_error_page_is_a_502_without_json_and_costs_nothing(customer: Customer) -> None:
    customer.forced(CREATE, fault="html")

    refusal = refusal_of(customer)

    assert (refusal.status, refusal.body) == (502, None)
    assert refusal.headers["content-type"].startswith("text/html")
    assert customer.booked == FREE


def test_json_that_says_it_is_html_is_returned_as_text(customer: Customer) -> None:
    customer.forced(CREATE, fault="wrong_content_type")

    text = customer.call(CREATE)

    assert isinstance(text, str)
    assert '"credits_charged":1' in text
    assert customer.booked == PAID


def test_json_that_does_not_say_what_it_is_raises_in_python_and_is_a_blob_in_node(customer: Customer) -> None:
    customer.forced(CREATE, fault="no_content_type")

    if customer.client.sdk.is_python:
        assert error_of(customer) == "TypeError"
    else:
        assert customer.call(CREATE) == {"content": {}, "content_type": ""}
    assert customer.booked == PAID


def test_an_answer_byte_by_byte_is_whole_in_the_end(customer: Customer) -> None:
    customer.forced(CREATE, fault="slow_drip", drip_seconds=0.1)

    assert customer.call(CREATE)["credits_charged"] == 1
    assert customer.booked == PAID


def test_an_answer_that_drips_too_slowly_times_out_in_python_alone(customer: Customer) -> None:
    customer.forced(CREATE, fault="slow_drip", drip_seconds=FOR_EVER)

    expected = "ReadTimeout" if customer.client.sdk.is_python else "StillWaiting"
    assert error_of(impatient(customer)) == expected
    assert customer.booked == PAID


# The two ends of a signed link.


def test_generate_uploads_edits_and_downloads_for_one_credit(
    customer: Customer, portrait: Path, tmp_path: Path
) -> None:
    project = customer.generate(portrait, tmp_path)

    assert (project["status"], project["credits_charged"]) == ("complete", 1)
    assert project["downloaded_paths"] == [str(tmp_path / "output.png")]
    assert (tmp_path / "output.png").read_bytes().startswith(b"\x89PNG")
    assert customer.booked == PAID


@pytest.mark.parametrize(
    ("rule", "in_python", "in_node"),
    [
        ({"answer": {"status": 500}}, "HTTPStatusError", "Error"),
        ({"answer": {"status": 403}}, "HTTPStatusError", "Error"),
        ({"fault": "drop"}, "RemoteProtocolError", "FetchError"),
        ({"fault": "drop", "carry_out": False}, "RemoteProtocolError", "FetchError"),
        ({"fault": "html"}, "HTTPStatusError", "Error"),
    ],
    ids=["500", "403", "drop", "drop-before", "html"],
)
def test_an_upload_that_fails_ends_generate_before_anything_is_paid(
    customer: Customer, portrait: Path, tmp_path: Path, rule: dict[str, Any], in_python: str, in_node: str
) -> None:
    customer.forced("upload", **rule, times=1)

    with pytest.raises(OtherError) as failure:
        customer.generate(portrait, tmp_path)

    assert failure.value.kind == (in_python if customer.client.sdk.is_python else in_node)
    assert customer.booked == FREE
    assert customer.generate(portrait, tmp_path)["status"] == "complete"
    assert customer.booked == PAID


@pytest.mark.parametrize(
    ("rule", "in_python"),
    [
        ({"answer": {"status": 404}}, "HTTPStatusError"),
        ({"answer": {"status": 500}}, "HTTPStatusError"),
        ({"fault": "drop"}, "RemoteProtocolError"),
        ({"fault": "html"}, "HTTPStatusError"),
    ],
    ids=["404", "500", "drop", "html"],
)
def test_a_download_that_fails_raises_in_python_and_is_passed_over_in_node(
    customer: Customer, portrait: Path, tmp_path: Path, rule: dict[str, Any], in_python: str
) -> None:
    customer.forced("download", **rule, times=1)

    if customer.client.sdk.is_python:
        with pytest.raises(OtherError) as failure:
            customer.generate(portrait, tmp_path)
        assert failure.value.kind == in_python
    else:
        project = customer.generate(portrait, tmp_path)
        assert (project["status"], project["downloaded_paths"]) == ("complete", [])
    assert not list(tmp_path.iterdir())
    assert customer.booked == PAID


def test_a_download_that_is_cut_off_raises_in_python_and_never_ends_in_node(
    customer: Customer, portrait: Path, tmp_path: Path
) -> None:
    customer.forced("download", fault="cut")

    with pytest.raises(OtherError) as failure:
        impatient(customer).generate(portrait, tmp_path)

    expected = "RemoteProtocolError" if customer.client.sdk.is_python else "StillWaiting"
    assert failure.value.kind == expected
    assert not list(tmp_path.iterdir())
    assert customer.booked == PAID


def test_a_download_link_is_refused_after_a_day_and_a_new_one_is_not(
    customer: Customer, tmp_path: Path
) -> None:
    project = customer.read(customer.call(CREATE)["id"])
    customer.control.clock.advance(86_400)
    customer.forced(READ, answer={"status": 200, "body": project}, times=1)  # as somebody kept it for a day

    if customer.client.sdk.is_python:
        with pytest.raises(OtherError, match="403 Forbidden"):
            _fetch_again(customer, project["id"], tmp_path)
    else:
        assert _fetch_again(customer, project["id"], tmp_path)["downloaded_paths"] == []
    with pytest.raises(HTTPError, match="403") as refused:
        urlopen(project["downloads"][0]["url"])
    refused.value.close()
    assert not list(tmp_path.iterdir())

    paths = _fetch_again(customer, project["id"], tmp_path)["downloaded_paths"]
    assert paths == [str(tmp_path / "output.png")]
    assert customer.booked == PAID


def _fetch_again(customer: Customer, project_id: str, folder: Path) -> Any:
    return customer.client.call(
        "image_projects.check_result",
        id=project_id,
        wait_for_completion=True,
        download_outputs=True,
        download_directory=str(folder),
    )


# How a job ends.


def test_a_job_completes_though_its_asset_would_have_failed(customer: Customer) -> None:
    customer.forced(CREATE, job="complete")
    bad = {"image_file_path": "api-assets/test/no_source_face.png"}

    created = customer.client.call("ai_face_editor.create", assets=bad, style={})

    project = customer.read(created["id"])
    assert (project["status"], project["error"], len(project["downloads"])) == ("complete", None, 1)
    assert customer.booked == PAID


@pytest.mark.parametrize("code", [*load().extension("x-job-errors"), "not_documented"])
def test_a_job_ends_in_an_error_that_is_told_and_its_credit_comes_back(customer: Customer, code: str) -> None:
    customer.forced(CREATE, job=code)

    created = customer.call(CREATE)

    project = customer.read(created["id"])
    messages = load().extension("x-job-errors")
    message = messages.get(code, messages["unknown_error"])
    assert created["credits_charged"] == 1
    assert (project["status"], project["downloads"]) == ("error", [])
    assert project["error"] == {"code": code, "message": message}
    assert project["credits_charged"] == project["total_frame_cost"] == 0
    assert customer.booked == REFUNDED


def test_a_job_is_canceled_and_its_credit_comes_back(customer: Customer) -> None:
    customer.forced(CREATE, job="canceled")

    project = customer.read(customer.call(CREATE)["id"])

    assert (project["status"], project["error"], project["downloads"]) == ("canceled", None, [])
    assert project["credits_charged"] == 0
    assert customer.booked == REFUNDED


@pytest.mark.parametrize(("job", "status"), [("no_source_face", "error"), ("canceled", "canceled")])
def test_generate_returns_a_job_that_did_not_complete_and_downloads_nothing(
    customer: Customer, portrait: Path, tmp_path: Path, job: str, status: str
) -> None:
    customer.forced(CREATE, job=job)

    project = customer.generate(portrait, tmp_path)

    assert (project["status"], project["credits_charged"]) == (status, 0)
    assert (project["error"] or {}).get("code") == (job if status == "error" else None)
    assert not project.get("downloaded_paths")
    assert not list(tmp_path.iterdir())
    assert customer.booked == REFUNDED


def test_a_job_that_is_stuck_stays_queued_until_it_is_canceled(customer: Customer) -> None:
    customer.forced(CREATE, job="stuck")
    created = customer.call(CREATE)

    for _ in range(3):
        assert customer.read(created["id"])["status"] == "queued"
        customer.control.clock.advance(86_400)
    assert customer.booked == PAID

    customer.control.projects.cancel(created["id"])

    project = customer.read(created["id"])
    assert (project["status"], project["credits_charged"]) == ("canceled", 0)
    assert customer.booked == REFUNDED


# What an account may.


@only(WITH_BOTH_EDITORS)
def test_a_resolution_above_the_plan_is_refused_and_costs_nothing(sdk: Sdk, control: Control) -> None:
    customer = customer_with(sdk, control, f"mhk_test_free_100_{uuid4().hex}")
    photo = {"assets": EXAMPLE, "style": HAT}

    with pytest.raises(ApiError) as refused:
        customer.client.call("ai_photo_editor.create", resolution=1024, **photo)

    assert refused.value.status == 402
    assert refused.value.body == {
        "code": "plan_upgrade_required",
        "message": "resolution must be at most 576 on the free plan. Please upgrade your plan for 1024",
    }
    assert customer.booked == FREE

    customer.control.accounts.change(customer.account, plan="creator")
    customer.client.call("ai_photo_editor.create", resolution=1024, **photo)
    assert customer.booked == [-10]


def test_credits_run_out_and_can_be_given(sdk: Sdk, control: Control) -> None:
    customer = customer_with(sdk, control, f"mhk_test_creator_1_{uuid4().hex}")
    customer.call(CREATE)

    refusal = refusal_of(customer)

    assert (refusal.status, refusal.body["code"]) == (402, "insufficient_credits")
    assert refusal.body["message"].endswith("this costs 1 credit, and your account has 0 credits")
    assert customer.booked == PAID

    customer.control.accounts.change(customer.account, credits=1)
    customer.call(CREATE)
    assert customer.booked == PAID * 2


def test_one_job_too_many_is_refused_until_another_has_ended(customer: Customer) -> None:
    customer.forced(CREATE, job="stuck")
    running_jobs = [customer.call(CREATE)["id"] for _ in range(3)]

    refusal = refusal_of(customer)

    assert (refusal.status, refusal.body["code"]) == (429, "too_many_requests")
    assert "the creator plan allows 3 jobs" in refusal.body["message"]
    assert customer.booked == PAID * 3

    customer.control.projects.end(running_jobs[0])
    customer.call(CREATE)
    assert customer.booked == PAID * 4
