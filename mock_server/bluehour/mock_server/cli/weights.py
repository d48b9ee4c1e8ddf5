"""The command `bluehour weights`."""

from __future__ import annotations

from pathlib import Path

import click

from ..rendering.reference import weights as models
from . import Problem


@click.command()
@click.option(
    "--from",
    "wheel",
    metavar="WHEEL",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Take the models from a mediapipe wheel on disk. Default: pip fetches it.",
)
def weights(wheel: Path | None) -> None:
    """Fetch the models that find faces, once.

    They are three of mediapipe's, under the Apache License 2.0, and lie in the user's cache
    ($XDG_CACHE_HOME or ~/.cache). Each is checked against its known sha256. Nothing else needs the network
    afterwards.

    Exit codes: 0 they are there, 2 they can't be had (one line says why), 3 ended early by Ctrl-C.
    """
    try:
        folder = models.fetch(wheel, report=lambda line: click.echo(line, err=True))
    except models.WeightsError as error:
        raise Problem(str(error)) from error
    click.echo(folder)
    for name in models.files():
        size = (folder / name).stat().st_size
        licence = "" if name == models.LICENCE else "  Apache License 2.0"
        click.echo(f"  {name:<36}{size:>9,} bytes{licence}")
