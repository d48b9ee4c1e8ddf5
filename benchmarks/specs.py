"""What a start with a large contract takes: CPU seconds and memory up to the first answer, beside Prism.

The files are made here, as none can be had: thousands of operations, and schemas that refer to each other in
circles, as those of the largest published contracts do.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from benchmarks.load import Post
from benchmarks.servers import Candidate, ServerError, bluehour, prism, resident_bytes, running

_WORDS = (
    "amount",
    "balance",
    "charge",
    "currency",
    "invoice",
    "ledger",
    "payment",
    "refund",
    "transfer",
    "unit",
)


@dataclass(frozen=True, slots=True)
class Size:
    """How large a file is, and what a start with it may take.

    Attributes:
        schemas, operations: how many it has.
        seconds: of CPU, up to the first answer.
        megabytes: resident then.
    """

    schemas: int
    operations: int
    seconds: float
    megabytes: float


SIZES = {"3 MB": Size(900, 900, 2, 300), "11 MB": Size(3500, 3800, 6, 500)}


class Problem(click.ClickException):
    """What the user can mend, said in one line; exit code 2."""

    exit_code = 2


def large(size: Size) -> dict[str, Any]:
    """Return a contract of that size, the same one on every call."""
    chance = random.Random(size.schemas)
    names = [f"Thing{number}" for number in range(size.schemas)]
    paths: dict[str, Any] = {}
    for number in range(size.operations // 2):
        item = paths[f"/v1/things{number}/{{id}}"] = _path_item(names[number % len(names)], number, chance)
        item["parameters"] = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
    schemas = {name: _schema(names, chance) for name in names}
    head = {"openapi": "3.0.3", "info": {"title": "Large", "version": "1"}}
    return {**head, "paths": paths, "components": {"schemas": schemas}}


def _path_item(name: str, number: int, chance: random.Random) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    responses = {"200": {"description": "It.", "content": content}}
    fields = {f"field{place}": {"type": "string", "description": _said(chance)} for place in range(6)}
    body = {"content": {"application/json": {"schema": {"type": "object", "properties": fields}}}}
    return {
        "get": {"operationId": f"get{number}", "description": _said(chance), "responses": responses},
        "post": {"operationId": f"post{number}", "requestBody": body, "responses": responses},
    }


def _schema(names: list[str], chance: random.Random) -> dict[str, Any]:
    fields: dict[str, Any] = {"id": {"type": "string", "maxLength": 5000, "description": _said(chance)}}
    for number in range(chance.randint(4, 14)):
        other = {"$ref": f"#/components/schemas/{chance.choice(names)}"}
        made: dict[str, Any] = chance.choice(
            [
                {"anyOf": [{"type": "string", "maxLength": 5000}, other]},
                {"type": "array", "items": other},
                {"type": "integer", "minimum": 0},
                {"type": "string", "enum": chance.sample(_WORDS, 6), "nullable": True},
                {"type": "string"},
            ]
        )
        fields[f"field{number}"] = {**made, "description": _said(chance)}
    return {"type": "object", "required": ["id"], "properties": fields}


def _said(chance: random.Random) -> str:
    return " ".join(chance.choices(_WORDS, k=17))


@click.command()
@click.option("--beside-prism/--alone", default=True, help="With Prism, where npm is. Default: yes.")
def main(beside_prism: bool) -> None:
    """Measure what a start with a large contract takes. Takes some minutes beside Prism.

    Exit codes: 0 measured, whether or not the targets are met; 2 nothing to measure with (one line says why).
    """
    click.echo(f"{'file':<8}{'server':<22}{'CPU s':>8}{'MB':>8}   wanted")
    with tempfile.TemporaryDirectory(prefix="bluehour-bench-") as folder:
        for name, size in SIZES.items():
            file = Path(folder, f"{size.schemas}.json")
            file.write_text(json.dumps(large(size)), encoding="utf-8")
            wanted = f"at most {size.seconds:g} s, {size.megabytes:g} MB"
            for candidate in _candidates(file, beside_prism=beside_prism):
                seconds, megabytes = _measured(candidate, Path(folder, "log"))
                click.echo(
                    f"{name:<8}{candidate.name:<22}{seconds:>8}{megabytes:>8}   "
                    + (wanted if candidate.name == "Bluehour" else "")
                )


def _candidates(file: Path, *, beside_prism: bool) -> list[Candidate]:
    candidates = [bluehour("--spec", str(file))]
    if beside_prism:
        try:
            other = prism()
        except ServerError as error:
            click.echo(f"without Prism: {error}", err=True)
        else:
            candidates.append(Candidate(other.name, other.version, (*other.command[:-1], str(file))))
    return candidates


def _measured(candidate: Candidate, log: Path) -> tuple[str, str]:
    post = Post("/v1/things3/it", {"Content-Type": "application/json"}, b"{}")
    try:
        with running(candidate, post, log) as up:
            return f"{_cpu_seconds(up.pid):.1f}", f"{(resident_bytes(up) or 0) / 1e6:.0f}"
    except ServerError:
        return "none", "none"


def _cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used, in user and system mode."""
    try:
        facts = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError as error:
        raise Problem("CPU time is only known where /proc is") from error
    return (int(facts[11]) + int(facts[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.specs")
