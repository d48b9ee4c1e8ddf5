"""Projects of every kind in the console: they are made there, shown, played, paid for and filtered."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from bluehour.mock_server.rendering.media.audio import write_audio
from bluehour.mock_server.rendering.media.video import write_video
from bluehour.openapi.contract import load

from .running import App
from .test_console import TIMES

OpenConsole = Callable[..., Page]


def create(app: App, operation_id: str, **changes: Any) -> str:
    """Make a project of an operation's published request, and return its id."""
    operation = load().operation(operation_id)
    assert operation.json_body is not None
    body = copy.deepcopy(operation.json_body.examples[0]) | changes
    return str(app.call("POST", operation.path, body).body["id"])


def card(page: Page, project_id: str) -> Locator:
    return page.locator(f"#projects > [data-id='{project_id}']")


def plays(player: Locator) -> None:
    """Play what is shown, from where it stands."""
    before = player.evaluate("async player => { await player.play(); return player.currentTime }")
    page, handle = player.page, player.element_handle()
    page.wait_for_function(
        "([player, before]) => player.currentTime > before + 0.1", arg=[handle, before], timeout=30_000
    )


def wait_for(player: Locator) -> None:
    """Wait until it is known what a player plays."""
    handle = player.element_handle()
    player.page.wait_for_function("player => player.readyState >= 1", arg=handle, timeout=30_000)


def test_a_video_is_made_in_the_console_and_plays_there(app: App, open_console: OpenConsole) -> None:
    page = open_console("#projects")
    page.get_by_text("New project").click()
    form = page.locator("#project-form")
    form.get_by_label("What to make").select_option("textToVideo.createVideo")
    expect(form).to_contain_text("from 120 credits")
    form.get_by_role("button", name="Make it").click()

    video = page.locator("#projects video")
    wait_for(video)
    facts = page.locator("#projects .facts-line")
    expect(facts).to_contain_text(f"TEXT_TO_VIDEO, 854 {TIMES} 480, 5 s, 24 fps, 120 credits")
    assert video.evaluate("video => [video.videoWidth, video.videoHeight]") == [854, 480]
    assert video.evaluate("video => video.duration") == pytest.approx(5, abs=0.2)
    plays(video)
    moved = video.evaluate("""video => new Promise(resolve => {
        video.addEventListener("seeked", () => resolve(video.currentTime), { once: true });
        video.currentTime = 4;
    })""")
    assert moved == pytest.approx(4, abs=0.2)


def test_a_song_plays(app: App, open_console: OpenConsole) -> None:
    create(app, "aiMusicGenerator.createAudio", duration=15)
    page = open_console("#projects")
    audio = page.locator("#projects audio")
    wait_for(audio)
    assert audio.evaluate("audio => audio.duration") == pytest.approx(15, abs=0.2)
    page.get_by_role("heading", name="Projects").click()  # browsers play for none who has touched nothing
    plays(audio)


def test_what_it_was_made_of_plays_too(app: App, open_console: OpenConsole, tmp_path: Path) -> None:
    film, song = tmp_path / "film.mp4", tmp_path / "song.mp3"
    still = Image.new("RGB", (320, 240), "teal")
    write_video(film, lambda _: still, size=still.size, seconds=2, fps=24, has_sound=False)
    write_audio(song, seconds=3, seed="song")
    assets = {
        "video_source": "file",
        "video_file_path": app.upload(film.read_bytes(), "video", "mp4"),
        "audio_file_path": app.upload(song.read_bytes(), "audio", "mp3"),
    }
    project = card(open_console("#projects"), create(app, "lipSync.createVideo", assets=assets))
    before = project.get_by_role("figure").filter(has_text="before")
    wait_for(before.locator("video"))
    assert before.locator("video").evaluate("video => video.duration") == pytest.approx(2, abs=0.2)
    before.get_by_role("button", name="assets.audio_file_path").click()
    wait_for(before.locator("audio"))
    assert before.locator("audio").evaluate("audio => audio.duration") == pytest.approx(3, abs=0.2)


def test_an_upload_that_can_not_be_played_is_told(app: App, open_console: OpenConsole) -> None:
    assets = {"audio_file_path": app.upload(b"no song", "audio", "amr")}
    page = open_console("#projects")
    project = card(page, create(app, "aiVoiceCloner.createAudio", assets=assets))
    expect(project).to_contain_text("assets.audio_file_path can't be played here")


def test_of_several_pictures_one_is_large_and_any_can_be(app: App, open_console: OpenConsole) -> None:
    project = card(open_console("#projects"), create(app, "aiImageGenerator.createImage", image_count=4))
    others = project.get_by_role("group", name="Files after").get_by_role("button")
    expect(others).to_have_count(4)
    picture = project.get_by_role("img", name="The picture after the edit")
    expect(picture).to_have_attribute("src", others.nth(0).get_attribute("data-path") or "")
    others.nth(2).click()
    expect(picture).to_have_attribute("src", others.nth(2).get_attribute("data-path") or "")
    expect(project).to_contain_text("after: output-3.png")
    expect(picture).not_to_have_js_property("naturalWidth", 0)


def test_every_create_is_offered_in_its_group_with_its_price(open_console: OpenConsole) -> None:
    page = open_console("#projects")
    page.get_by_text("New project").click()
    form = page.locator("#project-form")
    groups = form.locator("optgroup")
    labels = groups.evaluate_all("all => all.map(one => one.label)")
    assert labels == ["Image Projects", "Video Projects", "Audio Projects", "Files"]
    creates = [each for each in load().operations if each.behaviour == "create-project"]
    expect(groups.locator("option")).to_have_count(len(creates))
    for free in ("faceDetection.detectFaces", "aiQrCodeGenerator.createImage"):
        form.get_by_label("What to make").select_option(free)
        expect(form.locator(".price")).to_have_text("free")


def test_what_the_mock_refuses_is_told_at_the_form(open_console: OpenConsole) -> None:
    page = open_console("#projects")
    page.get_by_text("New project").click()
    form = page.locator("#project-form")
    body = form.get_by_role("textbox", name="Body")
    expect(body).to_have_value(re.compile("image_file_path"))
    body.fill('{"style": {}}')
    form.get_by_role("button", name="Make it").click()
    expect(form.get_by_role("alert")).to_contain_text("Missing required field: assets")


def test_the_journal_shows_one_operation_alone(app: App, open_console: OpenConsole) -> None:
    create(app, "textToVideo.createVideo")
    app.edit_face()
    page = open_console()
    rows = page.locator("#journal-rows tr")
    expect(rows).to_have_count(2)
    page.get_by_label("Operation").first.select_option("textToVideo.createVideo")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("/v1/text-to-video")
