from __future__ import annotations

import pytest

from bluehour.mock_server.rendering import JobFailed
from bluehour.mock_server.rendering.media.qr import MOST_BYTES, qr_picture

zxingcpp = pytest.importorskip("zxingcpp", reason="QR codes are read by zxing-cpp, of the tests' group")


@pytest.mark.parametrize(
    "content",
    [
        "https://magichour.ai",
        "1",
        "0123456789",
        "HELLO WORLD",
        "Grüße, 東京 🎉",
        "two\nlines\t",
        "é" * (MOST_BYTES // 2),
        "x" * MOST_BYTES,
        "7" * MOST_BYTES,
    ],
    ids=lambda content: f"{content[:12]!r} x {len(content)}",
)
@pytest.mark.parametrize("edge", [512, 1024])
def test_a_code_says_its_content(content: str, edge: int) -> None:
    picture = qr_picture(content, edge=edge)
    assert (picture.mode, picture.size) == ("RGB", (edge, edge))
    (code,) = zxingcpp.read_barcodes(picture)
    assert (code.text, code.format) == (content, zxingcpp.BarcodeFormat.QRCode)


def test_a_code_has_a_quiet_zone_and_square_modules() -> None:
    picture = qr_picture("a", edge=300).convert("L")  # 21 modules, and four on each side: 10 pixels each
    dark = picture.point(lambda value: 255 - value).getbbox()
    assert dark == (45, 45, 255, 255)


def test_no_picture_is_too_small_for_its_code() -> None:
    picture = qr_picture("x" * MOST_BYTES, edge=1)
    assert picture.size == (185, 185)
    assert zxingcpp.read_barcodes(picture.resize((740, 740), 0))[0].text == "x" * MOST_BYTES


@pytest.mark.parametrize(
    "content",
    ["", "x" * (MOST_BYTES + 1), "é" * (MOST_BYTES // 2 + 1), "x" * 10_000_000, "\ud800"],
    ids=["nothing", "a byte more", "a letter more", "megabytes", "half a surrogate pair"],
)
def test_what_no_code_takes_fails_the_job(content: str) -> None:
    with pytest.raises(JobFailed) as failed:
        qr_picture(content, edge=512)
    assert failed.value.code == "invalid_parameters"
