"""The command `bluehour rules`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import Problem
from .remote import RemoteGroup, tell, with_control

if TYPE_CHECKING:
    from ..control.client import Control, RuleState

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(cls=RemoteGroup)
def rules() -> None:
    """Show and change the rules of a running mock, which force errors, delays, faults and outcomes.

    Exit codes: 0 done, 2 it can't be done (one line says why).
    """


@rules.command("list")
@with_control
def all_of_them(control: Control, as_json: bool) -> None:
    """Show them, in the order in which they are asked."""
    tell(control.rules.all(), _line, as_json=as_json)


@rules.command()
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=_FILE)
@with_control
def add(control: Control, files: tuple[Path, ...], as_json: bool) -> None:
    """Add the rules of scenario files, as `bluehour serve --scenario` has them."""
    from ..scenarios.scenarios import read_scenario

    wanted = [rule for file in files for rule in read_scenario(file)]
    tell([control.rules.add(rule) for rule in wanted], _line, as_json=as_json)


@rules.command()
@click.argument("file", type=_FILE)
@with_control
def save(control: Control, file: Path, as_json: bool) -> None:
    """Write them to a scenario file, as `bluehour serve --scenario` reads it."""
    import yaml

    from bluehour.openapi.wording import counted

    found = [dict(each.rule) for each in control.rules.all()]
    try:
        file.write_text(yaml.safe_dump({"rules": found}, sort_keys=False, allow_unicode=True, width=110))
    except OSError as error:
        raise Problem(f"{file} can't be written: {error.strerror}") from error
    click.echo(f"{counted(len(found), 'rule')} in {file}")


@rules.command()
@click.argument("id")
@with_control
def on(control: Control, id: str, as_json: bool) -> None:
    """Switch one on."""
    tell([control.rules.switch(id, True)], _line, as_json=as_json)


@rules.command()
@click.argument("id")
@with_control
def off(control: Control, id: str, as_json: bool) -> None:
    """Switch one off."""
    tell([control.rules.switch(id, False)], _line, as_json=as_json)


@rules.command()
@click.argument("id")
@with_control
def remove(control: Control, id: str, as_json: bool) -> None:
    """Remove one."""
    control.rules.remove(id)


@rules.command()
@with_control
def clear(control: Control, as_json: bool) -> None:
    """Remove all of them."""
    control.rules.clear()


def _line(state: RuleState) -> tuple[str, ...]:
    return state.id, "on" if state.enabled else "off", f"acted {state.acted}x", _brief(state.rule)


def _brief(rule: Any) -> str:
    import orjson

    return orjson.dumps({name: value for name, value in rule.items() if name != "enabled"}).decode()
