"""Opens the renderer that the settings name."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..core.installing import command_for
from ..core.settings import WORKERS
from . import RendererError, Stage

SIMULATED = "simulated"
REFERENCE = "reference"

DEVICES = ("auto", "cpu", "cuda")

_NEEDED = {REFERENCE: ("inference", ("torch", "numpy")), WORKERS: ("work", ("procrastinate", "psycopg"))}
"""By renderer, the extra and what of it is missed first."""


def open_stage(name: str, device: str, photo_model: Path | None) -> Stage[Any, Any] | None:
    """Return what really renders, ready for work; None for the simulated renderer, which needs no time.

    Of what workers render, it is what stands here for their stage.

    Args:
        name: `SIMULATED`, `REFERENCE` or `WORKERS`.
        device: where the reference stage runs: one of `DEVICES`.
        photo_model: the folder of its diffusion pipeline, if any.

    Raises:
        RendererError: it can't be used; the message says what to do.
    """
    if name != REFERENCE and (photo_model is not None or device != DEVICES[0]):
        raise RendererError(f"--device and --photo-model are options of --renderer {REFERENCE} alone")
    if name == SIMULATED:
        return None
    check_installed(name)
    if name == WORKERS:
        from .elsewhere import Elsewhere

        return Elsewhere()
    # Measured: threads of OpenMP that wait by spinning take the cores that answer requests.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from .reference.stage import ReferenceStage

    return ReferenceStage(device, photo_model)


def check_installed(name: str) -> None:
    """Return if what a renderer needs is installed; quickly, as nothing is loaded.

    Raises:
        RendererError: it isn't; the message says what to do.
    """
    extra, modules = _NEEDED.get(name, ("", ()))
    for module in modules:
        if not _is_installed(module):
            raise RendererError(f"the {name} renderer needs {module}, which is missing: {command_for(extra)}")


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:
        return False
