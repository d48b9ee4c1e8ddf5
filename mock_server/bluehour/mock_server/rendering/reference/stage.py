"""The reference stage: from a job to a picture that is really edited, on a CPU or a GPU.

A face edit changes the largest face of the photo. A job whose picture is not at hand (a URL that was not
fetched, a published example, a format without a decoder) gets the simulated renderer's picture, which says
so.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bluehour.mock_server.rendering import Job, JobFailed, RendererError
from bluehour.mock_server.rendering.encoding import encoded, extension_like
from bluehour.mock_server.rendering.pictures import lacks_decoder, open_picture
from bluehour.mock_server.rendering.simulated import SimulatedRenderer, output_size

from .face.editor import edit_faces
from .face.faces import finder
from .photo.analytic import AnalyticEditor
from .photo.diffusion import DiffusionEditor, PhotoModelError
from .photo.editing import PhotoEditor, edit_photos
from .photo.prompts import remark_on
from .weights import WeightsError

FACE, PHOTO = "FACE_EDITOR", "PHOTO_EDITOR"
"""What there is an editor for here: values of `x-project-type` in openapi/magic_hour.yaml."""

_AT_ONCE: Final = {"cpu": {FACE: 8, PHOTO: 1}, "cuda": {FACE: 32, PHOTO: 8}}
"""Pictures in one call. Measured by benchmarks/rendering.py: more gain nothing, and wait for each other."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture on its way through the stage.

    Attributes:
        job: what is asked.
        image: uint8 [H, W, 3] in main memory; upright, no larger than it is edited.
        icc_profile: of its colours, if it brought one.
        is_final: there is nothing to edit.
    """

    job: Job
    image: Tensor
    icc_profile: bytes | None = None
    is_final: bool = False


class ReferenceStage:
    """Edits pictures with torch.

    Args:
        device: `cpu`, `cuda`, or `auto`: a GPU where there is one.
        photo_model: the folder of a diffusers pipeline for the photo editor; the analytic one without it.

    Raises:
        RendererError: there is no such device, the models that find faces aren't here, or the photo model
            can't be loaded.
    """

    def __init__(self, device: str = "auto", photo_model: Path | None = None) -> None:
        self.device = _device(device)
        self._photo_model = photo_model
        self._simulated = SimulatedRenderer()
        self._editing = Lock()  # a pipeline of diffusers keeps its state between steps
        if self.device.type == "cpu":
            # The other cores answer requests meanwhile.
            torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))
        try:
            self._faces = finder(self.device)
            self._photos = _photo_editor(photo_model, self.device)
        except (WeightsError, PhotoModelError) as error:
            raise RendererError(str(error)) from error

    def edits(self, project_type: str) -> bool:
        """Tell whether there is an editor for a type of project."""
        return project_type in (FACE, PHOTO)

    def most_at_once(self, project_type: str) -> int:
        """Return how many pictures one `edit` makes the best of."""
        return _AT_ONCE[self.device.type].get(project_type, 1)

    def described(self) -> str:
        """Return by what and where it edits."""
        editor = f"the pipeline in {self._photo_model}" if self._photo_model else "tone and style alone"
        return f"on {self.device.type}; photos by {editor}"

    def extension_for(self, source: Path | None) -> str:
        """Return the extension of the picture that is made of an upload: its own, where Pillow writes it."""
        return extension_like(source)

    def load(self, job: Job) -> Photo:
        """Read a job's picture: upright, in the size that it is edited in if that is smaller.

        Raises:
            JobFailed: `invalid_file_format`, for what can't be decoded and for a decompression bomb.
            OSError: the file itself can't be opened.
        """
        if job.source is None or lacks_decoder(job.source) or job.project_type not in (FACE, PHOTO):
            return self._simulation(job)
        opened = open_picture(job.source)
        picture, profile = opened.image, _profile_of(opened.image)
        size = _edited_size(opened.size, job)
        if max(size) < max(picture.size):
            picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
        image = _tensor(picture)
        return Photo(job, image.pin_memory() if self.device.type == "cuda" else image, profile)

    def edit(self, loaded: Sequence[Photo]) -> list[Photo | JobFailed]:
        """Edit pictures: all faces in one call, and all photos in one; one caller after the other."""
        made: dict[int, Photo | JobFailed] = {
            place: photo for place, photo in enumerate(loaded) if photo.is_final
        }
        for project_type, edit in ((FACE, self._edit_faces), (PHOTO, self._edit_photos)):
            places = [
                place
                for place, photo in enumerate(loaded)
                if place not in made and photo.job.project_type == project_type
            ]
            if places:
                with self._editing:
                    made.update(zip(places, edit([loaded[place] for place in places]), strict=True))
        return [made[place] for place in range(len(loaded))]

    def encode(self, edited: Photo) -> bytes:
        """Return an edited picture as a file in its job's format."""
        picture = Image.fromarray(edited.image.numpy())
        return encoded(picture, edited.job.extension, edited.icc_profile)

    def remark_on(self, project_type: str, request: Mapping[str, Any]) -> str | None:
        """Say what of a request the analytic photo editor can't do, or None."""
        if project_type == PHOTO and isinstance(self._photos, AnalyticEditor):
            return remark_on(request)
        return None

    def _simulation(self, job: Job) -> Photo:
        picture = Image.open(io.BytesIO(self._simulated.render(job))).convert("RGB")
        return Photo(job, _tensor(picture), is_final=True)

    def _edit_faces(self, photos: Sequence[Photo]) -> list[Photo | JobFailed]:
        images = [photo.image.to(self.device, non_blocking=True) for photo in photos]
        found = self._faces.find(images)
        places = [place for place, faces in enumerate(found) if faces]
        edited = edit_faces(
            [images[place] for place in places],
            [found[place][0] for place in places],  # the largest
            [_sliders(photos[place].job.request) for place in places],
        )
        made: list[Photo | JobFailed] = [JobFailed("no_source_face") for _ in photos]
        for place, image in zip(places, edited, strict=True):
            made[place] = _with_image(photos[place], image)
        return made

    def _edit_photos(self, photos: Sequence[Photo]) -> list[Photo | JobFailed]:
        images = [photo.image.to(self.device, non_blocking=True) for photo in photos]
        requests = [photo.job.request for photo in photos]
        sizes = []
        for photo in photos:
            height, width = photo.image.shape[:2]
            width, height = output_size((width, height), photo.job.request, photo.job.longest_edge)
            sizes.append((height, width))
        edited = edit_photos(self._photos, images, requests, sizes)
        return [_with_image(photo, image) for photo, image in zip(photos, edited, strict=True)]


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise RendererError("--device cuda: torch finds no CUDA device here; use --device cpu")
    return torch.device(name)


def _photo_editor(folder: Path | None, device: torch.device) -> PhotoEditor:
    return AnalyticEditor() if folder is None else DiffusionEditor(folder, device)


def _edited_size(source_size: tuple[int, int], job: Job) -> tuple[int, int]:
    """Return the width and height that a picture is edited in, before it is upscaled, in pixels."""
    return output_size(source_size, {"resolution": job.request.get("resolution")}, job.longest_edge)


def _sliders(request: Mapping[str, Any]) -> Mapping[str, float]:
    style = request.get("style")
    return style if isinstance(style, Mapping) else {}


def _tensor(picture: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(picture))


def _with_image(photo: Photo, image: Tensor) -> Photo:
    return Photo(photo.job, image.cpu(), photo.icc_profile)


def _profile_of(picture: Image.Image) -> bytes | None:
    """Return the colour profile of a picture whose pixels are still the numbers that it speaks of."""
    profile = picture.info.get("icc_profile")
    is_rgb = isinstance(profile, bytes) and profile[16:20] == b"RGB "  # ICC.1:2022, 7.2.6
    return profile if is_rgb else None
