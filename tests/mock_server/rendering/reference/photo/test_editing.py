from __future__ import annotations

import pytest
from torch import Tensor

from bluehour.mock_server.rendering.reference.photo.analytic import AnalyticEditor
from bluehour.mock_server.rendering.reference.photo.editing import PhotoEditor, edit_photos
from bluehour.mock_server.rendering.simulated import output_size
from tests.profiles import few

from .asking import request


def test_requests_of_several_sizes_are_edited_and_upscaled(portrait: Tensor) -> None:
    editor: PhotoEditor = AnalyticEditor()
    square, wide = edit_photos(
        editor,
        [portrait, portrait[:256]],
        [request("a cartoon"), request("sunset", resolution=600)],
        [(512, 512), (900, 1800)],
    )
    assert square.shape == (512, 512, 3)
    assert wide.shape == (900, 1800, 3)


@pytest.mark.parametrize("factor", few([1, 2, 4], 1, 2))
@pytest.mark.parametrize("height", few([333, 341, 387], 341))
def test_a_result_has_the_size_that_the_simulated_picture_has(
    height: int, factor: int, portrait: Tensor
) -> None:
    asked = request(upscale_factor=factor)
    width, whole = output_size((512, height), {"resolution": 517, "style": asked["style"]}, 1024)
    (made,) = edit_photos(
        AnalyticEditor(), [portrait[:height]], [asked | {"resolution": 517}], [(whole, width)]
    )
    assert made.shape == (whole, width, 3)


def test_a_higher_fidelity_has_more_details(portrait: Tensor) -> None:
    plain, detailed = edit_photos(
        AnalyticEditor(),
        [portrait] * 2,
        [request(upscale_fidelity=fidelity) for fidelity in (0, 1)],
        [(1024, 1024)] * 2,
    )
    assert detailed.float().diff(dim=1).abs().mean() > 1.1 * plain.float().diff(dim=1).abs().mean()
