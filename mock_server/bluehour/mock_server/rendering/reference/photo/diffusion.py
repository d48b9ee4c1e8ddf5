"""The photo editor with a model: an image-to-image pipeline of the diffusers library, from a local folder.

Any folder that `AutoPipelineForImage2Image` knows will do (Stable Diffusion 1, 2, XL, and what is distilled
from them). Nothing is downloaded. The folder's own safety checker is run, where it has one.
"""

from __future__ import annotations

import inspect
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bluehour.mock_server.core.installing import command_for

from .parameters import Parameters, schedule_of
from .pixels import image_of, picture_of, resized

_Pipeline = Callable[..., Any]


class PhotoModelError(Exception):
    """A folder can't be used as a photo model; the message says why, in one line."""


class DiffusionEditor:
    """Edits photos by a diffusion pipeline; several requests of one size in one call.

    Args:
        folder: of a pipeline, as `save_pretrained` writes it: with a `model_index.json`.
        device: where it runs.
        dtype: of its weights; half precision on a GPU and single on a CPU where none is given.
        batch: how many pictures are in the device's memory at once, at most.

    Raises:
        PhotoModelError: diffusers isn't installed, or the folder is no image-to-image pipeline.
    """

    def __init__(
        self, folder: Path, device: torch.device, dtype: torch.dtype | None = None, batch: int = 4
    ) -> None:
        if dtype is None:
            dtype = torch.float32 if device.type == "cpu" else torch.float16
        self._pipeline = _loaded(folder, device, dtype)
        self._batch = batch
        self._taken = frozenset(inspect.signature(self._pipeline).parameters)

    def edit(self, images: Sequence[Tensor], parameters: Sequence[Parameters]) -> list[Tensor]:
        """Return the edited images (uint8 [H, W, 3]), in the sizes that the parameters say, not upscaled.

        The same request gets the same noise, alone and in any batch.
        """
        alike = defaultdict(list)
        for place, (image, asked) in enumerate(zip(images, parameters, strict=True)):
            schedule = schedule_of(asked.steps, asked.strength)
            alike[asked.size(*image.shape[:2]), schedule, asked.guidance].append(place)
        edited: dict[int, Tensor] = {}
        for (size, schedule, guidance), places in alike.items():
            for first in range(0, len(places), self._batch):
                some = places[first : first + self._batch]
                pictures = torch.cat(
                    [resized(picture_of(images[place]), self._whole(size)) for place in some]
                )
                made = self._run(pictures, [parameters[place] for place in some], schedule, guidance)
                for place, picture in zip(some, resized(made, size), strict=True):
                    edited[place] = image_of(picture).to(images[place].device)
        return [edited[place] for place in range(len(images))]

    def _run(
        self, pictures: Tensor, asked: Sequence[Parameters], schedule: tuple[int, float], guidance: float
    ) -> Tensor:
        length, strength = schedule
        wishes = {
            "prompt": [one.prompt or one.description for one in asked],
            "negative_prompt": [one.negative_prompt for one in asked],
            "image": pictures,
            "height": pictures.shape[-2],
            "width": pictures.shape[-1],
            "strength": strength,
            "num_inference_steps": length,
            "guidance_scale": guidance,
            # On the CPU, so that a seed means the same noise on every device.
            "generator": [torch.Generator().manual_seed(one.seed) for one in asked],
            "output_type": "pt",
        }
        with torch.inference_mode():
            answer = self._pipeline(**{name: wish for name, wish in wishes.items() if name in self._taken})
        made: Tensor = answer.images
        return made.float().clamp(0, 1)

    def _whole(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the nearest size that the pipeline can take: a multiple of its autoencoder's unit."""
        # Twice that: some transformers put four latent pixels together.
        unit = 2 * int(getattr(self._pipeline, "vae_scale_factor", 8))
        height, width = (max(unit, round(edge / unit) * unit) for edge in size)
        return height, width


def _loaded(folder: Path, device: torch.device, dtype: torch.dtype) -> _Pipeline:
    try:
        # By name: both are marked as typed but are not, and checking them takes longer than all the rest.
        transformers: Any = import_module("transformers")
        transformers.utils.logging.set_verbosity_error()  # else importing diffusers advertises torchvision
        diffusers: Any = import_module("diffusers")
    except ImportError as error:
        raise PhotoModelError(
            f"A photo model needs the diffusers library ({error}): {command_for('inference')}"
        ) from error
    if (fault := _fault_of(folder)) is not None:
        raise PhotoModelError(f"{folder} is no diffusers pipeline: {fault}")
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    try:
        pipeline = diffusers.AutoPipelineForImage2Image.from_pretrained(
            str(folder),
            local_files_only=True,
            dtype=dtype,
            low_cpu_mem_usage=find_spec("accelerate") is not None,  # else it is advertised on stderr
        )
        pipeline.to(device)
    # A broken file comes out of the readers as nearly any exception: OSError, ValueError, SafetensorError
    except Exception as error:
        raise PhotoModelError(f"{folder} can't be loaded for image-to-image: {_first_line(error)}") from error
    pipeline.set_progress_bar_config(disable=True)
    loaded: _Pipeline = pipeline
    return loaded


def _fault_of(folder: Path) -> str | None:
    """Say what a folder lacks to be a pipeline, before any library reads it; None where it lacks nothing."""
    if not folder.is_dir():
        return "it is no folder" if folder.exists() else "no such folder"
    index = folder / "model_index.json"
    if not index.is_file():
        return "it has no model_index.json"
    try:
        named = json.loads(index.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return f"its model_index.json can't be read ({_first_line(error)})"
    if not isinstance(named, dict) or "_class_name" not in named:
        return "its model_index.json names no class"
    # The library blames other files for what is missing, and starts with an empty tokenizer where that is.
    missing = [name for name in _components(named) if not (folder / name).is_dir()]
    return f"it lacks {', '.join(missing)}, which its model_index.json names" if missing else None


def _components(index: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of a pipeline's parts, each of which has a folder; what has no class is left out."""
    for name, value in index.items():
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            yield name


def _first_line(error: Exception) -> str:
    return next(filter(None, map(str.strip, str(error).splitlines())), type(error).__name__)
