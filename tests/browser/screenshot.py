"""Takes a picture of the console at work: `python -m tests.browser.screenshot docs/console.png`."""

from __future__ import annotations

import time
from pathlib import Path

import click
from playwright.sync_api import expect

from .running import App, launched_browser, portrait, served_mock

_VIEWS = ["projects", "rules", "accounts", "webhooks"]
_HAVE_ENOUGH_DATA = 4
_SEEK = """player => new Promise(resolve => {
    player.addEventListener("seeked", () => setTimeout(resolve, 500), { once: true });
    player.currentTime = 2;
})"""
"""Half a second later the browser's sign that it seeks is gone."""
_ENDED = {"complete", "error", "canceled"}


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--view", type=click.Choice(_VIEWS), default="projects", help="What is beside the journal.")
@click.option("--renderer", default="simulated", show_default=True, help="Of the mock.")
@click.option("--dark", is_flag=True, help="As where the system is dark.")
@click.option("--width", default=1280, show_default=True)
@click.option("--height", default=800, show_default=True)
def main(target: Path, view: str, renderer: str, dark: bool, width: int, height: int) -> None:
    """Save a picture of the console, after an app did well, did wrong, and was forced to fail."""
    with served_mock("--renderer", renderer) as base_url, launched_browser() as browser:
        _happen(App(base_url))
        page = browser.new_page(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        page.goto(f"{base_url}/_mock#{view}")
        expect(page.locator("#connection")).to_have_text("Live")
        expect(page.locator("#journal-rows tr").first).to_be_attached()
        expect(page.locator(f"#{view} > li").first).to_be_visible()
        for picture in page.get_by_role("img").all():
            expect(picture).not_to_have_js_property("naturalWidth", 0)
        for player in page.locator("video").all():
            player.scroll_into_view_if_needed()
            expect(player).to_have_js_property("readyState", _HAVE_ENOUGH_DATA)
            player.evaluate(_SEEK)
        page.screenshot(path=target)


def _happen(app: App) -> None:
    """Everything that a day with the mock brings, in a second."""
    app.call("POST", "/_mock/webhooks", {"url": "http://127.0.0.1:8000/webhook"})
    picture = app.upload(portrait())
    _ended(app, app.edit_face(picture, "Raise the brows", eyebrow_direction=40).body["id"])
    app.edit_face(picture, "A broader smile", mouth_smile=61)
    app.call(
        "POST",
        "/_mock/rules",
        {
            "name": "429, Retry-After 2",
            "match": {"operation": "aiFaceEditor.editImage"},
            "times": 1,
            "answer": {"status": 429, "retry_after": 2},
        },
    )
    app.call(
        "POST",
        "/_mock/rules",
        {
            "name": "Connection lost after the charge",
            "match": {"operation": "aiPhotoEditor.createImage", "probability": 0.25},
            "fault": "drop",
        },
    )
    app.edit_face(picture, "A broader smile", mouth_smile=60)
    _ended(app, app.edit_face("api-assets/test/no_source_face.png", "A landscape").body["id"])
    _ended(app, app.edit_face(picture, "A broader smile", mouth_smile=60, head_yaw=-20).body["id"])
    film: dict[str, object] = {
        "name": "A dog, running",
        "model": "ltx-2.5",
        "resolution": "480p",
        "end_seconds": 5,
    }
    film |= {"aspect_ratio": "16:9", "style": {"prompt": "a dog, running"}}
    _ended(app, app.call("POST", "/v1/text-to-video", film).body["id"], "video")


def _ended(app: App, project: str, kind: str = "image") -> None:
    while app.call("GET", f"/v1/{kind}-projects/{project}").body["status"] not in _ENDED:
        time.sleep(0.1)


if __name__ == "__main__":
    main()
