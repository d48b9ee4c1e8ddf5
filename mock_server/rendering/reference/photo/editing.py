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
    editor: PhotoEditor, images: Sequence[Tensor], requests: Sequence[Mapping[str, Any]]
) -> list[Tensor]:
    """Return what PhotoEditorRequests make of their images: uint8 [H, W, 3], upscaled, on the same device."""
    parameters = [parameters_of(request) for request in requests]
    return [
        upscaled(image, asked.upscale_factor, asked.upscale_crispness)
        for image, asked in zip(editor.edit(images, parameters), parameters, strict=True)
    ]
