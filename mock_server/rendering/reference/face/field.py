"""From a face and a style to a displacement field: where each place of the edited picture is seen from.

A field is made in the face's plane and units (`frame.Plane`), on square grids, in three steps that follow
one another: the gaze within the eyes' openings, the expression in the face, and the head's turn in its
neighbourhood. In each, the moved points of the face say with which velocity its surroundings flow; flowing
for one unit of time is smooth and can be reversed, so that the picture is never folded.

Flows by scaling and squaring: V. Arsigny et al., A Log-Euclidean Framework for Statistics on
Diffeomorphisms, 2006.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, fields, replace
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from . import regions, sliders
from .frame import FaceFrame, Plane

_HALVINGS = 6  # of a flow's time: 64 steps
_SPREADS = (0.30, 0.12, 0.05)  # units: how far a point's velocity is felt, from the coarse to the fine
_CELLS_PER_BELL = 8  # of the grid that a bell is laid on, at least; finer is smooth in between
_FELT = 6.0  # of a bell's widths: what is further away is not felt, to float32's last bit
_ROWS = 24  # of a grid that are summed at once, at least
_SLIT = 0.02  # units: half of what is between what slides and what it slides over
_SMOOTHINGS = 40
_LEAST_AREA = 0.02  # of a cell's
_SOFT = 0.02  # units: how soft an opening's edge is
_EDGE_AHEAD, _EDGE_BEHIND = 0.18, 0.4  # of an eye's opening
_PIVOT = (0.0, 0.95, 0.95)  # units in the face's frame: about where the skull rests on the neck


@dataclass(frozen=True, slots=True)
class Window:
    """An upright part of the face's plane, with a grid over it from edge to edge.

    Attributes:
        whole: the square that it's a part of: x and y of its middle, and half a side, units.
        cells: points of the whole's grid along a side; the part's are some of these.
        columns, rows: the first of them that is in the part, and the first beyond it.
    """

    whole: tuple[float, float, float]
    cells: int
    columns: tuple[int, int]
    rows: tuple[int, int]

    @classmethod
    def square(cls, middle: tuple[float, float], half: float, cells: int) -> Window:
        """Return a whole window; `half` a side is in units."""
        return cls((*middle, half), cells, (0, cells), (0, cells))

    @property
    def step(self) -> float:
        """Return how far the points of the grid are apart, units."""
        return 2 * self.whole[2] / (self.cells - 1)

    @property
    def size(self) -> tuple[int, int]:
        """Return how many rows and columns there are."""
        return self.rows[1] - self.rows[0], self.columns[1] - self.columns[0]

    @property
    def middle(self) -> tuple[float, float]:
        """Return the x and y between the edges."""
        x, y, half = self.whole
        offsets = (((sum(ends) - 1) * self.step) / 2 - half for ends in (self.columns, self.rows))
        return x + next(offsets), y + next(offsets)

    @property
    def halves(self) -> tuple[float, float]:
        """Return half the width and half the height, units."""
        rows, columns = self.size
        return (columns - 1) * self.step / 2, (rows - 1) * self.step / 2

    def around(self, low: Tensor, high: Tensor) -> Window:
        """Return the part that holds boxes from `low` to `high`, [B, 2] each, and two cells around them."""
        x, y, half = self.whole
        start = torch.tensor((x - half, y - half), device=low.device)
        ends = torch.stack(
            ((low.amin(0) - start).floor_divide(self.step), (high.amax(0) - start) // self.step)
        )
        ((left, top), (right, bottom)) = ends.long().tolist()
        return replace(self, columns=self._even(left, right), rows=self._even(top, bottom))

    def _even(self, first: int, last: int) -> tuple[int, int]:
        """Return ends between which every second point, from the first to the last, has an even number."""
        last = min(last + 3 + (last + 3) % 2, (self.cells - 1) // 2 * 2)
        return min(max(0, first - 2 - first % 2), last - 2), last + 1

    def axes(self, device: torch.device, every: int = 1) -> tuple[Tensor, Tensor]:
        """Return the x and the y of every so many-th column and row, [columns] and [rows]."""
        x, y, half = self.whole
        columns, rows = (
            torch.arange(*ends, every, device=device) * self.step - half for ends in (self.columns, self.rows)
        )
        return columns + x, rows + y

    def grid(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return every point's x and y, [rows, columns] each."""
        x, y = self.axes(device)
        return x.expand(len(y), -1), y[:, None].expand(-1, len(x))

    def inside(self, x: Tensor, y: Tensor) -> Tensor:
        """1 in the whole, falling to 0 at its edge: for faces of which it doesn't hold all that moves."""
        left, top, half = self.whole
        far = torch.maximum((x - left).abs(), (y - top).abs()) / half
        return _smooth((0.98 - far) / 0.1)

    def zeros(self, count: int, channels: int, device: torch.device) -> Tensor:
        """Return fields that are 0: [count, channels, rows, columns]."""
        return torch.zeros(count, channels, *self.size, device=device)

    def sample(self, field: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Return what fields [B, C, rows, columns] are at places [B, H, W] each: [B, C, H, W]."""
        (left, top), (wide, high) = self.middle, self.halves
        return sampled(field, torch.stack(((x - left) / wide, (y - top) / high), 1))


FACE: Final = Window.square((0.0, 0.5), 2.0, 272)
HEAD: Final = Window.square((0.0, 0.4), 4.4, 192)


def sampled(field: Tensor, places: Tensor) -> Tensor:
    """Return what fields are at places [B, 2, H, W], of which -1 and 1 are the first and last points."""
    # As planes of x and y, that torch reads as they are: to put them side by side takes as long as this does.
    values: Tensor = functional.grid_sample(
        field, places.permute(0, 2, 3, 1), "bilinear", "border", align_corners=True
    )
    return values


@dataclass(frozen=True, slots=True)
class Layer:
    """Fields of B edits on one window's grid: [B, C, rows, columns]; beyond it they are 0."""

    window: Window
    values: Tensor

    def ends(self) -> Tensor:
        """Return the first and the last place that isn't 0: [B, 2 ends, x and y], units; NaN without one."""
        something = (self.values != 0).any(1)
        ends = []
        for taken, places in zip((1, 2), self.window.axes(self.values.device), strict=True):
            there = something.any(taken)
            nowhere = torch.full_like(places, torch.nan)
            of_these = torch.where(there, places, nowhere)
            low = of_these.nan_to_num(torch.inf).amin(1)
            high = of_these.nan_to_num(-torch.inf).amax(1)
            ends.append(torch.stack((low, high), 1))
        return torch.stack(ends, -1)


@dataclass(frozen=True, slots=True)
class Field:
    """The fields of B edits; all displacements are in units and lead from the edited picture to the original.

    Attributes:
        plane: where the faces are in their photos.
        head: displacements on a part of HEAD, applied first to a place of the edited picture; None where no
            head turns.
        face: displacements on a part of FACE, applied to where that leads; None where no face moves.
        mouth: on the same part, four channels: how much of the mouth's new inside is seen (0 to 1), how far
            that is below the upper edge and above the lower one (units), and how far along (-1 to 1).
            None where no mouth opens.
    """

    plane: Plane
    head: Layer | None
    face: Layer | None
    mouth: Layer | None

    def __getitem__(self, places: slice) -> Field:
        """Return some of the edits."""
        plane = Plane(*(getattr(self.plane, part.name)[places] for part in fields(Plane)))
        layers = (
            None if layer is None else Layer(layer.window, layer.values[places])
            for layer in (self.head, self.face, self.mouth)
        )
        return Field(plane, *layers)

    @property
    def moves(self) -> bool:
        """Whether any of them moves anything."""
        return self.head is not None or self.face is not None

    def ends(self) -> Tensor:
        """Return where it begins and ends to move something: [B, 2 ends, x and y], units; inf to -inf
        where nothing does.
        """
        count, device = len(self.plane.unit), self.plane.unit.device
        none = torch.tensor((torch.inf, -torch.inf), device=device)[None, :, None].expand(count, 2, 2)
        parts = [layer.ends() for layer in (self.head, self.face, self.mouth) if layer is not None]
        low = torch.stack([part[:, 0] for part in (none, *parts)]).amin(0)
        high = torch.stack([part[:, 1] for part in (none, *parts)]).amax(0)
        return torch.stack((low, high), 1)

    def at(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return where places of the edited pictures are seen from, and the mouth there.

        They are [B, 2, H, W], displacements in px of the photo, and [B, 4, H, W], as `mouth` is.

        Args:
            x, y: in px, [B, 1, W] and [B, H, 1], or [B, H, W] each.
        """
        # A place in a window is a sum of what its x adds and what its y adds; and so is all that follows.
        height, width = max(x.shape[1], y.shape[1]), max(x.shape[2], y.shape[2])
        unit, axes = self.plane.unit[:, None], self.plane.axes / self.plane.unit[:, None, None]
        origin = self.plane.origin[..., None, None]
        by_x = axes[:, 0, :, None, None] * (x - origin[:, 0])[:, None]
        by_y = axes[:, 1, :, None, None] * (y - origin[:, 1])[:, None]
        moved: Tensor | None = None
        mouth = None
        if self.head is not None:
            moved = sampled(self.head.values, _placed(self.head.window, by_x, by_y, None))
        if self.face is not None:
            places = _placed(self.face.window, by_x, by_y, moved)
            seen = sampled(self.face.values, places)
            moved = seen if moved is None else moved + seen
            if self.mouth is not None:
                mouth = sampled(self.mouth.values, places)
        if moved is None:
            return torch.zeros(len(x), 2, height, width, device=x.device), mouth
        turned = (self.plane.axes * unit[..., None]) @ moved.flatten(2)
        return turned.reshape(moved.shape), mouth


def _placed(window: Window, by_x: Tensor, by_y: Tensor, moved: Tensor | None) -> Tensor:
    """Return places in a window as `sampled` takes them: by x and by y [B, 2, H, W], then moved; units."""
    middle, halves = (
        torch.tensor(values, device=by_x.device)[:, None, None] for values in (window.middle, window.halves)
    )
    places = (by_x - middle) / halves + by_y / halves
    return places if moved is None else torch.addcdiv(places, moved, halves.expand_as(moved))


def field_of(points: Tensor, styles: Sequence[sliders.Style]) -> Field:
    """Return the fields of B edits.

    Args:
        points: [B, 478, 3] in px, the face of each; in mediapipe's order.
        styles: what is asked of each: sliders by name, from -100 to 100.
    """
    points = points.float()
    asked = {name for name in sliders.NAMES if any(style.get(name) for style in styles)}
    frame = FaceFrame.of(points)
    faces = _Faces(points, frame, sliders.shares(styles, points.device), asked)
    face, mouth = faces.expression()
    return Field(frame.plane, faces.head(), faces.gaze_before(face), mouth)


class _Faces:
    """B faces with what is asked of them, in their planes."""

    def __init__(
        self, points: Tensor, frame: FaceFrame, share: Mapping[str, Tensor], asked: Set[str]
    ) -> None:
        self._frame = frame
        self._share = share
        self._asked = asked
        self._points = frame.within(points)
        flat = frame.plane.within(points[..., :2])
        depth = (points[..., 2] - frame.origin[:, None, 2]) / frame.unit[:, None]
        self._placed = torch.cat((flat, depth[..., None]), -1)  # in the plane, with depth
        outline = flat[:, regions.OUTLINE]
        self._low, self._high = outline.amin(1), outline.amax(1)
        self._half, self._middle = (self._high - self._low) / 2, (self._high + self._low) / 2
        self._face = FACE.around(*self._ellipse(1, 1, 0, FACE_REACH)) if asked - set(sliders.HEAD) else FACE

    def _ellipse(self, wide: float, high: float, up: float, reach: float) -> tuple[Tensor, Tensor]:
        """Return the box around an ellipse that many times the face's outline: its low and high ends."""
        half = self._half * torch.tensor((wide, high), device=self._half.device) * reach
        middle = self._middle - self._half * torch.tensor((0.0, up), device=self._half.device)
        return middle - half, middle + half

    def head(self) -> Layer | None:
        """How heads turn as stiff bodies, less and less beyond them: displacements on a part of HEAD."""
        if not self._asked & set(sliders.HEAD):
            return None
        device = self._points.device
        turn = sliders.turn(self._share)
        window = HEAD.around(*self._ellipse(*_HEAD_SIZE, 0.5, HEAD_REACH))
        x, y = window.grid(device)
        pivot = (self._frame.axes @ torch.tensor(_PIVOT, device=device))[:, None]
        pivot = self._frame.plane.turned(pivot)[:, 0]
        about = self._frame.axes @ turn[..., None]
        wx, wy, wz = self._frame.plane.turned(about.mT)[:, 0, :, None, None].unbind(1)
        near = self._in_head(x, y)
        depth = self._depth(pivot[:, 2], window)
        px, py, pz = (x - pivot[:, 0, None, None], y - pivot[:, 1, None, None], depth)
        velocity = torch.stack((wy * pz - wz * py, wz * px - wx * pz), 1) * near[:, None]
        return Layer(window, _flow(-velocity, window))

    def _in_head(self, x: Tensor, y: Tensor) -> Tensor:
        """1 in heads with their hair, 0 beyond their neighbourhood: [B, rows, columns]."""
        low, high = (end[..., None, None] for end in self._ellipse(*_HEAD_SIZE, 0.5, 1))
        middle, half = (low + high) / 2, (high - low) / 2
        far = torch.hypot((x - middle[:, 0]) / half[:, 0], (y - middle[:, 1]) / half[:, 1])
        return HEAD.inside(x, y) * _smooth((HEAD_REACH - far) / (HEAD_REACH - HEAD_STIFF))

    def _depth(self, pivot: Tensor, window: Window) -> Tensor:
        """Depth from the pivot, [B, rows, columns], units; 0 around the head."""
        angle = torch.arange(24, device=pivot.device) * (torch.pi / 12)
        low, high = self._ellipse(1.5, 1.55, 0.5, 1)
        ring = torch.stack((angle.cos(), angle.sin()), -1) * ((high - low) / 2)[:, None]
        ring = ring + ((low + high) / 2)[:, None]
        at = torch.cat((self._placed[:, :468, :2], ring), 1)
        depth = self._placed[:, :468, 2:] - pivot[:, None, None]
        depth = torch.cat((depth, torch.zeros_like(ring[..., :1])), 1)
        return _spread(at, depth, window, _SPREADS[:1])[:, 0]

    def expression(self) -> tuple[Layer | None, Layer | None]:
        """How brows, lids and mouth move: displacements on a part of FACE, and the mouth's new inside there.

        Three layers flow together: the jaw below the lips' line, the upper lids above the lower ones, and
        under both the face.
        """
        points = self._points[:, :468]
        layers = {
            layer: moves
            for layer, names in sliders.LAYERS.items()
            if self._asked & names and bool((moves := layer(points, self._share)).any())
        }
        if not layers:
            return None, None
        x, y = self._face.grid(points.device)
        turned = [self._frame.plane.turned(moves @ self._frame.axes.mT)[..., :2] for moves in layers.values()]
        spread = _spread(*self._with_rim(torch.cat(turned, -1)), self._face, _SPREADS)
        base = torch.zeros_like(spread[:, :2])
        sliding = None
        for layer, moves in zip(
            layers, spread.reshape(len(points), -1, *base.shape[1:]).unbind(1), strict=True
        ):
            if layer is sliders.expression:
                base = moves
                continue
            moves = (
                moves * (self._in_jaw(x, y) if layer is sliders.jaw else self._over_lower_lids(x, y))[:, None]
            )
            sliding = moves if sliding is None else sliding + moves
        inside = self._in_face(x, y)[:, None]
        base = base * inside
        velocity = base if sliding is None else base + sliding * inside
        field, mouth = self._opened(_flow(-velocity, self._face), velocity)
        return Layer(self._face, _unfolded(self._uncovered(field, base, velocity), self._face)), mouth

    def _with_rim(self, moves: Tensor) -> tuple[Tensor, Tensor]:
        """The points of faces and a rim around them that stays where it is."""
        at = self._placed[:, :468, :2]
        middle = self._middle[:, None]
        rims = [middle + (at[:, regions.OUTLINE] - middle) * by for by in (1.3, 1.5)]
        at = torch.cat((at, *rims), 1)
        return at, functional.pad(moves, (0, 0, 0, at.shape[1] - moves.shape[1]))

    def _in_face(self, x: Tensor, y: Tensor) -> Tensor:
        """1 in faces, 0 a little beyond them: [B, rows, columns]."""
        half, middle = self._half[..., None, None], self._middle[..., None, None]
        far = torch.hypot((x - middle[:, 0]) / half[:, 0], (y - middle[:, 1]) / half[:, 1])
        return FACE.inside(x, y) * _smooth((FACE_REACH - far) / (FACE_REACH - FACE_STIFF))

    def _in_jaw(self, x: Tensor, y: Tensor) -> Tensor:
        """0 above the lips' line, 1 below: along the lower lip if it falls, the upper one if it rises."""
        lips = regions.INNER_LIPS
        falls = self._below(lips.lower, 0.0, x, y)
        rises = self._below(lips.upper, _SLIT, x, y)
        return torch.where(self._share["lip_open_ratio"][:, None, None] > 0, falls, rises)

    def _over_lower_lids(self, x: Tensor, y: Tensor) -> Tensor:
        """1 above the lower lids, 0 on them and below."""
        right, left = (self._below(eye.lower, -_SLIT, x, y) for eye in regions.EYES)
        return 1 - torch.where(x < 0, right, left)

    def _below(self, edge: Sequence[int], shift: float, x: Tensor, y: Tensor) -> Tensor:
        """0 above an edge moved down by `shift` units, 1 below: sharp between its ends, soft beside them."""
        line = _line(self._placed[:, edge, :2])
        start, end = line[:, :1, :1], line[:, -1:, :1]
        half = _SLIT + 2 * torch.relu(torch.maximum(start + 0.06 - x, x - end + 0.06))
        return _smooth((y - _height(line, x[0])[:, None] - shift + half) / (2 * half))

    def _uncovered(self, field: Tensor, base: Tensor, velocity: Tensor) -> Tensor:
        """Keep what closing lids and lips slide over from being squeezed: it moves with the face."""
        closing = ((regions.EYES, "eye_open_ratio"), ((regions.INNER_LIPS,), "lip_open_ratio"))
        unmoved: Tensor | None = None
        for openings, name in closing:
            if name not in self._asked or not bool((shut := self._share[name] < 0).any()):
                continue
            if unmoved is None:
                unmoved = _flow(-base, self._face) if bool(base.any()) else base
            for opening in openings:
                seen = _Opening.after(opening, self._placed, velocity, 0.0, self._face).seen
                field = field + (shut.float()[:, None, None] * seen)[:, None] * (unmoved - field)
        return field

    def _opened(self, field: Tensor, velocity: Tensor) -> tuple[Tensor, Layer | None]:
        """Return the field, made even inside mouths that open, and what is seen there, as `Field.mouth`."""
        if "lip_open_ratio" not in self._asked or not bool((wide := self._share["lip_open_ratio"] > 0).any()):
            return field, None
        opened = wide.float()[:, None, None]
        lower = regions.INNER_LIPS.lower
        mouth = _Opening.after(regions.Opening(lower, lower), self._placed, velocity, 1.3 * _SLIT, self._face)
        x, y = self._face.grid(field.device)
        before = mouth.source(x + field[:, 0], y)
        even = field[:, 1] + opened * mouth.within * (before - y - field[:, 1])
        field = torch.stack((field[:, 0], even), 1)
        seen = torch.stack((mouth.seen * opened, mouth.under, mouth.over, mouth.along), 1)
        return field, Layer(self._face, seen)

    def gaze_before(self, face: Layer | None) -> Layer | None:
        """Return displacements on a part of FACE with the irises moved before them."""
        if not self._asked & set(sliders.GAZE):
            return face
        moves = sliders.gaze(self._points, self._share)
        if not bool(moves.any()):
            return face
        x, y = self._face.grid(moves.device)
        velocity = self._face.zeros(len(moves), 2, moves.device)
        for eye, move in zip(regions.EYES, moves.unbind(1), strict=True):
            move = move[..., None, None]
            velocity = velocity + move * self._in_eye(eye, move, x, y)[:, None]
        before = _unfolded(_flow(-velocity, self._face), self._face)
        if face is None:
            return Layer(self._face, before)
        return Layer(self._face, _unfolded(_after(before, face.values, self._face), self._face))

    def _in_eye(self, eye: regions.Opening, move: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """1 in the middle of an eye's opening, 0 on the lids and beyond: [B, rows, columns].

        The iris slips under the edge that it moves to, by `move` [B, 2, 1, 1], and the white stretches where
        it comes from.
        """
        upper, lower = (_line(self._placed[:, edge, :2]) for edge in (eye.upper, eye.lower))
        top, bottom = _height(upper, x[0])[:, None], _height(lower, x[0])[:, None]
        start, end = upper[:, :1, :1], upper[:, -1:, :1]
        across = ((y - top) / (bottom - top).clamp(min=1e-3)).expand(-1, *x.shape)
        return _between((x - start) / (end - start), move[:, 0]) * _between(across, move[:, 1])


@dataclass(frozen=True, slots=True)
class _Opening:
    """An opening of B faces after a flow, on a part of FACE: [B, rows, columns] each.

    Attributes:
        lines: its upper and its lower edge before the flow, [B, N, 2] each, in the plane.
        within: 1 between its edges, 0 beyond.
        seen: the same, and 0 where it's no more than a slit.
        under, over: how far one is below its upper and above its lower edge, units.
        along: how far one is along it: from -1 to 1 between its corners.
    """

    lines: tuple[Tensor, Tensor]
    within: Tensor
    seen: Tensor
    under: Tensor
    over: Tensor
    along: Tensor

    @classmethod
    def after(
        cls, opening: regions.Opening, placed: Tensor, velocity: Tensor, apart: float, window: Window
    ) -> _Opening:
        """Return an opening after a flow; its upper edge is moved up by `apart` units before."""
        x, y = window.grid(velocity.device)
        upper, lower = (_line(placed[:, edge, :2]) for edge in (opening.upper, opening.lower))
        upper = upper - torch.tensor((0, apart), device=x.device)
        points = torch.cat((placed[:, opening.corners, :2], upper, lower), 1)
        corners, *edges = _carried(points, velocity, window).split_with_sizes(
            [2, upper.shape[1], lower.shape[1]], 1
        )
        start, end = corners[:, :1, None, 0], corners[:, 1:, None, 0]
        top, bottom = (_height(edge, x[0])[:, None] for edge in edges)
        within = _smooth((y - top) / _SOFT + 0.5) * _smooth((bottom - y) / _SOFT + 0.5)
        within = within * _smooth((x - start) / 0.03) * _smooth((end - x) / 0.03)
        return cls(
            (upper, lower),
            within,
            within * _smooth((bottom - top - apart) / 0.04),
            (y - top).clamp(min=0),
            (bottom - y).clamp(min=0),
            ((2 * x - start - end) / (end - start)).clamp(-1, 1).expand_as(within),
        )

    def source(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the y before the flow, evenly between the edges, of what was at x [B, rows, columns]."""
        top, bottom = (_height(line, x.flatten(1)).reshape(x.shape) for line in self.lines)
        gap = (self.under + self.over).clamp(min=1e-3)
        return top + (bottom - top) * (self.under / gap).expand(-1, *y.shape)


HEAD_STIFF: Final = 0.95
HEAD_REACH: Final = 1.9
"""Where the head is stiff and where nothing moves: in half axes of an ellipse around it with its hair."""
_HEAD_SIZE: Final = (1.45, 1.55)
"""Half axes of that ellipse, in those of the face's outline; it's half of one higher up than the face."""
FACE_STIFF: Final = 1.1
FACE_REACH: Final = 1.45
"""The same for expressions: in half axes of the face's outline."""


def _spread(at: Tensor, values: Tensor, window: Window, widths: Sequence[float]) -> Tensor:
    """Return a smooth field [B, C, rows, columns] that has values [B, N, C] about at points [B, N, 2].

    First the mean of all points around, weighed by a wide bell; then what that leaves over at the points, by
    narrower ones. A bell is the product of one in x and one in y: summing them all is a product of matrices.
    """
    order = at[..., 1].argsort(1)[..., None]  # from above to below
    at, values = at.gather(1, order.expand_as(at)), values.gather(1, order.expand_as(values))
    field: Tensor | None = None
    for place, width in enumerate(widths):
        least = 1e-6 if place == 0 else 0.3
        every = 2 if width >= 2 * _CELLS_PER_BELL * window.step else 1
        x, y = window.axes(at.device, every)
        sums, weight = _summed(at, values, x, y, width)
        level = sums / (weight + least)
        level = level if every == 1 else _between_points(_between_points(level, -2), -1)
        field = level if field is None else field + level
        if place < len(widths) - 1:
            bells = _bell(torch.cdist(at, at), width)
            values = values - bells @ values / (bells.sum(-1, keepdim=True) + least)
    return at.new_zeros(()) if field is None else field


def _summed(at: Tensor, values: Tensor, x: Tensor, y: Tensor, width: float) -> tuple[Tensor, Tensor]:
    """Return the sums of bells at points, times values, and of the bells: [B, C, rows, columns] and C 1.

    The points are given from above to below; for each few rows, those that are felt there are taken.
    """
    weighed = torch.cat((torch.ones_like(values[..., :1]), values), -1).mT[:, :, None]  # [B, C + 1, 1, N]
    over_x = _bell(at[..., :1] - x, width)
    height = at[..., 1]
    bands = list(y.chunk(max(1, len(y) // _ROWS)))
    ends = torch.stack([band[[0, -1]] for band in bands]) + _FELT * width * torch.tensor(
        (-1, 1), device=y.device
    )
    found = torch.searchsorted(height.contiguous(), ends.flatten().expand(len(at), -1).contiguous())
    found = found.reshape(len(at), -1, 2)
    starts, stops = found[..., 0].amin(0).tolist(), found[..., 1].amax(0).tolist()
    sums = []
    for band, start, stop in zip(bands, starts, stops, strict=True):
        over_y = _bell(band[:, None] - height[:, None, start:stop], width)
        products = (over_y[:, None] * weighed[..., start:stop]).flatten(1, 2) @ over_x[:, start:stop]
        sums.append(products.reshape(len(at), -1, len(band), len(x)))
    total = torch.cat(sums, 2)
    return total[:, 1:], total[:, :1]


def _bell(far: Tensor, width: float) -> Tensor:
    """Return how much is felt from afar, 1 at 0.

    What is next to nothing is kept from becoming so small that processors take ten times as long for it.
    """
    return (far * (math.sqrt(0.5) / width)).square_().neg_().clamp_(min=-35).exp_()


def _between_points(values: Tensor, axis: int) -> Tensor:
    """Return values [B, C, rows, columns] with one between every two along an axis, by Keys's cubic."""
    size = values.shape[axis]
    first, last = values.narrow(axis, 0, 1), values.narrow(axis, size - 1, 1)
    a, b, c, d = (torch.cat((first, values, last), axis).narrow(axis, start, size - 1) for start in range(4))
    between = 0.59375 * (b + c) - 0.09375 * (a + d)
    both = torch.stack((b, between), axis if axis < -1 else values.dim())
    joined = both.flatten(axis - 1, axis) if axis < -1 else both.flatten(-2)
    return torch.cat((joined, last), axis)


def _flow(velocity: Tensor, window: Window) -> Tensor:
    """Return the displacement after flowing along velocities [B, 2, rows, columns] for one unit of time."""
    halves = torch.tensor(window.halves, device=velocity.device)[:, None, None]
    start = _starts(window, velocity.device)
    displacement: Tensor = velocity / (halves * 2**_HALVINGS)
    for _ in range(_HALVINGS):
        displacement = displacement + sampled(displacement, start + displacement)
    return displacement * halves


def _after(second: Tensor, first: Tensor, window: Window) -> Tensor:
    """Return the displacement of going along `first` and then along `second`, both on a window's grid."""
    halves = torch.tensor(window.halves, device=first.device)[:, None, None]
    return first + sampled(second, _starts(window, first.device) + first / halves)


def _starts(window: Window, device: torch.device) -> Tensor:
    """Return the grid's own places as `sampled` takes them, [1, 2, rows, columns]."""
    rows, columns = window.size
    x = torch.linspace(-1, 1, columns, device=device)
    y = torch.linspace(-1, 1, rows, device=device)
    return torch.stack((x.expand(rows, -1), y[:, None].expand(-1, columns)))[None]


def _unfolded(field: Tensor, window: Window) -> Tensor:
    """Return displacements that fold no cell of a window: where one is folded, they are smoothed."""
    for _ in range(_SMOOTHINGS):
        folded = _least_area(field, window) < _LEAST_AREA
        if not bool(folded.any()):
            return field
        near = functional.max_pool2d(functional.pad(folded[:, None].float(), (0, 1, 0, 1)), 7, 1, 3)
        blurred = functional.avg_pool2d(functional.pad(field, (2, 2, 2, 2), "replicate"), 5, 1)
        field = field + near * (blurred - field)
    return field


def _least_area(field: Tensor, window: Window) -> Tensor:
    """Return what is left of each cell's area, at the corner where it's least: [B, cells - 1, cells - 1].

    Between its corners a cell is sampled bilinearly, so that it's folded nowhere if it isn't at a corner.
    """
    rows, columns = window.size
    right = field.diff(dim=3) / window.step
    down = field.diff(dim=2) / window.step
    wide, high = (right[:, 0] + 1, right[:, 1]), (down[:, 1] + 1, down[:, 0])
    areas = []
    for top in (0, 1):
        for left in (0, 1):
            xx, xy = (part[:, top : top + rows - 1] for part in wide)
            yy, yx = (part[..., left : left + columns - 1] for part in high)
            areas.append(xx * yy - xy * yx)
    return torch.minimum(torch.minimum(areas[0], areas[1]), torch.minimum(areas[2], areas[3]))


def _carried(at: Tensor, velocity: Tensor, window: Window) -> Tensor:
    """Return where points [B, N, 2] are after flowing along velocities on a window's grid."""
    steps = 12
    middle, halves = (
        torch.tensor(values, device=at.device)[:, None, None] for values in (window.middle, window.halves)
    )
    places = (at.mT[:, :, None] - middle) / halves  # [B, 2, 1, N]
    velocity = velocity / (steps * halves)
    for _ in range(steps):
        places = places + sampled(velocity, places)
    return (places * halves + middle)[:, :, 0].mT


def _line(points: Tensor, between: int = 4) -> Tensor:
    """Return a smooth line through points [B, N, 2]: Catmull and Rom's, `between` points for each step."""
    extended = torch.cat(
        (2 * points[:, :1] - points[:, 1:2], points, 2 * points[:, -1:] - points[:, -2:-1]), 1
    )
    a, b, c, d = (extended[:, start : start + points.shape[1] - 1, None] for start in range(4))
    t = (torch.arange(between, device=points.device) / between)[:, None]
    line = b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return torch.cat((line.flatten(1, 2), points[:, -1:]), 1)


def _height(line: Tensor, x: Tensor) -> Tensor:
    """Return the y of lines [B, N, 2] at x, [M] or [B, M]: [B, M]; beyond their ends that of the end."""
    along = line[..., 0].cummax(1).values.contiguous()
    right = torch.searchsorted(along, x.expand(len(line), -1).contiguous()).clamp(1, along.shape[1] - 1)
    x0, x1 = along.gather(1, right - 1), along.gather(1, right)
    y0, y1 = line[..., 1].gather(1, right - 1), line[..., 1].gather(1, right)
    share = ((x - x0) / (x1 - x0).clamp(min=1e-6)).clamp(0, 1)
    return y0 + share * (y1 - y0)


def _between(share: Tensor, direction: Tensor) -> Tensor:
    """1 between 0 and 1, falling to 0 at both: steeply at the one ahead, gently at the one behind."""
    at_start = torch.where(direction < 0, _EDGE_AHEAD, _EDGE_BEHIND)
    at_end = torch.where(direction > 0, _EDGE_AHEAD, _EDGE_BEHIND)
    return _smooth(share / at_start) * _smooth((1 - share) / at_end)


def _smooth(x: Tensor) -> Tensor:
    """Rise from 0 at 0 to 1 at 1, with no corner nor bend at either end."""
    x = x.clamp(0, 1)
    return x**3 * (10 + x * (6 * x - 15))
