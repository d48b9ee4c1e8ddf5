"""Uploaded files as pictures: opened upright and flat for the renderers, judged for the upload path.

A picture is decoded in as little memory as its format allows, and no larger than it is needed: a photo of 24
megapixels takes 96 MB as pixels, and who uploads one may upload a hundred.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from PIL import ExifTags, Image, ImageOps

from bluehour.mock_server.rendering import JobFailed

from .png_strips import Header, check, header_of, strips

PIXEL_BUDGET = 1024**3 // 4 // 3
"""Pillow warns about pictures of more pixels, and refuses twice as many; here the warning refuses."""

_MEMORY_BUDGET = 512 * 2**20
"""Bytes that may be taken to decode one picture of a format that can only be decoded whole."""

_WHOLE = {"AVIF": 12, "JPEG2000": 20, "WEBP": 16}
"""Bytes that Pillow and its libraries take for a pixel; measured with Pillow 13. The rest take 4 to 8."""

_LARGE = 24 * 2**20
"""Bytes; a photo of 24 megapixels takes as many."""

_BAND = 4 * 2**20
"""Bytes of a picture that are decoded at a time, or flattened."""

_LARGEST_REDUCTION = 8
"""As that of a JPEG, which its decoder can halve three times."""

_TURNED = (5, 6, 7, 8)
"""Orientations that say that rows are columns (EXIF 2.32, tag 0x0112)."""

PAPER = (255, 255, 255)
"""What is seen behind transparent pixels."""

FORMATS = ("AVIF", "BMP", "JPEG", "JPEG2000", "PNG", "TIFF", "WEBP")
"""The accepted image types that Pillow decodes.

Never all that Pillow knows: its EPS reader, for one, would run Ghostscript on what somebody else sends.
"""

_WITHOUT_DECODER = frozenset({".heic", ".heif"})


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture.

    Attributes:
        image: upright (EXIF obeyed), in mode RGB, flattened on white; it may be a smaller one.
        size: width and height of the picture in the file, in pixels, upright as well.
    """

    image: Image.Image
    size: tuple[int, int]


def open_picture(path: Path, longest_edge: int | None = None) -> Picture:
    """Return the picture in a file.

    Args:
        path: the file.
        longest_edge: pixels that are needed of the longer edge. What is over twice as large is made smaller
            while it is decoded, to no less than twice of it.

    Raises:
        JobFailed: `invalid_file_format` for a file that can't be decoded to its end, and for one of more
            than `PIXEL_BUDGET` pixels, or one that would take too much memory; either is refused before a
            pixel is decoded.
        OSError: the file itself can't be opened; that is no fault of the picture.
    """
    with path.open("rb") as file:
        try:
            return _decoded(file, longest_edge)
        # Broken files come out of Pillow's decoders as nearly any exception (OSError, SyntaxError,
        # struct.error, ZeroDivisionError, ...); all say the same about the file.
        except Exception as error:
            raise JobFailed("invalid_file_format") from error


def is_large(path: Path) -> bool:
    """Say whether it takes so much memory to decode a file's picture that one at a time is enough."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            # A JPEG is made smaller while it is decoded, wherever less of it is needed.
            needed = image.width * image.height * _WHOLE.get(image.format or "", 4)
            return needed // (4 if image.format == "JPEG" else 1) > _LARGE
    except Exception:  # no picture: it will be refused soon
        return False


def size_in(path: Path) -> tuple[int, int] | None:
    """Return width and height of a file's picture, in pixels, by its header alone; None where it is none."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            return image.size
    except Exception:  # as in `is_large`
        return None


def fault_of(path: Path) -> str | None:
    """Return the job error code that an uploaded image ends in, or None.

    None also for HEIC and HEIF, by their extension: nothing here decodes them, so they can't be judged.
    """
    if lacks_decoder(path):
        return None
    with path.open("rb") as file:
        try:
            _judge(file)
        except Exception:  # as in `open_picture`
            return "invalid_file_format"
    return None


def lacks_decoder(path: Path) -> bool:
    """Say whether the file's extension is of an accepted type that can't be decoded here."""
    return path.suffix.lower() in _WITHOUT_DECODER


def flattened(image: Image.Image) -> Image.Image:
    """Return a picture in mode RGB, on white where it is transparent."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGB", image.size, PAPER)
        paper.paste(image, mask=image.getchannel("A"))
        paper.info = image.info  # with the profile of its colours
        return paper
    if image.mode.startswith(("I", "F")):
        image = _in_eight_bits(image)
    return image.convert("RGB")


def _decoded(file: BinaryIO, longest_edge: int | None) -> Picture:
    image = Image.open(file, formats=FORMATS)
    _refuse_too_large(image)
    size = image.size
    reduction = _reduction(size, longest_edge)
    if image.format == "JPEG":
        image.draft(None, (max(1, size[0] // reduction), max(1, size[1] // reduction)))
        reduction = _reduction(image.size, longest_edge)
    flat = _flattened_by(_bands(file, image, reduction), image.size, reduction)
    flat.info = dict(image.info)  # with the profile of its colours, and where its top is
    return _upright(Picture(flat, size))


def _judge(file: BinaryIO) -> None:
    """Decode a file to its end, and keep nothing of it."""
    image = Image.open(file, formats=FORMATS)
    _refuse_too_large(image)
    if image.format == "JPEG":
        image.draft(None, (1, 1))
    if (header := _strip_header(file, image, 1)) is not None:
        check(file, header, _BAND // header.stride)
    else:
        image.load()


def _refuse_too_large(image: Image.Image) -> None:
    pixels = image.width * image.height
    # Asked here too, as Pillow's own answer is a warning, and its threshold a global that anyone may set.
    most = min(PIXEL_BUDGET, _MEMORY_BUDGET // _WHOLE.get(image.format or "", 1))
    if not 0 < pixels <= most:
        raise ValueError(f"{image.width} x {image.height} pixels; at most {most} in all are decoded")


def _reduction(size: tuple[int, int], longest_edge: int | None) -> int:
    """How many times smaller a picture may be made that has to keep twice the pixels that are needed."""
    if longest_edge is None:
        return 1
    return min(_LARGEST_REDUCTION, max(1, max(size) // (2 * longest_edge)))


def _bands(file: BinaryIO, image: Image.Image, reduction: int) -> Iterator[Image.Image]:
    """Yield a picture from its top to its bottom, as it is in the file; each band's rows can be reduced."""
    if (header := _strip_header(file, image, reduction)) is not None:
        yield from strips(file, header, _multiple(_BAND // header.stride, reduction))
        return
    image.load()
    if image.mode in ("I", "F"):  # greys whose range is the whole picture's
        image = _in_eight_bits(image)
    rows = _multiple(_BAND // (4 * image.width), reduction)
    if rows >= image.height:
        yield image
        return
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def _strip_header(file: BinaryIO, image: Image.Image, reduction: int) -> Header | None:
    """The header of a large PNG that can be decoded strip by strip; None for anything else."""
    if image.format != "PNG" or getattr(image, "is_animated", False):
        return None
    header = header_of(file)
    fits = header.stride * reduction <= _BAND < header.stride * header.height
    return header if header.has_strips and fits else None


def _multiple(number: int, of: int) -> int:
    """The largest multiple that is not above a number, and at least one."""
    return max(1, number // of) * of


def _flattened_by(bands: Iterator[Image.Image], size: tuple[int, int], reduction: int) -> Image.Image:
    """Flatten and reduce a picture by its bands."""
    whole: Image.Image | None = None
    top = 0
    for band in bands:
        flat = flattened(band)
        if reduction > 1:
            flat = flat.reduce(reduction)
        if band.size == size:
            return flat
        if whole is None:
            whole = Image.new("RGB", (math.ceil(size[0] / reduction), math.ceil(size[1] / reduction)))
        whole.paste(flat, (0, top))
        top += flat.height
    assert whole is not None  # noqa: S101 - a picture has at least one row
    return whole


def _upright(picture: Picture) -> Picture:
    try:
        is_turned = picture.image.getexif().get(ExifTags.Base.Orientation) in _TURNED
        return Picture(
            ImageOps.exif_transpose(picture.image), picture.size[::-1] if is_turned else picture.size
        )
    except Exception:  # a photo with broken metadata is still a photo
        return picture


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """Bring deep greys to 0 to 255, as convert() would clip them to white.

    Those of 16 bits by their range; of others, whose range isn't known, the darkest and the lightest are its
    ends.
    """
    deep = image.convert("F")
    is_known = image.mode.startswith("I;16")
    low, high = (0.0, 65535.0) if is_known else cast("tuple[float, float]", deep.getextrema())
    if not math.isfinite(high - low):
        raise ValueError("its greys have no range")
    scale = 255 / ((high - low) or 1)
    return deep.point(lambda grey: grey * scale - low * scale).convert("L")
