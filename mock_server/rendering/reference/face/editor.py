"""The face editor: photos, a face in each, and what is asked of it; many edits in one sampling.

Only a window around each face is looked at. Pixels that nothing moves are the photo's own, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from . import regions, sliders
from .enhancing import enhanced
from .field import FACE, HEAD, Field, field_of
from .interior import inside_of_mouth
from .measures import HasPoints

_STILL: Final = 1e-3  # px: what moves less than this doesn't move
_AT_ONCE: Final = 16  # edits on a GPU; a CPU's caches are the better used the less is worked on at once
_CLOSED: Final = 0.06  # units between the lips


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
        at_once: how many edits are made in one sampling; as the device likes it where nothing else is said.
    """
    results = list(images)
    asked = [place for place, style in enumerate(styles) if _asks(style)]
    at_once = at_once or (_AT_ONCE if asked and images[asked[0]].is_cuda else 1)
    for start in range(0, len(asked), at_once):
        places = asked[start : start + at_once]
        batch = _Batch.of(
            [images[place] for place in places],
            [faces[place] for place in places],
            [styles[place] for place in places],
        )
        for place, result in zip(places, batch.edited(), strict=True):
            results[place] = result
    return results


def _asks(style: sliders.Style) -> bool:
    return bool(style.get("enhance_face")) or any(style.get(name) for name in sliders.NAMES)


@dataclass(frozen=True, slots=True)
class _Box:
    """A part of a photo, px; the ends are beyond it."""

    left: int
    top: int
    right: int
    bottom: int

    def of(self, image: Tensor) -> Tensor:
        return image[self.top : self.bottom, self.left : self.right]


class _Batch:
    """B edits, of which each asks for something."""

    def __init__(self, images: Sequence[Tensor], points: Tensor, field: Field, enhance: Tensor) -> None:
        self._images = images
        self._points = points
        self._field = field
        self._enhance = enhance
        reach = torch.maximum(field.reach(), enhance * FACE.half).tolist()
        self._boxes = [self._box(place, half) for place, half in enumerate(reach)]

    @classmethod
    def of(
        cls, images: Sequence[Tensor], faces: Sequence[HasPoints], styles: Sequence[sliders.Style]
    ) -> _Batch:
        """Return what `edit_faces` is asked for, all at once."""
        device = images[0].device
        points = torch.stack([face.points.float().to(device) for face in faces])
        enhance = torch.tensor([bool(style.get("enhance_face")) for style in styles], device=device)
        return cls(images, points, field_of(points, styles), enhance)

    def edited(self) -> list[Tensor]:
        """Return the edited photos."""
        parts = [box.of(image) for box, image in zip(self._boxes, self._images, strict=True)]
        sources = _padded(parts)
        x, y = self._pixels(sources.shape[-2:])
        moves, mouth = self._field.at(x, y)
        pixels = self._sampled(sources, x + moves[:, 0], y + moves[:, 1])
        changed = moves.abs().amax(1) > _STILL
        if bool(mouth[:, 0].any()):
            made = inside_of_mouth(mouth[:, 1:], self._brightness(), self._closed())
            pixels = pixels + (made - pixels) * mouth[:, :1]
            changed |= mouth[:, 0] > 0
        if bool(self._enhance.any()):
            mask = self._face_mask(x + moves[:, 0], y + moves[:, 1]) * self._enhance[:, None, None]
            pixels = enhanced(pixels, mask, self._field.plane.unit)
            changed |= mask > 0
        pixels = torch.where(changed[:, None], pixels, sources).mul(255).round().clamp(0, 255).to(torch.uint8)
        return [self._pasted(place, part) for place, part in enumerate(pixels.permute(0, 2, 3, 1))]

    def _box(self, place: int, half: float) -> _Box:
        """Return the part of a photo that a window of the face's plane covers; at least a pixel of it."""
        middle = (HEAD if half == HEAD.half else FACE).middle
        corners = torch.tensor(
            [[middle[0] + x * half, middle[1] + y * half] for x in (-1, 1) for y in (-1, 1)]
        )
        plane = self._field[[place]].plane
        corners = plane.to_photo(corners[None].to(self._points.device))[0]
        height, width = self._images[place].shape[:2]
        left, top = (max(0, int(low)) for low in corners.amin(0).floor().tolist())
        right, bottom = (int(high) + 1 for high in corners.amax(0).ceil().tolist())
        left, top = min(left, width - 1), min(top, height - 1)
        return _Box(left, top, max(left + 1, min(right, width)), max(top + 1, min(bottom, height)))

    def _pixels(self, size: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return where in their photos the pixels of the padded parts are: x and y [B, H, W]."""
        device = self._points.device
        left, top = (
            torch.tensor([getattr(box, side) for box in self._boxes], device=device)[:, None, None]
            for side in ("left", "top")
        )
        height, width = size
        x = (left + torch.arange(width, device=device)).expand(-1, height, -1)
        y = (top + torch.arange(height, device=device)[:, None]).expand(-1, -1, width)
        return x.float(), y.float()

    def _sampled(self, sources: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Return the colours at places of the photos, px; beyond a part's edges it goes on mirrored."""
        height, width = sources.shape[-2:]
        places = []
        for at, low, high, size in ((x, "left", "right", width), (y, "top", "bottom", height)):
            start, end = (
                torch.tensor([getattr(box, side) for box in self._boxes], device=x.device)[:, None, None]
                for side in (low, high)
            )
            places.append((2 * _reflected(at - start, end - start - 1) + 1) / size - 1)
        return functional.grid_sample(
            sources, torch.stack(places, -1), "bicubic", "border", align_corners=False
        ).clamp(0, 1)

    def _face_mask(self, x: Tensor, y: Tensor) -> Tensor:
        """1 where x and y [B, H, W] are in the faces of the photos, falling to 0 at their outlines."""
        inside = self._field.plane.within(torch.stack((x, y), -1).flatten(1, 2))
        outline = self._field.plane.within(self._points[:, regions.OUTLINE, :2])
        low, high = outline.amin(1), outline.amax(1)
        x, y = (
            ((inside - (low + high)[:, None] / 2) / ((high - low)[:, None] / 2))
            .reshape(*x.shape, 2)
            .unbind(-1)
        )
        return ((1.05 - torch.hypot(x, y)) / 0.25).clamp(0, 1)

    def _brightness(self) -> Tensor:
        """The mean brightness of the cheeks, [B], 0 to 1."""
        means = []
        for image, points in zip(self._images, self._points, strict=True):
            x, y = points[[regions.RIGHT_CHEEK, regions.LEFT_CHEEK], :2].round().long().unbind(-1)
            means.append(
                image[y.clamp(0, len(image) - 1), x.clamp(0, image.shape[1] - 1)].float().mean() / 255
            )
        return torch.stack(means)

    def _closed(self) -> Tensor:
        """1 where a mouth is closed in the photo, [B]."""
        upper, lower = self._points[:, regions.INNER_LIPS.middles, 1].unbind(1)
        return ((lower - upper) / self._field.plane.unit < _CLOSED).float()

    def _pasted(self, place: int, part: Tensor) -> Tensor:
        box, image = self._boxes[place], self._images[place].clone()
        box.of(image).copy_(part[: box.bottom - box.top, : box.right - box.left])
        return image


def _padded(parts: Sequence[Tensor]) -> Tensor:
    """Return parts of photos, [h, w, 3] uint8, as one [B, 3, H, W] from 0 to 1."""
    height, width = max(len(part) for part in parts), max(part.shape[1] for part in parts)
    sources = parts[0].new_zeros((len(parts), 3, height, width), dtype=torch.float32)
    for source, part in zip(sources, parts, strict=True):
        source[:, : len(part), : part.shape[1]] = part.permute(2, 0, 1) / 255
    return sources


def _reflected(at: Tensor, last: Tensor) -> Tensor:
    """Return places between 0 and `last`, mirrored at both ends as often as it takes."""
    period = (2 * last).clamp(min=1)
    at = at.abs() % period
    return torch.minimum(torch.minimum(at, period - at), last.float())
