"""The command `bluehour clock`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .remote import RemoteGroup, tell, with_control

if TYPE_CHECKING:
    from ..control.client import ClockState, Control


@click.group(cls=RemoteGroup)
def clock() -> None:
    """Show and set the clock of a running mock, by which jobs go on and links expire.

    Exit codes: 0 done, 2 it can't be done (one line says why).
    """


@clock.command()
@with_control
def show(control: Control, as_json: bool) -> None:
    """Show what time it is."""
    _tell(control.clock.state(), as_json)


@clock.command()
@with_control
def freeze(control: Control, as_json: bool) -> None:
    """Have it stand still."""
    _tell(control.clock.freeze(), as_json)


@clock.command()
@with_control
def run(control: Control, as_json: bool) -> None:
    """Have it run on."""
    _tell(control.clock.run(), as_json)


@clock.command()
@click.argument("seconds", type=float)
@with_control
def advance(control: Control, seconds: float, as_json: bool) -> None:
    """Put it forward by so many seconds."""
    _tell(control.clock.advance(seconds), as_json)


@clock.command("set")
@click.argument("time")
@with_control
def put(control: Control, time: str, as_json: bool) -> None:
    """Put it to a time, such as 2027-01-31T09:00:00Z."""
    _tell(control.clock.set(time), as_json)


def _tell(state: ClockState, as_json: bool) -> None:
    tell([state], _line, as_json=as_json)


def _line(state: ClockState) -> tuple[str, ...]:
    from bluehour.openapi.wording import counted

    at = state.now.isoformat(" ", "seconds")
    if state.frozen:
        return at, "it stands still"
    seconds = round(abs(state.ahead))
    side = "ahead" if state.ahead > 0 else "behind"
    return at, f"{counted(seconds, 'second')} {side}" if seconds else "as the system's"
