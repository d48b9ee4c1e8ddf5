"""Faces are found where mediapipe finds them, point for point, and in photos in which it finds none."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.profiles import few

torch = pytest.importorskip("torch")

from bluehour.mock_server.rendering.reference.face import detector, iris, mesh  # noqa: E402
from bluehour.mock_server.rendering.reference.face.faces import FaceFinder, find_faces  # noqa: E402
from bluehour.mock_server.rendering.reference.face.geometry import Squares, seen  # noqa: E402

from .recorded.photos import hopper, photos, portrait, turned  # noqa: E402

RECORDED = Path(__file__).parent / "recorded" / "meshes.npz"
PHOTOS = ("as it is", "half the size", "turned right, larger", "turned left")

MIDDLE = (224.0, 125.0)  # of the portrait's face, px
CANVAS = 900  # px, on which portraits are turned about the middle
WIDTH = 94  # of it, px


@pytest.fixture(scope="module")
def recorded() -> Mapping[str, npt.NDArray[np.float32]]:
    with np.load(RECORDED) as file:
        return dict(file)


@pytest.fixture(scope="module")
def finder(models: Path) -> FaceFinder:
    return FaceFinder(models)


def _image(pixels: Any) -> Any:
    return torch.from_numpy(np.ascontiguousarray(pixels))


def _canvas(height: int, width: int, *pasted: tuple[int, int, Any]) -> Any:
    canvas = np.full((height, width, 3), 110, np.uint8)
    for top, left, pixels in pasted:
        canvas[top : top + len(pixels), left : left + len(pixels[0])] = pixels
    return _image(canvas)


def _mirrored() -> Any:
    return portrait()[:, ::-1]


def _on_canvas(photo: Any, degrees: float) -> Any:
    """A photo in the middle of a canvas, turned clockwise."""
    top, left = ((CANVAS - size) // 2 for size in photo.shape[:2])
    canvas = _canvas(CANVAS, CANVAS, (top, left, photo)).numpy()
    return _image(turned(canvas, degrees, 1, (CANVAS / 2, CANVAS / 2)))


def _turned_back(points: Any, degrees: float) -> Any:
    """Points of what `_on_canvas` returned, from the canvas's middle and as if it weren't turned, [N, 2]."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return (points.numpy()[:, :2] - CANVAS / 2) @ np.array([[cos, -sin], [sin, cos]])


def _apart(points: Any, others: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """How far points are from others in the picture's plane, px."""
    distance: npt.NDArray[np.float32] = np.linalg.norm(points.numpy()[:, :2] - others[:, :2], axis=1)
    return distance


def _middle(face: Any) -> tuple[float, float]:
    left, top, right, bottom = face.box
    return (left + right) / 2, (top + bottom) / 2


# What mediapipe finds


@pytest.mark.parametrize("name", PHOTOS)
def test_the_mesh_is_mediapipes(
    finder: FaceFinder, recorded: Mapping[str, npt.NDArray[np.float32]], name: str
) -> None:
    plain = recorded[f"{name}, plain"]
    ((face,),) = finder.find([_image(photos()[name])])

    assert face.mesh.shape == (468, 3)
    assert _apart(face.mesh, plain).mean() < 1.5
    # The points that the eyes' network didn't place anew are the same.
    same = np.setdiff1d(np.arange(468), np.ravel(iris._GIVEN))
    assert _apart(face.mesh[same], plain[same]).max() < 0.1
    assert np.abs(face.mesh.numpy() - plain)[:, 2].max() < 0.1


@pytest.mark.parametrize("name", PHOTOS)
def test_irises_are_where_the_attention_mesh_has_them_and_in_its_order(
    finder: FaceFinder, recorded: Mapping[str, npt.NDArray[np.float32]], name: str
) -> None:
    refined = recorded[f"{name}, refined"]
    ((face,),) = finder.find([_image(photos()[name])])
    width = np.ptp(refined[:468, 0])

    assert face.points.shape == (478, 3)
    apart = _apart(face.irises.reshape(-1, 3), refined[468:])
    assert apart.max() < 0.012 * width
    assert apart[[0, 5]].max() < 0.006 * width  # the irises' middles


def test_eyes_and_brows_come_nearer_to_the_attention_mesh(
    finder: FaceFinder, recorded: Mapping[str, npt.NDArray[np.float32]]
) -> None:
    points = np.ravel(iris._GIVEN)
    first, finer = [], []
    for name, photo in photos().items():
        ((face,),) = finder.find([_image(photo)])
        refined = recorded[f"{name}, refined"]
        width = np.ptp(refined[:468, 0])
        first.append(_apart(torch.from_numpy(recorded[f"{name}, plain"]), refined[:468])[points] / width)
        finer.append(_apart(face.mesh, refined[:468])[points] / width)

    assert np.mean(finer) < 0.75 * np.mean(first)


@pytest.mark.parametrize("degrees", few(range(30, 360, 30), 60, 180, 300))
@pytest.mark.parametrize("person", [portrait, hopper, _mirrored])
def test_a_face_is_found_however_it_leans(
    finder: FaceFinder, person: Callable[[], Any], degrees: float
) -> None:
    (upright,), (leaning,) = finder.find([_on_canvas(person(), 0), _on_canvas(person(), degrees)])

    expected = _turned_back(upright.points, 0)
    apart = np.linalg.norm(_turned_back(leaning.points, degrees) - expected, axis=1)
    assert apart.mean() < 0.05 * np.linalg.norm(expected[33] - expected[263])  # the eyes' outer corners


def test_an_upright_face_is_looked_for_once(finder: FaceFinder, monkeypatch: pytest.MonkeyPatch) -> None:
    detected: list[int] = []
    meshed: list[int] = []
    monkeypatch.setattr(finder, "_detector", _Counted(finder._detector, detected.append))
    monkeypatch.setattr(finder, "_mesh", _Counted(finder._mesh, meshed.append))

    finder.find([_image(hopper()), _image(portrait())])

    assert (detected, meshed) == ([2], [2])


def test_only_meshes_that_move_are_looked_for_again(
    finder: FaceFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    monkeypatch.setattr(finder, "_mesh", _Counted(finder._mesh, looks.append))

    finder.find([_image(portrait()), _on_canvas(portrait(), -30), _image(hopper())])

    assert looks[0] == 3
    assert len(looks) > 1
    assert set(looks[1:]) == {1}


class _Counted:
    """A network that tells how many pictures it sees."""

    def __init__(self, network: Any, tell: Callable[[int], Any]) -> None:
        self._network, self._tell = network, tell
        self.device = network.device

    def __call__(self, pictures: Any) -> Any:
        self._tell(len(pictures))
        return self._network(pictures)


def test_the_mesh_is_steady_and_more_so_with_a_second_pass(models: Path) -> None:
    def spread(passes: int) -> float:
        finder = FaceFinder(models, passes=passes)
        meshes = []
        for degrees, scale in ((-35, 0.8), (-15, 1.4), (0, 1), (25, 0.7), (40, 1.6)):
            ((face,),) = finder.find([_image(turned(portrait(), degrees, scale, MIDDLE))])
            cos, sin = (part(math.radians(degrees)) / scale for part in (math.cos, math.sin))
            meshes.append((face.mesh[:, :2].numpy() - MIDDLE) @ np.array([[cos, -sin], [sin, cos]]))
        return float(np.linalg.norm(meshes - np.median(meshes, 0), axis=-1).mean()) / WIDTH

    assert spread(1) < 0.005
    assert spread(2) < 0.9 * spread(1)


# Photos with several faces, small ones, large ones, none


@pytest.mark.parametrize(("degrees", "scale"), [(0, 0.75), (-40, 0.95)])
def test_several_faces_come_by_size_however_they_lean(
    finder: FaceFinder, degrees: float, scale: float
) -> None:
    whole = portrait()
    image = _canvas(512, 1024, (0, 0, turned(whole, degrees, scale, MIDDLE)), (0, 512, whole))

    larger, smaller = finder.find([image])[0]

    assert _middle(larger) == pytest.approx((512 + MIDDLE[0], MIDDLE[1]), abs=5)
    assert _middle(smaller) == pytest.approx(MIDDLE, abs=8)


@pytest.mark.parametrize("corner", [(0, 0), (300, 700)])
def test_a_small_face_in_a_large_photo_is_found_at_a_second_look(
    finder: FaceFinder, corner: tuple[int, int]
) -> None:
    top, left = corner
    image = _canvas(900, 1400, (top, left, portrait()[::2, ::2]))

    ((face,),) = finder.find([image])

    assert _middle(face) == pytest.approx((left + MIDDLE[0] / 2, top + MIDDLE[1] / 2), abs=3)


def test_a_face_that_fills_the_photo_is_found(finder: FaceFinder) -> None:
    ((face,),) = finder.find([_image(portrait()[70:177, 178:272])])

    assert _middle(face) == pytest.approx((47, 54), abs=5)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_photo_that_lies_on_its_side_or_head_has_its_face(finder: FaceFinder, degrees: float) -> None:
    ((face,),) = finder.find([_image(turned(portrait(), degrees, 1, MIDDLE))])

    assert _middle(face) == pytest.approx(MIDDLE, abs=15)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (64, 64), (300, 700)])
def test_a_photo_without_a_face_has_none(finder: FaceFinder, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)

    assert finder.find([_canvas(*size), _image(noise)]) == [[], []]


def test_photos_of_all_sizes_are_looked_at_together(finder: FaceFinder) -> None:
    whole = portrait()
    images = [
        _image(whole),
        _canvas(100, 50),
        _image(whole[::2, ::2]),
        _image(whole[:, ::-1]),
        _image(whole[::-1, ::-1]),
        _on_canvas(whole, 40),
    ]

    together = finder.find(images)

    assert [len(faces) for faces in together] == [1, 0, 1, 1, 1, 1]
    for image, faces in zip(images, together, strict=True):
        for face, alone in zip(faces, finder.find([image])[0], strict=True):
            torch.testing.assert_close(face.points, alone.points, rtol=0, atol=0.01)
            assert face.score == pytest.approx(alone.score, abs=1e-4)


def test_no_photos_have_no_faces() -> None:
    assert find_faces([]) == []


def test_faces_are_found_without_naming_where_the_models_are(models: Path) -> None:
    ((face,),) = find_faces([_image(portrait())])

    assert face.score == pytest.approx(0.92, abs=0.01)
    assert face.box == pytest.approx((178, 72, 272, 175), abs=2)


# Squares


def _square(x: float, y: float, side: float, degrees: float = 0, mirrored: bool = False) -> Squares:
    return Squares(
        torch.tensor([[x, y]]),
        torch.tensor([side]),
        torch.tensor([math.radians(degrees)]),
        torch.tensor([mirrored]),
    )


@pytest.mark.parametrize(
    ("square", "corner"),
    [
        (_square(10, 20, 4), (8, 18)),
        (_square(10, 20, 4, degrees=90), (12, 18)),
        (_square(10, 20, 4, mirrored=True), (12, 18)),
        (_square(10, 20, 4, degrees=90, mirrored=True), (12, 22)),
    ],
)
def test_the_first_corner_of_a_square_lies_where_it_is_turned_and_mirrored_to(
    square: Squares, corner: tuple[float, float]
) -> None:
    placed = square.to_photo(torch.tensor([[[0.0, 0.0, 0.5]]]))

    assert placed.flatten().tolist() == pytest.approx([*corner, 2.0])


def test_a_square_of_the_same_size_shows_the_photo_itself() -> None:
    photo = _image(np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8))
    two = Squares.joined([_square(3, 4, 4), _square(3, 4, 4, mirrored=True)])

    shown, mirrored = seen(photo, two, 4)

    assert torch.allclose(shown.permute(1, 2, 0) * 255, photo[2:6, 1:5].float(), atol=1e-3)
    assert torch.allclose(mirrored.permute(1, 2, 0) * 255, photo[2:6, 1:5].flip(1).float(), atol=1e-3)


@pytest.mark.parametrize("middle", [-50, 50])
def test_beyond_the_edge_a_photo_goes_on_or_is_black(middle: float) -> None:
    photo = torch.full((3, 3, 3), 255, dtype=torch.uint8)
    square = _square(middle, 1, 8)

    assert seen(photo, square, 4).allclose(torch.ones(1))
    assert not seen(photo, square, 4, black=True).any()


def test_squares_part_as_they_were_joined() -> None:
    joined = Squares.joined([_square(1, 1, 1), _square(2, 2, 2), _square(3, 3, 3)])

    first, none, others = joined.split([1, 0, 2])

    assert (len(first), len(none), others.side.tolist()) == (1, 0, [2, 3])


def test_the_square_around_a_mesh_turns_with_it_and_keeps_its_size() -> None:
    points = torch.rand(1, mesh.POINTS, 3) * 100
    angle = math.radians(30)
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    moved = torch.cat((points[..., :2] @ turn.T, points[..., 2:]), -1)

    before, after = mesh.squares_around(points), mesh.squares_around(moved)

    assert after.side.item() == pytest.approx(before.side.item(), rel=1e-4)
    assert after.centre.flatten().tolist() == pytest.approx((turn @ before.centre[0]).tolist(), abs=1e-2)
    assert math.remainder((after.angle - before.angle).item() - angle, math.tau) == pytest.approx(0, abs=1e-4)


# The detector


def test_anchors_lie_as_the_detectors_options_say() -> None:
    anchors = detector._ANCHORS

    assert anchors.shape == (896, 2)
    assert anchors[[0, 1, 2, 32, 511, 512, 517, 518, 895]].tolist() == [
        [1 / 32, 1 / 32],
        [1 / 32, 1 / 32],
        [3 / 32, 1 / 32],
        [1 / 32, 3 / 32],
        [31 / 32, 31 / 32],
        [1 / 16, 1 / 16],
        [1 / 16, 1 / 16],
        [3 / 16, 1 / 16],
        [15 / 16, 15 / 16],
    ]


def test_detections_that_overlap_are_averaged_by_their_scores() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [50, 50, 60, 60], [2, 0, 12, 10]])
    keypoints = torch.arange(3.0)[:, None, None].expand(3, 6, 2)

    merged = detector._merged(detector.Detections(boxes, keypoints, torch.tensor([0.5, 0.9, 0.75])))

    assert merged.scores.tolist() == [pytest.approx(0.9), pytest.approx(0.75)]
    assert merged.boxes[0].tolist() == [50, 50, 60, 60]
    assert merged.boxes[1].tolist() == pytest.approx([1.2, 0, 11.2, 10])
    assert merged.keypoints[:, 0, 0].tolist() == pytest.approx([1, 1.2])


@pytest.mark.parametrize("size", [(600, 1024), (1024, 600), (700, 700)])
def test_views_cover_a_photo_and_overlap_by_half(size: tuple[int, int]) -> None:
    views = detector._views(torch.zeros(*size, 3, dtype=torch.uint8), (0.5,))
    count = torch.zeros(size)
    for (x, y), side in zip(views.centre.tolist(), views.side.tolist(), strict=True):
        left, top = round(x - side / 2), round(y - side / 2)
        assert left >= -1
        assert top >= -1
        count[max(0, top) : top + round(side), max(0, left) : left + round(side)] += 1

    assert count.min() >= 1
    middle = count[size[0] // 3 : -size[0] // 3, size[1] // 3 : -size[1] // 3]
    assert middle.min() >= 2


def test_parts_too_small_to_hold_a_face_worth_editing_are_not_looked_at() -> None:
    photo = torch.zeros(400, 500, 3, dtype=torch.uint8)

    assert len(detector._views(photo, (0.5,))) == 0
    assert len(detector._views(photo, (1.0,))) == 1
    assert len(detector._views(photo, (1.6, 0.5))) == 1
