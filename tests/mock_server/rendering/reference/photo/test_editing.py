from __future__ import annotations

from torch import Tensor

from mock_server.rendering.reference.photo.analytic import AnalyticEditor
from mock_server.rendering.reference.photo.editing import PhotoEditor, edit_photos

from .asking import request


def test_requests_of_several_sizes_are_edited_and_upscaled(portrait: Tensor) -> None:
    editor: PhotoEditor = AnalyticEditor()
    square, wide = edit_photos(
        editor,
        [portrait, portrait[:256]],
        [request("a cartoon", upscale_factor=1), request("sunset", resolution=600, upscale_factor=3)],
    )
    assert square.shape == (512, 512, 3)
    assert wide.shape == (900, 1800, 3)


def test_the_upscaling_obeys_the_fidelity(portrait: Tensor) -> None:
    crisp, faithful = edit_photos(
        AnalyticEditor(),
        [portrait] * 2,
        [request(upscale_factor=2, upscale_fidelity=fidelity) for fidelity in (0, 1)],
    )
    assert crisp.float().diff(dim=1).abs().mean() > 1.1 * faithful.float().diff(dim=1).abs().mean()
