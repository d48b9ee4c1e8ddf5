"""Signed links: what they are good for, how long, and what a changed one gets."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock

from ..conftest import FACE, UPLOADS, Caller, data, face
from .test_lifecycle import picture, png


def issue(caller: Caller, kind: str = "image", extension: str = "png") -> dict[str, str]:
    item: dict[str, str] = caller.post(UPLOADS, {"items": [{"type": kind, "extension": extension}]}).json[
        "items"
    ][0]
    return item


def test_links_come_in_the_order_of_the_request_and_are_all_different(caller: Caller) -> None:
    wanted = [("video", "mp4"), ("audio", "mp3"), ("image", "png"), ("image", "png"), ("image", "heif")]
    items = [{"type": kind, "extension": extension} for kind, extension in wanted]
    issued = caller.post(UPLOADS, {"items": items}).json["items"]
    assert [Path(item["file_path"]).name for item in issued] == [f"{kind}.{ext}" for kind, ext in wanted]
    assert len({item["file_path"] for item in issued}) == len({item["upload_url"] for item in issued}) == 5
    assert all(item["file_path"].startswith("api-assets/") for item in issued)


def test_an_extension_that_does_not_fit_its_type_is_422_in_the_vendors_words(caller: Caller) -> None:
    answer = caller.post(UPLOADS, {"items": [{"type": "audio", "extension": "mp4"}]})
    assert answer.status_code == 422
    assert data(answer)["message"] == (
        "'mp4' is an invalid audio extension. Possible extensions are "
        "'mp3, wav, aac, flac, webm, weba, m4a, opus, ogg, oga, aiff, amr'"
    )


@pytest.mark.parametrize("content_type", [None, "image/png", "application/octet-stream", "application/json"])
def test_a_put_takes_any_content_type_and_no_bearer(caller: Caller, content_type: str | None) -> None:
    answer = caller.client.put(issue(caller)["upload_url"], data=png(), content_type=content_type)
    assert (answer.status_code, answer.data) == (200, b"")


def test_a_second_put_replaces_the_first(caller: Caller, mock: Mock) -> None:
    item = issue(caller)
    caller.client.put(item["upload_url"], data=b"no picture")
    caller.client.put(item["upload_url"], data=png(80, 80))
    assert mock.world.files.upload(item["file_path"]).read_bytes() == png(80, 80)
    upload = mock.world.store.upload(item["file_path"])
    assert upload is not None
    assert upload.error is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("signature=", "signature=0"),
        ("expires=1", "expires=2"),
        ("limit=2", "limit=9"),
        ("?", "?x=1&"),
        ("image.png", "image.jpg"),
    ],
)
def test_a_changed_upload_link_is_403(caller: Caller, old: str, new: str) -> None:
    item = issue(caller)
    answer = caller.client.put(item["upload_url"].replace(old, new), data=png())
    assert (answer.status_code, data(answer)["code"]) == (403, "forbidden")
    assert caller.post(FACE, face(item["file_path"])).status_code == 422


def test_a_link_without_a_signature_is_403(caller: Caller) -> None:
    url = issue(caller)["upload_url"].partition("?")[0]
    for query in ("", "?", "?signature=", "?expires=1&signature=\xff"):
        assert caller.client.put(url + query, data=b"").status_code == 403


def test_an_upload_link_expires_after_an_hour(caller: Caller, clock: Clock) -> None:
    url = issue(caller)["upload_url"]
    clock.advance(3599)
    assert caller.client.put(url, data=png()).status_code == 200
    clock.advance(2)
    answer = caller.client.put(url, data=png())
    assert (answer.status_code, data(answer)["message"]) == (403, "URL expired")


def test_a_download_link_expires_after_a_day_and_every_read_signs_a_fresh_one(
    caller: Caller, clock: Clock
) -> None:
    project_id = caller.create(face())
    clock.advance(10)
    url = caller.project(project_id)["downloads"][0]["url"]
    assert caller.fetch(url).status_code == 200
    clock.advance(86401)
    assert caller.fetch(url).status_code == 403
    fresh = caller.project(project_id)["downloads"][0]["url"]
    assert fresh != url
    assert caller.fetch(fresh).status_code == 200


def test_a_changed_download_link_is_403(caller: Caller, clock: Clock) -> None:
    first, second = caller.create(face()), caller.create(face())
    clock.advance(10)
    url = caller.project(first)["downloads"][0]["url"]
    assert caller.fetch(url.replace(first, second)).status_code == 403


def test_an_upload_link_is_no_download_link(caller: Caller) -> None:
    assert caller.client.get(issue(caller)["upload_url"]).status_code == 405


def test_a_later_upload_does_not_change_what_was_made_of_the_first(caller: Caller, clock: Clock) -> None:
    item = issue(caller)
    caller.client.put(item["upload_url"], data=png(80, 60))
    project_id = caller.create(face(item["file_path"]))
    for later in (png(33, 22), b"no picture"):
        caller.client.put(item["upload_url"], data=later)
    clock.advance(60)
    assert picture(caller, caller.project(project_id)).size == (80, 60)


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("magic_hour:4010", "http://magic_hour:4010/"),
        ("[::1]:4010", "http://[::1]:4010/"),
        ("example.com", "http://example.com/"),
        ("a b<c>", "http://localhost:80/"),
    ],
)
def test_links_lead_to_where_the_client_found_the_server(caller: Caller, host: str, base: str) -> None:
    items = {"items": [{"type": "image", "extension": "png"}]}
    answer = caller.post(UPLOADS, items, environ_overrides={"HTTP_HOST": host})
    assert data(answer)["items"][0]["upload_url"].startswith(base)


def test_an_upload_whose_bytes_are_gone_is_not_uploaded(caller: Caller, mock: Mock) -> None:
    uploaded = caller.upload(png())
    mock.world.files.upload(uploaded).unlink()
    answer = caller.post(FACE, face(uploaded))
    assert answer.status_code == 422
    assert "not uploaded yet" in data(answer)["message"]


def test_a_path_that_was_issued_but_never_uploaded_is_422(caller: Caller) -> None:
    answer = caller.post(FACE, face(issue(caller)["file_path"]))
    assert answer.status_code == 422
    assert "not uploaded yet" in data(answer)["message"]


def test_an_upload_of_another_account_is_unknown(client: FlaskClient, caller: Caller) -> None:
    uploaded = caller.upload(png())
    answer = Caller(client, "somebody-else").post(FACE, face(uploaded))
    assert answer.status_code == 422


def test_an_upload_is_gone_after_seven_days(caller: Caller, clock: Clock) -> None:
    uploaded = caller.upload(png())
    clock.advance(7 * 86400 - 1)
    assert caller.post(FACE, face(uploaded)).status_code == 200
    clock.advance(2)
    answer = caller.post(FACE, face(uploaded))
    assert answer.status_code == 422
    assert "after 7 days" in data(answer)["message"]


def test_the_seven_days_begin_with_the_upload_not_with_its_link(caller: Caller, clock: Clock) -> None:
    item = issue(caller)
    clock.advance(3000)
    caller.client.put(item["upload_url"], data=png())
    clock.advance(7 * 86400 - 1)
    assert caller.post(FACE, face(item["file_path"])).status_code == 200


def test_a_video_is_no_picture_to_edit(caller: Caller) -> None:
    answer = caller.post(FACE, face(caller.upload(b"\0", "video", "mp4")))
    assert answer.status_code == 422
    assert "invalid image extension" in data(answer)["message"]


def test_a_file_above_the_plans_limit_is_413_and_leaves_nothing(
    client: FlaskClient, mock: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(mock.world.contract.extension("x-plans")["free"], "upload-bytes", 2**20)
    caller = Caller(client, "mhk_test_free_5")
    item = issue(caller)
    answer = caller.client.put(item["upload_url"], input_stream=io.BytesIO(b"a" * (2**20 + 1)))
    assert answer.status_code == 413
    assert data(answer)["message"] == "The file is too large: your plan allows 1 MB"
    assert list(mock.world.files.upload(item["file_path"]).parent.iterdir()) == []
    assert caller.client.put(item["upload_url"], data=b"a" * 2**20).status_code == 200


def test_links_and_bytes_outlive_a_restart(tmp_path: Path, clock: Clock) -> None:
    def start() -> tuple[Mock, Caller]:
        settings = Settings(store=f"sqlite:///{tmp_path / 'mock.db'}")
        mock = Mock(settings=settings, assets=tmp_path / "assets", clock=clock)
        return mock, Caller(create_app(mock).test_client(), "any")

    mock, caller = start()
    link, uploaded = issue(caller)["upload_url"], caller.upload(png(90, 60))
    mock.close()
    mock, caller = start()
    assert caller.client.put(link, data=png()).status_code == 200
    project_id = caller.create(face(uploaded))
    clock.advance(60)
    assert caller.fetch(caller.project(project_id)["downloads"][0]["url"]).status_code == 200
    mock.close()
    assert any((tmp_path / "assets" / "outputs").iterdir())


def test_the_private_folder_is_private_and_goes_with_the_mock(mock: Mock) -> None:
    folder = mock.world.files.upload("api-assets/x/image.png").parent.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    mock.close()
    assert not folder.exists()
