"""What the commands have in common that work on a running mock: where it is, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

from bluehour.openapi.errors import BluehourError

from . import InSentences, Problem


class Remote(click.Command):
    """A command whose mock is given by options, and that tells in a line what the mock refuses."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.params += [
            click.Option(
                ["--url"],
                envvar="BLUEHOUR_URL",
                show_envvar=True,
                default="http://127.0.0.1:4010",
                show_default=True,
                help="Where the mock is.",
            ),
            click.Option(
                ["--control-token"],
                metavar="TOKEN",
                envvar="BLUEHOUR_CONTROL_TOKEN",
                show_envvar=True,
                help="What it was started with, if it was.",
            ),
            click.Option(["--json", "as_json"], is_flag=True, help="Tell it as JSON, for programs."),
        ]

    def invoke(self, ctx: click.Context) -> Any:
        """Run it, with the mock's control in place of its address."""
        from ..control.client import Control

        try:
            ctx.obj = Control(ctx.params.pop("url"), ctx.params.pop("control_token"))
            return super().invoke(ctx)
        except (BluehourError, ValueError) as error:
            raise Problem(str(error)) from error


class RemoteGroup(InSentences):
    """Commands on one part of a mock; without a name of one, the first of them."""

    command_class = Remote

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the first command where none is named."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return their names as they were added."""
        return list(self.commands)


with_control = click.pass_obj
"""Gives a command the `Control` of its mock."""


def tell(values: Iterable[Any], line: Callable[[Any], Sequence[str]], *, as_json: bool) -> None:
    """Write values: a line for each with its columns below each other, or a JSON object for each.

    Args:
        values: what the control client has returned.
        line: makes the columns of one.
        as_json: whether programs read it.
    """
    if as_json:
        import orjson

        for value in values:
            click.echo(orjson.dumps(value).decode())
        return
    rows = [line(value) for value in values]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
