"""The command `bluehour drift`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bluehour.mock_server.cli import Problem, file_or_url

from ..commands import colour_and_width, spec_options

_MOST_NOTES = 10


@click.command()
@click.argument(
    "published", metavar="FILE_OR_URL", callback=lambda _context, _option, given: file_or_url(given)
)
@spec_options("Compare with")
@click.option(
    "--webhooks",
    metavar="FILE_OR_URL",
    callback=lambda _context, _option, given: file_or_url(given),
    help="A file that has the webhooks, if the first has none: its paths are their names.",
)
@click.option(
    "--ignore",
    "globs",
    metavar="GLOB",
    multiple=True,
    help="Leave out an operation, as 'POST /v1/*', or a difference by its place and what differs, as "
    "'* request name: default', with its severity before it or without. May be given several times.",
)
@click.option("--json", "is_json", is_flag=True, help="Tell all as JSON, for programs.")
def drift(
    published: Path | str,
    spec: Path | str | None,
    overlays: tuple[Path | str, ...],
    webhooks: Path | str | None,
    globs: tuple[str, ...],
    is_json: bool,
) -> None:
    """Tell how a published OpenAPI file differs from the contract of the Magic Hour API.

    The file is OpenAPI 3.0 to 3.2 or Swagger 2.0, JSON or YAML. With --spec it is compared with any other.

    A difference is `breaking` where it may break a client that was written by the contract, `added` where
    there is more to use, else `changed`. What is deprecated in the contract and missing in the file is told,
    and is no drift.

    \b
    Exit codes:
      0  no drift
      1  drift: there is a difference, and it is not ignored
      2  wrong usage, or a file can't be read (one line says why)
    """
    from bluehour.openapi.contract import Contract
    from bluehour.openapi.document import MAGIC_HOUR, SpecError, read
    from bluehour.openapi.wording import printable

    from .differences import Severity
    from .operations import in_operations, in_webhooks
    from .telling import as_json, lines

    try:
        # Not by `load`: it compiles all schemas, which takes most of the time.
        ours, theirs = Contract(read(spec or MAGIC_HOUR, overlays)), Contract(read(published))
        events = Contract(read(webhooks)) if webhooks else theirs
    except SpecError as error:
        raise Problem(str(error)) from error
    if webhooks:
        paths = events.document.get("paths", {})
        events.document["webhooks"] = {path.strip("/"): item for path, item in paths.items()}
    is_silent = "webhooks" not in events.document and bool(ours.webhooks)
    everything = [*in_operations(ours, theirs), *(() if is_silent else in_webhooks(ours, events))]
    found = [one for one in everything if not any(one.fits(glob) for glob in globs)]
    unused = [glob for glob in globs if not any(one.fits(glob) for one in everything)]
    wrong = [(published, each) for each in theirs.defects]
    wrong += [(webhooks, each) for each in events.defects] if webhooks else []
    notes = [f"{place} is wrong, and not compared there: {defect}" for place, defect in wrong]
    if is_silent:
        notes.append(f"{published} has no webhooks, and none are compared; --webhooks names a file of them")
    notes += [f"--ignore {glob!r} fits nothing" for glob in unused]
    is_drift = any(one.severity is not Severity.UNPUBLISHED for one in found)
    if is_json:
        facts = {"published": f"{published}", "contract": ours.title, "drift": is_drift, "notes": notes}
        click.echo(as_json(found, **facts, ignored=len(everything) - len(found)))
    else:
        click.echo("".join(f"Note: {printable(note)}\n" for note in notes[:_MOST_NOTES]), err=True, nl=False)
        click.echo("\n".join(lines(found, colour=colour_and_width()[0])))
    sys.exit(int(is_drift))
