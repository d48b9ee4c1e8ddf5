"""Draws what the face editor makes of portraits: docs/face-editor.png and docs/face-people.png.

The first shows each slider from end to end on one portrait, the second some edits on each of two. Run as
`python docs/face_sheets.py [FOLDER]`, with the extra `inference` and the test group installed, after
`bluehour weights`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch
from matplotlib import cbook
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from bluehour.mock_server.rendering.reference.face.editor import edit_faces
from bluehour.mock_server.rendering.reference.face.faces import find_faces
from bluehour.mock_server.rendering.reference.face.sliders import NAMES, Style

_VALUES = (-100, -60, -30, 0, 30, 60, 100)
_BLOCKS = 2  # of sliders, side by side
_EDITS: Sequence[tuple[str, Style]] = (
    ("before", {}),
    *((f"{name}\n{value:+d}", {name: float(value)}) for name, value in (
        ("mouth_smile", 60),
        ("mouth_grim", 60),
        ("lip_open_ratio", 60),
        ("eyebrow_direction", 60),
        ("eye_open_ratio", -60),
        ("eye_gaze_horizontal", 60),
        ("head_yaw", 60),
        ("head_pitch", 60),
        ("head_roll", 60),
    )),
    ("enhance_face", {"enhance_face": True}),
)  # fmt: skip
_CELL, _LARGER = (110, 135), (136, 167)  # pixels
_GAP, _LINE = 14, 18
_PAPER, _INK, _MUTED = (252, 252, 253), (24, 28, 44), (104, 112, 136)
_COLOURS = 160  # of the palette: a third of the file's size


@dataclass(frozen=True, slots=True)
class Portrait:
    """A person's portrait.

    Attributes:
        picture: RGB.
        box: what of it is shown: left, top, right and bottom in px.
    """

    picture: Image.Image
    box: tuple[int, int, int, int]

    def edited(self, styles: Sequence[Style], size: tuple[int, int]) -> list[Image.Image]:
        """Return what styles make of it, cut and resized."""
        photo = torch.from_numpy(np.array(self.picture))
        face = find_faces([photo])[0][0]
        edited = edit_faces([photo] * len(styles), [face] * len(styles), styles)
        return [
            Image.fromarray(image.numpy()).resize(size, Image.Resampling.LANCZOS, box=self.box)
            for image in edited
        ]


def collins() -> Portrait:
    """Return NASA's portrait of Eileen Collins, in the public domain; scikit-image leaves it unannotated."""
    return Portrait(Image.fromarray(data.astronaut()), (152, 30, 302, 214))  # type: ignore[no-untyped-call]


def hopper() -> Portrait:
    """Return the US Navy's portrait of Grace Hopper, in the public domain; matplotlib ships it."""
    with Image.open(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)) as picture:
        return Portrait(picture.convert("RGB"), (106, 0, 412, 376))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path(__file__).parent)
def main(folder: Path) -> None:
    """Save the sheets into a folder."""
    torch.set_num_threads(1)
    for name, sheet in (("face-editor", _of_sliders(collins())), ("face-people", _of((collins(), hopper())))):
        sheet.quantize(_COLOURS, dither=Image.Dither.NONE).save(folder / f"{name}.png", optimize=True)


def _of_sliders(portrait: Portrait) -> Image.Image:
    """Return a row for each slider, a column for each value."""
    rows = -(-len(NAMES) // _BLOCKS)
    wide = len(_VALUES) * _CELL[0] + _GAP
    sheet = Image.new("RGB", (_BLOCKS * wide + _GAP, rows * (_CELL[1] + _LINE) + _LINE + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(12)
    for place, name in enumerate(NAMES):
        block, row = divmod(place, rows)
        left, top = _GAP + block * wide, _LINE + row * (_CELL[1] + _LINE)
        draw.text((left, top), name, fill=_INK, font=font)
        _paste(
            sheet, portrait.edited([{name: float(value)} for value in _VALUES], _CELL), (left, top + _LINE)
        )
    for block in range(_BLOCKS):
        for column, value in enumerate(_VALUES):
            middle = _GAP + block * wide + column * _CELL[0] + _CELL[0] // 2
            draw.text((middle, 2), f"{value:+d}" if value else "0", fill=_MUTED, font=font, anchor="ma")
    return sheet


def _of(portraits: Sequence[Portrait]) -> Image.Image:
    """Return a row for each person, a column for each edit."""
    wide, high = _LARGER
    sheet = Image.new(
        "RGB", (len(_EDITS) * wide + 2 * _GAP, len(portraits) * high + 2 * _LINE + _GAP), _PAPER
    )
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(12)
    for column, (name, _) in enumerate(_EDITS):
        middle = _GAP + column * wide + wide // 2
        draw.text((middle, _LINE), name, fill=_INK, font=font, anchor="mm", align="center")
    for row, portrait in enumerate(portraits):
        edited = portrait.edited([style for _, style in _EDITS], _LARGER)
        _paste(sheet, edited, (_GAP, 2 * _LINE + row * high))
    return sheet


def _paste(sheet: Image.Image, pictures: Sequence[Image.Image], at: tuple[int, int]) -> None:
    for column, picture in enumerate(pictures):
        sheet.paste(picture, (at[0] + column * picture.width, at[1]))


if __name__ == "__main__":
    main()
