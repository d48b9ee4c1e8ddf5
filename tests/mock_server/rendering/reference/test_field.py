"""What moves in a photo and what doesn't; and that nothing is ever folded."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.profiles import few

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402
from torch.nn import functional  # noqa: E402

from bluehour.mock_server.rendering.reference.face import regions  # noqa: E402
from bluehour.mock_server.rendering.reference.face.field import field_of  # noqa: E402
from bluehour.mock_server.rendering.reference.face.sliders import NAMES  # noqa: E402

from .made_faces import Points, face  # noqa: E402

SIZE = 512
HEAD = tuple(name for name in NAMES if name.startswith("head"))
FACE = tuple(name for name in NAMES if name not in HEAD)
MOUTH = tuple(name for name in NAMES if name.startswith("mouth"))
CLOSED_LIPS = face().with_closed((regions.INNER_LIPS.upper, regions.INNER_LIPS.lower))


def _pixels() -> tuple[Tensor, Tensor]:
    steps = torch.arange(SIZE).float()
    x, y = torch.meshgrid(steps, steps, indexing="xy")
    return x[None], y[None]


def _displacement(style: Mapping[str, float], of: Points | None = None) -> Tensor:
    """The displacement of each pixel, [2, SIZE, SIZE] px."""
    moves, _ = field_of((of or face()).points[None], [style]).at(*_pixels())
    return moves[0]


def _least_area(style: Mapping[str, float], of: Points) -> float:
    """What is left of the area around a pixel, where that is least: the Jacobian's determinant."""
    x, y = _near(of)
    moves, _ = field_of(of.points[None], [style]).at(x, y)
    if not moves.requires_grad:
        return 1.0
    xx, xy = torch.autograd.grad(moves[:, 0].sum(), (x, y), retain_graph=True)
    yx, yy = torch.autograd.grad(moves[:, 1].sum(), (x, y))
    return float(((1 + xx) * (1 + yy) - xy * yx).min())


def _near(of: Points) -> tuple[Tensor, Tensor]:
    """240 x 240 places all around a face, as far as a head can move."""
    middle = of.points[regions.NOSE_BASE, :2]
    reach = 2.2 * (of.points[454, 0] - of.points[234, 0])
    steps = torch.linspace(-float(reach), float(reach), 240)
    x, y = torch.meshgrid(middle[0] + steps, middle[1] - 0.2 * reach + steps, indexing="xy")
    return x[None].requires_grad_(), y[None].requires_grad_()


def _around_mouth(style: Mapping[str, float], of: Points) -> tuple[float, float]:
    """What comes of a mouth that is opened, looked at in steps of half a pixel.

    Returns of how much of the original's height a pixel around the opening is made, where that is least: 0
    where something is smeared; and the area of the opening, px.
    """
    middle = of.points[list(regions.INNER_LIPS.middles), :2].mean(0)
    steps = torch.linspace(-40, 40, 161)
    x, y = torch.meshgrid(middle[0] + steps, middle[1] + steps, indexing="xy")
    moves, mouth = field_of(of.points[None], [style]).at(x[None], y[None])
    assert mouth is not None
    opening = mouth[0, 0]
    near = functional.max_pool2d((opening > 0.01).float()[None], 7, 1, 3)[0] > 0
    height = (y + moves[0, 1]).diff(dim=0) / y.diff(dim=0)
    return float(height[~near[1:]].min()), float(opening.sum()) / 4


def _random_style(seed: int) -> Mapping[str, float]:
    """Any sliders anywhere; in every second style all at one of their ends."""
    random = torch.Generator().manual_seed(seed)
    steps = torch.randint(-20, 21, (len(NAMES),), generator=random)
    if seed % 2:
        steps = torch.where(steps < 0, -20, 20)
    return dict(zip(NAMES, (5.0 * steps).tolist(), strict=True))


@pytest.mark.parametrize("share", [-100, 100])
@pytest.mark.parametrize("name", NAMES)
def test_no_slider_folds_the_picture(name: str, share: float) -> None:
    assert _least_area({name: share}, face()) > 0
    assert _least_area({name: share}, CLOSED_LIPS) > 0


@pytest.mark.parametrize("seed", few(range(16), 0, 1, 2))
def test_no_combination_of_sliders_folds_the_picture(seed: int) -> None:
    of = (face(), CLOSED_LIPS, face().times(2, -200, 30))[seed % 3]
    assert _least_area(_random_style(seed), of) > 0


@pytest.mark.parametrize("name", NAMES)
def test_every_slider_moves_the_face_and_both_ways(name: str) -> None:
    more, less = _displacement({name: 60}), _displacement({name: -60})
    assert more.abs().max() > 1
    assert less.abs().max() > 1
    assert (more * less).sum() < 0


@pytest.mark.parametrize("name", FACE)
def test_an_expression_moves_nothing_beyond_the_face(name: str) -> None:
    moves = _displacement({name: 100})
    outline = face().points[list(regions.OUTLINE), :2]
    low, high = outline.amin(0), outline.amax(0)
    x, y = (places[0] for places in _pixels())
    middle, half = (low + high) / 2, (high - low) / 2
    far = torch.hypot((x - middle[0]) / half[0], (y - middle[1]) / half[1])  # 1 at the outline
    assert not moves[:, far > 1.6].any()


@pytest.mark.parametrize("name", HEAD)
def test_a_turning_head_moves_nothing_beyond_its_neighbourhood(name: str) -> None:
    moves = _displacement({name: 100})
    left, right = (float(face().points[place, 0]) for place in (234, 454))
    top, chin = (float(face().points[place, 1]) for place in (regions.FOREHEAD, regions.CHIN))
    wide, high = right - left, chin - top
    x, y = (places[0] for places in _pixels())
    beyond = (x < left - 1.0 * wide) | (x > right + 1.0 * wide) | (y > chin + 0.8 * high)
    assert not moves[:, beyond].any()


def test_a_smile_lifts_the_corners_of_the_mouth_and_widens_it() -> None:
    moves = _displacement({"mouth_smile": 60})
    right, left = (face().points[place, :2].round().long() for place in regions.OUTER_LIPS.corners)
    # A displacement leads from the edited picture to the original: against what is seen to move.
    assert moves[1, right[1], right[0]] > 1
    assert moves[1, left[1], left[0]] > 1
    assert moves[0, right[1], right[0]] > 1
    assert moves[0, left[1], left[0]] < -1


def test_a_gaze_moves_irises_and_leaves_the_lids() -> None:
    moves = _displacement({"eye_gaze_horizontal": 100})
    for eye, iris in zip(regions.EYES, regions.IRISES, strict=True):
        x, y = face().points[iris, :2].round().long()
        assert moves[0, y, x] < -2
        lids = face().points[list(eye.upper + eye.lower), :2].round().long()
        lids[: len(eye.upper), 1] -= 2  # on the lid rather than between it and the eye
        lids[len(eye.upper) :, 1] += 2
        assert moves[:, lids[:, 1], lids[:, 0]].abs().max() < 0.05


def test_a_closed_eye_has_no_gaze() -> None:
    closed = face().with_closed(*((eye.upper, eye.lower) for eye in regions.EYES))
    assert not _displacement({"eye_gaze_horizontal": 100, "eye_gaze_vertical": -60}, closed).any()


def test_teeth_stay_at_the_upper_lip_when_the_jaw_falls() -> None:
    moves = _displacement({"lip_open_ratio": 100})
    upper, lower = (face().points[place, :2] for place in regions.INNER_LIPS.middles)
    x, y = (upper * 0.6 + lower * 0.4).round().long()
    assert moves[:, y, x].abs().max() < 0.5
    lip = (face().points[17, :2] + torch.tensor((0.0, 10.0))).round().long()
    assert moves[1, lip[1], lip[0]] < -5


@pytest.mark.parametrize("of", [face(), CLOSED_LIPS], ids=["lips apart", "lips closed"])
@pytest.mark.parametrize("share", [-1, 1])
@pytest.mark.parametrize("name", few(MOUTH, "mouth_smile", "mouth_pout"))
def test_lips_open_as_far_and_tear_nothing_whatever_else_the_mouth_does(
    name: str, share: float, of: Points
) -> None:
    areas = []
    for value, least in ((60, 0.5), (100, 0.3)):
        height, area = _around_mouth({"lip_open_ratio": value, name: share * value}, of)
        assert height > least
        areas.append(area / _around_mouth({"lip_open_ratio": value}, of)[1])
    assert min(areas) > 0.7


def test_a_field_grows_with_the_face() -> None:
    small = _displacement({"mouth_smile": 60, "head_yaw": 40})
    large, _ = field_of(face().times(2).points[None], [{"mouth_smile": 60, "head_yaw": 40}]).at(
        *(2 * places for places in _pixels())
    )
    assert torch.allclose(2 * small, large[0], atol=0.02)
