"""The parts of a run that machines have played, each told by its JSON report, as one result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bluehour.openapi.errors import BluehourError
from bluehour.openapi.wording import counted

from .jobs import merged
from .report.json_reading import ReportError, from_json
from .results import Result

_ALIKE = ("client", "version", "profile", "seed", "rules", "topics", "operation")
"""What is the same in all parts of a run."""


class MergeError(BluehourError):
    """Reports are not those of one run's parts."""


def merged_reports(paths: Sequence[Path]) -> Result:
    """Return one result of the reports; where parts are missing, it says that it was stopped, and which are.

    Raises:
        MergeError: one can't be read, is of another run, or tells a part again.
    """
    parts = [(path, _read(path)) for path in paths]
    first, whole = parts[0]
    seen: dict[int, Path] = {}
    for path, part in parts:
        for name in _ALIKE:
            if getattr(part, name) != getattr(whole, name):
                raise MergeError(f"{path} is of another run than {first}: its {name} differs")
        if part.part.of != whole.part.of:
            raise MergeError(
                f"{path} is one of {counted(part.part.of, 'part')}, and {first} one of {whole.part.of}"
            )
        if part.part.index in seen:
            raise MergeError(
                f"{path} tells part {part.part.index + 1} again, which {seen[part.part.index]} tells"
            )
        seen[part.part.index] = path
    missing = [str(index + 1) for index in range(whole.part.of) if index not in seen]
    found = merged([part for _, part in parts])
    words = f"of {counted(whole.part.of, 'part')}, not here: {', '.join(missing)}" if missing else ""
    return replace(found, stopped="; ".join(filter(None, [found.stopped, words])))


def _read(path: Path) -> Result:
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MergeError(f"{path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise MergeError(f"{path} is no text") from None
    except ReportError as error:
        raise MergeError(f"{path}: {error}") from error
