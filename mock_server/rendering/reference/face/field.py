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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from . import regions, sliders
from .frame import FaceFrame, Plane

_HALVINGS = 6  # of a flow's time: 64 steps
_SPREADS = (0.30, 0.12, 0.05)  # units: how far a point's velocity is felt, from the coarse to the fine
_CELLS_PER_BELL = 8  # of the grid that a bell is laid on; finer is smooth in between
_SLIT = 0.02  # units: half of what is between what slides and what it slides over
_SMOOTHINGS = 40
_LEAST_AREA = 0.02  # of a cell's
_SOFT = 0.02  # units: how soft an opening's edge is
_EDGE_AHEAD, _EDGE_BEHIND = 0.18, 0.4  # of an eye's opening
_PIVOT = (0.0, 0.95, 0.95)  # units in the face's frame: about where the skull rests on the neck


@dataclass(frozen=True, slots=True)
class Window:
    """A square part of the face's plane, with a grid over it from edge to edge.

    Attributes:
        middle: x and y, units.
        half: half a side, units.
        cells: points of the grid along a side.
    """

    middle: tuple[float, float]
    half: float
    cells: int

    def axes(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return the grid's x and its y, [cells] each."""
        steps = torch.linspace(-self.half, self.half, self.cells, device=device)
        return steps + self.middle[0], steps + self.middle[1]

    def grid(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return every point's x and y, [cells, cells] each."""
        x, y = self.axes(device)
        return x.expand(self.cells, -1), y[:, None].expand(-1, self.cells)

    def inside(self, x: Tensor, y: Tensor) -> Tensor:
        """1 in the window, falling to 0 at its edge: for faces of which it doesn't hold all that moves."""
        far = torch.maximum((x - self.middle[0]).abs(), (y - self.middle[1]).abs()) / self.half
        return _smooth((0.98 - far) / 0.1)

    def sample(self, field: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Return what fields [B, C, cells, cells] are at places [B, H, W] each: [B, C, H, W]."""
        places = torch.stack(((x - self.middle[0]) / self.half, (y - self.middle[1]) / self.half), -1)
        sampled: Tensor = functional.grid_sample(field, places, "bilinear", "border", align_corners=True)
        return sampled


FACE: Final = Window((0.0, 0.5), 2.0, 272)
HEAD: Final = Window((0.0, 0.4), 4.4, 192)


@dataclass(frozen=True, slots=True)
class Field:
    """The fields of B edits; all displacements are in units and lead from the edited picture to the original.

    Attributes:
        plane: where the faces are in their photos.
        head: [B, 2, cells, cells] on HEAD, applied first to a place of the edited picture.
        face: [B, 2, cells, cells] on FACE, applied to where that leads.
        mouth: [B, 4, cells, cells] on FACE: how much of the mouth's new inside is seen (0 to 1), how far that
            is below the upper edge and above the lower one (units), and how far along (-1 to 1).
    """

    plane: Plane
    head: Tensor
    face: Tensor
    mouth: Tensor

    def __getitem__(self, places: slice | Sequence[int]) -> Field:
        """Return some of the edits."""
        plane = Plane(*(getattr(self.plane, part.name)[places] for part in fields(Plane)))
        return Field(plane, self.head[places], self.face[places], self.mouth[places])

    def reach(self) -> Tensor:
        """Return which windows are needed: [B], half sides in units; 0 where nothing moves."""
        head = self.head.abs().amax((1, 2, 3)) > 0
        face = (self.face.abs().amax((1, 2, 3)) > 0) | (self.mouth[:, 0].amax((1, 2)) > 0)
        return torch.where(head, HEAD.half, torch.where(face, FACE.half, 0.0))

    def at(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return where places of the edited pictures, x and y [B, H, W] in px, are seen from; and the mouth.

        They are [B, 2, H, W], displacements in px of the photo, and [B, 4, H, W], as `mouth` is.
        """
        shape = x.shape
        inside = self.plane.within(torch.stack((x.flatten(1), y.flatten(1)), -1)).reshape(*shape, 2)
        x, y = inside.unbind(-1)
        moved = HEAD.sample(self.head, x, y) if bool(self.head.any()) else x.new_zeros(1, 2, 1, 1)
        x, y = x + moved[:, 0], y + moved[:, 1]
        moved = moved + FACE.sample(self.face, x, y)
        turned = moved.flatten(2).mT * self.plane.unit[:, None, None] @ self.plane.axes.mT
        return turned.mT.reshape(shape[0], 2, *shape[1:]), FACE.sample(self.mouth, x, y)


def field_of(points: Tensor, styles: Sequence[sliders.Style]) -> Field:
    """Return the fields of B edits.

    Args:
        points: [B, 478, 3] in px, the face of each; in mediapipe's order.
        styles: what is asked of each: sliders by name, from -100 to 100.
    """
    points = points.float()
    frame = FaceFrame.of(points)
    share = sliders.shares(styles, points.device)
    faces = _Faces(points, frame, share)
    face, mouth = faces.expression()
    return Field(frame.plane, faces.head(), faces.gaze_before(face), mouth)


class _Faces:
    """B faces with what is asked of them, in their planes."""

    def __init__(self, points: Tensor, frame: FaceFrame, share: Mapping[str, Tensor]) -> None:
        self._frame = frame
        self._share = share
        self._points = frame.within(points)
        flat = frame.plane.within(points[..., :2])
        depth = (points[..., 2] - frame.origin[:, None, 2]) / frame.unit[:, None]
        self._placed = torch.cat((flat, depth[..., None]), -1)  # in the plane, with depth
        outline = flat[:, regions.OUTLINE]
        self._low, self._high = outline.amin(1), outline.amax(1)

    def head(self) -> Tensor:
        """How heads turn as stiff bodies, less and less beyond them: displacements on HEAD."""
        device = self._points.device
        turn = sliders.turn(self._share)
        if not bool(turn.any()):
            return torch.zeros(len(turn), 2, HEAD.cells, HEAD.cells, device=device)
        x, y = HEAD.grid(device)
        pivot = (self._frame.axes @ torch.tensor(_PIVOT, device=device))[:, None]
        pivot = self._frame.plane.turned(pivot)[:, 0]
        about = self._frame.axes @ turn[..., None]
        wx, wy, wz = self._frame.plane.turned(about.mT)[:, 0, :, None, None].unbind(1)
        near = self._in_head(x, y)
        px, py, pz = (x - pivot[:, 0, None, None], y - pivot[:, 1, None, None], self._depth(pivot[:, 2]))
        velocity = torch.stack((wy * pz - wz * py, wz * px - wx * pz), 1) * near[:, None]
        return _flow(-velocity, HEAD)

    def _in_head(self, x: Tensor, y: Tensor) -> Tensor:
        """1 in heads with their hair, 0 beyond their neighbourhood: [B, cells, cells]."""
        half = (self._high - self._low) / 2
        middle = (self._high + self._low) / 2
        middle = torch.stack((middle[:, 0], middle[:, 1] - 0.5 * half[:, 1]), -1)[..., None, None]
        half = (half * torch.tensor((1.45, 1.55), device=half.device))[..., None, None]
        far = torch.hypot((x - middle[:, 0]) / half[:, 0], (y - middle[:, 1]) / half[:, 1])
        return HEAD.inside(x, y) * _smooth((HEAD_REACH - far) / (HEAD_REACH - HEAD_STIFF))

    def _depth(self, pivot: Tensor) -> Tensor:
        """Depth from the pivot on HEAD, [B, cells, cells], units; 0 around the head."""
        device = pivot.device
        angle = torch.arange(24, device=device) * (torch.pi / 12)
        half = (self._high - self._low) / 2
        middle = (self._high + self._low) / 2
        ring = (
            torch.stack((angle.cos(), angle.sin()), -1)
            * half[:, None]
            * torch.tensor((1.5, 1.55), device=device)
        )
        ring = ring + middle[:, None] - torch.stack((torch.zeros_like(pivot), 0.5 * half[:, 1]), -1)[:, None]
        at = torch.cat((self._placed[:, :468, :2], ring), 1)
        depth = self._placed[:, :468, 2:] - pivot[:, None, None]
        depth = torch.cat((depth, torch.zeros_like(ring[..., :1])), 1)
        return _spread(at, depth, HEAD, _SPREADS[:1])[:, 0]

    def expression(self) -> tuple[Tensor, Tensor]:
        """How brows, lids and mouth move: displacements on FACE, and the mouth's new inside there.

        Three layers flow together: the jaw below the lips' line, the upper lids above the lower ones, and
        under both the face.
        """
        points = self._points[:, :468]
        layers = {
            layer: moves
            for layer in (sliders.expression, sliders.jaw, sliders.upper_lids)
            if bool((moves := layer(points, self._share)).any())
        }
        x, y = FACE.grid(points.device)
        if not layers:
            nothing = torch.zeros(len(points), 4, FACE.cells, FACE.cells, device=points.device)
            return nothing[:, :2], nothing
        turned = [self._frame.plane.turned(moves @ self._frame.axes.mT)[..., :2] for moves in layers.values()]
        spread = _spread(*self._with_rim(torch.cat(turned, -1)), FACE, _SPREADS)
        base = torch.zeros_like(spread[:, :2])
        sliding = torch.zeros_like(base)
        for layer, moves in zip(
            layers, spread.reshape(len(points), -1, *base.shape[1:]).unbind(1), strict=True
        ):
            if layer is sliders.expression:
                base = moves
            elif layer is sliders.jaw:
                sliding = sliding + moves * self._in_jaw(x, y)[:, None]
            else:
                sliding = sliding + moves * self._over_lower_lids(x, y)[:, None]
        base, sliding = (part * self._in_face(x, y)[:, None] for part in (base, sliding))
        field, mouth = self._opened(_flow(-base - sliding, FACE), base + sliding)
        return _unfolded(self._uncovered(field, base, base + sliding)), mouth

    def _with_rim(self, moves: Tensor) -> tuple[Tensor, Tensor]:
        """The points of faces and a rim around them that stays where it is."""
        at = self._placed[:, :468, :2]
        middle = ((self._high + self._low) / 2)[:, None]
        rims = [middle + (at[:, regions.OUTLINE] - middle) * by for by in (1.3, 1.5)]
        at = torch.cat((at, *rims), 1)
        return at, functional.pad(moves, (0, 0, 0, at.shape[1] - moves.shape[1]))

    def _in_face(self, x: Tensor, y: Tensor) -> Tensor:
        """1 in faces, 0 a little beyond them: [B, cells, cells]."""
        half = ((self._high - self._low) / 2)[..., None, None]
        middle = ((self._high + self._low) / 2)[..., None, None]
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
        for openings, name in closing:
            shut = (self._share[name] < 0).float()[:, None, None]
            if not bool(shut.any()):
                continue
            unmoved = _flow(-base, FACE) if bool(base.any()) else base
            for opening in openings:
                seen = _Opening.after(opening, self._placed, velocity, 0.0).seen
                field = field + (shut * seen)[:, None] * (unmoved - field)
        return field

    def _opened(self, field: Tensor, velocity: Tensor) -> tuple[Tensor, Tensor]:
        """Return the field, made even inside mouths that open, and what is seen there, as `Field.mouth`."""
        opened = (self._share["lip_open_ratio"] > 0).float()[:, None, None]
        if not bool(opened.any()):
            return field, field.new_zeros(len(field), 4, FACE.cells, FACE.cells)
        lower = regions.INNER_LIPS.lower
        mouth = _Opening.after(regions.Opening(lower, lower), self._placed, velocity, 1.3 * _SLIT)
        x, y = FACE.grid(field.device)
        before = mouth.source(x + field[:, 0], y)
        even = field[:, 1] + opened * mouth.within * (before - y - field[:, 1])
        field = torch.stack((field[:, 0], even), 1)
        return field, torch.stack((mouth.seen * opened, mouth.under, mouth.over, mouth.along), 1)

    def gaze_before(self, face: Tensor) -> Tensor:
        """Return displacements on FACE with the irises moved before them."""
        moves = sliders.gaze(self._points, self._share)
        if not bool(moves.any()):
            return face
        x, y = FACE.grid(face.device)
        velocity = torch.zeros_like(face)
        for eye, move in zip(regions.EYES, moves.unbind(1), strict=True):
            move = move[..., None, None]
            velocity = velocity + move * self._in_eye(eye, move, x, y)[:, None]
        return _unfolded(_after(_unfolded(_flow(-velocity, FACE)), face, FACE))

    def _in_eye(self, eye: regions.Opening, move: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """1 in the middle of an eye's opening, 0 on the lids and beyond: [B, cells, cells].

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
    """An opening of B faces after a flow, on FACE: [B, cells, cells] each.

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
    def after(cls, opening: regions.Opening, placed: Tensor, velocity: Tensor, apart: float) -> _Opening:
        """Return an opening after a flow; its upper edge is moved up by `apart` units before."""
        x, y = FACE.grid(velocity.device)
        corners = _carried(placed[:, opening.corners, :2], velocity)[..., 0]
        start, end = corners[:, :1, None], corners[:, 1:, None]
        upper, lower = (_line(placed[:, edge, :2]) for edge in (opening.upper, opening.lower))
        upper = upper - torch.tensor((0, apart), device=x.device)
        top, bottom = (_height(_carried(line, velocity), x[0])[:, None] for line in (upper, lower))
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
        """Return the y before the flow, evenly between the edges, of what was at x [B, cells, cells]."""
        top, bottom = (_height(line, x.flatten(1)).reshape(x.shape) for line in self.lines)
        gap = (self.under + self.over).clamp(min=1e-3)
        return top + (bottom - top) * (self.under / gap).expand(-1, *y.shape)


HEAD_STIFF: Final = 0.95
HEAD_REACH: Final = 1.9
"""Where the head is stiff and where nothing moves: in half axes of an ellipse around it with its hair."""
FACE_STIFF: Final = 1.1
FACE_REACH: Final = 1.45
"""The same for expressions: in half axes of the face's outline."""


def _spread(at: Tensor, values: Tensor, window: Window, widths: Sequence[float]) -> Tensor:
    """Return a smooth field [B, C, cells, cells] that has values [B, N, C] about at points [B, N, 2].

    First the mean of all points around, weighed by a wide bell; then what that leaves over at the points, by
    narrower ones. A bell is the product of one in x and one in y: summing them all is a product of matrices.
    """
    squares = torch.cdist(at, at) ** 2
    field = at.new_zeros(())
    for place, width in enumerate(widths):
        least = 1e-6 if place == 0 else 0.3
        scale = -0.5 / width**2
        cells = min(window.cells, math.ceil(_CELLS_PER_BELL * 2 * window.half / width))
        x, y = replace(window, cells=cells).axes(at.device)
        over_x = torch.exp(scale * (at[..., :1] - x) ** 2)
        over_y = torch.exp(scale * (at[..., 1:] - y) ** 2).mT
        weight = (over_y @ over_x)[:, None] + least
        sums = torch.stack([(over_y * part[:, None]) @ over_x for part in values.unbind(-1)], 1)
        level = sums / weight
        if cells < window.cells:
            level = functional.interpolate(level, (window.cells,) * 2, mode="bicubic", align_corners=True)
        field = field + level
        bells = torch.exp(scale * squares)
        values = values - bells @ values / (bells.sum(-1, keepdim=True) + least)
    return field


def _flow(velocity: Tensor, window: Window) -> Tensor:
    """Return the displacement after flowing along velocities [B, 2, cells, cells] for one unit of time."""
    displacement: Tensor = velocity / 2**_HALVINGS
    for _ in range(_HALVINGS):
        displacement = _after(displacement, displacement, window)
    return displacement


def _after(second: Tensor, first: Tensor, window: Window) -> Tensor:
    """Return the displacement of going along `first` and then along `second`, both on a window's grid."""
    x, y = window.grid(first.device)
    return first + window.sample(second, x + first[:, 0], y + first[:, 1])


def _unfolded(field: Tensor) -> Tensor:
    """Return displacements on FACE that fold no cell: where one is folded, they are smoothed."""
    for _ in range(_SMOOTHINGS):
        folded = _least_area(field, FACE) < _LEAST_AREA
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
    step = 2 * window.half / (window.cells - 1)
    right = (field[:, :, :, 1:] - field[:, :, :, :-1]) / step
    down = (field[:, :, 1:] - field[:, :, :-1]) / step
    areas = [
        (1 + across[:, 0]) * (1 + along[:, 1]) - across[:, 1] * along[:, 0]
        for across in (right[:, :, :-1], right[:, :, 1:])
        for along in (down[:, :, :, :-1], down[:, :, :, 1:])
    ]
    least: Tensor = torch.stack(areas).amin(0)
    return least


def _carried(at: Tensor, velocity: Tensor) -> Tensor:
    """Return where points [B, N, 2] are after flowing along velocities on FACE."""
    steps = 12
    for _ in range(steps):
        moved = FACE.sample(velocity, at[:, None, :, 0], at[:, None, :, 1])
        at = at + moved[:, :, 0].mT / steps
    return at


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
