"""How the sliders of the face editor move the points of a face: vectors in its own frame and units.

What a slider at +100 does; at -100 it does the contrary, where nothing else is said. The contract gives the
names and the range only; the rest is decided here.

| slider | positive | at +100 |
| --- | --- | --- |
| `eyebrow_direction` | brows up | 0.12 units (8 mm); at -100 0.16 units down |
| `eye_gaze_horizontal` | to the right of the picture | 0.10 units, two thirds of the white beside an iris |
| `eye_gaze_vertical` | up | 0.06 units |
| `eye_open_ratio` | wider | 1.5 times as high; at -100 all but closed by the upper lid |
| `lip_open_ratio` | jaw down, lips apart | 0.34 units; at -100 open lips close and closed ones are pressed |
| `mouth_grim` | a grimace: corners down and stretched, lips pressed, chin up | corners 0.10 units down |
| `mouth_pout` | lips fuller and forward, the lower one up, the mouth narrower | lips 1.5 times as high |
| `mouth_purse` | lips drawn together to the middle | the mouth 0.7 times as wide |
| `mouth_smile` | corners up and outwards, cheeks and lower lids a little up | corners 0.13 units up |
| `mouth_position_horizontal` | to the right of the picture | 0.16 units |
| `mouth_position_vertical` | up | 0.10 units |
| `head_pitch` | looks up | 15 degrees |
| `head_yaw` | looks to the right of the picture | 20 degrees |
| `head_roll` | leans clockwise as one sees it | 16 degrees |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Final

import torch
from torch import Tensor

from . import regions

NAMES: Final = (
    "eyebrow_direction",
    "eye_gaze_horizontal",
    "eye_gaze_vertical",
    "eye_open_ratio",
    "lip_open_ratio",
    "head_roll",
    "mouth_grim",
    "mouth_pout",
    "mouth_purse",
    "mouth_smile",
    "mouth_position_horizontal",
    "mouth_position_vertical",
    "head_pitch",
    "head_yaw",
)

HEAD: Final = ("head_pitch", "head_yaw", "head_roll")
GAZE: Final = ("eye_gaze_horizontal", "eye_gaze_vertical")
"""What moves heads and irises; the others move the rest of the face."""

_APART: Final = (HEAD, GAZE, ("eye_open_ratio",), ("lip_open_ratio",))
PARTS: Final = (*_APART, tuple(name for name in NAMES if not any(name in part for part in _APART)))
"""All of them, by what they take to move."""

FULL: Final = 100.0
"""Where a slider ends."""

_MOST_PITCH, _MOST_YAW, _MOST_ROLL = 15.0, 20.0, 16.0  # degrees
_GAZE = (0.10, 0.06)  # units
_LEAST_OPEN, _WELL_OPEN = 0.08, 0.18  # of an eye's width: what is closed has no iris to move
_JAW = 0.34  # units

Style = Mapping[str, float]


def shares(styles: Sequence[Style], device: torch.device) -> dict[str, Tensor]:
    """Return how far each slider is moved in the styles, [B], from -1 to 1; 0 where a style lacks it."""
    values = torch.tensor([[float(style.get(name, 0)) for style in styles] for name in NAMES])
    return dict(zip(NAMES, (values / FULL).clamp(-1, 1).to(device), strict=True))


def turn(share: Mapping[str, Tensor]) -> Tensor:
    """Return how heads turn: [B, 3], radians about the face's x, y and z axes."""
    degrees = torch.stack(
        (
            -_MOST_PITCH * share["head_pitch"],
            -_MOST_YAW * share["head_yaw"],
            _MOST_ROLL * share["head_roll"],
        ),
        -1,
    )
    return degrees.deg2rad()


def gaze(points: Tensor, share: Mapping[str, Tensor]) -> Tensor:
    """Return how irises move: [B, 2 eyes, 2], units in the face's plane; for points [B, 478, 3] in its frame.

    Less where an eye is narrow, and nothing where it's closed.
    """
    wish = torch.stack((_GAZE[0] * share["eye_gaze_horizontal"], -_GAZE[1] * share["eye_gaze_vertical"]), -1)
    openness = []
    for eye in regions.EYES:
        gap = points[:, eye.lower[2:-2], 1] - points[:, eye.upper[2:-2], 1]
        width = points[:, eye.corners[1], 0] - points[:, eye.corners[0], 0]
        openness.append(gap.mean(-1) / width.clamp(min=1e-3))
    free = (torch.stack(openness, -1) - _LEAST_OPEN) / (_WELL_OPEN - _LEAST_OPEN)
    return wish[:, None] * free.clamp(0, 1)[..., None]


def expression(points: Tensor, share: Mapping[str, Tensor]) -> Tensor:
    """Return how brows, lids and mouth move: [B, N, 3] for points [B, N, 3] of a face in its frame.

    All but what slides over something else: `jaw` and `upper_lids`.
    """
    face = _Parts(points, share)
    return face.brows() + face.widened_eyes() + face.smile() + face.grim() + face.lips() + face.mouth()


def jaw(points: Tensor, share: Mapping[str, Tensor]) -> Tensor:
    """Return how the jaw falls when lips open and rises when they close: [B, N, 3], as `expression` does.

    It's given for all points, smoothly; only those below the line between the lips are to follow it.
    """
    return _Parts(points, share).jaw()


def upper_lids(points: Tensor, share: Mapping[str, Tensor]) -> Tensor:
    """Return how the upper lids fall when eyes close: [B, N, 3], as `expression` does.

    It's given for all points, smoothly; only those above the lower lids are to follow it.
    """
    return _Parts(points, share).upper_lids()


Mover = Callable[[Tensor, Mapping[str, Tensor]], Tensor]

LAYERS: Final[Mapping[Mover, Set[str]]] = {
    expression: set(NAMES) - set(HEAD) - set(GAZE),
    jaw: {"lip_open_ratio"},
    upper_lids: {"eye_open_ratio"},
}
"""What moves a face's points, and the sliders that each depends on."""


class _Parts:
    """The moves of one batch of faces, each [B, N, 3]."""

    def __init__(self, points: Tensor, share: Mapping[str, Tensor]) -> None:
        self._points = points
        self._share = {name: value[:, None] for name, value in share.items()}
        corners = points[:, regions.OUTER_LIPS.corners]
        self._middle = points[:, regions.INNER_LIPS.middles].mean(1)[:, None]
        self._half = ((corners[:, 1, 0] - corners[:, 0, 0]) / 2)[:, None]
        self._corners = corners.unbind(1)
        upper, lower = points[:, regions.INNER_LIPS.middles, 1].unbind(1)
        self._gap = (lower - upper).clamp(min=0)[:, None]
        self._chin = points[:, regions.CHIN, 1][:, None] - self._middle[..., 1]

    def _from_mouth(self) -> tuple[Tensor, Tensor]:
        """Where points are from the middle of the mouth, [B, N] each."""
        x, y, _ = (self._points - self._middle).unbind(-1)
        return x, y

    def brows(self) -> Tensor:
        """Each brow moves with the forehead over it; the lid under it gives way."""
        amount = torch.zeros_like(self._points[..., 0])
        for brow in regions.BROWS:
            place = self._points[:, brow].mean(1)
            under = self._points[..., 1] > place[:, None, 1]
            near = torch.where(under, self._near(place, 0.42, 0.11), self._near(place, 0.42, 0.25))
            amount = torch.maximum(amount, near)
        share = self._share["eyebrow_direction"]
        return _vectors(y=torch.where(share > 0, -0.12 * share, -0.16 * share) * amount)

    def widened_eyes(self) -> Tensor:
        """Lids part from a line near the lower one; the skin around gives way."""
        total = torch.zeros_like(self._points[..., 0])
        for eye, brow in zip(regions.EYES, regions.BROWS, strict=True):
            along, y, high, low, far = self._by_eye(eye, brow)
            gap = low - high
            off = y - (low - 0.2 * gap) * (1 - along**2).clamp(min=0)
            reach = torch.where(off < 0, (0.85 * (low - far)).clamp(min=1.2 * gap), 2.2 * gap)
            fade = 1 - _step((off.abs() - 0.8 * gap) / (reach - 0.8 * gap))
            total = total + off * fade * (1 - _step((along.abs() - 0.8) / 0.5))
        return _vectors(y=0.5 * self._share["eye_open_ratio"].clamp(min=0) * total)

    def upper_lids(self) -> Tensor:
        total = torch.zeros_like(self._points[..., 0])
        for eye, brow in zip(regions.EYES, regions.BROWS, strict=True):
            along, y, high, low, far = self._by_eye(eye, brow)
            arch = (1 - along**2).clamp(min=0)
            over = (high * arch - y) / (0.85 * (high - far)).clamp(min=0.5 * (low - high))
            total = total + (low - high) * arch * (1 - _step(over))
        return _vectors(y=-0.95 * self._share["eye_open_ratio"].clamp(max=0) * total)

    def _by_eye(
        self, eye: regions.Opening, brow: Sequence[int]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Points as an eye sees them, [B, N] or [B, 1].

        How far they are along the eye, from -1 to 1 between its corners; their y below these; and that of the
        upper lid, the lower one, and the brow.
        """
        start, end = self._points[:, eye.corners].unbind(1)
        x, y, _ = (self._points - ((start + end) / 2)[:, None]).unbind(-1)
        high, low, far = (
            (self._points[:, edge, 1].mean(1) - (start + end)[:, 1] / 2)[:, None]
            for edge in (eye.upper[3:-3], eye.lower[3:-3], brow)
        )
        return x / ((end - start)[:, 0] / 2)[:, None], y, high, torch.maximum(low, high + 0.01), far

    def jaw(self) -> Tensor:
        x, y = self._from_mouth()
        share = self._share["lip_open_ratio"]
        wide = 0.30 + 0.45 * _step(y / 0.6)
        lips, chin = (1 - (x / self._half) ** 2).clamp(min=0), torch.exp(-0.5 * (x / wide) ** 2)
        down = _JAW * share.clamp(min=0) * (lips + (chin - lips) * _step((y - self._gap / 2) / 0.4))
        arch = (1 - (x / (0.9 * self._half)) ** 2).clamp(min=0) + 0.3 * _step(y / 0.6)
        up = -0.85 * self._gap * share.clamp(max=0) * arch.clamp(max=1) * (1 - 0.6 * _step(y / self._chin))
        below = 1 - _step((y - 0.75 * self._chin) / (0.9 * self._chin))
        return _vectors(y=(down - up) * below)

    def smile(self) -> Tensor:
        share = self._share["mouth_smile"]
        x, y = torch.zeros_like(share), torch.zeros_like(share)
        for corner, outwards in zip(self._corners, (-1, 1), strict=True):
            near = self._near(corner, 0.27, 0.24)
            x, y = x + outwards * 0.10 * near, y - 0.13 * near
        for cheek in (regions.RIGHT_CHEEK, regions.LEFT_CHEEK):
            y = y - 0.05 * self._near(self._points[:, cheek], 0.3, 0.22)
        return _vectors(x=share * x, y=share * y)

    def grim(self) -> Tensor:
        share = self._share["mouth_grim"]
        x, y = torch.zeros_like(share), torch.zeros_like(share)
        for corner, outwards in zip(self._corners, (-1, 1), strict=True):
            near = self._near(corner, 0.2, 0.22)
            x, y = x + outwards * 0.07 * near, y + 0.10 * near
        y = y - 0.04 * self._near(self._middle[:, 0], 0.2, 0.3)
        return _vectors(x=share * x, y=share * y) + self._lips_scaled(-0.25 * share)

    def lips(self) -> Tensor:
        """Pout, purse, closing lips that are pressed, and the corners of opened ones."""
        pout, purse = self._share["mouth_pout"], self._share["mouth_purse"]
        shut = self._share["lip_open_ratio"].clamp(max=0)
        x, y = self._from_mouth()
        near = torch.exp(-0.5 * ((x / (1.2 * self._half)) ** 4 + (y / 0.34) ** 4))
        narrow = -x * near * (0.18 * pout + 0.34 * purse)
        low = near * _step(y / 0.1 + 0.5)
        moved = _vectors(x=narrow, y=-0.03 * pout * low, z=-0.14 * pout * near)
        dropped = [self._near(corner, 0.24, 0.24) for corner in self._corners]
        moved = moved + _vectors(y=0.13 * _JAW * self._share["lip_open_ratio"].clamp(min=0) * sum(dropped))
        return moved + self._lips_scaled(0.42 * pout + 0.10 * purse + 0.3 * shut)

    def mouth(self) -> Tensor:
        """The mouth as a whole moves sideways and up."""
        near = self._near(self._middle[:, 0], 0.5, 0.3)
        return _vectors(
            x=0.16 * self._share["mouth_position_horizontal"] * near,
            y=-0.10 * self._share["mouth_position_vertical"] * near,
        )

    def _lips_scaled(self, power: Tensor) -> Tensor:
        """Lips grow higher or lower, each away from the line between them or towards it."""
        x, y = self._from_mouth()
        off = torch.sign(y) * (y.abs() - self._gap / 2).clamp(min=0)
        near = torch.exp(-0.5 * ((x / (1.1 * self._half)) ** 4 + (off / 0.26) ** 4))
        return _vectors(y=power * off * near)

    def _near(self, place: Tensor, x: float, y: float) -> Tensor:
        """How near points are to a place [B, 3]: 1 there, 0.6 at `x` units beside and at `y` below it."""
        off = (self._points[..., :2] - place[:, None, :2]) / torch.tensor((x, y), device=place.device)
        return torch.exp(-0.5 * (off**2).sum(-1))


def _vectors(x: Tensor | None = None, y: Tensor | None = None, z: Tensor | None = None) -> Tensor:
    """Return vectors [B, N, 3] of what is given of their parts, [B, N] each."""
    given = [part for part in (x, y, z) if part is not None]
    none = torch.zeros_like(given[0] + given[-1])
    return torch.stack([none if part is None else part + none for part in (x, y, z)], -1)


def _step(x: Tensor) -> Tensor:
    """Rise smoothly from 0 at 0 to 1 at 1."""
    x = x.clamp(0, 1)
    return x * x * (3 - 2 * x)
