from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw
from skimage.data import astronaut

from bluehour.mock_server.rendering import Job, JobFailed
from bluehour.mock_server.rendering.pictures import PIXEL_BUDGET, fault_of, open_picture
from bluehour.mock_server.rendering.simulated import (
    SimulatedRenderer,
    caption_of,
    output_size,
    readable,
)
from bluehour.openapi.outputs import MAX_EDGE
from tests.profiles import examples

RENDERER = SimulatedRenderer()

edges = st.integers(1, 6_000)
sizes = st.tuples(edges, edges)
photo_requests = st.builds(
    lambda resolution, factor: {"resolution": resolution, "style": {"upscale_factor": factor}},
    st.integers(512, 1024),
    st.integers(1, 4),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def face(**style: Any) -> dict[str, Any]:
    return {"assets": {"image_file_path": "a.png"}, "style": {"enhance_face": False, "head_roll": 0, **style}}


def photo(resolution: int = 512, upscale_factor: int = 2, **style: Any) -> dict[str, Any]:
    strengths = {"likeness_strength": 5.2, "prompt_strength": 3.75, "upscale_factor": upscale_factor}
    prompts = {"prompt": "a person wearing a hat", "image_description": "a person"}
    return {
        "assets": {"image_file_path": "a"},
        "resolution": resolution,
        "style": strengths | prompts | style,
    }


def face_job(
    source: Path | None = None, request: Mapping[str, Any] | None = None, longest_edge: int = 1024
) -> Job:
    return Job("FACE_EDITOR", face(mouth_smile=60) if request is None else request, source, longest_edge)


def photo_job(source: Path | None = None, request: Mapping[str, Any] | None = None) -> Job:
    return Job("PHOTO_EDITOR", photo() if request is None else request, source, 1024)


def rendered(job: Job) -> Image.Image:
    image = Image.open(io.BytesIO(RENDERER.render(job)), formats=["PNG"])
    image.load()
    return image


def blank_png(width: int, height: int) -> bytes:
    """A black picture of one bit a pixel, so that even a bomb is written in no time."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * height), 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("uploads") / "astronaut.png"
    Image.fromarray(astronaut()).save(path)  # type: ignore[no-untyped-call]  # skimage has no types
    return path


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    return tmp_path / "upload.png"


# The size


@given(sizes, st.integers(1, 4_096))
def test_a_face_edit_is_reduced_to_the_cap_and_never_enlarged(size: tuple[int, int], cap: int) -> None:
    made = output_size(size, face(), cap)
    assert max(made) == min(max(size), cap)
    assert_same_aspect(size, made)


@given(sizes, photo_requests, st.integers(1, 4_096))
def test_a_photo_edit_has_its_resolution_times_its_factor(
    size: tuple[int, int], request: dict[str, Any], cap: int
) -> None:
    made = output_size(size, request, cap)
    assert max(made) == request["resolution"] * request["style"]["upscale_factor"]
    assert_same_aspect(size, made)


def assert_same_aspect(size: tuple[int, int], made: tuple[int, int]) -> None:
    scale = max(made) / max(size)
    for edge, wanted in zip(made, size, strict=True):
        assert edge >= 1
        assert edge == 1 or abs(edge - wanted * scale) <= 0.5 + 1e-6


@given(sizes, json_values, json_values)
def test_whatever_a_request_holds_the_size_is_one_that_can_be_made(
    size: tuple[int, int], resolution: object, factor: object
) -> None:
    request = {"resolution": resolution, "style": {"upscale_factor": factor}}
    assert all(1 <= edge <= MAX_EDGE for edge in output_size(size, request, 1024))


def test_a_third_editor_is_sized_by_the_fields_it_has() -> None:
    assert output_size((2000, 1000), {"resolution": 640}, 1024) == (640, 320)
    assert output_size((2000, 1000), {"style": {"upscale_factor": 2}}, 512) == (1024, 512)
    assert output_size((2000, 1000), {}, 512) == (512, 256)


# The picture


def test_a_face_edit_of_a_portrait_is_a_marked_png_of_its_size(portrait: Path) -> None:
    image = rendered(face_job(portrait))
    assert (image.size, image.mode) == ((512, 512), "RGB")
    with Image.open(portrait) as before:
        assert ImageChops.difference(image, before.convert("RGB")).getbbox() == (0, 0, 512, 512)


def test_a_photo_edit_of_a_portrait_is_a_png_of_its_size(portrait: Path) -> None:
    assert rendered(photo_job(portrait, photo(640, 2))).size == (1280, 1280)


def test_the_caption_is_below_and_the_photo_can_still_be_recognised(portrait: Path) -> None:
    image = rendered(face_job(portrait))
    with Image.open(portrait) as before:
        difference = ImageChops.difference(image, before.convert("RGB")).convert("L")
    face_of_the_astronaut, band = (150, 20, 310, 190), (20, 450, 490, 500)
    assert strongest(difference.crop(face_of_the_astronaut)) < 40
    assert strongest(difference.crop(band)) > 150


def strongest(grey: Image.Image) -> int:
    return max(value for value, count in enumerate(grey.histogram()) if count)


def test_the_same_job_gives_the_same_bytes(portrait: Path) -> None:
    assert RENDERER.render(face_job(portrait)) == RENDERER.render(face_job(portrait))


def test_the_order_in_which_a_store_gives_the_fields_back_changes_no_byte(portrait: Path) -> None:
    request = photo() | {"steps": 4}
    request["style"]["steps"] = 6
    turned = {key: request[key] for key in reversed(request)}
    turned["style"] = {key: request["style"][key] for key in reversed(request["style"])}
    assert RENDERER.render(photo_job(portrait, request)) == RENDERER.render(photo_job(portrait, turned))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (face(), face(mouth_smile=60)),
        (face(mouth_smile=60), face(mouth_smile=55)),
        (face(mouth_smile=60), face(mouth_smile=-60)),
        (face(mouth_smile=60), face(mouth_pout=60)),
        (face(), face(enhance_face=True)),
        (photo(), photo(prompt="a person wearing a scarf")),
        (photo(), photo(negative_prompt="sketch")),
        (photo(), photo(likeness_strength=5.3)),
    ],
)
def test_two_different_settings_give_different_pictures(
    portrait: Path, one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert RENDERER.render(face_job(portrait, one)) != RENDERER.render(face_job(portrait, other))


def test_without_a_source_a_placeholder_of_1024_pixels_is_drawn() -> None:
    assert rendered(face_job(None, longest_edge=4096)).size == (1024, 1024)
    assert rendered(face_job(None, longest_edge=512)).size == (512, 512)


def test_one_rendering_leaves_nothing_behind_in_the_next() -> None:
    first = RENDERER.render(face_job(None))
    RENDERER.render(face_job(None, face(head_yaw=-20)))
    assert RENDERER.render(face_job(None)) == first


@pytest.mark.parametrize("extension", ["heic", "HEIF"])
def test_a_heic_upload_is_not_judged_and_drawn_as_the_placeholder(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"upload.{extension}"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    assert fault_of(path) is None
    assert RENDERER.render(face_job(path)) == RENDERER.render(face_job(None))


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (64, 64), (1, 900), (16, 2000), (119, 119)])
def test_a_tiny_picture_gets_a_border_only(upload: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size, "white").save(upload)
    image = rendered(face_job(upload, longest_edge=4096))
    assert image.size == size
    inside = image.crop((2, 2, size[0] - 2, size[1] - 2)) if min(size) > 4 else None
    assert inside is None or len(inside.getcolors(100_000) or ()) == 1
    assert image.getpixel((0, 0)) != (255, 255, 255)


@pytest.mark.parametrize("size", [(120, 120), (160, 160), (200, 1000), (1000, 200)])
@pytest.mark.parametrize("make_job", [face_job, photo_job])
def test_a_picture_of_any_size_with_room_for_it_has_a_caption(
    upload: Path, size: tuple[int, int], make_job: Any
) -> None:
    Image.new("RGB", size, "white").save(upload)
    request = (face if make_job is face_job else photo)(**{f"some_setting_{n}": n for n in range(20)})
    request["style"]["upscale_factor"] = 1
    if make_job is photo_job:
        request["resolution"] = max(size)
    image = rendered(Job("ANY_EDITOR", request, upload, 4096))
    assert image.size == size
    assert len(image.crop((0, size[1] // 2, *size)).getcolors(1_000_000) or ()) > 2


def test_the_largest_picture_of_the_largest_plan_is_made(portrait: Path) -> None:
    assert rendered(photo_job(portrait, photo(1024, 4))).size == (4096, 4096)


# What is written on it


def test_the_caption_of_a_face_edit_names_what_was_moved() -> None:
    caption = caption_of(face_job(None, face(mouth_smile=60, head_yaw=-20, enhance_face=True)))
    assert caption.title == "Face editor (simulated)"
    assert caption.sliders == (("head yaw", -20), ("mouth smile", 60))
    assert caption.notes == ("enhance face",)


def test_the_caption_of_a_photo_edit_begins_with_the_prompt() -> None:
    caption = caption_of(photo_job(None, photo(negative_prompt="sketch", steps=4)))
    assert caption.title == "Photo editor (simulated)"
    assert [name for name, _ in caption.texts] == ["prompt", "negative prompt", "image description"]
    assert caption.notes == (
        "likeness strength 5.2",
        "prompt strength 3.75",
        "resolution 512",
        "steps 4",
        "upscale factor 2",
    )


def test_a_text_is_shown_in_what_the_font_can_draw() -> None:
    assert readable("  café\n\tau  lait \0") == "cafe au lait"
    assert readable("a 👩‍🚀 — 女") == "a \ufffd\ufffd - \ufffd"
    assert readable("x" * 4_000).endswith("x…")


@examples(40)
@given(st.text(max_size=200), st.text(max_size=200), st.integers(120, 400))
def test_no_prompt_stops_a_picture(prompt: str, negative_prompt: str, edge: int) -> None:
    request = photo(edge, 1, prompt=prompt, negative_prompt=negative_prompt)
    assert rendered(photo_job(None, request)).size == (edge, edge)


@pytest.mark.parametrize(
    "prompt",
    [
        "word " * 800,
        "W" * 4_000,
        "😀" * 4_000,
        "שלום עולם " * 400,
        "\u202emirrored\u202c \ud800 \x00\x07\x1b[31m",
        "e" + "\u0301" * 3_999,
        "\n" * 4_000,
    ],
)
def test_a_long_or_strange_prompt_is_cut_to_the_band(prompt: str) -> None:
    image = rendered(photo_job(None, photo(512, 1, prompt=prompt)))
    upper_half = image.crop((6, 6, 506, 250))
    assert upper_half == rendered(photo_job(None, photo(512, 1))).crop((6, 6, 506, 250))


@examples(60)
@given(st.dictionaries(st.text(max_size=30), json_values, max_size=8), json_values, st.booleans())
def test_no_unknown_setting_stops_a_picture(extra: dict[str, Any], style: Any, sized: bool) -> None:
    request = {"style": extra, "extra": extra, "more": style} | ({"resolution": 200} if sized else {})
    assert max(rendered(face_job(None, request, longest_edge=200)).size) <= MAX_EDGE
    assert rendered(face_job(None, {"style": style}, longest_edge=150))


@pytest.mark.parametrize("number", [1e308, -1e308, 10**400, -(10**400), 5e-324, float("inf"), float("nan")])
def test_no_number_is_too_extreme_to_be_shown(number: float) -> None:
    rendered(photo_job(None, photo(likeness_strength=number)))
    rendered(face_job(None, face(mouth_smile=number)))


def test_a_deeply_nested_or_endless_request_is_drawn_all_the_same() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    endless = {f"setting_{number}": number for number in range(20_000)}
    rendered(face_job(None, {"style": {"deep": deep, **endless}}, longest_edge=512))


# The upload


def test_a_photo_is_turned_upright_as_its_exif_says(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    held = Image.new("RGB", (300, 200), "white")
    ImageDraw.Draw(held).rectangle((0, 0, 60, 200), fill="black")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise: what is left in the file is the picture's top
    held.save(path, exif=exif)
    upright = open_picture(path).image.convert("L")
    assert upright.size == (200, 300)
    assert upright.getpixel((100, 20)) == 0
    assert rendered(face_job(path)).size == (200, 300)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "BMP", "TIFF", "JPEG2000"])
def test_every_accepted_type_that_pillow_reads_is_fine(upload: Path, kind: str) -> None:
    Image.new("RGB", (64, 48), "teal").save(upload, kind)
    assert fault_of(upload) is None
    assert rendered(face_job(upload)).size == (64, 48)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_mode_of_png_becomes_rgb(upload: Path, mode: str) -> None:
    Image.new(mode, (32, 32)).save(upload)
    assert open_picture(upload).image.mode == "RGB"


def test_what_is_transparent_is_flattened_on_white(upload: Path) -> None:
    Image.new("RGBA", (32, 32), (0, 0, 0, 0)).save(upload)
    assert open_picture(upload).image.getpixel((5, 5)) == (255, 255, 255)


def test_a_photo_of_sixteen_bits_keeps_its_greys(upload: Path) -> None:
    deep = Image.linear_gradient("L").convert("I").point(lambda grey: grey * 257).convert("I;16")
    deep.save(upload)
    greys = [open_picture(upload).image.convert("L").getpixel((9, row)) for row in (0, 128, 255)]
    assert greys == [0, 128, 255]


def test_a_dull_photo_of_sixteen_bits_stays_dull(upload: Path) -> None:
    Image.new("I;16", (32, 32), 100 * 257).save(upload)
    assert open_picture(upload).image.getpixel((9, 9)) == (100, 100, 100)


def test_a_bomb_is_refused_and_the_largest_picture_is_not(upload: Path) -> None:
    edge = int(PIXEL_BUDGET**0.5)
    upload.write_bytes(blank_png(edge + 1, edge + 1))
    assert fault_of(upload) == "invalid_file_format"
    upload.write_bytes(blank_png(100_000, 800))
    assert fault_of(upload) is None


def test_a_bomb_is_refused_before_it_is_decoded(upload: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    upload.write_bytes(blank_png(10_000, 10_000)[:100])
    with pytest.raises(JobFailed) as refusal:
        open_picture(upload)
    assert "pixels" in str(refusal.value.__cause__)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "BMP", "TIFF"])
def test_a_truncated_picture_is_refused(upload: Path, portrait: Path, kind: str) -> None:
    with Image.open(portrait) as image:
        image.resize((256, 256)).save(upload, kind)
    upload.write_bytes(upload.read_bytes()[: upload.stat().st_size // 2])
    assert fault_of(upload) == "invalid_file_format"
    with pytest.raises(JobFailed, match="invalid_file_format"):
        RENDERER.render(face_job(upload))


@pytest.mark.parametrize(
    "content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"GIF89a"]
)
def test_a_file_that_is_no_picture_is_refused(upload: Path, content: bytes) -> None:
    upload.write_bytes(content)
    assert fault_of(upload) == "invalid_file_format"
    with pytest.raises(JobFailed, match="invalid_file_format"):
        RENDERER.render(face_job(upload))


def test_a_file_that_is_not_there_is_no_fault_of_the_picture(upload: Path) -> None:
    with pytest.raises(FileNotFoundError):
        fault_of(upload)


@examples(100)
@given(kind=st.sampled_from(["PNG", "JPEG", "WEBP", "BMP", "TIFF"]), data=st.data())
def test_a_damaged_file_is_judged_and_never_raises(
    kind: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((24, 16)).save(file, kind)
    content = bytearray(file.getvalue())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / f"damaged.{kind}"
    path.write_bytes(content)
    assert fault_of(path) in {None, "invalid_file_format"}
