"""The face editor: photos, a face in each, and what is asked of it; many edits in one sampling.

Only a window around each face is looked at. Pixels that nothing moves are the photo's own, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from . import regions, sliders
from .enhancing import enhanced
from .field import Field, field_of
from .interior import inside_of_mouth
from .measures import HasPoints

TOGETHER: Final = {"cpu": 4, "cuda": 16}
"""Edits that are worked on together: on a CPU so few that what they need stays in its caches."""
_MOST_PIXELS: Final = {"cpu": 2**17, "cuda": 2**23}
"""Pixels in one sampling, which takes about 100 bytes for each while it lasts.

A photo of which more is moved is sampled alone, so that what is needed beside this grows with the largest
photo and not with how many there are.
"""
_CLOSED: Final = 0.06  # units between the lips
_MASK: Final = 1.05  # half axes of a face's outline: where an enhanced face ends
_MARGIN: Final = 3  # px around what moves: sampling looks two further
_AROUND: Final = 0.6  # units around an enhanced face: as far as it is compared with its neighbourhood


@torch.no_grad()
def edit_faces(
    images: Sequence[Tensor],
    faces: Sequence[HasPoints],
    styles: Sequence[sliders.Style],
    at_once: int | None = None,
) -> list[Tensor]:
    """Return photos with one face of each edited; the same photo can be given with several styles.

    Args:
        images: [H, W, 3] uint8 each, all on one device; they aren't changed.
        faces: the face of each that is edited.
        styles: sliders by name, from -100 to 100, and `enhance_face`; what is missing is 0. For a style that
            asks for nothing the given image itself is returned.
        at_once: how many edits are worked on together, at most; as the device likes it where nothing else is
            said. Of large photos it's fewer in any case: see `_MOST_PIXELS`.
    """
    results = list(images)
    asked = [place for place, style in enumerate(styles) if _asks(style)]
    for places in _together(asked, styles, images[0].device.type, at_once) if asked else ():
        batch = _Batch.of(
            [images[place] for place in places],
            [faces[place] for place in places],
            [styles[place] for place in places],
        )
        for place, result in zip(places, batch.edited(), strict=True):
            results[place] = result
    return results


def _together(
    asked: Sequence[int], styles: Sequence[sliders.Style], device: str, at_once: int | None
) -> Iterator[Sequence[int]]:
    """Yield the places of edits that are worked on together.

    Each part of the face takes its time for all of them once one of them moves it. On a GPU that costs less
    than to do it in several goes.
    """
    alike: dict[tuple[bool, ...], list[int]] = {}
    for place in asked:
        parts = (*sliders.PARTS, ("enhance_face",)) if device == "cpu" else ()
        alike.setdefault(tuple(_asks(styles[place], part) for part in parts), []).append(place)
    most = at_once or TOGETHER[device]
    for places in alike.values():
        for start in range(0, len(places), most):
            yield places[start : start + most]


def _asks(style: sliders.Style, names: Sequence[str] = (*sliders.NAMES, "enhance_face")) -> bool:
    return any(style.get(name) for name in names)


@dataclass(frozen=True, slots=True)
class _Box:
    """A part of a photo, px; the ends are beyond it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Return the height and the width."""
        return self.bottom - self.top, self.right - self.left

    def of(self, image: Tensor) -> Tensor:
        return image[self.top : self.bottom, self.left : self.right]

    @classmethod
    def within(cls, image: Tensor, left: float, top: float, right: float, bottom: float) -> _Box:
        """Return what of a box is in a photo; at least a pixel of it."""
        height, width = image.shape[:2]
        left, top = min(max(0, int(left)), width - 1), min(max(0, int(top)), height - 1)
        return cls(left, top, max(left + 1, min(int(right), width)), max(top + 1, min(int(bottom), height)))

    def is_at_edge_of(self, image: Tensor) -> bool:
        height, width = image.shape[:2]
        return self.left == 0 or self.top == 0 or self.right == width or self.bottom == height


@dataclass(frozen=True, slots=True)
class _Batch:
    """B edits, of which each asks for something.

    Attributes:
        images: the photos.
        points: [B, 478, 3] in px, their faces.
        field: how these move.
        enhance: whether they are enhanced.
        boxes: the part of each photo in which something changes.
    """

    images: Sequence[Tensor]
    points: Tensor
    field: Field
    enhance: Sequence[bool]
    boxes: Sequence[_Box]

    @classmethod
    def of(
        cls, images: Sequence[Tensor], faces: Sequence[HasPoints], styles: Sequence[sliders.Style]
    ) -> _Batch:
        """Return what `edit_faces` is asked for, all at once."""
        points = torch.stack([face.points.float().to(images[0].device) for face in faces])
        field = field_of(points, styles)
        enhance = [bool(style.get("enhance_face")) for style in styles]
        sides = _changing(field, points, enhance).tolist()
        boxes = [_Box.within(image, *ends) for image, ends in zip(images, sides, strict=True)]
        return cls(images, points, field, enhance, boxes)

    def __getitem__(self, places: slice) -> _Batch:
        """Return some of the edits."""
        return _Batch(
            self.images[places],
            self.points[places],
            self.field[places],
            self.enhance[places],
            self.boxes[places],
        )

    def edited(self) -> list[Tensor]:
        """Return the edited photos."""
        return [photo for places in self._portions() for photo in self[places]._edited()]

    def _portions(self) -> list[slice]:
        """Return which edits are sampled together: those in a row, of so many pixels at most."""
        portions = []
        most = _MOST_PIXELS[self.points.device.type]
        start, height, width = 0, 0, 0
        for place, box in enumerate(self.boxes):
            height, width = max(height, box.size[0]), max(width, box.size[1])
            if place > start and (place + 1 - start) * height * width > most:
                portions.append(slice(start, place))
                start, (height, width) = place, box.size
        return [*portions, slice(start, len(self.boxes))]

    def _edited(self) -> list[Tensor]:
        pixels = _padded([box.of(image) for box, image in zip(self.boxes, self.images, strict=True)])
        x, y = self._pixels(pixels.shape[-2:])
        moves, mouth = self.field.at(x, y)
        if self.field.moves:
            pixels = self._sampled(pixels, moves)
        if mouth is not None:
            made = inside_of_mouth(mouth[:, 1:], self._brightness(), self._closed())
            pixels = pixels + (made * 255 - pixels) * mouth[:, :1]
        if any(self.enhance):
            self._enhance(pixels, self._face_mask(x + moves[:, 0], y + moves[:, 1]))
        colours = pixels.round().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
        return [self._pasted(place, part) for place, part in enumerate(colours)]

    def _pixels(self, size: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return where in their photos the pixels of the padded parts are: x [B, 1, W] and y [B, H, 1]."""
        device = self.points.device
        left, top = torch.tensor(
            [(box.left, box.top) for box in self.boxes], dtype=torch.float32, device=device
        )[..., None, None].unbind(1)
        height, width = size
        return left + torch.arange(width, device=device), top + torch.arange(height, device=device)[:, None]

    def _sampled(self, sources: Tensor, moves: Tensor) -> Tensor:
        """Return the colours, 0 to 255, where moves lead to; beyond a photo's edge it goes on mirrored.

        Where nothing moves, the places are right to less than a thousandth of a pixel, and the colours are
        the photo's own once they are rounded.
        """
        height, width = sources.shape[-2:]
        x = torch.arange(width, dtype=moves.dtype, device=moves.device).expand(height, -1)
        y = torch.arange(height, dtype=moves.dtype, device=moves.device)[:, None].expand(-1, width)
        places = torch.stack((x, y)) + moves
        if any(box.is_at_edge_of(image) for box, image in zip(self.boxes, self.images, strict=True)):
            last = [(box.right - box.left - 1, box.bottom - box.top - 1) for box in self.boxes]
            places = _reflected(places, torch.tensor(last, device=moves.device)[..., None, None])
        size = torch.tensor((width, height), device=moves.device)[:, None, None]
        grid = (places * (2 / size)).add_(1 / size - 1).permute(0, 2, 3, 1)
        return functional.grid_sample(sources, grid, "bicubic", "border", align_corners=False)

    def _face_mask(self, x: Tensor, y: Tensor) -> Tensor:
        """1 where x and y [B, H, W] are in the faces of the photos, falling to 0 at their outlines."""
        inside = self.field.plane.within(torch.stack((x, y), -1).flatten(1, 2))
        low, high = _outlines(self.field, self.points)
        x, y = (
            ((inside - (low + high)[:, None] / 2) / ((high - low)[:, None] / 2))
            .reshape(*x.shape, 2)
            .unbind(-1)
        )
        return ((_MASK - torch.hypot(x, y)) / 0.25).clamp(0, 1)

    def _enhance(self, pixels: Tensor, mask: Tensor) -> None:
        """Enhance those that ask for it, each within its own part: what is beside it is no picture."""
        units = self.field.plane.unit.tolist()
        for place, (box, unit) in enumerate(zip(self.boxes, units, strict=True)):
            if self.enhance[place]:
                height, width = box.size
                part = pixels[place, :, :height, :width]
                part.copy_(enhanced(part / 255, mask[place, :height, :width], unit) * 255)

    def _brightness(self) -> Tensor:
        """The mean brightness of the cheeks, [B], 0 to 1."""
        means = []
        for image, points in zip(self.images, self.points, strict=True):
            x, y = points[[regions.RIGHT_CHEEK, regions.LEFT_CHEEK], :2].round().long().unbind(-1)
            means.append(
                image[y.clamp(0, len(image) - 1), x.clamp(0, image.shape[1] - 1)].float().mean() / 255
            )
        return torch.stack(means)

    def _closed(self) -> Tensor:
        """1 where a mouth is closed in the photo, [B]."""
        upper, lower = self.field.plane.within(self.points[:, regions.INNER_LIPS.middles, :2]).unbind(1)
        return ((lower - upper)[:, 1] < _CLOSED).float()

    def _pasted(self, place: int, part: Tensor) -> Tensor:
        box, image = self.boxes[place], self.images[place].clone()
        box.of(image).copy_(part[: box.bottom - box.top, : box.right - box.left])
        return image


def _changing(field: Field, points: Tensor, enhance: Sequence[bool]) -> Tensor:
    """Return the part of each photo in which something changes: [B, 4], left, top, right and bottom in px."""
    low, high = field.ends().unbind(1)
    if any(enhance):
        start, end = _outlines(field, points)
        middle, reach = (start + end) / 2, _MASK * (end - start) / 2 + _AROUND
        asked = torch.tensor(enhance, device=points.device)[:, None]
        low = torch.where(asked, torch.minimum(low, middle - reach), low)
        high = torch.where(asked, torch.maximum(high, middle + reach), high)
    low = torch.where(low <= high, low, 0.0)  # where nothing changes, in the middle of the face
    high = torch.maximum(low, high.nan_to_num(neginf=0.0))
    x, y = torch.stack((low, high), 1).unbind(-1)
    corners = field.plane.to_photo(torch.stack((x[:, [0, 0, 1, 1]], y[:, [0, 1, 0, 1]]), -1))
    return torch.cat((corners.amin(1).floor() - _MARGIN, corners.amax(1).ceil() + 1 + _MARGIN), 1)


def _outlines(field: Field, points: Tensor) -> tuple[Tensor, Tensor]:
    """Return the ends of the faces' outlines in their planes, [B, 2] each, units."""
    outline = field.plane.within(points[:, regions.OUTLINE, :2])
    return outline.amin(1), outline.amax(1)


def _padded(parts: Sequence[Tensor]) -> Tensor:
    """Return parts of photos, [h, w, 3] uint8, as one [B, 3, H, W] from 0 to 255; their edges go on."""
    if len(parts) == 1:
        return parts[0].permute(2, 0, 1)[None].float()
    height, width = max(len(part) for part in parts), max(part.shape[1] for part in parts)
    sources = parts[0].new_empty((len(parts), height, width, 3), dtype=torch.float32)
    for source, part in zip(sources, parts, strict=True):
        high, wide = part.shape[:2]
        source[:high, :wide] = part
        source[:high, wide:] = source[:high, wide - 1 : wide]
        source[high:] = source[high - 1 : high]
    return sources.permute(0, 3, 1, 2)


def _reflected(at: Tensor, last: Tensor) -> Tensor:
    """Return places between 0 and `last`, mirrored at both ends as often as it takes."""
    period = (2 * last).clamp(min=1)
    at = at.abs() % period
    return torch.minimum(torch.minimum(at, period - at), last.float())
