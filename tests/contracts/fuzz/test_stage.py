"""The stage: what it sends is what the script says, byte for byte, and what it takes down is what came."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

import pytest

from bluehour.contracts.exchange import Answer, Exchange, Request
from bluehour.contracts.fuzz.clock import ClientClock
from bluehour.contracts.fuzz.performance import Charge
from bluehour.contracts.fuzz.playing import Theatre
from bluehour.contracts.fuzz.script import RIGHT, Fault, Place, Script, Turn
from bluehour.contracts.fuzz.stage import Showing, Stage
from bluehour.contracts.fuzz.stage.media import GIVEN
from bluehour.contracts.fuzz.stage.media import made as made_by_stage
from bluehour.contracts.fuzz.strategies import Profile, Topic, topics
from bluehour.contracts.judge import Judge
from bluehour.openapi.model import JSON, Operation
from bluehour.openapi.outputs import MOST_FILES
from bluehour.openapi.resources.shapes import field_of
from bluehour.openapi.schema import Schema

from . import careful
from .maker import Maker
from .playing import CONTRACT, asked_for, at, theatre

TOKEN = "mhk_live_of_the_stage"
CREATE, POLL, UPLOAD_URLS = "/v1/ai-face-editor", "/v1/image-projects/", "/v1/files/upload-urls"
BODY = {"assets": {"image_file_path": "api-assets/id/1234.png"}, "style": {"mouth_smile": 60}}
ITEMS = {"items": [{"type": "image", "extension": "png"}]}
PATIENCE = 0.05


@dataclass(frozen=True)
class Came:
    """An answer as it stood on the wire.

    Attributes:
        headers: names as they were written.
        rest: all that came after the head, until the connection's end.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    rest: bytes

    def __getitem__(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known.lower() == name), None)

    @property
    def body(self) -> bytes:
        if self["transfer-encoding"] != "chunked":
            return self.rest
        return unchunked(self.rest)[0]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def unchunked(rest: bytes) -> tuple[bytes, bool]:
    """The body, and whether it has an end."""
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        assert rest[length : length + 2] == b"\r\n"
        body, rest = body + rest[:length], rest[length + 2 :]
        if not length:
            assert rest == b""
            return body, True
    return body, False


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage(CONTRACT) as stage:
        yield stage


@dataclass
class Guest:
    """Whoever is before the stage."""

    showing: Showing

    def send(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        *,
        token: str | None = TOKEN,
        media_type: str = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> Came:
        """Send a request, and read until the connection's end."""
        whole = url if "://" in url else self.showing.url + url
        parts = urlsplit(whole)
        lines = [f"{method} {whole.removeprefix(f'http://{parts.netloc}')} HTTP/1.1", f"Host: {parts.netloc}"]
        lines += [f"Authorization: Bearer {token}"] if token else []
        lines += [f"Content-Type: {media_type}", f"Content-Length: {len(body)}"] if body else []
        lines += [
            f"{name}: {value}" for name, value in ({"Connection": "close"} | dict(headers or {})).items()
        ]
        address = (str(parts.hostname), int(parts.port or 0))
        with socket.create_connection(address, timeout=60) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            return came(read(connection))

    def post(self, path: str, body: Any, **known: Any) -> Came:
        return self.send("POST", path, json.dumps(body).encode(), **known)

    def create(self) -> Came:
        return self.post(CREATE, BODY)

    def poll(self, project: str) -> Came:
        return self.send("GET", POLL + quote(project, safe=""))

    def bought(self) -> str:
        return str(self.create().json["id"])

    def upload_url(self) -> str:
        return str(self.post(UPLOAD_URLS, ITEMS).json["items"][0]["upload_url"])

    def download_url(self) -> str:
        return str(self.poll(self.bought()).json["downloads"][0]["url"])

    def at(self, place: Place) -> Came:
        """Ask for something at a place, after what has to come before it."""
        match place:
            case Place.CALL:
                return self.send("GET", "/v1/account")
            case Place.UPLOAD_URLS:
                return self.post(UPLOAD_URLS, ITEMS)
            case Place.UPLOAD:
                return self.send("PUT", self.upload_url(), b"picture", token=None)
            case Place.CREATE:
                return self.create()
            case Place.POLL:
                return self.poll(self.bought())
            case Place.DELETE:
                return self.send("DELETE", POLL + self.bought())
            case Place.DOWNLOAD:
                return self.send("GET", self.download_url(), token=None)

    @property
    def states(self) -> list[str]:
        return [asked.state for asked in self.showing.player.asked]

    @property
    def charges(self) -> list[tuple[int, bool]]:
        return [(charge.credits, charge.refunded) for charge in self.showing.player.charges]


def read(connection: socket.socket) -> bytes:
    told = b""
    while part := connection.recv(2**16):
        told += part
    return told


def came(told: bytes) -> Came:
    head, _, rest = told.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = [line.split(": ", 1) for line in lines]
    assert re.fullmatch(r"HTTP/1\.1 \d{3} [\w -]*", first), told
    return Came(int(first.split()[1]), tuple((name, value) for name, value in pairs), rest)


@contextmanager
def shown(
    stage: Stage, script: Script, clock: ClientClock | None = None, wait: float = 3600.0
) -> Iterator[Guest]:
    showing = stage.showing(script, TOKEN, clock or ClientClock(), longest_wait=wait, patience=PATIENCE)
    with showing as opened:
        yield Guest(opened)


# What goes right.


def test_a_day_on_which_all_goes_well(stage: Stage) -> None:
    with shown(stage, Script()) as guest:
        item = guest.post(UPLOAD_URLS, ITEMS).json["items"][0]
        assert guest.send("PUT", item["upload_url"], b"picture", token=None).status == 200
        project = guest.post(
            CREATE, BODY | {"assets": {"image_file_path": item["file_path"]}, "name": "n"}
        ).json
        assert (project["credits_charged"], project["frame_cost"]) == (1, 1)
        told = guest.poll(project["id"]).json
        assert {name: told[name] for name in ("id", "name", "type", "status", "image_count", "error")} == {
            "id": project["id"],
            "name": "n",
            "type": "FACE_EDITOR",
            "status": "complete",
            "image_count": 1,
            "error": None,
        }
        picture = guest.send("GET", told["downloads"][0]["url"], token=None)
        assert (picture.status, picture["content-type"], picture.body) == (
            200,
            "image/png",
            made_by_stage("png", 0),
        )
        assert [asked.place for asked in guest.showing.player.asked] == [
            Place.UPLOAD_URLS, Place.UPLOAD, Place.CREATE, Place.POLL, Place.DOWNLOAD,
        ]  # fmt: skip
        assert all(asked.legal and not asked.faults for asked in guest.showing.player.asked)
        assert guest.showing.player.charges == (Charge(project["id"], 1, False),)
        last = guest.showing.player.asked[-1]
        assert last.served == hashlib.sha256(made_by_stage("png", 0)).hexdigest()
        assert not last.carries_token


def test_each_editor_has_its_price_and_type(stage: Stage) -> None:
    with shown(stage, Script()) as guest:
        style = {
            "image_description": "a man",
            "prompt": "a hat",
            "likeness_strength": 5,
            "prompt_strength": 4,
        }
        body = {"assets": BODY["assets"], "style": style, "resolution": 768}
        project = guest.post("/v1/ai-photo-editor", body).json
        assert project["credits_charged"] == 10
        assert guest.poll(project["id"]).json["type"] == "PHOTO_EDITOR"
        assert guest.charges == [(10, False)]


def test_what_is_no_project_is_answered_as_published(stage: Stage) -> None:
    with shown(stage, Script()) as guest:
        assert guest.at(Place.CALL).json["tier"]
        assert guest.send("GET", "/v1/saved-items?limit=5").json["items"]
        asked = guest.showing.player.asked
        assert [(each.place, each.legal, each.faults) for each in asked] == [(Place.CALL, True, ())] * 2


def test_a_video_is_told_with_its_size_and_its_frames_and_served_as_one(stage: Stage) -> None:
    body = {"end_seconds": 5, "aspect_ratio": "16:9", "resolution": "480p", "model": "ltx-2.5"}
    with shown(stage, Script()) as guest:
        made = guest.post("/v1/text-to-video", body | {"style": {"prompt": "a dog"}}).json
        assert (made["credits_charged"], made["estimated_frame_cost"]) == (120, 120)
        told = guest.send("GET", f"/v1/video-projects/{made['id']}").json
        assert (told["height"], told["fps"], told["start_seconds"], told["end_seconds"]) == (480, 24, 0, 5)
        assert [told["download"]] == told["downloads"]
        video = guest.send("GET", told["download"]["url"], token=None)
        assert (video["content-type"], video.body) == ("video/mp4", made_by_stage("mp4", 0))
        assert guest.send("HEAD", told["download"]["url"], token=None)["content-length"] == str(
            len(video.body)
        )


def test_a_face_that_was_found_can_be_named_and_no_other(stage: Stage) -> None:
    def swap(guest: Guest, face: str) -> Came:
        mapping = {"original_face": face, "new_face": "api-assets/id/1.png"}
        assets = {"target_file_path": "api-assets/id/2.png", "face_mappings": [mapping]}
        return guest.post("/v1/face-swap-photo", {"assets": assets | {"face_swap_mode": "individual-faces"}})

    with shown(stage, Script(job=("rendering", "complete"))) as guest:
        asked = {"assets": {"target_file_path": "api-assets/id/2.png"}}
        detection = guest.post("/v1/face-detection", asked).json["id"]
        assert str(UUID(detection)) == detection
        assert guest.send("GET", f"/v1/face-detection/{detection}").json["faces"] == []
        assert swap(guest, f"api-assets/{detection}/0-0.png").status == 422
        (face,) = guest.send("GET", f"/v1/face-detection/{detection}").json["faces"]
        assert guest.send("GET", face["url"], token=None).body == made_by_stage("png", 0)
        assert swap(guest, face["path"]).status == 200


def test_a_project_is_not_read_nor_deleted_as_one_of_another_kind(stage: Stage) -> None:
    with shown(stage, Script()) as guest:
        project = guest.bought()
        for method in ("GET", "DELETE"):
            assert guest.send(method, f"/v1/video-projects/{project}").status == 404
        assert [each.strange for each in guest.showing.player.asked[1:]] == [
            f"{project!r} is of kind image, not video"
        ] * 2


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        (UPLOAD_URLS, {"items": [{"type": "video", "extension": "mp3"}]}, "'mp3' is no extension of video"),
        (
            "/v1/text-to-video",
            {"end_seconds": 5, "style": {"prompt": "a dog"}, "model": "kling-2.6", "resolution": "480p"},
            "resolution can't be 480p with model kling-2.6",
        ),
    ],
)
def test_what_no_server_takes_though_its_schema_does_is_refused_and_said(
    stage: Stage, path: str, body: Any, says: str
) -> None:
    with shown(stage, Script()) as guest:
        told = guest.post(path, body)
        (asked,) = guest.showing.player.asked
        assert told.status == 422
        assert says in told.json["message"]
        assert says in asked.faults[0]
        assert guest.charges == []


def test_less_than_was_asked_for_costs_less_in_the_end(stage: Stage) -> None:
    assets = {"image_file_path": "api-assets/id/1.png", "video_file_path": "api-assets/id/1.mp4"}
    body = {"assets": assets | {"video_source": "file"}, "start_seconds": 0, "end_seconds": 5}
    with shown(stage, Script(job=("rendering", "complete"), shorter=True)) as guest:
        made = guest.post("/v1/face-swap", body).json
        told = [guest.send("GET", f"/v1/video-projects/{made['id']}").json for _ in range(2)]
        assert made["credits_charged"] == 120
        assert [each["credits_charged"] for each in told] == [120, 60]
        assert guest.charges == [(60, False)]


def test_a_job_is_told_state_by_state_and_its_end_stays(stage: Stage) -> None:
    with shown(stage, Script(job=("queued", "rendering", "error"), job_error="no_source_face")) as guest:
        project = guest.bought()
        told = [guest.poll(project).json for _ in range(4)]
        assert [each["status"] for each in told] == ["queued", "rendering", "error", "error"]
        assert [each["credits_charged"] for each in told] == [1, 1, 0, 0]
        assert [each["downloads"] for each in told] == [[]] * 4
        assert told[1]["error"] is None
        assert told[3]["error"]["code"] == "no_source_face"
        assert told[3]["error"]["message"] == CONTRACT.extension("x-job-errors", {})["no_source_face"]
        assert guest.charges == [(1, True)]
        assert guest.states == ["", "queued", "rendering", "error", "error"]


def test_only_the_first_project_has_the_jobs_story(stage: Stage) -> None:
    with shown(stage, Script(job=("canceled",))) as guest:
        first, second = guest.bought(), guest.bought()
        assert [guest.poll(each).json["status"] for each in (first, second)] == ["canceled", "complete"]
        assert guest.charges == [(1, True), (1, False)]


@pytest.mark.parametrize(("same_name", "names"), [(False, 4), (True, 1)])
def test_pictures_are_different_and_their_names_are_if_the_script_does_not_say_otherwise(
    stage: Stage, same_name: bool, names: int
) -> None:
    with shown(stage, Script(pictures=4, same_name=same_name)) as guest:
        told = guest.poll(guest.bought()).json
        urls = [each["url"] for each in told["downloads"]]
        assert told["image_count"] == 4
        assert len({guest.send("GET", url, token=None).body for url in urls}) == 4
        assert len({urlsplit(url).path.rpartition("/")[2] for url in urls}) == names


@pytest.mark.parametrize(
    ("script", "enabled"), [(Script(pictures=0), True), (Script(deleted=True), False)], ids=str
)
def test_a_complete_project_may_have_no_pictures(stage: Stage, script: Script, enabled: bool) -> None:
    with shown(stage, script) as guest:
        told = guest.poll(guest.bought()).json
        assert (told["status"], told["downloads"], told["enabled"]) == ("complete", [], enabled)


def test_a_deletion_is_answered_without_a_body(stage: Stage) -> None:
    with shown(stage, Script()) as guest:
        gone = guest.at(Place.DELETE)
        assert (gone.status, gone.rest, gone["content-length"], gone["content-type"]) == (
            204,
            b"",
            None,
            None,
        )


def test_a_connection_stays_open_for_the_next_request(stage: Stage) -> None:
    with shown(stage, Script()) as guest:
        parts = urlsplit(guest.showing.url)
        request = f"GET /v1/image-projects/a HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
        with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=60) as connection:
            connection.sendall(request * 2)
            told = b""
            while told.count(b"HTTP/1.1 401") < 2:
                told += connection.recv(2**16)


# How an answer is written.


@pytest.mark.parametrize("place", [place for place in Place if place not in (Place.DELETE, Place.CALL)])
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_a_body_ends_as_the_script_says(stage: Stage, place: Place, framing: Any) -> None:
    with shown(stage, at(place, Turn(framing=framing))) as guest:
        told = guest.at(place)
        length, coding = told["content-length"], told["transfer-encoding"]
        if framing == "length":
            assert (length, coding) == (str(len(told.rest)), None)
        elif framing == "chunked":
            body, has_end = unchunked(told.rest)
            assert (length, coding, has_end) == (None, "chunked", True)
            assert body or place is Place.UPLOAD
        else:
            assert (length, coding, told["connection"]) == (None, None, "close")
        if place.is_of_api:
            assert told.json
        assert guest.showing.player.asked[-1].legal


@pytest.mark.parametrize(
    ("case", "written"),
    [
        ("usual", {"Content-Type", "Content-Length", "Date"}),
        ("lower", {"content-type", "content-length", "date"}),
        ("upper", {"CONTENT-TYPE", "CONTENT-LENGTH", "DATE"}),
        ("mixed", {"cOnTeNt-tYpE", "cOnTeNt-lEnGtH", "dAtE"}),
    ],
)
def test_names_of_headers_are_written_in_the_scripts_case(stage: Stage, case: Any, written: set[str]) -> None:
    with shown(stage, at(Place.CREATE, Turn(case=case))) as guest:
        assert {name for name, _ in guest.create().headers} >= written


def test_json_is_written_in_utf_8_or_with_escapes_or_over_lines(stage: Stage) -> None:
    said = {"note": "Zoë 東京 👩🏽‍🚀"}
    turns = [Turn(fields=said), Turn(fields=said, writing="ascii"), Turn(fields=said, writing="spaced")]
    with shown(stage, at(Place.CREATE, *turns)) as guest:
        plain, escaped, spaced = (guest.create() for _ in turns)
        assert [each.json["note"] for each in (plain, escaped, spaced)] == [said["note"]] * 3
        assert "東京".encode() in plain.body
        assert b"\n" not in plain.body
        assert escaped.body.isascii()
        assert b"\\u6771\\u4eac \\ud83d" in escaped.body
        assert spaced.body.count(b"\n") > 3


def test_content_type_and_headers_are_the_scripts(stage: Stage) -> None:
    turn = Turn(
        content_type="application/json;charset=UTF-8", headers={"Vary": "Origin", "X-Request-Id": "7"}
    )
    with shown(stage, at(Place.CREATE, turn)) as guest:
        told = guest.create()
        assert [told[name] for name in ("content-type", "vary", "x-request-id")] == [
            "application/json;charset=UTF-8",
            "Origin",
            "7",
        ]


def test_fields_are_put_in_and_left_out_at_any_depth(stage: Stage) -> None:
    fields = {"downloads.0.note": [1], "error": None, "note": {"a": 1}, "downloads.7.url": "x", "name.x": 1}
    turn = Turn(fields=fields, without=("image_count", "downloads.0.expires_at", "no.such.field"))
    with shown(stage, at(Place.POLL, turn)) as guest:
        told = guest.poll(guest.bought()).json
        assert told["note"] == {"a": 1}
        assert told["downloads"][0].keys() == {"url", "note"}
        assert "image_count" not in told
        assert not guest.showing.player.asked[-1].legal


def test_an_id_is_what_the_script_says_and_can_be_polled(stage: Stage) -> None:
    for wanted in ("a/b", "a b?c#d%41", "zoë\u0001", "."):
        with shown(stage, at(Place.CREATE, Turn(fields={"id": wanted}))) as guest:
            assert guest.bought() == wanted
            assert guest.poll(wanted).json["id"] == wanted
            assert guest.showing.player.charges[0].project == wanted


def test_a_delay_passes_before_the_answer(stage: Stage) -> None:
    clock = ClientClock()
    with shown(stage, at(Place.CREATE, Turn(delay=0.03), Turn(delay=PATIENCE)), clock) as guest:
        guest.create()
        guest.create()
        first, second = guest.showing.player.asked
        assert first.ended_at - first.at >= 0.03
        assert [first.legal, second.legal] == [True, False]


# Errors.


@pytest.mark.parametrize(
    ("turn", "status", "code"),
    [
        (Turn(status=400), 400, "invalid_request"),
        (Turn(status=402), 402, "insufficient_credits"),
        (Turn(status=402, code="plan_upgrade_required"), 402, "plan_upgrade_required"),
        (Turn(status=404), 404, "not_found"),
        (Turn(status=429), 429, "too_many_requests"),
        (Turn(status=500), 500, "internal_server_error"),
        (Turn(status=503), 503, "service_unavailable"),
        (Turn(status=520), 520, None),
        (Turn(status=599), 599, None),
    ],
)
def test_an_error_has_the_contracts_envelope_and_books_nothing(
    stage: Stage, turn: Turn, status: int, code: str | None
) -> None:
    with shown(stage, at(Place.CREATE, turn)) as guest:
        told = guest.create()
        assert len(guest.showing.player.asked) == 1
        assert (told.status, told["content-type"]) == (status, JSON)
        assert told.json["message"]
        assert code is None or told.json["code"] == code
        assert guest.charges == []


def test_an_errors_fields_are_the_scripts(stage: Stage) -> None:
    with shown(stage, at(Place.CREATE, Turn(status=422, fields={"message": ""}, without=("code",)))) as guest:
        assert guest.create().json == {"message": ""}


def test_a_page_stands_in_place_of_json(stage: Stage) -> None:
    with shown(stage, at(Place.CREATE, Turn(status=502, page=True))) as guest:
        told = guest.create()
        assert (told.status, told["content-type"]) == (502, "text/html")
        assert told.body.startswith(b"<html>")
        assert not guest.showing.player.asked[0].legal


@pytest.mark.parametrize(
    ("said", "header"), [("7", "7"), ("9999", "100"), ("date+7", None), ("date+9999", None), ("soon", "soon")]
)
def test_retry_after_is_seconds_a_date_or_any_text(stage: Stage, said: str, header: str | None) -> None:
    from email.utils import parsedate_to_datetime

    clock = ClientClock()
    clock.sleep(5000)
    with shown(stage, at(Place.POLL, Turn(status=429, retry_after=said)), clock, wait=100) as guest:
        told = guest.poll(guest.bought())["retry-after"]
        assert told is not None
        if header is not None:
            assert told == header
        else:
            wait = parsedate_to_datetime(told).timestamp() - clock.wall()
            assert wait == pytest.approx(7 if said == "date+7" else 100, abs=2)
            assert told.endswith(" GMT")


def test_the_servers_date_is_the_clients_and_so_is_the_one_until_which_it_is_to_wait(stage: Stage) -> None:
    """Who computes the wait from both headers, as RFC 9110 lets one, must not be blamed."""
    from email.utils import parsedate_to_datetime

    clock = ClientClock()
    clock.sleep(100_000)
    with shown(stage, at(Place.CREATE, Turn(status=429, retry_after="date+7")), clock) as guest:
        told = guest.create()
        until, now = (parsedate_to_datetime(told[name] or "").timestamp() for name in ("retry-after", "date"))
        assert until - now == pytest.approx(7, abs=2)


def test_an_error_may_have_been_carried_out(stage: Stage) -> None:
    with shown(stage, at(Place.CREATE, Turn(status=500, booked=True))) as guest:
        assert guest.create().status == 500
        assert guest.charges == [(1, False)]
        assert guest.showing.player.asked[0].charged == 1
        assert not guest.showing.player.asked[0].legal


# Faults.

API = [Place.UPLOAD_URLS, Place.CREATE, Place.POLL]


@pytest.mark.parametrize("place", [*API, Place.UPLOAD, Place.DOWNLOAD])
@pytest.mark.parametrize("fault", [Fault.RESET, Fault.RESET_AFTER])
def test_a_reset_is_one(stage: Stage, place: Place, fault: Fault) -> None:
    with shown(stage, at(place, Turn(fault=fault))) as guest:
        with pytest.raises(ConnectionResetError):
            guest.at(place)
        last = guest.showing.player.asked[-1]
        assert (last.place, last.status, last.legal, last.served) == (place, 0, False, "")


@pytest.mark.parametrize("place", [Place.CREATE, Place.UPLOAD, Place.DOWNLOAD])
@pytest.mark.parametrize("fault", [Fault.SILENCE, Fault.SILENCE_AFTER])
def test_silence_is_broken_by_nothing_but_a_reset_long_after_the_clients_patience(
    stage: Stage, place: Place, fault: Fault
) -> None:
    clock = ClientClock()
    with shown(stage, at(place, Turn(fault=fault)), clock) as guest:
        with pytest.raises(ConnectionResetError):
            guest.at(place)
        assert clock.real() - guest.showing.player.asked[-1].ended_at >= 3 * PATIENCE


@pytest.mark.parametrize(
    ("turn", "booked"),
    [
        (Turn(fault=Fault.RESET), False),
        (Turn(fault=Fault.RESET_AFTER), True),
        (Turn(fault=Fault.SILENCE), False),
        (Turn(fault=Fault.SILENCE_AFTER), True),
        (Turn(fault=Fault.CUT), True),
        (Turn(fault=Fault.CUT, framing="chunked"), True),
        (Turn(fault=Fault.EMPTY), True),
        (Turn(fault=Fault.NO_TYPE), True),
        (Turn(fault=Fault.WRONG_TYPE), True),
        (Turn(fault=Fault.BROKEN_JSON), True),
        (Turn(fault=Fault.REDIRECT, status=307), False),
        (Turn(status=500), False),
        (Turn(status=503, page=True), False),
        (Turn(status=502, page=True, booked=True), True),
        (Turn(status=429, retry_after="7"), False),
        (Turn(delay=0.01), True),
    ],
    ids=lambda value: str(value.fault or value.status) if isinstance(value, Turn) else None,
)
def test_what_is_booked_is_what_the_fault_says(stage: Stage, turn: Turn, booked: bool) -> None:
    with shown(stage, at(Place.CREATE, turn)) as guest:
        try:
            guest.create()
        except ConnectionResetError:
            assert turn.fault in (Fault.RESET, Fault.RESET_AFTER, Fault.SILENCE, Fault.SILENCE_AFTER)
        assert turn.is_done == booked
        assert guest.charges == [(1, False)] * booked
        assert [asked.charged for asked in guest.showing.player.asked] == [int(booked)]


@pytest.mark.parametrize("place", [*API, Place.DOWNLOAD])
def test_a_body_that_is_cut_is_shorter_than_it_says(stage: Stage, place: Place) -> None:
    turns = Turn(fault=Fault.CUT), Turn(fault=Fault.CUT, framing="chunked")
    with shown(stage, at(place, *turns)) as guest:
        cut, chunked = guest.at(place), guest.at(place)
        assert 0 < len(cut.rest) < int(cut["content-length"] or 0)
        body, has_end = unchunked(chunked.rest)
        assert len(body) > 0
        assert not has_end
        asked = [each for each in guest.showing.player.asked if each.place is place]
        assert len(asked) == 2
        assert not any(each.served or each.state for each in asked)


def test_a_cut_needs_no_goodbye_of_the_client(stage: Stage) -> None:
    with shown(stage, at(Place.CREATE, Turn(fault=Fault.CUT))) as guest:
        assert guest.post(CREATE, BODY, headers={"Connection": "keep-alive"}).rest.startswith(b"{")


def test_an_empty_body_says_so(stage: Stage) -> None:
    turns = Turn(fault=Fault.EMPTY), Turn(fault=Fault.EMPTY, framing="chunked")
    with shown(stage, at(Place.CREATE, *turns)) as guest:
        empty, chunked = guest.create(), guest.create()
        assert (empty.status, empty["content-length"], empty.rest) == (200, "0", b"")
        assert unchunked(chunked.rest) == (b"", True)


def test_broken_json_is_a_whole_message(stage: Stage) -> None:
    with shown(stage, at(Place.CREATE, Turn(fault=Fault.BROKEN_JSON))) as guest:
        told = guest.create()
        assert told["content-length"] == str(len(told.rest))
        with pytest.raises(ValueError, match=r".+"):
            told.json  # noqa: B018 - it can't be read


@pytest.mark.parametrize("place", [*API, Place.DOWNLOAD])
def test_content_type_is_missing_or_wrong_and_the_body_as_it_should_be(stage: Stage, place: Place) -> None:
    turns = RIGHT, Turn(fault=Fault.NO_TYPE), Turn(fault=Fault.WRONG_TYPE)
    usual = "image/png" if place is Place.DOWNLOAD else JSON
    with shown(stage, at(place, *turns)) as guest:
        link = guest.download_url() if place is Place.DOWNLOAD else ""
        told = [guest.send("GET", link, token=None) if link else guest.at(place) for _ in turns]
        assert [each["content-type"] for each in told] == [usual, None, "text/html"]
        assert len({len(each.body) for each in told}) == 1
        legal = [asked.legal for asked in guest.showing.player.asked if asked.place is place]
        assert legal == [True, False, False]


@pytest.mark.parametrize("place", [*API, Place.UPLOAD, Place.DOWNLOAD])
@pytest.mark.parametrize("status", [302, 307, 308])
def test_a_redirect_leads_to_another_host_where_a_token_is_seen(
    stage: Stage, place: Place, status: int
) -> None:
    with shown(stage, at(place, Turn(fault=Fault.REDIRECT, status=status))) as guest:
        told = guest.at(place)
        location = told["location"] or ""
        target = guest.showing.player.asked[-1].target
        assert told.status == status
        assert urlsplit(location).netloc != urlsplit(guest.showing.url).netloc
        assert location.endswith(target)
        assert not guest.showing.player.asked[-1].legal
        there = guest.send("GET", location)
        last = guest.showing.player.asked[-1]
        assert (last.host, last.carries_token) == ("elsewhere", True)
        if place is Place.DOWNLOAD:
            assert there.body == made_by_stage("png", 0)
            assert last.served
        else:
            assert there["content-type"] == "text/html"


@pytest.mark.parametrize("place", [Place.UPLOAD, Place.DOWNLOAD])
def test_a_refused_link_leads_to_nobody_and_the_next_one_works(stage: Stage, place: Place) -> None:
    with shown(stage, at(place, Turn(fault=Fault.REFUSED))) as guest:
        with pytest.raises(ConnectionRefusedError):
            guest.at(place)
        assert guest.showing.player.nowhere == 1
        assert guest.at(place).status == 200
        assert guest.showing.player.nowhere == 1


@pytest.mark.parametrize("place", [Place.UPLOAD, Place.DOWNLOAD])
@pytest.mark.parametrize("status", [0, 403, 404])
def test_a_link_that_has_expired_stays_so_and_a_fresh_one_works(
    stage: Stage, place: Place, status: int
) -> None:
    turn = Turn(fault=Fault.EXPIRED, status=status)
    with shown(stage, at(place, turn)) as guest:
        method, url = ("PUT", guest.upload_url()) if place is Place.UPLOAD else ("GET", guest.download_url())
        first = guest.send(method, url, token=None)
        again = guest.send(method, url, token=None)
        assert [first.status, again.status] == [status or 403, 403]
        assert first.json["message"]
        assert [asked.link_is_dead for asked in guest.showing.player.asked[-2:]] == [False, True]
        assert guest.showing.player.asked[-2].legal
        assert guest.at(place).status == 200


def test_a_host_of_links_may_tell_of_an_expired_one_by_a_page(stage: Stage) -> None:
    turn = Turn(fault=Fault.EXPIRED, status=403, page=True)
    with shown(stage, at(Place.DOWNLOAD, turn)) as guest:
        url = guest.download_url()
        told = guest.send("GET", url, token=None)
        assert (told.status, told["content-type"]) == (403, "text/html")
        assert not guest.showing.player.asked[-1].legal
        assert guest.send("GET", url, token=None).status == 403
        assert guest.showing.player.asked[-1].link_is_dead


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("image/png", 200),
        ("Image/PNG; charset=binary", 200),
        ("", 200),
        ("audio/x-wav", 200),
        ("application/octet-stream", 403),
        ("multipart/form-data; boundary=a", 403),
    ],
)
def test_an_upload_link_may_be_signed_for_the_type_of_its_file(
    stage: Stage, media_type: str, status: int
) -> None:
    with shown(stage, Script(typed=True)) as guest:
        url = guest.upload_url()
        assert "content-type" in url
        headers = {"Content-Type": media_type} if media_type else {}
        put = guest.send("PUT", url, token=None, headers=headers)
        told = guest.showing.player.asked[-1].wrong_type
        assert (put.status, bool(told)) == (status, status == 403)
        assert not told or f"{media_type} is sent, and the link is signed for the file's own type" in told
        assert guest.send("PUT", url, token=None).status == 200


def test_an_upload_link_of_the_usual_kind_takes_any_type(stage: Stage) -> None:
    with shown(stage, Script()) as guest:
        url = guest.upload_url()
        assert "content-type" not in url
        assert guest.send("PUT", url, token=None, headers={"Content-Type": "text/plain"}).status == 200
        assert guest.showing.player.asked[-1].wrong_type == ""


@pytest.mark.parametrize(("code", "legal"), [("", True), ("plan_upgrade_required", True), ("new", False)])
def test_a_code_that_the_contract_does_not_have_is_told_and_is_not_legal(
    stage: Stage, code: str, legal: bool
) -> None:
    with shown(stage, at(Place.CREATE, Turn(status=402, code=code))) as guest:
        assert guest.create().json["code"] == (code or "insufficient_credits")
        assert guest.showing.player.asked[-1].legal is legal


@pytest.mark.parametrize("gone", ["upload-urls", "create", "poll"])
def test_after_an_answer_nobody_is_there_any_more(stage: Stage, gone: str) -> None:
    place = Place(gone)
    with shown(stage, Script(gone=gone)) as guest:
        assert guest.at(place).status == 200
        with pytest.raises(ConnectionRefusedError):
            guest.create()
    with shown(stage, Script()) as guest:
        assert guest.create().status == 200


def test_links_still_lead_somewhere_when_the_api_is_gone(stage: Stage) -> None:
    with shown(stage, Script(gone="poll")) as guest:
        assert guest.send("GET", guest.download_url(), token=None).status == 200


def test_nobody_was_ever_there(stage: Stage) -> None:
    with shown(stage, Script(gone="start")) as guest:
        with pytest.raises(ConnectionRefusedError):
            guest.create()
        assert guest.showing.player.asked == []


def test_a_right_answer_comes_after_the_last_that_the_script_has(stage: Stage) -> None:
    with shown(stage, at(Place.CREATE, Turn(status=500), RIGHT, Turn(status=402))) as guest:
        assert [guest.create().status for _ in range(4)] == [500, 200, 402, 200]
        assert guest.charges == [(1, False)] * 2


# Requests that break the contract.


@pytest.mark.parametrize(
    ("method", "path", "body", "known", "status", "says"),
    [
        ("POST", CREATE, b"", {}, 400, "Missing request body"),
        ("POST", CREATE, b"{", {}, 400, "Malformed JSON"),
        ("POST", CREATE, b"{}", {}, 400, "assets"),
        ("POST", CREATE, b"{}", {"media_type": "text/plain"}, 400, "Invalid Content-Type"),
        ("POST", CREATE, json.dumps(BODY | {"style": {"mouth_smile": 61}}).encode(), {}, 400, "mouth_smile"),
        ("POST", CREATE, json.dumps(BODY).encode(), {"token": None}, 401, "without Authorization"),
        ("POST", CREATE, json.dumps(BODY).encode(), {"token": "other"}, 401, "not Bearer"),
        ("POST", UPLOAD_URLS, b'{"items": []}', {"token": "other"}, 401, "not Bearer"),
        ("GET", f"{POLL}some", b"", {"token": None}, 401, "without Authorization"),
        ("GET", "/v1/image-projects/", b"", {}, 404, "the contract has no GET"),
        ("GET", "/v1/nothing", b"", {}, 404, "the contract has no GET /v1/nothing"),
        ("PATCH", CREATE, b"{}", {}, 404, "the contract has no PATCH"),
        ("POST", f"/x{CREATE}", b"{}", {}, 404, "the contract has no POST"),
    ],
)
def test_a_request_that_breaks_the_contract_is_refused_as_the_contract_says_and_books_nothing(
    stage: Stage, method: str, path: str, body: bytes, known: dict[str, Any], status: int, says: str
) -> None:
    with shown(stage, at(Place.CREATE, Turn(status=500))) as guest:
        told = guest.send(method, path, body, **known)
        (asked,) = guest.showing.player.asked
        response = bodies_of(status)
        assert told.status == asked.status == status
        assert response.accepts(told.json)
        assert says in "; ".join(asked.faults)
        assert guest.charges == []
        assert guest.create().status == 500, "the turn was for a request that is legal"


def bodies_of(status: int) -> Any:
    response = next(
        found
        for operation in CONTRACT.operations
        if (found := operation.response(status) or CONTRACT.server_responses.get(status))
    )
    assert response.json is not None
    return response.json.schema


def test_what_was_never_given_is_refused_and_told(stage: Stage) -> None:
    unknown = BODY | {"assets": {"image_file_path": "api-assets/x/y.png"}}
    with shown(stage, Script()) as guest:
        path = guest.post(UPLOAD_URLS, ITEMS).json["items"][0]["file_path"]
        link = urlsplit(guest.upload_url())
        host = f"http://{link.netloc}"
        told = [
            guest.poll("unknown"),
            guest.send("DELETE", f"{POLL}unknown"),
            guest.post(CREATE, unknown),
            guest.post(CREATE, BODY | {"assets": {"image_file_path": path}}),
            guest.send("GET", f"{host}/x/y.png", token=None),
            guest.send("POST", f"{host}{link.path}?{link.query}", b"x", token=None),
        ]
        assert [each.status for each in told] == [404, 404, 422, 422, 403, 403]
        strange = [asked.strange for asked in guest.showing.player.asked[2:]]
        assert all(strange)
        assert strange[3].startswith("nothing was uploaded to")
        assert guest.charges == []


def test_a_slash_in_an_id_has_to_be_encoded(stage: Stage) -> None:
    with shown(stage, at(Place.CREATE, Turn(fields={"id": "a/b"}))) as guest:
        guest.bought()
        assert guest.send("GET", f"{POLL}a/b").status == 404
        assert guest.send("GET", f"{POLL}a%2Fb").status == 200
        assert [bool(asked.strange) for asked in guest.showing.player.asked] == [False, True, False]


def test_requests_are_taken_down_as_they_came(stage: Stage) -> None:
    clock = ClientClock()
    clock.sleep(30)
    with shown(stage, Script(), clock) as guest:
        guest.post(f"{UPLOAD_URLS}?a=1", ITEMS, headers={"X-Thing": "Zoë".encode().decode("latin-1")})
        (asked,) = guest.showing.player.asked
        assert (asked.method, asked.target, asked.host) == ("POST", f"{UPLOAD_URLS}?a=1", "api")
        assert json.loads(asked.body) == ITEMS
        assert asked.headers["authorization"] == f"Bearer {TOKEN}"
        assert "x-thing" in asked.headers
        assert 30 <= asked.at <= asked.ended_at
        assert asked.carries_token


@pytest.mark.parametrize("where", ["query", "body", "header"])
def test_a_token_is_seen_wherever_it_is(stage: Stage, where: str) -> None:
    with shown(stage, Script()) as guest:
        url = guest.upload_url()
        target = f"{url}&token={quote(TOKEN)}" if where == "query" else url
        body = f"x={TOKEN}".encode() if where == "body" else b"x"
        headers = {"X-Api-Key": TOKEN} if where == "header" else {}
        guest.send("PUT", target, body, token=None, headers=headers)
        assert guest.showing.player.asked[-1].carries_token


def test_a_showing_knows_nothing_of_the_one_before_it(stage: Stage) -> None:
    with shown(stage, Script(job=("error",))) as guest:
        project, link = guest.bought(), guest.upload_url()
        parts = urlsplit(guest.showing.url)
        left = socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=60)
        left.sendall(b"GET /v1/nothing HTTP/1.1\r\nHost: a\r\n\r\n")
        told = b""
        while not told.endswith(b"}"):
            told += left.recv(2**16)
        left.sendall(b"POST /v1/ai-face-editor HTTP/1.1\r\nHost: a\r\nContent-Le")
    with shown(stage, Script()) as guest, left:
        try:
            left.sendall(b"ngth: 0\r\n\r\n")
            assert read(left) == b"", "it was cut off with its showing"
        except ConnectionError:
            pass  # as well
        assert guest.showing.player.asked == []
        assert guest.showing.player.charges == ()
        assert guest.poll(project).status == 404
        with pytest.raises(ConnectionRefusedError):
            guest.send("PUT", link, b"x", token=None)


def test_a_client_without_end_is_answered_no_more(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bluehour.contracts.fuzz.stage.server.MOST_REQUESTS", 3)
    with shown(stage, Script()) as guest:
        for _ in range(3):
            guest.create()
        assert guest.showing.is_too_long
        with pytest.raises(AssertionError):
            guest.create()
        assert len(guest.showing.player.asked) == 3


# All that is legal.

LEGAL = topics(CONTRACT, Profile.LEGAL)


class Recording(careful.Client):
    """A careful client, and all that came to it: None for what did not come, or not whole."""

    came: list[tuple[float, str, str, dict[str, str], bytes, careful.Answer | None]] = []  # noqa: RUF012

    def send(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> careful.Answer:
        answer, at = None, time.time()
        try:
            answer = super().send(method, url, body, headers)
        finally:
            self.came.append((at, method, url, headers, body, answer))
        return answer


class RecordingMaker(Recording, Maker):
    """The same of what a task asks for."""


def test_every_answer_that_is_said_to_be_legal_is_by_the_contract() -> None:
    looked_at = 0
    with theatre(Recording) as opened:
        for topic in topics(CONTRACT, Profile.HOSTILE):
            Recording.came.clear()
            played = opened.play(topic.about)
            assert played.is_legal or not topic.is_legal, topic.name
            came: dict[tuple[str, str], list[careful.Answer | None]] = {}
            for _, method, url, _, _, answer in Recording.came:
                came.setdefault((method, url.partition("//")[2].partition("/")[2]), []).append(answer)
            for asked in played.asked:
                given = came[asked.method, asked.target[1:]].pop(0)
                if asked.legal and asked.place is not None and asked.place.is_of_api:
                    assert given is not None, topic.name
                    assert given.status == asked.status
                    assert_legal(topic, asked.method, asked.target, given)
                    looked_at += 1
    assert looked_at > 500


def assert_legal(topic: Topic, method: str, target: str, answer: careful.Answer) -> None:
    operation = operation_of(method, target)
    response = operation.response(answer.status) or CONTRACT.server_responses[answer.status]
    media = response.media_type(answer.headers.get("Content-Type", ""))
    assert media is not None, topic.name
    assert media.schema.accepts(json.loads(answer.body)), topic.name


def operation_of(method: str, target: str) -> Operation:
    return next(
        each
        for each in CONTRACT.operations
        if each.method == method and re.fullmatch(re.sub(r"\{\w+\}", ".+", each.path), target)
    )


def test_nothing_that_is_legal_breaks_a_rule_of_the_judge_of_servers_about_single_answers() -> None:
    """Rules of an answer by itself; a 500 is one that the contract has."""
    found: dict[str, list[str]] = {}
    with theatre(Recording) as opened:
        for topic in LEGAL:
            told = [each for each in judged_as_server(opened, topic.about) if each.startswith("answer.")]
            if told and not any("it answered 500" in each for each in told):
                found[topic.name] = told
    assert found == {}


@pytest.mark.parametrize("job", [("queued", "rendering", "complete"), ("queued", "error"), ("canceled",)])
def test_the_judge_of_servers_has_nothing_to_say_of_a_day_on_which_nothing_goes_wrong(
    job: tuple[str, ...],
) -> None:
    with theatre(Recording) as opened:
        assert judged_as_server(opened, Script(job=job, job_error="no_source_face")) == []


@pytest.mark.parametrize("job", [("queued", "rendering", "complete"), ("queued", "error")])
@pytest.mark.parametrize(
    "name", ["text-to-video", "lip-sync", "ai-voice-cloner", "face-detection", "ai-gif-generator"]
)
def test_nor_of_one_for_other_kinds_of_projects(name: str, job: tuple[str, ...]) -> None:
    with theatre(RecordingMaker, asked_for(name)) as opened:
        assert judged_as_server(opened, Script(job=job)) == []


def judged_as_server(opened: Theatre, script: Script) -> list[str]:
    Recording.came.clear()
    opened.play(script)
    judge = Judge(CONTRACT)
    told = []
    for number, (sent, method, url, headers, body, answer) in enumerate(Recording.came, 1):
        assert answer is not None
        transfer = "" if headers else "download" if method == "GET" else "upload"
        exchange = Exchange(
            number,
            sent,
            Request(method, url, tuple(headers.items()), body),
            Answer(answer.status, tuple(answer.headers.items()), answer.body),
            None if transfer else operation_of(method, urlsplit(url).path),
            transfer,
        )
        told += [f"{violation.rule.id}: {violation.message}" for violation in judge.observe(exchange)]
    return told


SIGNS = {"png": b"\x89PNG", "gif": b"GIF8", "mp4": b"ftyp", "webm": b"\x1a\x45\xdf\xa3", "mp3": b"ID3"}
"""By what a file's format is known, in its first bytes."""


@pytest.mark.parametrize("extension", SIGNS)
def test_files_that_are_served_are_what_their_names_say_and_large_enough_to_be_cut(extension: str) -> None:
    assert SIGNS[extension] in made_by_stage(extension, 0)[:12]
    assert len(made_by_stage(extension, 0)) > 2000


def test_pictures_of_different_projects_differ(stage: Stage) -> None:
    with shown(stage, Script()) as guest:
        first, second = (guest.send("GET", guest.download_url(), token=None).body for _ in range(2))
        assert first != second


def test_pictures_that_are_served_differ() -> None:
    assert len({made_by_stage("png", number) for number in range(MOST_FILES)}) == MOST_FILES


def test_what_a_client_has_to_upload_is_of_the_types_that_can_be() -> None:
    asked = CONTRACT.operation("videoAssets.generatePresignedUrl").json_body
    assert asked is not None
    types = (
        Schema(CONTRACT.document, field_of(asked.schema, "items").resolved["items"])
        .field("type")
        .resolved["enum"]
    )
    assert {kind: path.suffix for kind, path in GIVEN.items()}.keys() == set(types)
    extensions = CONTRACT.extension("x-asset-extensions")
    assert all(path.suffix[1:] in extensions[kind] for kind, path in GIVEN.items())
