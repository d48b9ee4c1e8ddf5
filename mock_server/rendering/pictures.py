"""Uploaded files as pictures: opened upright and flat for the renderers, judged for the upload path."""

from __future__ import annotations

import math
from pathlib import Path
from typing import BinaryIO, cast

from PIL import Image, ImageOps

from mock_server.rendering import RenderError

PIXEL_BUDGET = 1024**3 // 4 // 3
"""Pillow warns about pictures of more pixels, and refuses twice as many; here the warning refuses."""

PAPER = (255, 255, 255)
"""What is seen behind transparent pixels."""

FORMATS = ("AVIF", "BMP", "JPEG", "JPEG2000", "PNG", "TIFF", "WEBP")
"""The accepted image types that Pillow decodes.

Never all that Pillow knows: its EPS reader, for one, would run Ghostscript on what somebody else sends.
"""

_WITHOUT_DECODER = frozenset({".heic", ".heif"})


def open_picture(path: Path) -> Image.Image:
    """Return the picture in a file: upright (EXIF obeyed), in mode RGB, flattened on white.

    Raises:
        RenderError: `invalid_file_format` for a file that can't be decoded to its end, and for one of more
            than `PIXEL_BUDGET` pixels, which is refused before a pixel is decoded.
        OSError: the file itself can't be opened; that is no fault of the picture.
    """
    with path.open("rb") as file:
        try:
            return flattened(_upright(_decoded(file)))
        # Broken files come out of Pillow's decoders as nearly any exception (OSError, SyntaxError,
        # struct.error, ZeroDivisionError, ...); all say the same about the file.
        except Exception as error:
            raise RenderError("invalid_file_format") from error


def fault_of(path: Path) -> str | None:
    """Return the job error code that an uploaded image ends in, or None.

    None also for HEIC and HEIF, by their extension: nothing here decodes them, so they can't be judged.
    """
    if lacks_decoder(path):
        return None
    try:
        open_picture(path)
    except RenderError as error:
        return error.code
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


def _decoded(file: BinaryIO) -> Image.Image:
    image = Image.open(file, formats=FORMATS)
    # Asked here too, as Pillow's own answer is a warning, and its threshold a global that anyone may set.
    if not 0 < image.width * image.height <= PIXEL_BUDGET:
        raise ValueError(f"{image.width} x {image.height} pixels; at most {PIXEL_BUDGET} in all are decoded")
    image.load()
    return image


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a photo with broken metadata is still a photo
        return image


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
