"""What the commands of this package do alike: their extra, their width and colours, their files."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from bluehour.mock_server.cli import Problem, file_or_url
from bluehour.mock_server.core.installing import command_for
from bluehour.mock_server.terminal import takes_colours

if TYPE_CHECKING:
    from bluehour.openapi.contract import Contract

    from .exchange import Headers
    from .selection import Choice

_Command = TypeVar("_Command", bound=Callable[..., object])

_NARROWEST, _WIDEST = 60, 110

_THERE = click.Path(path_type=Path, dir_okay=False, exists=True)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def need_the_extra(command: str, module: str, extra: str = "contracts") -> None:
    """Refuse to go on where what a command needs is not installed.

    Args:
        command: its name, such as `bluehour check`.
        module: of the extra; without it nothing works.
        extra: its name.

    Raises:
        Problem: it is not there.
    """
    if missing := what_is_missing(command, module, extra):
        raise Problem(missing)


def what_is_missing(user: str, module: str, extra: str = "contracts") -> str:
    """Say what to install where a module of an extra is not there; nothing where it is.

    Args:
        user: what needs it, such as `bluehour check`.
        module: the one without which nothing works.
        extra: that brings it.
    """
    try:
        import_module(module)
    except ImportError:
        return f"{user} needs more than the mock does: {command_for(extra)}"
    return ""


def colour_and_width() -> tuple[bool, int]:
    """Return whether the standard output takes colours, and how many characters its lines are to have."""
    width = shutil.get_terminal_size((100, 24)).columns
    return takes_colours(sys.stdout), min(_WIDEST, max(_NARROWEST, width))


def write(files: Mapping[str, Path | None], texts: Mapping[str, Callable[[], str]]) -> None:
    """Write the reports that were asked for.

    Args:
        files: where to, by the names of options; None for one that was not asked for.
        texts: what makes each of them.

    Raises:
        Problem: one can't be written.
    """
    for name, path in files.items():
        if path is not None:
            try:
                path.write_text(texts[name](), encoding="utf-8")
            except OSError as error:
                raise Problem(f"--{name}: {path} can't be written: {error.strerror}") from error


def spec_options(does: str) -> Callable[[_Command], _Command]:
    """Give a command the options that name another contract than Magic Hour's.

    Args:
        does: what the command does with it, such as `Check by`.
    """

    def add(command: _Command) -> _Command:
        spec = click.option(
            "--spec",
            metavar="FILE_OR_URL",
            callback=lambda _context, _option, given: file_or_url(given),
            show_default=False,
            help=f"{does} another contract: OpenAPI 3.0 to 3.2 or Swagger 2.0. Default: Magic Hour's.",
        )
        overlays = click.option(
            "--overlay",
            "overlays",
            metavar="FILE_OR_URL",
            multiple=True,
            callback=lambda _context, _option, given: tuple(map(file_or_url, given)),
            show_default=False,
            help="Change the contract as an OpenAPI Overlay says. May be given several times.",
        )
        return spec(overlays(command))

    return add


def rule_options(rules_of: Callable[[Contract], Iterable[Choice]]) -> Callable[[_Command], _Command]:
    """Give a command the options that choose among its rules; a shell completes their names.

    Args:
        rules_of: returns those that a contract has.
    """

    def complete(context: click.Context, _option: click.Parameter, given: str) -> list[str]:
        chosen, comma, begun = given.rpartition(",")
        try:
            rules = rules_of(contract_of(context.params.get("spec"), context.params.get("overlays") or ()))
        except Problem:  # the command itself is to say so
            return []
        names = {name for rule in rules for name in (rule.id, rule.group)}
        return [f"{chosen}{comma}{name}" for name in sorted(names) if name.startswith(begun)]

    def add(command: _Command) -> _Command:
        option = partial(click.option, metavar="RULE", multiple=True, shell_complete=complete)
        only = option(
            "--only",
            help="Judge these rules alone: an id, a group or a pattern, as *.expiry; --rules lists them.",
        )
        return only(option("--skip", help="Leave these rules out.")(command))

    return add


class Lines(click.types.StringParamType):
    """Texts with spaces in them: in a variable, several are one a line."""

    envvar_list_splitter = "\n"


def header_option(
    to: str, reserved: Mapping[str, str], *, envvar: str | None = None
) -> Callable[[_Command], _Command]:
    """Give a command the option that sends headers of one's own.

    Args:
        to: whom they are sent to.
        reserved: names in lower case that can't be given, and why.
        envvar: its variable, which its help names; None where something else sets one.
    """
    return click.option(
        "--header",
        "headers",
        metavar="'NAME: VALUE'",
        multiple=True,
        type=Lines(),
        callback=lambda _context, _option, given: _headers(given, reserved),
        show_default=False,
        envvar=envvar,
        show_envvar=envvar is not None,
        help=f"Send this with every request to {to}. May be given several times.",
    )


def _headers(given: Iterable[str], reserved: Mapping[str, str]) -> Headers:
    """Return headers as pairs of a name and a value.

    Raises:
        Problem: one is none, or can't be given. What it says is not told, as it may be a secret.
    """
    pairs = []
    for header in given:
        name, colon, value = header.partition(":")
        if not colon or not _NAME.fullmatch(name):
            raise Problem("--header: say a name and a value, as in 'X-Team: pictures'")
        if not value.strip().isprintable():
            raise Problem(f"--header {name}: its value has a character that no header can have")
        if name.lower() in reserved:
            raise Problem(f"--header {name} can't be given: {reserved[name.lower()]}")
        pairs.append((name, value.strip()))
    return tuple(pairs)


def certificate_options(whom: str, *, show_envvar: bool = False) -> Callable[[_Command], _Command]:
    """Give a command the options that say which certificates are trusted and shown.

    Args:
        whom: the server that they are about.
        show_envvar: whether their help names their variables.
    """

    def add(command: _Command) -> _Command:
        file = partial(click.option, metavar="FILE", type=_THERE, show_envvar=show_envvar)
        trusted = file("--cacert", help="Trust these certificates, too: PEM.")
        any_of_them = click.option(
            "--insecure",
            is_flag=True,
            show_default=False,
            show_envvar=show_envvar,
            help="Take any certificate.",
        )
        own = file("--cert", help=f"Show {whom} this certificate of a client: PEM.")
        key = file("--key", help="Its key, where it is in a file of its own.")
        return trusted(any_of_them(own(key(command))))

    return add


def contract_of(spec: Path | str | None, overlays: Sequence[Path | str]) -> Contract:
    """Return the contract that a command line names.

    Raises:
        Problem: the file can't be used; the message says why.
    """
    from bluehour.openapi.contract import load
    from bluehour.openapi.document import MAGIC_HOUR, SpecError

    try:
        return load(spec or MAGIC_HOUR, overlays=overlays)
    except SpecError as error:
        raise Problem(str(error)) from error
