"""The command `bluehour fuzz`."""

from __future__ import annotations

import re
import shlex
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from bluehour.mock_server import interrupts
from bluehour.mock_server.cli import Problem

from ..commands import colour_and_width, contract_of, need_the_extra, rule_options, spec_options, write
from .rules import RULES, rules_of, selected, with_receiver

if TYPE_CHECKING:
    from bluehour.openapi.contract import Contract

    from .clients import Client
    from .engine import Progress
    from .results import Part, Result
    from .script import Script
    from .stage import Webhook
    from .wanted import Wanted

_FILE = click.Path(path_type=Path, dir_okay=False, writable=True)
_UPLOAD = click.Path(path_type=Path, dir_okay=False, exists=True)
_PROFILES = ("legal", "realistic", "hostile")


def _as_part(_context: click.Context, _option: click.Parameter, given: str) -> tuple[int, int]:
    """Return which part of how many, counted from 0."""
    index, slash, of = given.partition("/")
    if not (slash and index.isdecimal() and of.isdecimal() and 1 <= int(index) <= int(of)):
        raise click.BadParameter("say which part of how many, as in 2/4")
    return int(index) - 1, int(of)


@click.command()
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND …")
@spec_options("Answer by")
@click.option(
    "--examples", type=click.IntRange(min=1), default=200, show_default=True, help="How many scripts to draw."
)
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="In how many processes at once. The same seed finds the same.",
)
@click.option(
    "--part",
    metavar="I/N",
    callback=_as_part,
    default="1/1",
    show_default=True,
    help="Play the I-th of N parts alone: the others are for other machines, with the same seed.",
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
@click.option(
    "--merge",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Play nothing: tell the JSON reports of all parts, this option once for each, as one run.",
)
@click.option("--report", metavar="FILE", type=_FILE, help="Write a report for people: one HTML file.")
@click.option("--json", metavar="FILE", type=_FILE, help="Write all facts as JSON.")
@rule_options(rules_of)
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
    metavar="DIR_OR_URL",
    default=".hypothesis/examples",
    show_default=True,
    help="Where hypothesis keeps what has failed, to try it first the next time: a folder, which --jobs and "
    "machines may share, or a Redis server of theirs, redis://HOST:PORT/NUMBER.",
)
def fuzz(**given: Any) -> None:
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
    if given["list_rules"]:
        click.echo(_listed(_rules(given)))
        return
    if given["merge"]:
        if given["command"]:
            raise Problem("--merge plays nothing: leave the client out")
        need_the_extra("bluehour fuzz", "hypothesis")
        _end(given, _merged(given["merge"]))
    if not given["command"]:
        raise Problem("say which client to run, as in bluehour fuzz -- client.py")
    need_the_extra("bluehour fuzz", "hypothesis")
    scripts = _scripts(given["replay"])
    if scripts and given["save"] is not None:
        raise Problem("--save: with --replay there is nothing new to save")
    signal.signal(signal.SIGTERM, interrupts.hear)  # as Ctrl-C: nothing is left running
    with interrupts.held():  # from here on there is something to end, and to tell
        _end(given, _found(given, scripts))


def _end(given: Mapping[str, Any], found: Result) -> NoReturn:
    _tell(found, _saved(found, given["save"]), {"report": given["report"], "json": given["json"]})
    sys.exit(found.exit_code)


def _merged(paths: tuple[Path, ...]) -> Result:
    from .merging import MergeError, merged_reports

    try:
        return merged_reports(paths)
    except MergeError as error:
        raise Problem(f"--merge: {error}") from error


def _found(given: Mapping[str, Any], scripts: list[tuple[str, Script]]) -> Result:
    """Play what is to be played, in this process or in several."""
    from ..display import display_on
    from .engine import Progress
    from .jobs import in_parts
    from .results import Part

    jobs, part = given["jobs"], Part(*given["part"])
    if jobs > 1:
        reasons = {"--replay": scripts, "--webhook-url": given["webhook_url"], "--part": part.of > 1}
        for option in (name for name, is_given in reasons.items() if is_given):
            raise Problem(f"--jobs and {option} exclude each other")
        _prepared(given)  # what is wrong is told here, and once
    with display_on(sys.stderr) as display:
        if jobs > 1:
            return in_parts(_play_part, given, jobs, display)
        return _play(given, part, Progress(display=display), scripts)


def _play_part(given: Mapping[str, Any], part: Part, progress: Progress) -> Result:
    return _play(given, part, progress, [])


def _play(
    given: Mapping[str, Any], part: Part, progress: Progress, scripts: list[tuple[str, Script]]
) -> Result:
    """Meet the client with a part of what is drawn, or with scripts."""
    from .databases import database_at
    from .engine import Options, replay
    from .engine import fuzz as draw
    from .playing import Terms
    from .strategies import Profile

    contract, rules, wanted, webhook = _prepared(given)
    if webhook is None and any(script.has_events for _, script in scripts):
        raise Problem(
            "--replay: there are events in it: say where the client's receiver listens, --webhook-url"
        )
    with _problems(), closing(_client(given)) as client:
        options = Options(
            examples=given["examples"],
            seed=given["seed"],
            profile=Profile(given["profile"]),
            rules=rules,
            terms=Terms.of(
                client,
                timeout=given["timeout"],
                patience=given["patience"],
                edits=given["edits"],
                files={"image": given["photo"], "video": given["video"], "audio": given["audio"]},
                wanted=wanted,
                call=" ".join([*_flags(given), client.call]),
                webhook=webhook,
            ),
            pace=given["pace"],
            database=database_at(given["database"]),
            only_first=given["first"],
            part=part,
        )
        if scripts:
            return replay(contract, client, options, scripts, progress)
        return draw(contract, client, options, progress)


class _Prepared(NamedTuple):
    """What a run is about."""

    contract: Contract
    rules: frozenset[str]
    wanted: Wanted | None
    webhook: Webhook | None


def _prepared(given: Mapping[str, Any]) -> _Prepared:
    contract, rules = contract_of(given["spec"], given["overlays"]), _rules(given)
    wanted = _wanted(contract, given["operation"], given["request"])
    webhook = _webhook(contract, given["webhook_url"], given["webhook_secret"], wanted)
    try:
        return _Prepared(contract, with_receiver(rules, is_there=webhook is not None), wanted, webhook)
    except ValueError as error:
        raise Problem(f"--only: {error}") from error


def _rules(given: Mapping[str, Any]) -> frozenset[str]:
    try:
        return selected(given["only"], given["skip"], rules_of(contract_of(given["spec"], given["overlays"])))
    except ValueError as error:
        raise Problem(str(error)) from error


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


def _client(given: Mapping[str, Any]) -> Client:
    from .clients.choosing import client_of
    from .clients.crash_signs import CrashSigns

    codes = given["clean_exit"]
    try:
        exits = None if codes is None else frozenset(int(code) for code in codes.split(","))
    except ValueError:
        raise Problem(f"--clean-exit: {codes} are no exit codes; they are as 1,2") from None
    signs = CrashSigns(_pattern(given["crash"]), exits)
    return client_of(
        given["command"], is_worker=given["worker"], interpreter=given["interpreter"], signs=signs
    )


def _pattern(crash: str | None) -> str | None:
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


_IN_A_CALL = ("spec", "operation", "request", "edits", "webhook_url", "pace", "patience", "timeout")
"""Options that a command which plays a script again needs; the webhook's secret is no report's business."""


def _flags(given: Mapping[str, Any]) -> Iterator[str]:
    """Options as they were given, for a command that plays a script again."""
    for name in (*_IN_A_CALL, "clean_exit", "crash"):
        value = given[name]
        if value is not None and (name, value) != ("edits", 1):
            yield f"--{name.replace('_', '-')} {shlex.quote(str(value))}"


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
