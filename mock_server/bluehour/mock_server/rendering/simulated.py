"""The renderer that edits nothing: the uploaded photo in the right size, with what was asked written on it.

Its pictures say that they are simulated, and are the same, byte for byte, for the same job.
"""

from __future__ import annotations

import io
import math
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, Final, TypeAlias

from PIL import Image, ImageDraw, ImageFont, ImageOps

from bluehour.mock_server.rendering import Job, JobFailed
from bluehour.mock_server.rendering.pictures import Picture, lacks_decoder, open_picture
from bluehour.openapi.outputs import MAX_EDGE, size_of

_Colour: TypeAlias = tuple[int, int, int]

NIGHT: Final = (13, 19, 48)
_BLUE: Final = (48, 72, 168)
_TRACK: Final = (74, 87, 140)
_MUTED: Final = (158, 172, 218)
_INK: Final = (238, 242, 255)
AMBER: Final = (255, 188, 92)

_SMALLEST_CAPTIONED = 120  # pixels of the shorter edge; below it not even the title can be read
_SMALLEST_FONT = 9  # pixels
_BAND_SHARE = 0.45  # of the picture's height, at most
_LONGEST_TEXT = 2_000  # characters; no band holds more
_MOST_SETTINGS = 200
_FULL_SLIDER = 100  # where a slider's bar is drawn to its end
_NO_SETTINGS = frozenset({"assets", "name"})
_LEADING = ("prompt", "negative_prompt", "image_description")  # what a reader looks for first

# What Pillow's built-in font draws beyond ASCII: © « ° ± · » … ™, the acute accent and the curly and the
# angle quotation marks. The rest is shown as its box for an unknown character.
_GLYPHS = frozenset(
    "\u00a9\u00ab\u00b0\u00b1\u00b4\u00b7\u00bb\u2018\u2019\u201c\u201d\u2026\u2039\u203a\u2122"
)
_BOX = "\ufffd"
_DASHES = frozenset("\u2010\u2011\u2012\u2013\u2014\u2212")


class SimulatedRenderer:
    """Makes a picture that a person and a test can tell from the upload at a glance."""

    def render(self, job: Job) -> bytes:
        """Return a PNG in the size that `output_size` says; the same bytes for an equal job.

        A job without a picture, or with a HEIC or HEIF that can't be decoded here, gets a drawn one.

        Raises:
            JobFailed: `invalid_file_format`, where the uploaded file can't be decoded.
            OSError: the uploaded file can't be opened.
        """
        return _png(picture_of(job))


def picture_of(job: Job, size: tuple[int, int] | None = None) -> Image.Image:
    """Return the picture of a job in mode RGB, with what was asked written on it.

    Args:
        job: without a picture, or with a HEIC or HEIF that can't be decoded here, it gets a drawn one.
        size: width and height in pixels, which the source is cut to; what the job asks for if None.

    Raises:
        JobFailed: `invalid_file_format`, where the uploaded file can't be decoded.
        OSError: the uploaded file can't be opened.
    """
    picture = plain_picture_of(job, size)
    width, height = picture.size
    _tint(picture, _BLUE, 0.14, (0, 0, width, height))
    draw_caption(picture, job)
    box, border = (0, 0, width - 1, height - 1), _border_of(picture)
    ImageDraw.Draw(picture).rectangle(box, outline=AMBER, width=border)
    return picture


def plain_picture_of(job: Job, size: tuple[int, int] | None = None) -> Image.Image:
    """Return the picture of a job in its size with nothing on it; takes and raises what `picture_of` does."""
    source = _source(job)
    is_cut = size is not None or job.output.aspect is not None
    size = size or _size(job, source.size)
    if not is_cut:
        return source.image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return ImageOps.fit(source.image, size, Image.Resampling.LANCZOS)


def draw_caption(picture: Image.Image, job: Job) -> None:
    """Write on a picture what was asked, where there is room for it."""
    if min(picture.size) >= _SMALLEST_CAPTIONED:
        _draw_band(picture, caption_of(job), _border_of(picture))


def _border_of(picture: Image.Image) -> int:
    return max(1, round(min(picture.size) / 100))


def _size(job: Job, source_size: tuple[int, int]) -> tuple[int, int]:
    """Return the width and height of what a job makes, in pixels."""
    if job.output.is_sized:
        return size_of(job.output, source_size, job.longest_edge)
    return output_size(source_size, job.request, job.longest_edge)


def output_size(
    source_size: tuple[int, int], request: Mapping[str, Any], longest_edge: int
) -> tuple[int, int]:
    """Return the width and height, in pixels, of the picture that a request makes.

    The longer edge is `resolution` where the request has one, and otherwise the source's own, reduced to
    `longest_edge` and never enlarged; times `style.upscale_factor` where the request has one. The other
    edge keeps the aspect, rounded, at least 1. No edge passes `MAX_EDGE`.
    """
    width, height = source_size
    longer = max(width, height)
    edge = _multiplier(request.get("resolution")) or max(1, min(longer, longest_edge))
    style = request.get("style")
    if isinstance(style, Mapping):
        edge *= _multiplier(style.get("upscale_factor")) or 1
    edge = min(MAX_EDGE, round(edge))
    return max(1, round(width * edge / longer)), max(1, round(height * edge / longer))


def _multiplier(value: object) -> float | None:
    """Return what can size a picture, bounded so that products stay finite; None for anything else."""
    number = _number(value)
    return None if number is None or number < 1 else min(number, MAX_EDGE)


def _number(value: object) -> float | None:
    """Return a JSON number as a finite float; None for anything else, true and false included."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # NaN
        return None
    return float(min(max(value, -1e308), 1e308))


def _source(job: Job) -> Picture:
    """The picture that is edited, in no more than twice the size that is needed of it."""
    drawn = Picture(_placeholder(), _placeholder().size)
    if job.source is None:
        return drawn
    try:
        return open_picture(job.source, max(_size(job, (MAX_EDGE, MAX_EDGE))))
    except JobFailed:
        if lacks_decoder(job.source):
            return drawn
        raise


def _tint(picture: Image.Image, colour: _Colour, share: float, box: tuple[int, int, int, int]) -> None:
    """Mix a colour into a part of a picture, where it is: a blend would make two more of its size."""
    left, top, right, bottom = box
    mask = Image.new("L", (right - left, bottom - top), round(255 * share))
    picture.paste(colour, box, mask)


@cache
def _placeholder() -> Image.Image:
    """Draw someone where there is no photo, 1024 x 1024; shared by all callers, who must not draw on it."""
    dusk = ImageOps.colorize(Image.linear_gradient("L"), (92, 112, 168), (236, 200, 186))
    picture = dusk.resize(
        (2048, 2048), Image.Resampling.BICUBIC
    )  # twice the size: reduce() smooths the edges
    draw = ImageDraw.Draw(picture)
    skin, shade, hair, cloth = (238, 208, 188), (216, 180, 160), (70, 62, 84), (84, 100, 148)
    draw.ellipse((600, 330, 1448, 1330), fill=hair)
    draw.rounded_rectangle((390, 1490, 1658, 2400), 360, fill=cloth)
    draw.rounded_rectangle((874, 1200, 1174, 1640), 150, fill=shade)
    draw.ellipse((684, 470, 1364, 1370), fill=skin)
    draw.pieslice((640, 360, 1408, 1060), 188, 352, fill=hair)
    for x in (874, 1174):
        draw.arc((x - 84, 800, x + 84, 920), 205, 335, fill=hair, width=20)
        draw.ellipse((x - 34, 866, x + 34, 934), fill=hair)
    draw.arc((980, 960, 1068, 1080), 20, 160, fill=shade, width=18)
    draw.arc((894, 1040, 1154, 1210), 25, 155, fill=(176, 92, 96), width=24)
    return picture.reduce(2)


@dataclass(frozen=True, slots=True)
class Caption:
    """What a job asks for, in words and numbers.

    Attributes:
        title: the editor's name, and that it is simulated.
        texts: name and text of what was described, such as the prompt.
        sliders: name and value of what was moved away from 0.
        notes: the other settings, one short phrase each.
    """

    title: str
    texts: tuple[tuple[str, str], ...]
    sliders: tuple[tuple[str, float], ...]
    notes: tuple[str, ...]


def caption_of(job: Job) -> Caption:
    """Return what the request asks for; settings that are off, empty or a slider at 0 are left out.

    The order is that of the names, so that equal requests give equal captions however they were stored.
    A number is a slider in an editor without a `resolution`, and an amount in one with it.
    """
    texts, sliders, notes = [], [], []
    for key, value in islice(_settings(job.request), _MOST_SETTINGS):
        name, number = _words(key), _number(value)
        if number is not None and "resolution" in job.request:
            notes.append(f"{name} {number:.6g}")
        elif number:
            sliders.append((name, number))
        elif isinstance(value, str) and (text := readable(value)):
            texts.append((name, text))
        elif value is True:
            notes.append(name)
        elif isinstance(value, Mapping | list) and value:
            notes.append(f"{name} ({len(value)} values)")
    title = f"{_title(job.project_type)} (simulated)"
    if job.output.count > 1:
        title += f", {job.number} of {job.output.count}"
    return Caption(title, tuple(texts), tuple(sliders), tuple(notes))


def _settings(request: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the settings at the top of a request and one level below: the leading ones, then by name."""
    found = []
    for key, value in request.items():
        if key in _NO_SETTINGS:
            continue
        nested = value.items() if isinstance(value, Mapping) else ()
        found += [(name, key, setting) for name, setting in nested] or [(key, "", value)]
    found.sort(key=lambda row: (_LEADING.index(row[0]) if row[0] in _LEADING else len(_LEADING), row[:2]))
    return ((name, value) for name, _, value in found)


def _title(project_type: str) -> str:
    words = _words(project_type.lower()) or "editor"
    return words[0].upper() + words[1:]


def _words(key: str) -> str:
    return readable(key.replace("_", " "))[:40]


def readable(text: str) -> str:
    """Return a text as one line that the font can draw: accents dropped, a box for what it lacks."""
    drawn = "".join(map(_drawn, text[:_LONGEST_TEXT]))
    return " ".join(drawn.split()) + ("…" if len(text) > _LONGEST_TEXT else "")


def _drawn(char: str) -> str:
    if " " <= char <= "~" or char in _GLYPHS:
        return char
    if char.isspace() or unicodedata.category(char) == "Cc":
        return " "
    if char in _DASHES:
        return "-"
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:  # accents, joiners, direction marks: no width
        return ""
    return "".join(part for part in unicodedata.normalize("NFKD", char) if " " <= part <= "~") or _BOX


@dataclass(frozen=True, slots=True)
class _Text:
    x: float
    text: str
    colour: _Colour


@dataclass(frozen=True, slots=True)
class _Bar:
    x: float
    width: float
    share: float  # -1 to 1


_Row: TypeAlias = list[_Text | _Bar]


class _Column:
    """A column of text of one width: measures, breaks lines, and sets a caption into rows."""

    def __init__(self, em: int, width: float) -> None:
        self.em = em
        self.width = width
        self.font = ImageFont.load_default(em)

    def rows(self, caption: Caption, limit: int) -> list[_Row]:
        """Set a caption into at most `limit` rows; what has no room ends in an ellipsis."""
        left = limit - 1
        notes = self._flow(caption.notes, min(2, left // 3) if caption.texts or caption.sliders else left)
        left -= len(notes)
        sliders = self._sliders(caption.sliders, max(0, left - len(caption.texts)))
        texts = self._texts(caption.texts, left - len(sliders))
        nothing: _Row = [_Text(0, "nothing to change", _MUTED)]
        title: _Row = [_Text(0, self._cut(caption.title, self.width), AMBER)]
        body = [*texts, *sliders, *notes] or [nothing]
        return [title, *body][:limit]

    def _texts(self, texts: Sequence[tuple[str, str]], limit: int) -> list[_Row]:
        names = max((self._length(name) for name, _ in texts), default=0)
        indent = names + self.em
        if indent > self.width / 3:
            indent = 0
            texts = [("", f"{name}: {text}") for name, text in texts]
        rows: list[_Row] = []
        for later, (name, text) in zip(range(len(texts) - 1, -1, -1), texts, strict=True):
            free = limit - len(rows)
            share = max(1, free - later)  # every later text keeps a row, while there are rows
            lines = self._wrapped(text.split(" "), " ", self.width - indent, min(share, free))
            rows += [[_Text(indent, line, _INK)] for line in lines]
            if lines:
                rows[-len(lines)].append(_Text(0, name, _MUTED))
        return rows

    def _sliders(self, sliders: Sequence[tuple[str, float]], limit: int) -> list[_Row]:
        """Draw a bar for each slider where all have room, else only name them."""
        names = max((self._length(name) for name, _ in sliders), default=0)
        values = max((self._length(_signed(value)) for _, value in sliders), default=0)
        gutter = 2 * self.em
        columns = min(3, int((self.width + gutter) // (names + values + 7 * self.em)))
        if columns < 1 or len(sliders) > columns * limit:
            return self._flow([f"{name} {_signed(value)}" for name, value in sliders], limit)
        depth = max(1, math.ceil(len(sliders) / columns))
        cell = min((self.width + gutter) / columns - gutter, 28 * self.em)
        rows: list[_Row] = [[] for _ in sliders[:depth]]
        for place, slider in enumerate(sliders):
            column, row = divmod(place, depth)
            rows[row] += self._slider(slider, column * (cell + gutter), cell, names, values)
        return rows

    def _slider(
        self, slider: tuple[str, float], x: float, cell: float, names: float, values: float
    ) -> Iterator[_Text | _Bar]:
        name, value = slider
        share = max(-1.0, min(1.0, value / _FULL_SLIDER))
        yield _Text(x, name, _INK)
        yield _Bar(x + names + self.em, cell - names - values - 2 * self.em, share)
        yield _Text(x + cell - self._length(_signed(value)), _signed(value), AMBER)

    def _flow(self, phrases: Sequence[str], limit: int) -> list[_Row]:
        return [[_Text(0, line, _INK)] for line in self._wrapped(phrases, "  ·  ", self.width, limit)]

    def _wrapped(self, pieces: Sequence[str], glue: str, width: float, limit: int) -> list[str]:
        """Break pieces into at most `limit` lines, breaking a piece itself only where it is too wide."""
        if limit < 1:
            return []
        rest = [part for piece in pieces for part in self._broken(piece, width)]
        lines: list[str] = []
        while rest and len(lines) < limit - 1:
            count = max(1, self._fitting(rest, glue, width))
            lines.append(glue.join(rest[:count]))
            rest = rest[count:]
        if rest:
            lines.append(self._cut(glue.join(rest), width))
        return lines

    def _broken(self, piece: str, width: float) -> Iterator[str]:
        while self._length(piece) > width and len(piece) > 1:
            count = max(1, self._fitting(piece, "", width))
            yield piece[:count]
            piece = piece[count:]
        yield piece

    def _cut(self, text: str, width: float) -> str:
        if self._length(text) <= width:
            return text
        return text[: self._fitting(text, "", width - self._length("…"))].rstrip(" ·") + "…"

    def _fitting(self, pieces: Sequence[str], glue: str, width: float) -> int:
        """Count the pieces that fit on a line."""
        # No glyph is narrower than an eighth of an em; looking no further bounds the cost of a long text.
        most = min(len(pieces), int(8 * width / self.em))
        return bisect_right(
            range(1, most + 1), width, key=lambda count: self._length(glue.join(pieces[:count]))
        )

    def _length(self, text: str) -> float:
        return self.font.getlength(text)


def _signed(value: float) -> str:
    return f"{value:+.6g}"


def _draw_band(picture: Image.Image, caption: Caption, border: int) -> None:
    """Draw a caption on a dark band along the picture's lower edge."""
    width, height = picture.size
    em = max(_SMALLEST_FONT, round(min(width, height) / 46))
    line, margin, gap = round(em * 1.45), border + em, em // 3
    column = _Column(em, width - 2 * margin)
    rows = column.rows(caption, max(1, int((height * _BAND_SHARE - margin - em) / line)))
    top = height - margin - len(rows) * line
    band = (0, top - gap - em // 2, width, height)
    _tint(picture, NIGHT, 0.84, band)
    draw = ImageDraw.Draw(picture)
    for number, row in enumerate(rows):
        for mark in row:
            _draw_mark(draw, mark, margin, top + number * line - (0 if number else gap), column)


def _draw_mark(draw: ImageDraw.ImageDraw, mark: _Text | _Bar, left: int, top: int, column: _Column) -> None:
    x = left + mark.x
    if isinstance(mark, _Text):
        draw.text((x, top), mark.text, fill=mark.colour, font=column.font)
        return
    thick = max(1, column.em // 10)
    middle, centre = top + round(column.em * 0.68), x + mark.width / 2
    draw.rectangle((x, middle - thick, x + mark.width, middle + thick), fill=_TRACK)
    end = centre + mark.share * mark.width / 2
    draw.rectangle((min(centre, end), middle - thick, max(centre, end), middle + thick), fill=AMBER)
    draw.line((centre, middle - 3 * thick, centre, middle + 3 * thick), fill=_MUTED, width=thick)


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)  # a quarter of the default's time for a tenth more bytes
    return file.getvalue()
