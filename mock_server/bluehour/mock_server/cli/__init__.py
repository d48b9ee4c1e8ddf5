"""The command `bluehour`, and its `serve`; other packages add theirs as entry points.

It imports quickly, and so do the modules of the other commands: `bluehour --help` asks each of them for its
line. What a command works with is imported when it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .. import __version__, interrupts
from ..core.accounts import MOST_CREDITS
from ..core.settings import WORKERS, Settings
from ..rendering.opening import DEVICES, REFERENCE, SIMULATED

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

_DEFAULTS = Settings()
_LONGEST = 1000
"""Characters of a command's first sentence: any number."""

_ADDRESS = ("http://", "https://")
_Command = TypeVar("_Command", bound=Callable[..., object])


def file_or_url(given: str | None) -> Path | str | None:
    """Return an address as it is, and all else as the path of a file."""
    return given if given is None or given.startswith(_ADDRESS) else Path(given)


class Problem(click.ClickException):
    """What the user can mend, said in one line; exit code 2."""

    exit_code = 2


class InSentences(click.Group):
    """Commands that are told of by a whole sentence each, where click would cut it off."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List them."""
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.get_short_help_str(_LONGEST)) for name, each in commands if each])


class _Commands(InSentences):
    """The commands of every installed distribution, each imported only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_installed().names})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        if command is None and cmd_name in _installed().names:
            loaded = _installed()[cmd_name].load()
            command = loaded if isinstance(loaded, click.Command) else None
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        resolved = super().resolve_command(ctx, args)
        interrupts.raise_if_heard()  # it may have come in the import of the command, where nothing is raised
        return resolved

    def invoke(self, ctx: click.Context) -> Any:
        """Let Ctrl-C into the command alone: click has words and an exit code of its own for it."""
        try:
            with interrupts.let_in():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            if not interrupts.heard():  # by Python's own handler: nobody listens
                raise
            ctx.exit()


def _installed() -> EntryPoints:
    from importlib.metadata import entry_points  # which reads what every installed package says of itself

    return entry_points(group="bluehour.commands")


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="bluehour %(version)s")
def main() -> None:
    """A local stand-in for the Magic Hour API.

    Exit codes: 0 done, 2 wrong usage (the message says what to change), 3 ended early by Ctrl-C; each
    command's help tells its own.
    """


def _option(name: str, *declarations: str, **attributes: Any) -> Callable[[_Command], _Command]:
    """An option that is an environment variable as well: `--time-scale` is BLUEHOUR_TIME_SCALE."""
    variable = "BLUEHOUR_" + name.removeprefix("--").replace("-", "_").upper()
    attributes = {"envvar": variable, "show_envvar": True, "show_default": True, **attributes}
    return click.option(name, *declarations, **attributes)


@main.command()
@_option("--host", default="127.0.0.1", help="Address to listen on.")
@_option(
    "--port", "-p", type=click.IntRange(0, 65535), default=4010, help="Port to listen on; 0 takes a free one."
)
@_option(
    "--store",
    metavar="URL",
    default=_DEFAULTS.store,
    help="Where accounts and projects live: memory:// until the server stops, sqlite:///FILE, or "
    "postgresql://USER:PASSWORD@HOST:PORT/DATABASE?schema=NAME.",
)
@_option(
    "--processes",
    type=click.IntRange(1, 64),
    default=1,
    help="How many processes answer, as one would, on a store that they can share: SQLite or PostgreSQL.",
)
@_option(
    "--assets",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder for uploads and pictures. Default: a private one that is removed at exit.",
)
@_option(
    "--time-scale",
    type=click.FloatRange(0, 1_000_000),
    default=_DEFAULTS.time_scale,
    help="How long jobs take: 1 as on the real API, 0 not at all.",
)
@_option(
    "--plan",
    default=_DEFAULTS.plan,
    help="Plan of an account, for tokens that do not name one: free, creator, …",
)
@_option(
    "--credits",
    type=click.IntRange(0, MOST_CREDITS),
    default=_DEFAULTS.credits,
    help="Credits of a new account, for tokens that do not say.",
)
@_option(
    "--spec",
    metavar="FILE_OR_URL",
    callback=lambda _context, _option, given: file_or_url(given),
    help="Serve another contract: OpenAPI 3.0 to 3.2 or Swagger 2.0, JSON or YAML. Default: Magic Hour's.",
)
@_option(
    "--overlay",
    "overlays",
    metavar="FILE_OR_URL",
    multiple=True,
    callback=lambda _context, _option, given: tuple(map(file_or_url, given)),
    help="Change the contract as an OpenAPI Overlay says, such as to add examples, prices or latencies. "
    "May be given several times.",
)
@_option(
    "--strict",
    is_flag=True,
    help="Refuse a contract with anything wrong in it. Default: say what, and serve the rest.",
)
@_option(
    "--stateless",
    is_flag=True,
    help="Answer every operation by its example. Default: what was POSTed can be got, listed, deleted.",
)
@_option(
    "--tls",
    is_flag=True,
    help="Serve https, with a certificate that is made at the start; bluehour ca shows what has it trusted.",
)
@_option(
    "--tls-cert",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Serve https with this certificate, PEM, in place of one that is made.",
)
@_option(
    "--tls-key",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Its key, where it is in a file of its own.",
)
@_option(
    "--public-url",
    metavar="URL",
    help="What clients reach the mock by, for links. Default: as their Host header says.",
)
@_option(
    "--trust-proxy",
    "trusted_proxies",
    metavar="ADDRESS",
    multiple=True,
    help="A proxy in front, an address or a network, whose X-Forwarded-Proto, -Host and -For are believed. "
    "May be given several times.",
)
@_option(
    "--validate",
    type=click.Choice(["on", "warn", "off"]),
    default=_DEFAULTS.validate,
    help="Refuse requests that break the contract; or carry them out, with a warning in the answer's header "
    "Bluehour-Faults or without. Magic Hour's own operations always refuse.",
)
@_option(
    "--seed",
    type=int,
    metavar="N",
    help="Have the same ids and values made up with every start. Default: others each time.",
)
@_option(
    "--fetch-assets",
    is_flag=True,
    help="Fetch pictures that requests name by URL. Default: accept the URL, touch no network.",
)
@_option(
    "--scenario",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Rules that force errors, delays, faults and outcomes: YAML or JSON.",
)
@_option(
    "--webhook",
    "webhooks",
    metavar="URL",
    multiple=True,
    help="Where events are sent; may be given several times.",
)
@_option("--webhook-secret", metavar="SECRET", help="What they are signed with. Default: made up, and shown.")
@_option(
    "--concurrency", is_flag=True, help="Limit how many jobs an account runs at a time, as its plan says."
)
@_option(
    "--idempotency",
    is_flag=True,
    help="Take the header Idempotency-Key of every create: the same key again is answered as the first time, "
    "and charged once. Default: where the contract says x-idempotency, which Magic Hour's does not.",
)
@_option(
    "--cors/--no-cors",
    default=_DEFAULTS.cors,
    help="Let pages of other origins call the API in a browser, or not. Default: let them.",
)
@_option(
    "--journal",
    metavar="N",
    type=click.IntRange(0, 100_000),
    default=_DEFAULTS.journal,
    help="How many requests are kept to look at in the console; 0 keeps none.",
)
@_option(
    "--upload-space",
    metavar="MB",
    type=click.IntRange(1, 10_000_000),
    default=_DEFAULTS.upload_space // 2**20,
    help="How many megabytes of uploads are kept in all; what comes beyond is refused.",
)
@_option(
    "--control-token",
    metavar="TOKEN",
    help="What opens /_mock, from anywhere. Default: it is open to this machine alone.",
)
@_option(
    "--allow-target",
    "allow_targets",
    metavar="TARGET",
    multiple=True,
    help="A private server that --fetch-assets and webhooks may call though other machines reach --host: a "
    "name, *.name, address or network, with :PORT or without. May be given several times.",
)
@_option(
    "--deny-target",
    "deny_targets",
    metavar="TARGET",
    multiple=True,
    help="A server that they may not call, whatever else allows it; * is every one.",
)
@_option(
    "--renderer",
    type=click.Choice([SIMULATED, REFERENCE, WORKERS]),
    default=_DEFAULTS.renderer,
    help="What makes the pictures: reference really edits them (it needs bluehour[inference]), workers "
    "leaves them to bluehour work, on a store in PostgreSQL.",
)
@_option(
    "--most-waiting",
    metavar="N",
    type=click.IntRange(1),
    help="How many jobs may wait for the renderer, or be in work; a create beyond is refused with 429. "
    "Default: any number.",
)
@_option(
    "--device",
    type=click.Choice(DEVICES),
    default=_DEFAULTS.device,
    help="Where the reference renderer runs; auto takes a GPU where there is one.",
)
@_option(
    "--photo-model",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of a diffusers image-to-image pipeline, for the reference renderer's photo editor. "
    "Default: it changes tone, colour and style alone.",
)
@_option("--reload", is_flag=True, help="Take up edits of the spec and the scenario while running.")
@_option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="How each request is logged, on standard error.",
)
@_option("--quiet", "-q", is_flag=True, help="Say where it is, and of requests nothing.")
@_option("--open", "opens", is_flag=True, help="Open the console in a browser.")
def serve(upload_space: int, control_token: str | None, **given: Any) -> None:
    """Serve the mock until Ctrl-C.

    Any bearer token is an account. `mhk_test_PLAN_CREDITS` names plan and credits, as in
    mhk_test_free_25; a token with the word `invalid` in it is refused.

    Any request may ask for its answer: `Prefer: code=429`, `Prefer: delay=2`. The console at /_mock shows
    what was sent, and forces more.

    The asset api-assets/test/no_source_face.png ends its job in that error, and so do the other job
    error codes.

    Exit codes: 0 stopped by Ctrl-C, 2 can't start (one line says why).
    """
    from bluehour.openapi.document import SpecError

    from ..core.stores import StoreError
    from ..rendering import RendererError
    from ..scenarios.rules import RuleError
    from ..server.certificates import CertificateError
    from ..server.listening import HostError
    from ..server.processes import run_processes
    from ..server.serving import ServeError, Server, run

    interrupts.raise_if_heard()  # it may have come in the imports, where nothing is raised
    names = {each.name for each in fields(Settings)}
    settings = Settings(
        **{name: given.pop(name) for name in names & given.keys()},
        upload_space=upload_space * 2**20,
        control_token=control_token or None,
    )
    server = Server(settings=settings, **given)
    try:
        (run if server.processes == 1 else run_processes)(server, __version__)
    except (
        SpecError,
        StoreError,
        RuleError,
        HostError,
        CertificateError,
        ServeError,
        RendererError,
    ) as error:
        raise Problem(str(error)) from error
