"""The command `bluehour check`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from bluehour.mock_server import interrupts
from bluehour.mock_server.cli import Problem

from ..commands import (
    Lines,
    certificate_options,
    colour_and_width,
    contract_of,
    header_option,
    need_the_extra,
    rule_options,
    spec_options,
    write,
)
from ..configuration import configured
from ..rules import PIXEL_RULES, Rule, rules_of
from ..selection import matching, patterns_in, selected

if TYPE_CHECKING:
    from bluehour.openapi.contract import Contract

    from ..baseline import Baseline
    from ..results import Report
    from .run import Options

_FILE = click.Path(path_type=Path, dir_okay=False, writable=True)
_THERE = click.Path(path_type=Path, dir_okay=False, exists=True)

_OUR_OWN = {
    "authorization": "the token is given by --token",
    "host": "it is the URL's",
    **dict.fromkeys(
        ("accept", "accept-encoding", "connection", "content-length", "content-type", "transfer-encoding"),
        "it is what a check tries",
    ),
}
"""Headers that can't be given, and why."""


@configured
@click.command()
@click.argument("url", required=False)
@click.option(
    "--token",
    envvar="BLUEHOUR_TOKEN",
    show_envvar=True,
    help="Of the account to check with. On this machine any will do, if the server takes any.",
)
@click.option(
    "--second-token",
    envvar="BLUEHOUR_SECOND_TOKEN",
    show_envvar=True,
    help="Of another account, which tries to reach what is the first one's.",
)
@click.option(
    "--empty-token",
    envvar="BLUEHOUR_EMPTY_TOKEN",
    show_envvar=True,
    help="Of an account that is known to have no credits: with it, legal requests are tried for nothing.",
)
@click.option(
    "--max-credits",
    metavar="N",
    type=click.IntRange(min=0),
    help="Never spend more. Default, on this machine: five times what the contract's published examples cost "
    "together, and what --pixels adds; nothing on any other.",
)
@spec_options("Check by")
@click.option(
    "--max-requests",
    metavar="N",
    type=click.IntRange(min=1),
    help="Never send more. Default, by a contract without prices: 5,000 on this machine; else no limit. On "
    "any other machine, such a contract needs it.",
)
@click.option(
    "--operation",
    "operations",
    metavar="OPERATION",
    multiple=True,
    type=Lines(),
    help="Check this operation alone, and what it needs: 'POST /v1/ai-photo-editor', an operation id, or a "
    "path. May be given several times.",
)
@rule_options(lambda contract: (*rules_of(contract), *PIXEL_RULES))
@click.option(
    "--pixels",
    is_flag=True,
    help="Also measure what the editors do to the picture, for 107 credits: that an edit of nothing changes "
    "nothing, where each slider moves the face, likeness, tone and size. Needs bluehour[inference] and "
    "bluehour weights.",
)
@click.option("-x", "--first", "only_first", is_flag=True, help="Stop at the first broken rule.")
@click.option("--rules", "list_rules", is_flag=True, help="List the rules, with what each costs, and stop.")
@click.option("--plan", is_flag=True, help="Tell what would be sent, and what it could cost; send nothing.")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Chooses values; the same, the same again."
)
@click.option(
    "--picture",
    type=_THERE,
    help="What is edited. Default: a portrait of an astronaut.",
)
@click.option(
    "--baseline",
    metavar="FILE",
    type=_THERE,
    help="Accept the findings that this YAML lists, each with a reason and a day on which that ends.",
)
@click.option(
    "--write-baseline",
    metavar="FILE",
    type=_FILE,
    help="Write a baseline of what is found; entries of --baseline keep their reasons.",
)
@click.option("--report", metavar="FILE", type=_FILE, help="Write a report for people: one HTML file.")
@click.option("--junit", metavar="FILE", type=_FILE, help="Write a report for CI: JUnit XML.")
@click.option("--json", metavar="FILE", type=_FILE, help="Write all facts as JSON.")
@click.option(
    "--sarif", metavar="FILE", type=_FILE, help="Write the findings for code scanning: SARIF 2.1.0."
)
@click.option(
    "--github/--no-github",
    default=lambda: os.environ.get("GITHUB_ACTIONS") == "true",
    show_default="where GITHUB_ACTIONS is true",
    help="Print annotations of GitHub Actions, too.",
)
@click.option("--har", metavar="FILE", type=_FILE, help="Write all requests and answers as HAR.")
@click.option(
    "--rate",
    metavar="N",
    type=click.FloatRange(min=0),
    help="Requests a second at most; 0 for no limit. Default: none on this machine, 5 elsewhere.",
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="How long an answer may take. Default: 10 on this machine, 30 elsewhere.",
)
@click.option(
    "--patience",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    help="How long a job may take. Default: 30 on this machine, 300 elsewhere.",
)
@header_option("the deployment itself, not to links that lead elsewhere", _OUR_OWN)
@click.option(
    "--no-foreign-links",
    is_flag=True,
    help="Follow no link to another host than the URL's, for uploads and downloads. What takes one is not "
    "judged.",
)
@click.option(
    "--proxy",
    metavar="URL",
    help="Send everything through this HTTP proxy. Default: as HTTP_PROXY, HTTPS_PROXY and NO_PROXY say, "
    "and directly to this machine.",
)
@certificate_options("the deployment")
def check(**given: Any) -> None:
    """Check whether the deployment at URL keeps the contract of the Magic Hour API.

    It sends what must be refused, which is free, and every legal edge in a few creates that are paid for. It
    never spends more than --max-credits, whatever the server says.

    With --spec it checks by any other OpenAPI file: URL is where its paths begin, the path of its server
    included. It creates, changes and deletes items of its own there.

    Ctrl-C ends it: nothing more is sent, calls under way that cost credits are waited for, and what is known
    is told. A second Ctrl-C ends it at once.

    Options may come from elsewhere, too: the command line goes before variables, such as
    BLUEHOUR_CHECK_MAX_CREDITS, and these before --config FILE or pyproject.toml.

    With --pixels it makes 57 face edits and 5 photo edits more, and measures their pictures. --only and
    --skip choose among these rules, too: --pixels --only pixels.tone makes 3 edits.

    \b
    Exit codes:
      0  it conforms: no rule was seen broken
      1  a rule is broken
      2  wrong usage
      3  it could not be judged: not reachable, the token is refused, the budget is too small to start, a
         rule of --pixels got no pictures, or Ctrl-C ended it before any rule was seen broken
    """
    if given["list_rules"]:
        click.echo(_listed(_rules(given)))
        return
    options = _options(given)
    if given["plan"]:
        _tell_plan(options)
        return
    with interrupts.held():  # from here on there is something to tell
        found = _checked(options)
        _write(found, {name: given[name] for name in _writers()})
        _write_baseline(found, options.baseline, given["write_baseline"])
        _tell(found, given["github"])
        sys.exit(found.exit_code)


def options_from(arguments: Sequence[str]) -> Options:
    """Return how to check, as the command's line says it, and variables and files where it says nothing.

    Raises:
        click.ClickException: there is no such option, or it has no such value.
    """
    return _options(check.make_context("bluehour check", [*arguments]).params)


def _options(given: Mapping[str, Any]) -> Options:
    """Return how to check, from the command's options by their names."""
    need_the_extra("bluehour check", "schemathesis")
    from .network import Network
    from .run import Options, ready

    asked = ("max_requests", "max_credits", "seed", "picture", "timeout", "patience", "rate", "only_first")
    connection = ("cacert", "insecure", "cert", "key")
    options = Options(
        target=_base_url(given["url"]),
        token=given["token"] or "",
        second_token=given["second_token"] or None,
        empty_token=given["empty_token"] or None,
        spec=given["spec"],
        overlays=given["overlays"],
        operations=given["operations"],
        rules=_rules(given),
        network=Network(given["headers"], given["proxy"] or None, *(given[name] for name in connection)),
        baseline=_baseline(given["baseline"]),
        follows_foreign=not given["no_foreign_links"],
        **{name: given[name] for name in asked},
    )
    try:
        return ready(options)
    except ValueError as error:
        raise Problem(str(error)) from error


def _rules(given: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Return the rules that are asked about, by the contract and the options that choose among them."""
    contract = _narrowed(contract_of(given["spec"], given["overlays"]), given["operations"])
    rules = _selected(contract, given["only"], given["skip"], given["pixels"])
    if given["pixels"]:
        need_the_extra("bluehour check --pixels", "schemathesis")
    return rules


def _narrowed(contract: Contract, operations: Collection[str]) -> Contract:
    if not operations:
        return contract
    from .narrowing import narrowed

    try:
        return narrowed(contract, operations)
    except ValueError as error:
        raise Problem(str(error)) from error


def _baseline(file: Path | None) -> Baseline:
    from ..baseline import Baseline

    try:
        return Baseline.read(file) if file else Baseline()
    except ValueError as error:
        raise Problem(str(error)) from error


def _write_baseline(found: Report, before: Baseline, file: Path | None) -> None:
    from .run import today

    broken = [(each.rule.id, each.operation) for each in found.findings if each.is_error]
    kept = {(each.rule.id, each.operation) for each in found.verdicts if each.checks}
    write({"write-baseline": file}, {"write-baseline": before.renewed(broken, kept, today()).text})


def _selected(
    contract: Contract, only: Collection[str], skip: Collection[str], pixels: bool
) -> tuple[Rule, ...]:
    offered = rules_of(contract)
    try:
        return selected((*offered, *PIXEL_RULES) if pixels else offered, only, skip, "bluehour check")
    except ValueError as error:
        unknown = [name for name in patterns_in((*only, *skip)) if not any(matching(name, offered))]
        if of_pixels := [name for name in unknown if any(matching(name, PIXEL_RULES)) and not pixels]:
            raise Problem(f"{of_pixels[0]} costs credits of its own, and needs --pixels beside it") from error
        raise Problem(str(error)) from error


def _listed(rules: Collection[Rule]) -> str:
    lines = []
    for rule in rules:
        severity = "" if rule.severity == "error" else f" ({rule.severity})"
        lines += [
            f"{rule.id}{severity}",
            f"    {rule.title}.",
            f"    enforces: {rule.place}",
            f"    costs: {_cost(rule)}",
        ]
    pixel_rules = [rule for rule in rules if rule in PIXEL_RULES]
    if pixel_rules:
        lines.append(f"The pixel rules cost {_price_of(pixel_rules)} together, as they share pictures.")
    return "\n".join(lines)


def _cost(rule: Rule) -> str:
    return f"{_price_of([rule])}, {rule.cost}" if rule in PIXEL_RULES else rule.cost


def _price_of(rules: Collection[Rule]) -> str:
    from bluehour.openapi.contract import load
    from bluehour.openapi.wording import counted

    from .pixels.edits import edits_of, price_of, questions

    return counted(price_of(edits_of(questions(load(), rules))), "credit")


def _base_url(url: str | None) -> str:
    if not url:
        raise Problem("say what to check, as in bluehour check http://127.0.0.1:4010")
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        sound = False
    if not sound or parts.query or parts.fragment:
        raise Problem(f"{url} is no base URL; it begins with http:// or https://, as http://127.0.0.1:4010")
    return url


def _tell_plan(options: Options) -> None:
    from .plan import described, rehearse

    rehearsed = rehearse(options)
    interrupts.raise_if_heard()  # half a plan would be none
    click.echo(described(*rehearsed, options))


def _checked(options: Options) -> Report:
    from ..display import display_on
    from .pixels import CannotMeasure
    from .progress import Progress
    from .run import check as run_check

    try:
        with display_on(sys.stderr) as display:
            progress = Progress(display=display)
            if any(rule in PIXEL_RULES for rule in options.asked):
                progress.say("loading what measures pictures")
                with interrupts.let_in():
                    need_the_extra("bluehour check --pixels", "torch", "inference")
            return run_check(options, progress)
    except OSError as error:
        raise Problem(f"the picture {options.picture} can't be used: {error}") from error
    except CannotMeasure as error:
        raise Problem(str(error)) from error


def _writers() -> dict[str, Callable[[Report], str]]:
    """Return what writes reports, by the names of the options that say where to."""
    from ..report import as_json, har, html, junit, sarif

    return {"report": html, "junit": junit, "json": as_json, "har": har, "sarif": sarif}


def _write(found: Report, files: dict[str, Path | None]) -> None:
    write(files, {name: partial(writer, found) for name, writer in _writers().items()})


def _tell(found: Report, to_github: bool) -> None:
    from ..report import github, kept_from_the_runner, terminal

    colour, width = colour_and_width()
    summary = terminal(found, colour=colour, width=width)
    click.echo(f"{kept_from_the_runner(summary)}\n{github(found)}" if to_github else summary)
