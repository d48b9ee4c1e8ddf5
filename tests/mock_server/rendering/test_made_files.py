"""The files that every kind of operation makes, as a client downloads them: they are what was asked for."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple

import pytest
import zxingcpp
from PIL import Image, ImageDraw, ImageSequence

from bluehour.mock_server.app import create_app
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import load
from tests.openapi.pricing import changed

from ..clips import clip
from ..conftest import Caller

av = pytest.importorskip("av", reason="videos and songs are written by PyAV, of the extra `video`")


class Made(NamedTuple):
    """A project, and its files with their names."""

    project: dict[str, Any]
    files: dict[str, bytes]

    @property
    def file(self) -> io.BytesIO:
        (content,) = self.files.values()
        return io.BytesIO(content)

    @property
    def picture(self) -> Image.Image:
        return Image.open(self.file)


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    with closing(Mock(settings=Settings(time_scale=0))) as mock:
        yield Caller(create_app(mock).test_client(), "mhk_test_business_1000000")


def made(caller: Caller, create: str, **fields: Any) -> Made:
    path = f"/v1/{create}"
    kind = next(each.project_kind for each in load().operations if each.path == path)
    project = caller.project(caller.create(changed(create, **fields), path), kind)
    links = [each["url"] for each in project["downloads"]]
    names = [link.partition("?")[0].rpartition("/")[2] for link in links]
    assert project.get("image_count", 1) == len(links)
    return Made(project, dict(zip(names, (caller.fetch(link).data for link in links), strict=True)))


def picture(width: int, height: int) -> bytes:
    """A red disc on white."""
    image = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(image).ellipse((width // 4, height // 4, 3 * width // 4, 3 * height // 4), fill="red")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def video(caller: Caller) -> str:
    """Two seconds of 160 x 90 pixels with sound, uploaded."""
    return caller.upload(clip(2), "video", "mp4")


@pytest.mark.parametrize(
    ("create", "fields", "size"),
    [
        ("ai-image-generator", {}, (1024, 1024)),
        ("ai-image-generator", {"resolution": "640px", "aspect_ratio": "16:9"}, (640, 360)),
        ("ai-image-generator", {"orientation": "portrait"}, (576, 1024)),
        ("ai-image-editor", {"assets.image_file_paths": [(300, 150), (50, 90)]}, (1024, 512)),
        ("ai-image-editor", {"assets.image_file_paths": [(300, 150)], "aspect_ratio": "2:3"}, (683, 1024)),
        ("ai-image-upscaler", {"assets.image_file_path": (60, 40)}, (120, 80)),
        ("ai-image-upscaler", {"assets.image_file_path": (60, 40), "scale_factor": 4}, (240, 160)),
        ("body-swap", {"assets.scene_file_path": (200, 100), "assets.person_file_path": (9, 90)}, (640, 320)),
        ("head-swap", {"assets.body_file_path": (400, 100), "max_resolution": 300}, (300, 75)),
        ("photo-colorizer", {"assets.image_file_path": (70, 30)}, (70, 30)),
        ("face-swap-photo", {"assets.target_file_path": (5000, 100)}, (4096, 82)),
        ("ai-meme-generator", {}, (1024, 1024)),
    ],
)
def test_a_picture_has_the_size_that_was_asked_for(
    caller: Caller, create: str, fields: dict[str, Any], size: tuple[int, int]
) -> None:
    def uploaded(value: Any) -> Any:
        if isinstance(value, list):
            return [uploaded(each) for each in value]
        return caller.upload(picture(*value)) if isinstance(value, tuple) else value

    one = made(caller, create, **{name: uploaded(value) for name, value in fields.items()})
    assert (one.picture.format, one.picture.size) == ("PNG", size)


def test_four_images_are_four_files(caller: Caller) -> None:
    four = made(caller, "ai-image-generator", image_count=4, resolution="640px").files
    assert [*four] == ["output.png", "output-2.png", "output-3.png", "output-4.png"]
    assert len(set(four.values())) == 4


def test_a_qr_code_can_be_read(caller: Caller) -> None:
    one = made(caller, "ai-qr-code-generator", content="https://example.com/ä?b=1").picture
    assert zxingcpp.read_barcodes(one)[0].text == "https://example.com/ä?b=1"


def test_a_removed_background_can_be_seen_through(caller: Caller) -> None:
    upload = caller.upload(picture(80, 80))
    one = made(caller, "image-background-remover", **{"assets.image_file_path": upload}).picture
    alpha = one.convert("RGBA").getchannel("A")
    assert (alpha.getpixel((12, 12)), alpha.getpixel((40, 40))) == (0, 255)


def test_a_gif_moves(caller: Caller) -> None:
    one = made(caller, "ai-gif-generator").picture
    assert (one.format, one.size) == ("GIF", (512, 512))
    assert getattr(one, "n_frames", 1) > 1
    frames = [frame.info["duration"] for frame in ImageSequence.Iterator(one)]
    assert sum(frames) == pytest.approx(3000, abs=100)


@pytest.mark.parametrize(
    ("create", "fields", "size", "seconds", "fps", "has_sound"),
    [
        ("ai-gif-generator", {"output_format": "webm"}, (512, 512), 3, 10, False),
        ("text-to-video", {"model": "ltx-2.5", "resolution": "480p", "end_seconds": 2},
         (854, 480), 2, 24, False),
        ("image-to-video", {"resolution": "480p", "model": "ltx-2.5", "end_seconds": 1, "audio": True,
                            "assets.image_file_path": (200, 100)}, (960, 480), 1, 24, True),
        ("animation", {"end_seconds": 1.5, "width": 100, "height": 100}, (100, 100), 1.5, 12, False),
        ("animation", {"end_seconds": 1, "width": 100, "height": 100, "assets.audio_source": "file",
                       "assets.audio_file_path": "api-assets/id/1234.mp3"}, (100, 100), 1, 12, True),
        ("face-swap", {"end_seconds": 1}, (160, 90), 1, 24, True),
        ("face-swap", {}, (160, 90), 2, 24, True),
        ("face-swap", {"start_seconds": 1.5, "assets.image_file_path": (300, 300)}, (160, 90), 0.5, 24, True),
        ("face-swap", {"start_seconds": 3}, (160, 90), 1 / 24, 24, True),  # nothing is left: one frame
        ("lip-sync", {"max_fps_limit": 10}, (160, 90), 2, 10, True),
        ("ai-video-upscaler", {"resolution": "720p", "end_seconds": 1}, (1280, 720), 1, 24, True),
    ],
)  # fmt: skip
def test_a_video_is_as_long_large_quick_and_loud_as_was_asked_for(
    caller: Caller,
    video: str,
    create: str,
    fields: dict[str, Any],
    size: tuple[int, int],
    seconds: float,
    fps: float,
    has_sound: bool,
) -> None:
    is_of_a_video = "video_file_path" in changed(create).get("assets", {})
    given = {"assets.video_file_path": video} if is_of_a_video else {}
    given |= {k: caller.upload(picture(*v)) if isinstance(v, tuple) else v for k, v in fields.items()}
    one = made(caller, create, **given)
    with av.open(one.file) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == size
        assert float(stream.average_rate) == pytest.approx(fps, rel=0.01)
        assert container.duration / 1e6 == pytest.approx(seconds, abs=0.1)
        assert bool(container.streams.audio) == has_sound
    if "fps" in one.project:
        assert (one.project["width"], one.project["height"], one.project["fps"]) == (*size, fps)
        asked = changed(create, **fields)
        assert one.project["end_seconds"] == asked["end_seconds"], "though there is less of its source"
        assert one.project["start_seconds"] == asked.get("start_seconds", 0)


@pytest.mark.parametrize(
    ("create", "fields", "seconds"),
    [
        ("ai-voice-generator", {"style.prompt": "a" * 50}, 3),
        ("ai-voice-cloner", {"style.prompt": "b" * 100}, 6),
        ("ai-music-generator", {"duration": 15}, 15),
    ],
)
def test_a_sound_is_as_long_as_was_asked_for(
    caller: Caller, create: str, fields: dict[str, Any], seconds: float
) -> None:
    with av.open(made(caller, create, **fields).file) as container:
        assert container.duration / 1e6 == pytest.approx(seconds, abs=0.1)
        assert len(container.streams.audio) == 1
