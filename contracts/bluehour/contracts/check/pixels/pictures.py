"""Pictures as they come from files and links."""

from __future__ import annotations

import io

from PIL import Image, ImageOps, UnidentifiedImageError

from bluehour.mock_server.rendering.pictures import FORMATS, flattened
from bluehour.openapi.errors import BluehourError


class NoPicture(BluehourError):
    """The bytes can't be decoded as a picture; the message says why."""


def decoded(content: bytes) -> Image.Image:
    """Return a picture as people see it: upright, on paper where it is transparent, in RGB.

    Raises:
        NoPicture: it can't be decoded to its end.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            return flattened(ImageOps.exif_transpose(image))
    except UnidentifiedImageError as error:
        raise NoPicture(f"its {len(content):,} bytes are of no known format") from error
    except Exception as error:  # broken files come out of Pillow's decoders as nearly any exception
        raise NoPicture(str(error)) from error
