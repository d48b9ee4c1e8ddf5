"""The command `bluehour fuzz`."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bluehour.mock_server import interrupts
from bluehour.mock_server.cli import Problem

from ..commands import colour_and_width, contract_of, need_the_extra, spec_options, write
from .rules import RULES, rules_of, selected, with_receiver

if TYPE_CHECKING:
    from bluehour.openapi.contract import Contract

    from .clients import Client
    from .engine import Options
    from .results import Result
    from .script import Script
    from .stage import Webhook
    from .wanted import Wanted

_FILE = click.Path(path_type=Path, dir_okay=False, writable=True)
_UPLOAD = click.Path(path_type=Path, dir_okay=False, exists=True)
_PROFILES = ("legal", "realistic", "hostile")


@click.command()
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND …")
@spec_options("Answer by")
@click.option(
    "--examples", type=click.IntRange(min=1), default=200, show_default=True, help="How many scripts to draw."
)
@click.option("--seed", type=int, default=0, show_default=True, help="The same draws the same scripts.")
@click.option(
    "--profile",
    type=click.Choice(_PROFILES),
    default="realistic",
    show_default=True,
    help="legal: what the contract has. realistic: and what networks and servers do to it. hostile: and what "
    "no server should do.",
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="How long a run of the client may take. Default: 1800 on a virtual clock, 60 on a real one.",
)
@click.option(
    "--replay",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="Play saved scripts, a file or a folder of them, in place of drawing new ones.",
)
@click.option(
    "--save", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), help="Save found scripts here."
)
@click.option("--report", metavar="FILE", type=_FILE, help="Write a report for people: one HTML file.")
@click.option("--json", "json_file", metavar="FILE", type=_FILE, help="Write all facts as JSON.")
@click.option(
    "--only", metavar="RULE", multiple=True, help="Judge these rules alone: an id, a group, a pattern."
)
@click.option("--skip", metavar="RULE", multiple=True, help="Leave these rules out.")
@click.option("-x", "--first", is_flag=True, help="Stop at the first broken rule.")
@click.option("--rules", "list_rules", is_flag=True, help="List the rules, and stop.")
@click.option(
    "--worker", is_flag=True, help="COMMAND stays alive and speaks the protocol of docs/fuzz-protocol.md."
)
@click.option(
    "--interpreter",
    metavar="PATH",
    help="What runs a client file, such as the python of its own environment. Default: this Python, or node.",
)
@click.option(
    "--operation",
    metavar="NAME",
    help="What the client is to have done, told it with the task: an operation id, or a path such as "
    "text-to-video. Default: an edit of the photo.",
)
@click.option(
    "--request",
    "changes",
    metavar="JSON",
    help="Changes to what is asked of it, the published example, as a JSON Merge Patch: "
    """'{"image_count": 4}'.""",
)
@click.option(
    "--edits",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How often the client does it in a run; so often it may be charged.",
)
@click.option(
    "--pace",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    help="The shortest pause between two polls. Default: what the contract advises; 0 on a real clock.",
)
@click.option(
    "--patience",
    metavar="SECONDS",
    type=click.FloatRange(min=0.05),
    help="After how long the client is told to give up a request that is never answered (BLUEHOUR_PATIENCE, "
    "task.patience). Default: 0.2.",
)
@click.option(
    "--webhook-url",
    metavar="URL",
    help="Where the client's receiver of webhooks listens, on this machine, told it with the task: it is "
    "sent events early, late, twice, out of order, and forged ones.",
)
@click.option(
    "--webhook-secret",
    metavar="SECRET",
    help="What these events are signed with, told it with the task. Default: made up.",
)
@click.option("--photo", metavar="FILE", type=_UPLOAD, help="What is to be edited. Default: an astronaut.")
@click.option("--video", metavar="FILE", type=_UPLOAD, help="A video to upload. Default: one of two seconds.")
@click.option("--audio", metavar="FILE", type=_UPLOAD, help="A sound to upload. Default: one of two seconds.")
@click.option(
    "--clean-exit",
    metavar="CODES",
    help="Exit codes by which a command refuses cleanly, as 1,2; any other is a crash. Default: any but 0, "
    "unless its output shows a stack trace of an error that nobody meant, such as a TypeError.",
)
@click.option(
    "--crash", metavar="REGEX", help="What shows a crash in a command's output, in place of stack traces."
)
@click.option(
    "--database",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".hypothesis/examples"),
    show_default=True,
    help="Where hypothesis keeps what has failed, to try it first the next time.",
)
def fuzz(
    command: tuple[str, ...],
    spec: Path | str | None,
    overlays: tuple[Path | str, ...],
    examples: int,
    seed: int,
    profile: str,
    timeout: float | None,
    replay: tuple[Path, ...],
    save: Path | None,
    report: Path | None,
    json_file: Path | None,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    first: bool,
    list_rules: bool,
    worker: bool,
    interpreter: str | None,
    operation: str | None,
    changes: str | None,
    edits: int,
    pace: float | None,
    patience: float | None,
    webhook_url: str | None,
    webhook_secret: str | None,
    photo: Path | None,
    video: Path | None,
    audio: Path | None,
    clean_exit: str | None,
    crash: str | None,
    database: Path,
) -> None:
    """Drive a client through every answer that the contract and the network allow.

    \b
    COMMAND is one of
      client.py[:function]      run by the ready Python worker; the function is `edit` if none is named
      client.mjs[:function]     run by the ready Node worker
      --worker COMMAND …        a process that stays alive and speaks the protocol
      COMMAND …                 anything; {url}, {token}, {photo}, {out}, {patience} are filled in, and with
                                --operation {operation}, {path}, {request}, {video}, {audio},
                                with --webhook-url {webhook_url}, {webhook_secret}

    For every script the client makes one edit: it uploads the photo, creates, polls, downloads. What breaks a
    rule is shrunk to the fewest answers. Nothing is charged: the server is this command. Ctrl-C ends it, and
    what is known is told; a second one ends it at once.

    With --operation it does anything else that can be created: a video, a sound, a face detection, several
    pictures. Its price, its files, and how it is read follow from the contract and from what is asked for.

    With --spec the server is any other contract's, and the client does whatever it does with that: what it
    creates it can read, list and delete, and jobs go on from poll to poll.

    \b
    Exit codes:
      0  no rule was seen broken
      1  a rule is broken
      2  wrong usage, or the client can't be started, or it never gets anything from the API
      3  it was ended by Ctrl-C, and no rule was seen broken until then
    """
    contract = contract_of(spec, overlays)
    try:
        rules = selected(only, skip, rules_of(contract))
    except ValueError as error:
        raise Problem(str(error)) from error
    if list_rules:
        click.echo(_listed(rules))
        return
    if not command:
        raise Problem("say which client to run, as in bluehour fuzz -- client.py")
    need_the_extra("bluehour fuzz", "hypothesis")
    wanted = _wanted(contract, operation, changes)
    webhook = _webhook(contract, webhook_url, webhook_secret, wanted)
    try:
        rules = with_receiver(rules, is_there=webhook is not None)
    except ValueError as error:
        raise Problem(f"--only: {error}") from error
    scripts = _scripts(replay)
    if webhook is None and any(script.has_events for _, script in scripts):
        raise Problem(
            "--replay: there are events in it: say where the client's receiver listens, --webhook-url"
        )
    if scripts and save is not None:
        raise Problem("--save: with --replay there is nothing new to save")
    from hypothesis.database import DirectoryBasedExampleDatabase

    from .engine import Options
    from .playing import Terms
    from .strategies import Profile

    signal.signal(signal.SIGTERM, interrupts.hear)  # as Ctrl-C: nothing is left running
    with interrupts.held(), _problems():  # from here on there is something to end, and to tell
        with closing(_client(command, worker, interpreter, clean_exit, crash)) as client:
            given: dict[str, Any] = {"spec": spec, "operation": operation, "request": changes, "edits": edits}
            given |= {"webhook-url": webhook_url}  # the secret is none of a report's business
            given |= {"pace": pace, "patience": patience, "timeout": timeout}
            call = " ".join([*_flags(given | {"clean-exit": clean_exit, "crash": crash}), client.call])
            options = Options(
                examples=examples,
                seed=seed,
                profile=Profile(profile),
                rules=rules,
                terms=Terms.of(
                    client,
                    timeout=timeout,
                    patience=patience,
                    edits=edits,
                    files={"image": photo, "video": video, "audio": audio},
                    wanted=wanted,
                    call=call,
                    webhook=webhook,
                ),
                pace=pace,
                database=DirectoryBasedExampleDatabase(database),
                only_first=first,
            )
            found = _run(contract, client, options, scripts)
        _tell(found, _saved(found, save), {"report": report, "json": json_file})
        sys.exit(found.exit_code)


def _listed(rules: frozenset[str]) -> str:
    lines = []
    for rule in RULES:
        if rule.id in rules:
            lines += [rule.id, f"    {rule.title}.", f"    says: {rule.place}"]
    return "\n".join(lines)


def _wanted(contract: Contract, operation: str | None, changes: str | None) -> Wanted | None:
    from .wanted import wanted_of

    if operation is None:
        if changes is not None:
            raise Problem("--request: say of which --operation")
        return None
    try:
        return wanted_of(contract, operation, _object(changes or "{}"))
    except ValueError as error:
        raise Problem(f"--operation: {error}") from error


def _webhook(
    contract: Contract, url: str | None, secret: str | None, wanted: Wanted | None
) -> Webhook | None:
    from .stage import webhook_at

    if url is None:
        if secret is not None:
            raise Problem("--webhook-secret: say of which --webhook-url")
        return None
    try:
        return webhook_at(url, secret, contract, wanted.operation.project_kind if wanted else None)
    except ValueError as error:
        raise Problem(f"--webhook-url: {error}") from error


def _object(text: str) -> dict[str, Any]:
    import json

    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Problem(f"--request: {text} is no JSON object")
    return value


def _scripts(paths: tuple[Path, ...]) -> list[tuple[str, Script]]:
    from .files import scripts_in
    from .script import ScriptError

    try:
        return [script for path in paths for script in scripts_in(path)]
    except ScriptError as error:
        raise Problem(f"--replay: {error}") from error


def _client(
    command: tuple[str, ...], worker: bool, interpreter: str | None, clean_exit: str | None, crash: str | None
) -> Client:
    from .clients.choosing import client_of
    from .clients.crash_signs import CrashSigns

    try:
        exits = None if clean_exit is None else frozenset(int(code) for code in clean_exit.split(","))
    except ValueError:
        raise Problem(f"--clean-exit: {clean_exit} are no exit codes; they are as 1,2") from None
    signs = CrashSigns(_pattern(crash), exits)
    return client_of(command, is_worker=worker, interpreter=interpreter, signs=signs)


def _pattern(crash: str | None) -> str | None:
    import re

    try:
        re.compile(crash or "")
    except re.error as error:
        raise Problem(f"--crash: {crash} is no regular expression: {error}") from error
    return crash


@contextmanager
def _problems() -> Iterator[None]:
    """Say in a line why the client can't be fuzzed."""
    from .clients import ClientError
    from .stage import StageError

    try:
        yield
    except ClientError as error:
        raise Problem(f"the client can't be run: {error}") from error
    except StageError as error:
        raise Problem(f"the server of the fuzz failed, which is a bug of Bluehour: {error}") from error


def _flags(given: Mapping[str, Any]) -> Iterator[str]:
    """Options as they were given, for a command that plays a script again."""
    for name, value in given.items():
        if value is not None and (name, value) != ("edits", 1):
            yield f"--{name} {shlex.quote(str(value))}"


def _run(contract: Contract, client: Client, options: Options, scripts: list[tuple[str, Script]]) -> Result:
    from ..display import display_on
    from .engine import Progress
    from .engine import fuzz as draw
    from .engine import replay as play

    with display_on(sys.stderr) as display:
        progress = Progress(display=display)
        if scripts:
            return play(contract, client, options, scripts, progress)
        return draw(contract, client, options, progress)


def _saved(found: Result, folder: Path | None) -> Mapping[int, str]:
    from .files import save

    if folder is None:
        return {}
    try:
        return save(found, folder)
    except OSError as error:
        raise Problem(f"--save: {folder} can't be written: {error.strerror}") from error


def _tell(found: Result, saved: Mapping[int, str], files: Mapping[str, Path | None]) -> None:
    from .report import as_json, html, terminal

    colour, width = colour_and_width()
    click.echo(terminal(found, colour=colour, width=width, saved=saved), nl=False)
    writers = {"report": html, "json": as_json}
    write(files, {name: partial(writer, found, saved=saved) for name, writer in writers.items()})
