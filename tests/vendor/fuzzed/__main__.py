"""Fuzzes a release of the vendor's SDK, which is installed for it; see docs/found/README.md.

python -m tests.vendor.fuzzed python-0.90.0 [options of bluehour fuzz, such as --operation text-to-video]
python -m tests.vendor.fuzzed write         writes docs/found anew, for all of them
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.vendor.packages import Package

ROOT = Path(__file__).parents[3]
FOUND = ROOT / "docs" / "found"
PACKAGES = {
    package.name: package
    for package in (Package("python", "0.50.1"), Package("python", "0.90.0"), Package("node", "0.43.1"))
}
BEYOND = (
    ("python-0.90.0", "image-to-video", "uploads one of the two pictures, and sends the other's path here"),
    ("python-0.90.0", "image-background-remover", "uploads one of the two pictures, likewise"),
    ("node-0.43.1", "ai-voice-generator", "reads the sound at `/v1/image-projects`"),
)
"""What `generate()` of other operations does even where all goes right, each time against `request.given`."""

_FILES = {"python": "tests/vendor/fuzzed/python_sdk.py", "node": "tests/vendor/fuzzed/node_sdk.cjs"}
_FUNCTION, _OF_WHAT_IS_ASKED = "face", "asked"


def main() -> None:
    name, *options = sys.argv[1:] or [""]
    if name == "write":
        write()
    elif name in PACKAGES:
        sys.exit(fuzz(PACKAGES[name], *options).returncode)
    else:
        sys.exit(f"say which SDK: {', '.join(PACKAGES)}; or write")


def fuzz(
    package: Package, *options: str, function: str = "", quiet: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run `bluehour fuzz` with an SDK."""
    function = function or (_OF_WHAT_IS_ASKED if "--operation" in options else _FUNCTION)
    bluehour = str(Path(sysconfig.get_path("scripts"), "bluehour"))
    return subprocess.run(
        [bluehour, "fuzz", *options, "--", f"{_FILES[package.language]}:{function}"],
        cwd=ROOT,
        env=package.environment(),
        check=False,
        text=True,
        capture_output=quiet,
    )


def write() -> None:
    """Find anew what there is, and write the scripts and their table."""
    for name, package in PACKAGES.items():
        shutil.rmtree(FOUND / name, ignore_errors=True)
        with tempfile.TemporaryDirectory() as nothing_known:
            fuzz(package, "--save", str(FOUND / name), "--database", nothing_known)
    chapters = [_INTRODUCTION, *map(_chapter, PACKAGES), _OTHERS, *map(_row_beyond, BEYOND), ""]
    (FOUND / "README.md").write_text("\n".join(chapters))


_INTRODUCTION = """\
# What `bluehour fuzz` finds in the vendor's SDKs

Each line is a rule that the SDK's `generate()` breaks, with the smallest script that shows it. One command
plays a script again:

```console
$ python -m tests.vendor.fuzzed python-0.90.0 --replay docs/found/python-0.90.0/FILE.json
```

and `python -m tests.vendor.fuzzed write` wrote this page: 200 scripts for each SDK, seed 0, realistic.
A clean refusal is, of the Python SDKs, what they document: their `ApiError`, and the errors of their HTTP
library; of the Node SDK, which throws a plain `Error` too, whatever somebody meant to say.
"""


_OTHERS = """\
## Other operations

All this is of the face editor. `--operation` asks for anything else that the SDK can create:

```console
$ python -m tests.vendor.fuzzed python-0.90.0 --operation text-to-video
```

It breaks the same rules. Three creates break `request.given` even where all goes right:

| SDK | operation | what `generate()` does |
|---|---|---|"""


def _row_beyond(found: tuple[str, str, str]) -> str:
    name, operation, does = found
    return f"| {name} | `{operation}` | {does} |"


def _chapter(name: str) -> str:
    head = (f"## {name}", "", "| rule | what it does | shown by | script |", "|---|---|---|---|")
    return "\n".join([*head, *_rows(name), ""])


def _rows(name: str) -> Iterator[str]:
    for path in sorted((FOUND / name).glob("*.json")):
        found = json.loads(path.read_text())
        cells = (f"`{found['breaks']}`", cell(found["by"]), cell("; ".join(found["story"])))
        yield f"| {' | '.join(cells)} | [{path.stem}]({name}/{path.name}) |"


def cell(text: str) -> str:
    """Return a text as a table of a page has it."""
    """Return a text as a table of a page has it."""
    shown = "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
    return shown.replace("|", "\\|").replace("<", "&lt;") or "a server on its best day"


if __name__ == "__main__":
    main()
