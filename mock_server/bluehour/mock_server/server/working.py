"""Running a worker as `bluehour work` does: checked first, then greeted, then at work until Ctrl-C."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluehour.openapi.contract import load
from bluehour.openapi.document import MAGIC_HOUR
from bluehour.openapi.errors import BluehourError

from .. import interrupts
from ..core.settings import WORKERS, Settings
from ..core.world import World
from ..monitoring.workers import WorkersTally
from ..rendering import Stage
from ..rendering.elsewhere import EDITED, Elsewhere
from ..rendering.feature import Rendering
from ..rendering.opening import SIMULATED, check_installed, open_stage
from .listening import stopped_by_signals

_BATCHES = 2
"""That a worker takes where nobody says how many: one that is edited, and one that is read or written."""


class WorkError(BluehourError):
    """The worker can't start; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Work:
    """What `bluehour work` was asked for."""

    store: str
    assets: Path
    lost_after: float
    renderer: str = "reference"
    device: str = "auto"
    photo_model: Path | None = None
    at_once: int | None = None
    spec: Path | str | None = None
    overlays: tuple[Path | str, ...] = ()

    def stage(self) -> Stage[Any, Any]:
        """Return what renders.

        Raises:
            RendererError: it can't be used.
        """
        return open_stage(self.renderer, self.device, self.photo_model) or Elsewhere()


def run(
    work: Work,
    version: str,
    greet: Callable[[str], object],
    stage: Stage[Any, Any] | None = None,
) -> None:
    """Work until a signal asks for the end, and end this process.

    Args:
        work: what was asked for.
        version: of Bluehour.
        greet: is told what is said when all is ready.
        stage: what renders; as `work` says where none is given.

    Raises:
        WorkError, SpecError, StoreError, RendererError: it can't.
    """
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING)
    check_installed(WORKERS)
    if not work.assets.is_dir():
        raise WorkError(f"there is no folder {work.assets}; give the one that the servers have as --assets")
    if stage is None:
        check_installed(work.renderer)
        if work.renderer != SIMULATED:
            greet("Loading the renderer, which takes some seconds")
    contract = load(work.spec or MAGIC_HOUR, overlays=work.overlays)
    settings = Settings(store=work.store, renderer=WORKERS)
    with closing(World(contract, settings, assets=work.assets)) as world:
        stage = stage or work.stage()
        at_once = work.at_once or _BATCHES * max(map(stage.most_at_once, EDITED))
        asyncio.run(_work(world, stage, at_once, work, version, greet))
    sys.stdout.flush()
    # All is stored and closed. What is still edited is others' by now: no reason to stay.
    os._exit(0)


async def _work(
    world: World,
    stage: Stage[Any, Any],
    at_once: int,
    work: Work,
    version: str,
    greet: Callable[[str], object],
) -> None:
    from ..rendering.engine import Engine  # here: it comes with an extra

    rendering = Rendering(world, stage)
    world.listen(rendering)
    world.listen(WorkersTally(world.store.notes))
    assert rendering.queue is not None  # noqa: S101 - there is a stage
    stopped = stopped_by_signals()
    interrupts.raise_if_heard()  # until now
    engine = asyncio.create_task(Engine(world, rendering.queue, at_once, work.lost_after).run())
    greet(
        f"Bluehour {version} renders what waits in {world.settings.shown_store}  (Ctrl-C stops it)\n"
        f"Pictures are edited {stage.described()}; {at_once} jobs at a time, files in {work.assets}"
    )
    stopping = asyncio.create_task(stopped.wait())
    await asyncio.wait([engine, stopping], return_when=asyncio.FIRST_COMPLETED)
    engine.cancel()
    stopping.cancel()
    with suppress(asyncio.CancelledError):
        await engine
