"""The command `bluehour work`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .. import __version__, interrupts
from ..rendering.opening import DEVICES, REFERENCE, SIMULATED
from . import Problem, file_or_url
from . import _option as option


@click.command()
@option("--store", metavar="URL", required=True, help="The servers' store: postgresql://…")
@option(
    "--assets",
    metavar="DIR",
    type=click.Path(path_type=Path),
    required=True,
    help="The servers' folder for uploads and pictures, as it is seen from here.",
)
@option(
    "--renderer",
    type=click.Choice([REFERENCE, SIMULATED]),
    default=REFERENCE,
    help="What edits: reference needs bluehour[inference]; simulated draws what was asked for on the photo.",
)
@option(
    "--device",
    type=click.Choice(DEVICES),
    default=DEVICES[0],
    help="Where the reference renderer runs; auto takes a GPU where there is one.",
)
@option(
    "--photo-model",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of a diffusers image-to-image pipeline, for its photo editor.",
)
@option(
    "--at-once",
    metavar="N",
    type=click.IntRange(1, 10_000),
    help="How many jobs are taken at a time, to be batched. Default: two batches of the renderer's.",
)
@option(
    "--lost-after",
    metavar="SECONDS",
    type=click.FloatRange(1, 86_400),
    default=30.0,
    help="Without a word for so long, a worker is taken for dead, and its jobs are done by others; the same "
    "for all workers.",
)
@option(
    "--spec",
    metavar="FILE_OR_URL",
    callback=lambda _context, _option, given: file_or_url(given),
    help="The servers' contract. Default: Magic Hour's.",
)
@option(
    "--overlay",
    "overlays",
    metavar="FILE_OR_URL",
    multiple=True,
    callback=lambda _context, _option, given: tuple(map(file_or_url, given)),
    help="Changes to it, as the servers have them. May be given several times.",
)
def work(**given: Any) -> None:
    """Render what servers leave to workers, until Ctrl-C.

    The servers are bluehour serve --renderer workers, with the same store in PostgreSQL and the same assets;
    there may be any number of them, and of workers, on any machines.

    Ctrl-C or SIGTERM lets what is under way end for ten seconds; the rest is done by other workers.

    Exit codes: 0 stopped by a signal, 2 can't start (one line says why).
    """
    from bluehour.openapi.document import SpecError

    from ..core.stores import StoreError
    from ..rendering import RendererError
    from ..server.working import Work, WorkError, run

    interrupts.raise_if_heard()  # it may have come in the imports, where nothing is raised
    try:
        run(Work(**given), __version__, click.echo)
    except (SpecError, StoreError, RendererError, WorkError) as error:
        raise Problem(str(error)) from error
