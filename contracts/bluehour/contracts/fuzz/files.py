"""Scripts in files: found ones are saved, saved ones are replayed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from .judge import masked
from .results import Finding, Result
from .script import Script, ScriptError, dumped, loaded


def save(result: Result, folder: Path) -> Mapping[int, str]:
    """Write each finding's script into a folder, and return the paths by the findings' numbers, from 0.

    The same bug gets the same name, so a run replaces what the one before it has found.

    Raises:
        OSError: it can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths: dict[int, str] = {}
    for number, finding in enumerate(result.findings):
        path = folder / f"{_name(finding)}.json"
        path.write_text(dumped(finding.script, _about(finding, result)), encoding="utf-8")
        paths[number] = str(path)
    return paths


def scripts_in(path: Path) -> Iterator[tuple[str, Script]]:
    """Yield the scripts of a file, or of a folder's files, each with its name.

    Raises:
        ScriptError: there is none, or one can't be read; the message says which.
    """
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise ScriptError(f"{path} has no file *.json")
    for file in files:
        try:
            yield file.name, loaded(file.read_text("utf-8"))
        except ScriptError as error:
            raise ScriptError(f"{file}: {error}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise ScriptError(f"{file} can't be read: {error}") from None


def _about(finding: Finding, result: Result) -> dict[str, str]:
    return {
        "breaks": finding.violation.rule,
        "by": masked(finding.violation.message, finding.played.token),
        "client": result.client,
        "found": f"Bluehour {result.version}, profile {result.profile}, seed {result.seed}",
    }


def _name(finding: Finding) -> str:
    """`pay.once-reset-after`, or with a few digits of what tells it from others, where that is long."""
    mark = finding.violation.mark
    slug = re.sub(r"[^a-z0-9]+", "-", mark.lower()).strip("-")
    if len(slug) > 40:
        slug = f"{slug[:32].strip('-')}-{hashlib.sha256(mark.encode()).hexdigest()[:6]}"
    return "-".join(filter(None, (finding.violation.rule, slug)))
