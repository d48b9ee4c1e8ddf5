"""Draws docs/photo-editor.png: what the analytic photo editor makes of a dozen prompts, before and after.

Run as `python docs/photo_sheets.py [TARGET]`, with the extra `inference` and the test group installed.
"""

from __future__ import annotations

from pathlib import Path

import click
import torch
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from bluehour.mock_server.rendering.reference.photo.analytic import AnalyticEditor
from bluehour.mock_server.rendering.reference.photo.parameters import parameters_of
from bluehour.mock_server.rendering.reference.photo.prompts import understood

_DESCRIPTION = "A photo of a person"
_PROMPTS = (
    "A photo of a person, brighter and warm",
    "A photo of a person at night",
    "A photo of a person at sunset",
    "A pencil sketch of a person",
    "An oil painting of a person",
    "A watercolor of a person",
    "A person as a cartoon",
    "A black and white photo of a person",
    "An old vintage photo of a person",
    "A photo of a person in pastel colors",
    "A photo of a person in neon light",
    "A photo of a person wearing a red hat",
)
_COLUMNS = 4
_CROP = (20, 0, 420, 400)  # of the portrait, in pixels
_CELL = 250  # pixels
_MIDDLE = 0.38  # of a cell: beside the face, where the picture goes from before to after
_GAP, _LINE = 14, 17
_PAPER, _INK, _MUTED = (252, 252, 253), (24, 28, 44), (104, 112, 136)
_SHADES = 52  # of each colour that are told apart: half the file's size, and no eye sees it


@click.command()
@click.argument(
    "target", type=click.Path(path_type=Path), default=Path(__file__).with_name("photo-editor.png")
)
def main(target: Path) -> None:
    """Save the sheet."""
    torch.set_num_threads(1)
    portrait = torch.from_numpy(data.astronaut())  # type: ignore[no-untyped-call]  # scikit-image leaves it unannotated
    requests = [
        {"resolution": 512, "style": {"prompt": prompt, "image_description": _DESCRIPTION}}
        for prompt in _PROMPTS
    ]
    asked = [parameters_of(request) for request in requests]
    edited = AnalyticEditor().edit([portrait] * len(asked), asked)
    rows = -(-len(edited) // _COLUMNS)
    step_x, step_y = _CELL + _GAP, _CELL + _GAP + 2 * _LINE + 4
    sheet = Image.new("RGB", (_COLUMNS * step_x + _GAP, rows * step_y + _GAP), _PAPER)
    for place, (prompt, image) in enumerate(zip(_PROMPTS, edited, strict=True)):
        corner = _GAP + place % _COLUMNS * step_x, _GAP + place // _COLUMNS * step_y
        _draw_pair(sheet, corner, _cell(portrait), _cell(image), prompt)
    sheet.point(_rounded).save(target, optimize=True)
    click.echo(f"{target}: {target.stat().st_size // 1000} kB")


def _rounded(value: int) -> int:
    return round(round(value / 255 * (_SHADES - 1)) * 255 / (_SHADES - 1))


def _cell(image: torch.Tensor) -> Image.Image:
    picture = Image.fromarray(image.numpy()).crop(_CROP)
    return picture.resize((_CELL, _CELL), Image.Resampling.LANCZOS)


def _draw_pair(
    sheet: Image.Image, corner: tuple[int, int], before: Image.Image, after: Image.Image, prompt: str
) -> None:
    x, y = corner
    middle = round(_CELL * _MIDDLE)
    sheet.paste(after, corner)
    sheet.paste(before.crop((0, 0, middle, _CELL)), corner)
    draw = ImageDraw.Draw(sheet)
    draw.line((x + middle, y, x + middle, y + _CELL - 1), fill=_PAPER, width=2)
    draw.text((x, y + _CELL + 4), prompt, fill=_INK, font=ImageFont.load_default(12.5))
    told = understood(prompt, _DESCRIPTION)
    lacks = f"; can't: {', '.join(told.not_understood)}" if told.not_understood else ""
    words = f"acts on: {', '.join(told.words) or 'nothing'}{lacks}"
    draw.text((x, y + _CELL + 4 + _LINE), words, fill=_MUTED, font=ImageFont.load_default(11.5))


if __name__ == "__main__":
    main()
