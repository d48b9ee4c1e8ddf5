"""A batch of requests to the photo editor, from image to upscaled image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor

from .parameters import Parameters, parameters_of
from .upscaling import upscaled


class PhotoEditor(Protocol):
    """Edits photos: the analytic one, or a diffusion pipeline."""

    def edit(self, images: Sequence[Tensor], parameters: Sequence[Parameters]) -> list[Tensor]:
        """Return the edited images, in the sizes that `Parameters.size` says."""


def edit_photos(
    editor: PhotoEditor,
    images: Sequence[Tensor],
    requests: Sequence[Mapping[str, Any]],
    sizes: Sequence[tuple[int, int]],
) -> list[Tensor]:
    """Return what PhotoEditorRequests make of their images: uint8 [H, W, 3], on the same device.

    Args:
        editor: what edits them.
        images: uint8 [H, W, 3].
        requests: one for each image.
        sizes: of the results: height and width, with the upscaling.
    """
    parameters = [parameters_of(request) for request in requests]
    return [
        upscaled(image, size, asked.upscale_crispness)
        for image, asked, size in zip(editor.edit(images, parameters), parameters, sizes, strict=True)
    ]
