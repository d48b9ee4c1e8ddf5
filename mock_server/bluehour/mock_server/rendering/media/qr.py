"""QR codes that scan."""

from __future__ import annotations

from typing import Final

import segno
from PIL import Image

from bluehour.mock_server.rendering import JobFailed

MOST_BYTES: Final = 2_900
"""Of content in UTF-8; the largest code takes 2,953."""

_QUIET = 4  # modules of white around a code (ISO/IEC 18004, 9.1)


def qr_picture(content: str, *, edge: int) -> Image.Image:
    """Return a square picture with a QR code.

    Args:
        content: what a reader of it gets; one to `MOST_BYTES` bytes in UTF-8.
        edge: of the picture, in pixels; it is larger where a code's modules would have none.

    Raises:
        JobFailed: `invalid_parameters`, for a content that no code takes.
    """
    code = _modules(content)
    edge = max(edge, code.width)
    scale = edge // code.width
    code = code.resize((code.width * scale, code.height * scale), Image.Resampling.NEAREST)
    picture = Image.new("RGB", (edge, edge), "white")
    picture.paste(code, ((edge - code.width) // 2, (edge - code.height) // 2))
    return picture


def _modules(content: str) -> Image.Image:
    """Return a code in one pixel for each module."""
    try:
        if not 0 < len(content.encode()) <= MOST_BYTES:
            raise JobFailed("invalid_parameters")
        code = segno.make_qr(content, encoding="utf-8")
    except ValueError as error:  # half of a surrogate pair, or nothing that segno can encode
        raise JobFailed("invalid_parameters") from error
    rows = [bytes(0 if is_dark else 255 for is_dark in row) for row in code.matrix_iter(border=_QUIET)]
    return Image.frombytes("L", (len(rows), len(rows)), b"".join(rows))
