"""What the commands of this package do alike: their extra, their width and colours, their files."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from bluehour.mock_server.cli import Problem
from bluehour.mock_server.core.installing import command_for

_NARROWEST, _WIDEST = 60, 110


def need_the_extra(command: str, module: str, extra: str = "contracts") -> None:
    """Refuse to go on where what a command needs is not installed.

    Args:
        command: its name, such as `bluehour check`.
        module: of the extra; without it nothing works.
        extra: its name.

    Raises:
        Problem: it is not there.
    """
    try:
        import_module(module)
    except ImportError as error:
        raise Problem(f"{command} needs more than the mock does: {command_for(extra)}") from error


def colour_and_width() -> tuple[bool, int]:
    """Return whether the standard output takes colours, and how many characters its lines are to have."""
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return colour, min(_WIDEST, max(_NARROWEST, shutil.get_terminal_size((100, 24)).columns))


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
