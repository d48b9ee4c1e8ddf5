"""Fuzzes a client as public code has it, with its libraries installed for it; see docs/found/idioms.md.

python -m tests.idioms axios-retry [options of bluehour fuzz]
python -m tests.idioms write         writes docs/found/idioms.md anew, for all of them
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.vendor.fuzzed.__main__ import FOUND, ROOT, cell
from tests.vendor.packages import Package

_FOLDER = Path(__file__).parent.relative_to(ROOT)
PYTHON, NODE = Package("python", "1", of="idioms-python"), Package("node", "1", of="idioms-node")


@dataclass(frozen=True, slots=True)
class Idiom:
    """A client.

    Attributes:
        file: in this folder.
        libraries: what it is installed with; None for what it takes of the machine.
        why: where what is found comes from, as was read in the client and its libraries.
        arguments: of a command; none for what a ready worker runs.
        needs: programs that the machine must have.
    """

    file: str
    libraries: Package | None
    why: str
    arguments: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def command(self) -> list[str]:
        """What stands behind `--`."""
        return [str(_FOLDER / self.file), *self.arguments]

    @property
    def missing(self) -> str:
        """Say what the machine has not; nothing where it has all."""
        needs = (*self.needs, "npm") if self.libraries is NODE else self.needs
        return ", ".join(program for program in needs if shutil.which(program) is None)

    def environment(self) -> dict[str, str]:
        """Return the environment in which it runs; installs its libraries if need be."""
        pause = {"POLL_SECONDS": "0.1"}  # a command's clock is real
        return (self.libraries.environment() if self.libraries else dict(os.environ)) | pause


_CURL = ("{url}", "{token}", "{photo}", "{out}", "{patience}")

IDIOMS = {
    "requests-tenacity": Idiom(
        "requests_tenacity.py",
        PYTHON,
        "`retry_if_exception_type(RequestException)` takes the HTTPError of `raise_for_status` as well: "
        "whatever is refused, expired or booked is sent four times. tenacity knows nothing of Retry-After. "
        "The error of a project that was canceled is null.",
    ),
    "requests-urllib3-retry": Idiom(
        "requests_urllib3_retry.py",
        PYTHON,
        "POST in `allowed_methods` sends creates again; urllib3 keeps Retry-After. What is among a session's "
        "headers goes to every host. A project may be a draft at first.",
    ),
    "httpx": Idiom(
        "httpx_client.py",
        PYTHON,
        "`HTTPTransport(retries=3)` only connects again, so that nothing is paid for twice. Retry-After may "
        "be a date, the dataclass knows no new field, the loop has no end, and the JSONDecodeError is not "
        "httpx's.",
    ),
    "aiohttp": Idiom(
        "aiohttp_session.py",
        PYTHON,
        "`ClientError` is everything: what was refused, and a create that was answered, but not with "
        "`application/json`. An empty body is None to `json()`.",
    ),
    "axios-retry": Idiom(
        "axios_retry.cjs",
        NODE,
        "`isNetworkOrIdempotentRequestError` is true of a POST whose connection was reset, and may be "
        "booked; of a time-out it is not. axios labels a PUT of bytes as a form, and takes any text for "
        "data. The loop does not know canceled.",
    ),
    "curl-jq": Idiom(
        "curl_jq.sh",
        None,
        "`--retry` sends a POST again as well: after a 504, after a time-out. `--fail` lets a redirect pass, "
        "of which jq makes an empty id. `--data-binary` labels the photo as a form; the last curl has no "
        "`--fail`.",
        _CURL,
        ("bash", "curl", "jq"),
    ),
}
"""Each with why it is so, as it was read in the client and in its libraries."""


def main() -> None:
    name, *options = sys.argv[1:] or [""]
    if name == "write":
        write()
    elif name in IDIOMS:
        sys.exit(fuzz(name, *options).returncode)
    else:
        sys.exit(f"say which client: {', '.join(IDIOMS)}; or write")


def fuzz(name: str, *options: str, quiet: bool = False) -> subprocess.CompletedProcess[str]:
    """Run `bluehour fuzz` with a client."""
    idiom = IDIOMS[name]
    bluehour = str(Path(sysconfig.get_path("scripts"), "bluehour"))
    return subprocess.run(
        [bluehour, "fuzz", *options, "--", *idiom.command],
        cwd=ROOT,
        env=idiom.environment(),
        check=False,
        text=True,
        capture_output=quiet,
    )


def write() -> None:
    """Find anew what there is, keep the smallest script of each rule, and write the page."""
    shutil.rmtree(FOUND / "idioms", ignore_errors=True)
    page = (FOUND / "idioms.md").open("w")
    with page:
        page.write(_INTRODUCTION)
        for name in IDIOMS:
            print(*_chapter(name), sep="\n", file=page)


_INTRODUCTION = """\
# What `bluehour fuzz` finds in clients as public code has them

Six clients, written for this page in the idioms of public code: each has about fifty lines, and makes one
edit. A line is a rule that the client breaks, in how many ways, and the smallest script that shows one of
them. One command plays it again:

```console
$ python -m tests.idioms axios-retry --replay docs/found/idioms/axios-retry/FILE.json
```

and `python -m tests.idioms write` wrote this page: 200 scripts for each, seed 0, realistic. Each was then
read in the client and in its libraries, and is so: an empty download, for one, was saved as a picture.

"""


def _chapter(name: str) -> Iterator[str]:
    idiom, kept = IDIOMS[name], FOUND / "idioms" / name
    with tempfile.TemporaryDirectory() as scratch:
        fuzz(name, "--save", f"{scratch}/found", "--database", f"{scratch}/nothing-known")
        found = [
            (json.loads(path.read_text()), path) for path in sorted(Path(scratch, "found").glob("*.json"))
        ]
        kept.mkdir(parents=True)
        yield from (f"## [{name}](../../{_FOLDER}/{idiom.file})", "", idiom.why, "")
        yield from ("| rule | what it does | shown by | ways |", "|---|---|---|---|")
        for rule, group in groupby(found, key=lambda each: each[0]["breaks"]):
            yield _row(rule, list(group), kept)
    yield ""


def _row(rule: str, found: Sequence[tuple[dict[str, Any], Path]], kept: Path) -> str:
    smallest, path = min(found, key=lambda each: len(each[1].read_text()))
    shutil.copy(path, kept / f"{rule}.json")
    shown = cell("; ".join(smallest["story"]))
    return f"| [`{rule}`](idioms/{kept.name}/{rule}.json) | {cell(smallest['by'])} | {shown} | {len(found)} |"


if __name__ == "__main__":
    main()
