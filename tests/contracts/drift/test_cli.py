"""The command `bluehour drift`: what it says, and how it exits."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result

from benchmarks.specs import SIZES, large
from bluehour.mock_server.cli import main
from bluehour.openapi.document import MAGIC_HOUR, read, resolve

from .specs import HEAD, answering, taking

OLD = {"type": "integer", "default": 1}
NEW = {"type": "integer", "default": 2, "maximum": 9}


def drift(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["drift", *map(str, arguments)])


def facts(*arguments: object) -> dict[str, Any]:
    """What `--json` tells."""
    found: dict[str, Any] = json.loads(drift(*arguments, "--json").stdout)
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a contract, ours.json, and a published file, theirs.json."""
    monkeypatch.chdir(tmp_path)
    for name, age in (("ours.json", OLD), ("theirs.json", NEW)):
        save(name, taking({"properties": {"age": age}}))
    return tmp_path


def save(name: str, document: dict[str, Any]) -> str:
    Path(name).write_text(json.dumps({**HEAD, **document}), "utf-8")
    return name


def test_the_contract_has_no_drift_from_itself() -> None:
    result = drift(MAGIC_HOUR)
    assert (result.stdout, result.stderr, result.exit_code) == ("No drift\n", "", 0)


def test_drift_is_1_and_told_in_lines_without_colours_off_a_terminal(folder: Path) -> None:
    result = drift("theirs.json", "--spec", "ours.json")
    assert result.stdout.splitlines() == [
        "POST /pets",
        "  breaking   request age: maximum none → 9",
        "  changed    request age: default 1 → 2",
        "",
        "2 details changed (1 breaking, 1 changed)",
    ]
    assert result.exit_code == 1


def test_json_tells_the_same_with_the_values_of_both(folder: Path) -> None:
    told = facts("theirs.json", "--spec", "ours.json")
    assert told["drift"]
    assert told["summary"] == {"breaking": 1, "added": 0, "changed": 1, "deprecated": 0}
    place = {"operation": "POST /pets", "where": "request", "field": "age"}
    default = {"what": "default", "kind": "note", "ours": 1, "theirs": 2, "message": "default 1 → 2"}
    limit = {"what": "maximum", "kind": "narrower", "theirs": 9, "message": "maximum none → 9"}
    assert told["differences"] == [
        {"severity": "changed", **place, **default},
        {"severity": "breaking", **place, **limit},
    ]


@pytest.mark.parametrize(
    "globs",
    [["POST /pets"], ["POST *"], ["*: maximum", "* default"], ["breaking *", "changed * request age: *"]],
)
def test_what_is_ignored_is_no_drift(folder: Path, globs: list[str]) -> None:
    options = [option for glob in globs for option in ("--ignore", glob)]
    result = drift("theirs.json", "--spec", "ours.json", *options)
    assert (result.stdout, result.stderr, result.exit_code) == ("No drift\n", "", 0)
    assert facts("theirs.json", "--spec", "ours.json", *options)["ignored"] == 2


def test_the_rest_of_what_is_ignored_is_drift_and_a_pattern_that_fits_nothing_is_told(folder: Path) -> None:
    result = drift("theirs.json", "--spec", "ours.json", "--ignore", "* default", "--ignore", "GET *")
    assert "default" not in result.stdout
    assert "maximum" in result.stdout
    assert result.stderr == "Note: --ignore 'GET *' fits nothing\n"
    assert result.exit_code == 1


def test_what_the_vendor_strips_is_told_and_is_no_drift(folder: Path) -> None:
    cost = {"cost": {"type": "integer", "deprecated": True}}
    save("ours.json", answering({"properties": cost, "required": ["cost"]}))
    result = drift(save("theirs.json", answering({"type": "object"})), "--spec", "ours.json")
    assert "GET /pets 200 cost: field not published: integer" in result.stdout
    assert result.stdout.endswith("No drift (1 deprecated)\n")
    assert result.exit_code == 0


def test_the_magic_hour_contract_stripped_has_no_drift(folder: Path) -> None:
    def stripped(node: Any) -> Any:
        if isinstance(node, list):
            return [stripped(each) for each in node]
        if not isinstance(node, dict):
            return node
        kept = {key: stripped(item) for key, item in node.items() if not is_deprecated(item)}
        if isinstance(node.get("properties"), dict) and "required" in node:
            kept["required"] = [name for name in node["required"] if name in kept["properties"]]
        return kept

    def is_deprecated(node: Any) -> bool:
        node = resolve(contract, node)  # what says so may be the schema that several fields refer to
        return isinstance(node, dict) and node.get("deprecated") is True

    contract = read(MAGIC_HOUR)
    result = drift(save("theirs.json", stripped(contract)))
    assert "frame_cost: field not published" in result.stdout
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "theirs.json: not valid JSON"),
        ("a: [", "theirs.json: not valid YAML"),
        ("openapi: 4.0.0", "expected OpenAPI 3.0, 3.1 or 3.2"),
        (None, "theirs.json: No such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_2(folder: Path, text: str | None, message: str) -> None:
    Path("theirs.json").unlink()
    if text is not None:
        Path("theirs.json").write_text(text, "utf-8")
    for arguments in (
        ("theirs.json",),
        ("ours.json", "--spec", "theirs.json"),
        ("ours.json", "--webhooks", "theirs.json"),
    ):
        result = drift(*arguments)
        assert result.exit_code == 2
        assert message in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_what_is_wrong_in_a_file_is_told_and_the_rest_is_compared(folder: Path) -> None:
    document = taking({"properties": {"age": {"type": "integer", "default": 1, "maximum": "many"}}})
    result = drift(save("theirs.json", document), "--spec", "ours.json")
    assert result.stderr.startswith("Note: theirs.json is wrong, and not compared there: #/paths/~1pets/post")
    assert result.stdout == "No drift\n"


def test_what_a_file_says_steers_no_terminal(folder: Path) -> None:
    document = taking({"properties": {"\x1b[2J\nage": {"type": "integer"}}})
    result = drift(save("theirs.json", document), "--spec", "ours.json")
    assert "\x1b" not in result.stdout
    assert r"added      request \x1b[2J\nage: field added: integer" in result.stdout


def test_yaml_and_swagger_are_compared_with_openapi(folder: Path) -> None:
    Path("theirs.yaml").write_text(
        """
        swagger: "2.0"
        info: {title: Pets, version: "1"}
        consumes: [application/json]
        paths:
          /pets:
            post:
              parameters: [{in: body, name: pet, schema: {properties: {age: {type: integer, default: 1}}}}]
              responses: {204: {description: Done}}
        """,
        "utf-8",
    )
    result = drift("theirs.yaml", "--spec", "ours.json")
    assert (result.stdout, result.exit_code) == ("No drift\n", 0)


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    """Where the folder is served."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_file_may_be_fetched(address: str) -> None:
    assert drift(f"{address}/theirs.json", "--spec", f"{address}/ours.json").exit_code == 1
    result = drift("http://127.0.0.1:9/pets.json")
    assert result.exit_code == 2
    assert "http://127.0.0.1:9/pets.json" in result.stderr


def test_a_file_without_webhooks_says_nothing_of_them_and_another_may(folder: Path) -> None:
    def sold(schema: dict[str, Any]) -> dict[str, Any]:
        return {"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}}

    save("ours.json", {"webhooks": {"pet.sold": sold({"enum": ["a"]})}})
    result = drift(save("theirs.json", {"paths": {}}), "--spec", "ours.json")
    assert "--webhooks names a file of them" in result.stderr
    assert result.exit_code == 0

    kinds = {"schemas": {"Kind": {"enum": ["a", "b"]}}}
    event = sold({"$ref": "#/components/schemas/Kind"})
    save("events.json", {"paths": {"/pet.sold": event}, "components": kinds})
    result = drift("theirs.json", "--spec", "ours.json", "--webhooks", "events.json")
    assert "breaking   request: value added: b" in result.stdout

    result = drift(save("theirs.json", {"webhooks": {}}), "--spec", "ours.json")
    assert "webhook pet.sold: webhook gone" in result.stdout


def test_large_files_whose_schemas_all_refer_to_each_other_take_seconds(folder: Path) -> None:
    document = large(SIZES["3 MB"])
    save("ours.json", document)
    document["components"]["schemas"]["Thing500"]["properties"]["id"]["maxLength"] = 400
    began = time.process_time()
    told = facts(save("theirs.json", document), "--spec", "ours.json")
    assert time.process_time() - began < 30
    assert {each["message"] for each in told["differences"]} <= {
        "maxLength 5000 → 400",
        "shared schema changed",
    }
    paths = [each["field"] for each in told["differences"] if each["what"] == "maxLength"]
    assert paths
    assert all(path.endswith("id") for path in paths)
