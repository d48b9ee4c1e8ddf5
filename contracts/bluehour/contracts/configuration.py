"""A command's options out of variables and of a file: `--config FILE`, or pyproject.toml of this folder."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from bluehour.mock_server.cli import Problem

_PYPROJECT = Path("pyproject.toml")
_OURS = "bluehour"


def configured(command: click.Command) -> click.Command:
    """Let what a command line may say come from elsewhere, too; whatever is said first counts.

    1. The command line.
    2. Variables: `--max-credits` of `check` is BLUEHOUR_CHECK_MAX_CREDITS, if it has no variable yet.
    3. The file of `--config`, or the table `tool.bluehour` of pyproject.toml in the working folder: keys are
       the options' names; the table of the command's name in it goes before the table itself.
    """
    for each in command.params:
        each.envvar = each.envvar or f"BLUEHOUR_{command.name}_{_key(each)}".upper().replace("-", "_")
    command.params.append(
        click.Option(
            ["--config"],
            metavar="FILE",
            type=click.Path(path_type=Path, dir_okay=False, exists=True),
            envvar=f"BLUEHOUR_{command.name}_CONFIG".upper(),
            is_eager=True,
            expose_value=False,
            callback=_take_up,
            help="Take options from this TOML file. Default: pyproject.toml's table tool.bluehour.",
        )
    )
    return command


def _take_up(context: click.Context, _option: click.Parameter, file: Path | None) -> None:
    known = {_key(each): each for each in context.command.params}
    tables = _tables(file, f"{context.command.name}")
    context.default_map = {
        known[key].name or key: value for table in tables for key, value in _legal(context, known, *table)
    }


def _tables(file: Path | None, command: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the tables that are for a command, each with the place to name; a later one goes before."""
    at, table = str(file or _PYPROJECT), _read(file or _PYPROJECT) if file or _PYPROJECT.is_file() else {}
    if file is None:
        at, table = f"{at}: tool.{_OURS}", _table(f"{at}: tool", table.get("tool", {})).get(_OURS, {})
    own = dict(_table(at, table))
    inner = own.pop(command, {})
    yield at, own
    inside = f"{at}.{command}" if file is None else f"{at}: {command}"
    yield inside, _table(inside, inner)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise Problem(f"{file} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise Problem(f"{file} is no TOML: {error}") from error


def _table(at: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Problem(f"{at} is no table")
    return value


def _legal(
    context: click.Context, known: Mapping[str, click.Parameter], at: str, table: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    """Yield what a table says, as options take it.

    Raises:
        Problem: it has no such option, or such an option has no such value.
    """
    for key, value in table.items():
        if key not in known or key == "config":
            near = difflib.get_close_matches(key, known, 1, 0)
            raise Problem(f"{at}: there is no option {key}; the nearest is {near[0]}")
        yield key, _fitting(context, known[key], f"{at}: {key}", value)


def _fitting(context: click.Context, option: click.Parameter, at: str, value: Any) -> Any:
    if option.multiple:
        value = value if isinstance(value, list) else [value]
    elif isinstance(value, list | dict):
        raise Problem(f"{at} takes one value")
    is_flag = isinstance(option, click.Option) and option.is_flag
    if isinstance(value, bool) != is_flag:
        raise Problem(f"{at} is {'true or false' if is_flag else 'no matter of true or false'}")
    try:
        option.type_cast_value(context, value)
    except click.BadParameter as error:
        raise Problem(f"{at}: {error.message}") from error
    return value


def _key(option: click.Parameter) -> str:
    """What an option is called in a file."""
    return next((each[2:] for each in option.opts if each.startswith("--")), option.name or "")
