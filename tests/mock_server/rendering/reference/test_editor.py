"""Edited photos: what is asked for is done, once or many times at once, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from bluehour.mock_server.rendering.reference.face import editor, regions  # noqa: E402
from bluehour.mock_server.rendering.reference.face.editor import edit_faces  # noqa: E402
from bluehour.mock_server.rendering.reference.face.sliders import NAMES  # noqa: E402

from .made_faces import Points, face, photo  # noqa: E402

SMILE = {"mouth_smile": 60.0}
MUCH = {"mouth_smile": 40.0, "head_yaw": -50.0, "eye_gaze_vertical": 30.0, "lip_open_ratio": 45.0}


def _edited(style: Mapping[str, float], of: Tensor | None = None, at: Points | None = None) -> Tensor:
    (result,) = edit_faces([photo() if of is None else of], [at or face()], [style])
    return result


@pytest.mark.parametrize(
    "style", [{}, dict.fromkeys(NAMES, 0.0), {"enhance_face": False}], ids=["empty", "zeros", "off"]
)
def test_a_style_that_asks_for_nothing_returns_the_photo(style: Mapping[str, float]) -> None:
    image = photo()
    (result,) = edit_faces([image], [face()], [style])
    assert result is image


def test_a_photo_that_is_edited_is_not_changed_itself() -> None:
    image = photo()
    _edited({**MUCH, "enhance_face": True}, image)
    assert torch.equal(image, photo())


def test_what_nothing_moves_is_the_photo_bit_for_bit() -> None:
    result = _edited(SMILE)
    assert torch.equal(result[200:], photo()[200:])
    assert torch.equal(result[:, :160], photo()[:, :160])
    assert not torch.equal(result[120:180, 180:270], photo()[120:180, 180:270])


def test_straight_lines_beside_a_face_stay_straight() -> None:
    bars = (torch.arange(512) // 4 % 2 * 255).to(torch.uint8)[None, :, None].repeat(512, 1, 3)
    for name in NAMES:
        if not name.startswith("head"):
            result = _edited({name: 100}, bars)
            assert torch.equal(result[:, :155], bars[:, :155]), name
            assert torch.equal(result[:, 295:], bars[:, 295:]), name


def test_edits_made_at_once_are_those_made_one_by_one() -> None:
    images = [photo(), photo()[:300, 60:400], photo().repeat_interleave(2, 0).repeat_interleave(2, 1)]
    faces = [face(), face().times(1, -60), face().times(2)]
    styles: list[dict[str, float]] = [SMILE, {**MUCH, "enhance_face": True}, {"head_roll": 35.0}]
    together = edit_faces(images, faces, styles, at_once=3)
    for result, image, of, style in zip(together, images, faces, styles, strict=True):
        assert result.shape == image.shape
        difference = (result.int() - _edited(style, image, of).int()).abs()
        assert difference.max() <= 2
        assert (difference > 0).float().mean() < 0.01


def test_however_many_edits_are_made_at_once_so_many_pixels_are_sampled_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sampled: list[tuple[int, int]] = []

    def padded(parts: Sequence[Tensor]) -> Tensor:
        result = made(parts)
        sampled.append((len(parts), result[:, 0].numel()))
        return result

    made = editor._padded
    monkeypatch.setattr(editor, "_padded", padded)
    monkeypatch.setitem(editor._MOST_PIXELS, "cpu", 150_000)
    small, large = {"mouth_smile": 60.0}, {"mouth_smile": 60.0, "head_yaw": 50.0}
    images = [photo()] * 7 + [photo().repeat_interleave(2, 0).repeat_interleave(2, 1)] * 2
    faces = [face()] * 7 + [face().times(2)] * 2
    styles = [small] * 7 + [large] * 2

    results = edit_faces(images, faces, styles, at_once=16)

    assert sum(count for count, _ in sampled) == 9
    assert all(pixels <= 150_000 or count == 1 for count, pixels in sampled)
    assert any(count > 1 for count, _ in sampled)
    assert [count for count, pixels in sampled if pixels > 150_000] == [1, 1]
    assert all((result.int() - results[0].int()).abs().max() <= 1 for result in results[:7])


def test_a_head_at_the_edge_of_a_photo_shows_no_holes() -> None:
    white = torch.full((200, 150, 3), 255, dtype=torch.uint8)
    at = face().times(1, -170, -40)
    for style in ({"head_roll": 100.0}, {"head_roll": -100.0, "head_yaw": 100.0}, {"head_pitch": -100.0}):
        assert _edited(style, white, at).min() >= 254


def test_lips_that_open_show_the_dark_between_them() -> None:
    at = face().with_closed((regions.INNER_LIPS.upper, regions.INNER_LIPS.lower))
    skin = torch.full((512, 512, 3), 200, dtype=torch.uint8)
    result = _edited({"lip_open_ratio": 100.0}, skin, at)
    x, y = at.points[regions.INNER_LIPS.middles[1], :2].round().long()
    red, green, blue = result[y + 9, x].tolist()
    assert max(green, blue) < red < 90
    assert torch.equal(_edited({"lip_open_ratio": -100.0}, skin, at), skin)  # uniform skin moved over skin


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_photo_that_is_turned_is_edited_as_it_would_be_upright(quarters: int) -> None:
    style = {"lip_open_ratio": 100.0, "mouth_smile": 40.0, "head_yaw": 30.0, "enhance_face": True}
    points, last = face().points, len(photo()) - 1
    for _ in range(quarters):  # against the clock, as torch.rot90 does
        points = torch.stack((points[:, 1], last - points[:, 0], points[:, 2]), -1)
    turned = _edited(style, photo().rot90(quarters).contiguous(), Points(points))
    difference = (turned.rot90(-quarters).int() - _edited(style).int()).abs()
    assert difference.max() <= 12
    assert difference.float().mean() < 0.05


def test_an_enhanced_face_has_more_contrast_and_its_surroundings_are_left() -> None:
    result = _edited({"enhance_face": True})
    part = (slice(85, 165), slice(195, 255))
    assert result[part].float().std() > 1.03 * photo()[part].float().std()
    assert (result[part].int() - photo()[part].int()).abs().float().mean() < 12
    assert torch.equal(result[190:], photo()[190:])
    assert torch.equal(result[:, :165], photo()[:, :165])


def test_edits_of_different_kinds_made_at_once_are_those_made_one_by_one() -> None:
    styles: list[dict[str, float]] = [
        SMILE,
        {"head_yaw": 50.0},
        {"eye_gaze_horizontal": 60.0},
        {"lip_open_ratio": 60.0},
        {"eye_open_ratio": -80.0},
        {"enhance_face": True},
        MUCH,
        {**SMILE, "mouth_pout": 30.0},
    ]
    images = [photo().roll((2 * n, n), (0, 1)) for n in range(8)]
    faces = [face().times(1, n, 2 * n) for n in range(8)]
    for result, image, at, style in zip(
        edit_faces(images, faces, styles), images, faces, styles, strict=True
    ):
        assert (result.int() - _edited(style, image, at).int()).abs().max() <= 1


@pytest.mark.parametrize(
    "style", [SMILE, {"lip_open_ratio": 60.0}, {"enhance_face": True}], ids=["smile", "lips", "enhanced"]
)
def test_a_face_at_the_edge_is_edited_alike_beside_a_larger_photo(style: Mapping[str, float]) -> None:
    for cut in (photo()[:170], photo()[:, :240]):
        alone = _edited(style, cut)
        _, beside = edit_faces([photo(), cut], [face()] * 2, [style] * 2)
        assert (alone.int() - beside.int()).abs().max() <= 1


def test_a_batch_keeps_its_order_where_some_ask_for_nothing() -> None:
    images = [photo(), photo(), photo()]
    results = edit_faces(images, [face()] * 3, [{}, SMILE, {}])
    assert results[0] is images[0]
    assert torch.equal(results[1], _edited(SMILE))
    assert results[2] is images[2]
