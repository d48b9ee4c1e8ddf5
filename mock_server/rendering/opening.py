"""Opens the renderer that the settings name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from . import RendererError, Stage

SIMULATED = "simulated"
REFERENCE = "reference"

DEVICES = ("auto", "cpu", "cuda")

_INSTALL = "pip install 'bluehour[inference]'"


def open_stage(name: str, device: str, photo_model: Path | None) -> Stage[Any, Any] | None:
    """Return what really renders, ready for work; None for the simulated renderer, which needs no time.

    Args:
        name: `SIMULATED` or `REFERENCE`.
        device: where the reference stage runs: one of `DEVICES`.
        photo_model: the folder of its diffusion pipeline, if any.

    Raises:
        RendererError: it can't be used; the message says what to do.
    """
    if name == SIMULATED:
        return None
    # Measured: threads of OpenMP that wait by spinning take the cores that answer requests.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from .reference.stage import ReferenceStage
    except ModuleNotFoundError as error:
        raise RendererError(
            f"the reference renderer needs {error.name}, which is missing: {_INSTALL}"
        ) from error
    return ReferenceStage(device, photo_model)
