"""Draws docs/face-editor.png: what each slider of the face editor makes of a portrait, from end to end.

Run as `python docs/face_sheets.py [TARGET]`, with the extra `inference` and the test group installed, after
`bluehour weights`.
"""

from __future__ import annotations

from pathlib import Path

import click
import torch
from PIL import Image, ImageDraw, ImageFont
from skimage import data
from torch import Tensor

from mock_server.rendering.reference.face.editor import edit_faces
from mock_server.rendering.reference.face.faces import Face, find_faces
from mock_server.rendering.reference.face.sliders import NAMES

_VALUES = (-100, -60, -30, 0, 30, 60, 100)
_BLOCKS = 2  # of sliders, side by side
_CROP = (152, 30, 302, 214)  # of the portrait, in pixels
_CELL = (110, 135)  # pixels
_GAP, _LINE = 14, 18
_PAPER, _INK, _MUTED = (252, 252, 253), (24, 28, 44), (104, 112, 136)
_COLOURS = 160  # of the palette: a third of the file's size


@click.command()
@click.argument(
    "target", type=click.Path(path_type=Path), default=Path(__file__).with_name("face-editor.png")
)
def main(target: Path) -> None:
    """Save the sheet."""
    torch.set_num_threads(1)
    portrait = torch.from_numpy(data.astronaut())  # type: ignore[no-untyped-call]  # scikit-image leaves it unannotated
    face = find_faces([portrait])[0][0]
    rows = -(-len(NAMES) // _BLOCKS)
    wide = len(_VALUES) * _CELL[0] + _GAP
    sheet = Image.new("RGB", (_BLOCKS * wide + _GAP, rows * (_CELL[1] + _LINE) + _LINE + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(12)
    for place, name in enumerate(NAMES):
        block, row = divmod(place, rows)
        left, top = _GAP + block * wide, _LINE + row * (_CELL[1] + _LINE)
        draw.text((left, top), name, fill=_INK, font=font)
        for column, picture in enumerate(_pictures(portrait, face, name)):
            sheet.paste(picture, (left + column * _CELL[0], top + _LINE))
    for block in range(_BLOCKS):
        for column, value in enumerate(_VALUES):
            middle = _GAP + block * wide + column * _CELL[0] + _CELL[0] // 2
            draw.text((middle, 2), f"{value:+d}" if value else "0", fill=_MUTED, font=font, anchor="ma")
    sheet.quantize(_COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)


def _pictures(portrait: Tensor, face: Face, name: str) -> list[Image.Image]:
    count = len(_VALUES)
    edited = edit_faces([portrait] * count, [face] * count, [{name: float(value)} for value in _VALUES])
    return [
        Image.fromarray(image.numpy()).resize(_CELL, Image.Resampling.LANCZOS, box=_CROP) for image in edited
    ]


if __name__ == "__main__":
    main()
