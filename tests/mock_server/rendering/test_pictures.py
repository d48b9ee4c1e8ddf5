"""Uploads are decoded in little memory, and come out as they would if Pillow had decoded them whole."""

from __future__ import annotations

import io
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageOps

from bluehour.mock_server.rendering import pictures
from bluehour.mock_server.rendering.pictures import fault_of, flattened, open_picture
from bluehour.mock_server.rendering.png_strips import header_of, strips
from tests.profiles import examples, few

_PEAK = """
import resource, sys
from pathlib import Path
from bluehour.mock_server.rendering.pictures import fault_of, open_picture
from PIL import Image
Image.init()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
path = Path(sys.argv[1])
assert fault_of(path) is None
assert open_picture(path, 1024).size == (int(sys.argv[2]), int(sys.argv[3]))
unit = 1 if sys.platform == "darwin" else 1024
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit)
"""


def peak_bytes(path: Path, size: tuple[int, int]) -> int:
    """The memory that it takes to judge a file and to open it in a usual size, in a process of its own."""
    command = [sys.executable, "-c", _PEAK, str(path), *map(str, size)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize("mode", few(["RGB", "RGBA", "L", "P"], "RGBA"))
def test_a_large_png_takes_a_fraction_of_its_pixels(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "large.png"
    Image.new(mode, (9400, 9400)).save(path, compress_level=1)
    assert peak_bytes(path, (9400, 9400)) < 100e6 < 4 * 9400**2


def test_a_large_photo_takes_a_fraction_of_its_pixels(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.effect_noise((600, 400), 50).resize((6000, 4000)).convert("RGB").save(path, quality=85)
    assert peak_bytes(path, (6000, 4000)) < 50e6 < 4 * 6000 * 4000


@pytest.mark.parametrize(("kind", "most"), sorted(pictures._WHOLE.items()))
def test_what_can_only_be_decoded_whole_has_a_budget_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, most: int
) -> None:
    path = tmp_path / "upload.png"
    Image.new("RGB", (64, 64), "teal").save(path, kind)
    assert fault_of(path) is None
    monkeypatch.setattr(pictures, "_MEMORY_BUDGET", 64 * 64 * most - 1)
    assert fault_of(path) == "invalid_file_format"


def noise(mode: str, size: tuple[int, int], seed: int) -> Image.Image:
    """Blocks and noise: every kind of PNG's filters is used."""
    drawn = random.Random(seed)
    raw = drawn.randbytes(size[0] * size[1] * 4)
    whole = Image.frombytes("RGBA", size, raw)
    whole.paste(Image.linear_gradient("L").resize(size).convert("RGBA"), (size[0] // 3, 0))
    return whole.convert(mode)


@examples(60)
@given(
    mode=st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA"]),
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    rows=st.integers(1, 70),
    seed=st.integers(0, 1000),
    transparent=st.booleans(),
)
def test_strips_of_a_png_are_what_pillow_makes_of_the_whole(
    mode: str, size: tuple[int, int], rows: int, seed: int, transparent: bool
) -> None:
    file = io.BytesIO()
    options: dict[str, Any] = {"P": {"transparency": 3}, "L": {"transparency": 9}, "RGB": {}}.get(mode, {})
    noise(mode, size, seed).save(file, "PNG", **(options if transparent else {}))
    header = header_of(file)
    if not header.has_strips:  # a palette of few colours, whose pixels are parts of bytes
        assert mode == "P"
        return
    whole = flattened(Image.open(file))
    joined = Image.new("RGB", size)
    top = 0
    for strip in strips(file, header, rows):
        joined.paste(flattened(strip), (0, top))
        top += strip.height
    assert top == size[1]
    assert ImageChops.difference(joined, whole).getbbox() is None


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_a_picture_that_is_reduced_in_bands_is_the_reduced_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = tmp_path / "upload.png"
    noise("RGB", (301, 203), 7).save(path, kind, **({"lossless": True} if kind == "WEBP" else {}))
    whole = open_picture(path).image
    monkeypatch.setattr(pictures, "_BAND", 301 * 3 * 20)
    reduced = open_picture(path, 40)
    assert reduced.size == (301, 203)
    assert ImageChops.difference(reduced.image, whole.reduce(3)).getbbox() is None
    assert ImageChops.difference(open_picture(path).image, whole).getbbox() is None


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_reduced_picture_is_upright_and_knows_its_whole_size(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "upload.png"
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = ImageOps.expand(Image.new("RGB", (995, 507), "red"), 3, "white")
    lying.save(path, kind, exif=exif)
    whole, reduced = open_picture(path), open_picture(path, 100)
    assert whole.size == whole.image.size == reduced.size == (513, 1001)
    assert reduced.image.height > 2 * reduced.image.width * 0.9
    assert 200 <= reduced.image.height < 1001


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.95])
def test_a_large_png_that_is_cut_off_is_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: float
) -> None:
    path = tmp_path / "upload.png"
    noise("RGB", (200, 200), 1).save(path)
    monkeypatch.setattr(pictures, "_BAND", 200 * 3 * 10)
    assert fault_of(path) is None
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * cut)])
    assert fault_of(path) == "invalid_file_format"
    path.write_bytes(content[:2000] + bytes(500) + content[2500:])
    assert fault_of(path) == "invalid_file_format"


def test_an_interlaced_or_moving_png_is_decoded_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "_BAND", 40 * 3 * 4)
    path = tmp_path / "moving.png"
    first, second = noise("RGB", (40, 40), 1), noise("RGB", (40, 40), 2)
    first.save(path, save_all=True, append_images=[second])
    assert ImageChops.difference(open_picture(path).image, first).getbbox() is None
