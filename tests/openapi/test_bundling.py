"""A contract in several files, on a disk or behind an address, is served like one in a single file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from bluehour.openapi.contract import load_anew

SPEC = """
openapi: 3.0.3
info: {title: T, version: '1'}
paths:
  /pets: {$ref: 'paths/pets.yaml'}
  /owners:
    get:
      parameters: [{$ref: 'parts.yaml#/limit'}]
      responses: {'200': {$ref: 'parts.yaml#/answers/owner'}}
"""
PETS = """
post:
  requestBody:
    content: {application/json: {schema: {$ref: '../schemas/pet.yaml'}}}
  responses: {'200': {description: ok}}
"""
PARTS = """
limit: {name: limit, in: query, schema: {type: integer, minimum: 0, exclusiveMinimum: true}}
answers:
  owner: {description: ok, content: {application/json: {schema: {$ref: '#/owner'}}}}
owner: {type: object, required: [pets], properties: {pets: {type: array, items: {$ref: schemas/pet.yaml}}}}
"""
PET = """
type: object
required: [name]
properties:
  name: {type: string, nullable: true}
  parent: {$ref: '#'}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("spec", SPEC), ("paths/pets", PETS), ("parts", PARTS), ("schemas/pet", PET)):
        path = tmp_path / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *values: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def check(place: Path | str) -> None:
    contract = load_anew(place)
    assert contract.defects == []
    pets, owners = contract.operations
    assert pets.json_body is not None
    assert pets.json_body.schema.accepts({"name": None, "parent": {"name": "Tom"}})
    assert not pets.json_body.schema.accepts({"name": "Tom", "parent": {}})
    assert owners.parameters[0].schema.accepts(1)
    assert not owners.parameters[0].schema.accepts(0), "what is in other files is OpenAPI 3.0 as well"
    media = owners.responses["200"].json
    assert media is not None
    assert media.schema.accepts(media.example)
    assert not media.schema.accepts({"pets": [{}]})


def test_files_beside_each_other(folder: Path) -> None:
    check(folder / "spec.yaml")


def test_files_behind_an_address(address: str) -> None:
    check(f"{address}/spec.yaml")


def test_a_file_that_is_not_there_is_told_and_the_rest_is_served(folder: Path) -> None:
    (folder / "paths/pets.yaml").unlink()
    contract = load_anew(folder / "spec.yaml")
    assert [operation.path for operation in contract.operations] == ["/owners"]
    assert any("pets.yaml: No such file" in str(defect) for defect in contract.defects)


def test_an_address_names_no_file_of_this_machine(address: str, folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("get: {responses: {'200': {description: secret}}}")
    (folder / "spec.yaml").write_text(SPEC.replace("paths/pets.yaml", f"file://{secret}"))
    contract = load_anew(f"{address}/spec.yaml")
    assert [operation.path for operation in contract.operations] == ["/owners"]


def test_two_files_may_have_parts_of_one_name(tmp_path: Path) -> None:
    def answer(reference: str) -> str:
        schema = f'{{schema: {{$ref: "{reference}"}}}}'
        return (
            f'{{get: {{responses: {{"200": {{description: d, content: {{application/json: {schema}}}}}}}}}}}'
        )

    (tmp_path / "main.yaml").write_text(f"""
openapi: 3.1.0
info: {{title: T, version: "1"}}
paths:
  /theirs: {answer("other.yaml#/Pet")}
  /ours: {answer("#/components/schemas/Pet")}
components: {{schemas: {{Pet: {{type: string}}}}}}
""")
    (tmp_path / "other.yaml").write_text("Pet: {type: integer}\n")
    theirs, ours = (operation.success[1].json for operation in load_anew(tmp_path / "main.yaml").operations)
    assert theirs is not None
    assert ours is not None
    assert theirs.schema.accepts(1)
    assert not theirs.schema.accepts("Rex")
    assert ours.schema.accepts("Rex")
