"""From a face and a style to a displacement field: where each place of the edited picture is seen from.

A field is made in the face's plane and units (`frame.Plane`), on square grids, in four steps that follow one
another: the gaze within the eyes' openings, the jaw and the lids that slide, the expression of the face with
them, and the head's turn in its neighbourhood. In each, the moved points of the face say with which velocity
its surroundings flow; flowing for one unit of time is smooth and can be reversed, so that the picture is
never folded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, fields
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from . import regions, sliders
from .curves import height_of, line_through, smooth
from .flow import after, brought, carried, flow, unfolded
from .frame import FaceFrame, Plane
from .openings import Opening, between
from .spreading import spread
from .window import Layer, Window, sampled

FACE: Final = Window.square((0.0, 0.5), 2.0, 272)
HEAD: Final = Window.square((0.0, 0.4), 4.4, 192)

HEAD_STIFF: Final = 0.95
HEAD_REACH: Final = 1.9
"""Where the head is stiff and where nothing moves: in half axes of an ellipse around it with its hair."""
_HEAD_SIZE: Final = (1.45, 1.55)
"""Half axes of that ellipse, in those of the face's outline; it's half of one higher up than the face."""
FACE_STIFF: Final = 1.1
FACE_REACH: Final = 1.45
"""The same for expressions: in half axes of the face's outline."""

_SPREADS = (0.30, 0.12, 0.05)  # units: how far a point's velocity is felt, from the coarse to the fine
_SLIT = 0.02  # units: half of what is between what slides and what it slides over
_LIP_APART = 1.3 * _SLIT  # units: how far above the lower lip's line nothing slides any more
_PIVOT = (0.0, 0.95, 0.95)  # units in the face's frame: about where the skull rests on the neck


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
        return Layer(window, flow(-velocity, window))

    def _in_head(self, x: Tensor, y: Tensor) -> Tensor:
        """1 in heads with their hair, 0 beyond their neighbourhood: [B, rows, columns]."""
        low, high = (end[..., None, None] for end in self._ellipse(*_HEAD_SIZE, 0.5, 1))
        middle, half = (low + high) / 2, (high - low) / 2
        far = torch.hypot((x - middle[:, 0]) / half[:, 0], (y - middle[:, 1]) / half[:, 1])
        return HEAD.inside(x, y) * smooth((HEAD_REACH - far) / (HEAD_REACH - HEAD_STIFF))

    def _depth(self, pivot: Tensor, window: Window) -> Tensor:
        """Depth from the pivot, [B, rows, columns], units; 0 around the head."""
        angle = torch.arange(24, device=pivot.device) * (torch.pi / 12)
        low, high = self._ellipse(1.5, 1.55, 0.5, 1)
        ring = torch.stack((angle.cos(), angle.sin()), -1) * ((high - low) / 2)[:, None]
        ring = ring + ((low + high) / 2)[:, None]
        at = torch.cat((self._placed[:, :468, :2], ring), 1)
        depth = self._placed[:, :468, 2:] - pivot[:, None, None]
        depth = torch.cat((depth, torch.zeros_like(ring[..., :1])), 1)
        return spread(at, depth, window, _SPREADS[:1])[:, 0]

    def expression(self) -> tuple[Layer | None, Layer | None]:
        """How brows, lids and mouth move: displacements on a part of FACE, and the mouth's new inside there.

        First the jaw falls and the lids close, in the face at rest; then all of it takes the expression.
        """
        moves = self._moves()
        if not moves:
            return None, None
        expression = moves.pop(sliders.expression, None)
        mouth = None
        if expression is None:
            field, mouth, _ = self._slid(moves)
        elif not moves:
            field = self._expressed(self._placed[:, :468, :2], expression)
        else:
            slid, mouth, at = self._slid(moves)
            expressed = self._expressed(at, expression)
            field = after(slid, expressed, self._face)
            mouth = None if mouth is None else brought(mouth, expressed, self._face)
        field = unfolded(field, self._face)
        return Layer(self._face, field), None if mouth is None else Layer(self._face, mouth)

    def _moves(self) -> dict[sliders.Mover, Tensor]:
        """How each layer that moves at all moves the points, [B, 468, 2] in the plane."""
        points = self._points[:, :468]
        moves = {
            layer: layer(points, self._share)
            for layer, names in sliders.LAYERS.items()
            if self._asked & names
        }
        return {
            layer: self._frame.plane.turned(move @ self._frame.axes.mT)[..., :2]
            for layer, move in moves.items()
            if bool(move.any())
        }

    def _slid(self, moves: Mapping[sliders.Mover, Tensor]) -> tuple[Tensor, Tensor | None, Tensor]:
        """How the jaw slides below the lips' line, and the upper lids above the lower ones.

        Returns the displacements, the mouth's new inside, as `Field.mouth`, and where the points then are.
        """
        x, y = self._face.grid(self._placed.device)
        at = self._placed[:, :468, :2]
        spread_out = self._spread(at, torch.cat(list(moves.values()), -1))
        velocity = torch.zeros_like(spread_out[:, :2])
        for layer, moved in zip(moves, spread_out.split_with_sizes([2] * len(moves), 1), strict=True):
            free = self._in_jaw(x, y) if layer is sliders.jaw else self._over_lower_lids(x, y)
            velocity = velocity + moved * free[:, None]
        velocity = velocity * self._in_face(x, y)[:, None]
        field, mouth = self._opened(flow(-velocity, self._face), velocity)
        return self._uncovered(field, velocity), mouth, at + self._carried(at, velocity)

    def _expressed(self, at: Tensor, moves: Tensor) -> Tensor:
        """The displacements of faces whose points, where they are now, move with all that is around them."""
        x, y = self._face.grid(at.device)
        return flow(-self._spread(at, moves) * self._in_face(x, y)[:, None], self._face)

    def _carried(self, at: Tensor, velocity: Tensor) -> Tensor:
        """How far points go; the upper lip, on which the lower one lies in a closed mouth, stays."""
        start = at.clone()
        start[:, regions.INNER_LIPS.upper[1:-1], 1] -= _LIP_APART
        return carried(start, velocity, self._face) - start

    def _spread(self, at: Tensor, moves: Tensor) -> Tensor:
        """Return the velocities around points; a rim around the face stays where it is."""
        middle = self._middle[:, None]
        outline = self._placed[:, regions.OUTLINE, :2]
        at = torch.cat((at, *(middle + (outline - middle) * by for by in (1.3, 1.5))), 1)
        moves = functional.pad(moves, (0, 0, 0, at.shape[1] - moves.shape[1]))
        return spread(at, moves, self._face, _SPREADS)

    def _in_face(self, x: Tensor, y: Tensor) -> Tensor:
        """1 in faces, 0 a little beyond them: [B, rows, columns]."""
        half, middle = self._half[..., None, None], self._middle[..., None, None]
        far = torch.hypot((x - middle[:, 0]) / half[:, 0], (y - middle[:, 1]) / half[:, 1])
        return FACE.inside(x, y) * smooth((FACE_REACH - far) / (FACE_REACH - FACE_STIFF))

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
        line = line_through(self._placed[:, edge, :2])
        start, end = line[:, :1, :1], line[:, -1:, :1]
        half = _SLIT + 2 * torch.relu(torch.maximum(start + 0.06 - x, x - end + 0.06))
        return smooth((y - height_of(line, x[0])[:, None] - shift + half) / (2 * half))

    def _uncovered(self, field: Tensor, velocity: Tensor) -> Tensor:
        """Keep what closing lids and lips slide over from being squeezed: it stays."""
        closing = ((regions.EYES, "eye_open_ratio"), ((regions.INNER_LIPS,), "lip_open_ratio"))
        for openings, name in closing:
            if name not in self._asked or not bool((shut := self._share[name] < 0).any()):
                continue
            for opening in openings:
                seen = Opening.after(opening, self._placed, velocity, 0.0, self._face).seen
                field = field * (1 - shut.float()[:, None, None] * seen)[:, None]
        return field

    def _opened(self, field: Tensor, velocity: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the field, made even inside mouths that open, and what is seen there, as `Field.mouth`."""
        if "lip_open_ratio" not in self._asked or not bool((wide := self._share["lip_open_ratio"] > 0).any()):
            return field, None
        opened = wide.float()[:, None, None]
        lower = regions.INNER_LIPS.lower
        mouth = Opening.after(regions.Opening(lower, lower), self._placed, velocity, _LIP_APART, self._face)
        x, y = self._face.grid(field.device)
        before = mouth.source(x + field[:, 0], y)
        even = field[:, 1] + opened * mouth.within * (before - y - field[:, 1])
        field = torch.stack((field[:, 0], even), 1)
        return field, torch.stack((mouth.seen * opened, mouth.under, mouth.over, mouth.along), 1)

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
        before = unfolded(flow(-velocity, self._face), self._face)
        if face is None:
            return Layer(self._face, before)
        return Layer(self._face, unfolded(after(before, face.values, self._face), self._face))

    def _in_eye(self, eye: regions.Opening, move: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """1 in the middle of an eye's opening, 0 on the lids and beyond: [B, rows, columns].

        The iris slips under the edge that it moves to, by `move` [B, 2, 1, 1], and the white stretches where
        it comes from.
        """
        upper, lower = (line_through(self._placed[:, edge, :2]) for edge in (eye.upper, eye.lower))
        top, bottom = height_of(upper, x[0])[:, None], height_of(lower, x[0])[:, None]
        start, end = upper[:, :1, :1], upper[:, -1:, :1]
        across = ((y - top) / (bottom - top).clamp(min=1e-3)).expand(-1, *x.shape)
        return between((x - start) / (end - start), move[:, 0]) * between(across, move[:, 1])
