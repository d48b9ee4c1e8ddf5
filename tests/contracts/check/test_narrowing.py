"""`--operation`: what is checked of a contract, and that a right server is still right."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bluehour.contracts.check.inprocess import AppWire
from bluehour.contracts.check.narrowing import narrowed
from bluehour.contracts.check.run import Options, check
from bluehour.contracts.exchange import label_of
from bluehour.contracts.report import terminal
from bluehour.contracts.results import Exit
from bluehour.mock_server.app import create_app
from bluehour.mock_server.cli import main
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import Contract, load
from tests.deviants.catalogue import DEVIANTS
from tests.deviants.serving import served
from tests.editors import EDITORS, editors_file

PHOTO, FACE = "POST /v1/ai-photo-editor", "POST /v1/ai-face-editor"
READ, DELETE = "GET /v1/image-projects/{id}", "DELETE /v1/image-projects/{id}"
UPLOADS = "POST /v1/files/upload-urls"
ACCOUNT = "GET /v1/account"
SPECS = Path(__file__).parents[2] / "openapi" / "specs"


def labels(contract: Contract) -> set[str]:
    return {label_of(each) for each in contract.operations}


def run(*args: Any) -> Result:
    return CliRunner().invoke(main, ["check", "--spec", f"{editors_file()}", *map(str, args)])


@pytest.mark.parametrize(
    ("names", "left"),
    [
        ([PHOTO], {PHOTO, UPLOADS, READ, DELETE, ACCOUNT}),
        (["post /v1/ai-photo-editor"], {PHOTO, UPLOADS, READ, DELETE, ACCOUNT}),
        (["aiPhotoEditor.createImage"], {PHOTO, UPLOADS, READ, DELETE, ACCOUNT}),
        (["/v1/ai-photo-editor"], {PHOTO, UPLOADS, READ, DELETE, ACCOUNT}),
        ([PHOTO, FACE], {PHOTO, FACE, UPLOADS, READ, DELETE, ACCOUNT}),
        ([READ], {FACE, UPLOADS, READ, DELETE, ACCOUNT}),
        (["/v1/image-projects/{id}"], {FACE, UPLOADS, READ, DELETE, ACCOUNT}),
        ([UPLOADS], {UPLOADS, READ}),
        ([], {PHOTO, FACE, UPLOADS, READ, DELETE, ACCOUNT}),
    ],
)
def test_an_operation_is_left_with_what_it_needs(names: list[str], left: set[str]) -> None:
    assert labels(narrowed(EDITORS, names)) == left


def test_what_belongs_to_no_operation_is_still_known() -> None:
    one = narrowed(EDITORS, [UPLOADS])
    assert one.errors == EDITORS.errors
    assert labels(one.whole) == labels(EDITORS)


def test_of_another_kind_the_operations_of_that_kind_are_left() -> None:
    video = narrowed(load(), ["POST /v1/text-to-video"])
    assert "GET /v1/video-projects/{id}" in labels(video)
    assert not labels(video) & {READ, DELETE}


def test_of_any_other_api_what_makes_the_items_of_its_path_is_left() -> None:
    library = load(SPECS / "pet-shop-3.0.yaml")
    left = labels(narrowed(library, ["GET /pet/{petId}"]))
    assert {"GET /pet/{petId}", "POST /pet"} <= left
    assert not any(each.split("/")[1] == "store" for each in left)


@pytest.mark.parametrize("name", [PHOTO, UPLOADS, READ])
def test_a_right_server_is_found_right_by_any_of_its_operations(name: str) -> None:
    clock = Clock()
    with closing(Mock(EDITORS, Settings(time_scale=0.02), clock=clock)) as mock:
        options = Options(mock.world.base_url, "mhk_test_pro_10000_me")
        report = check(
            options, contract=narrowed(EDITORS, [name]), wire=AppWire(create_app(mock)),
            sleep=clock.advance, now=clock.now,
        )  # fmt: skip
    assert not report.findings, terminal(report, colour=False, width=110)
    assert report.exit_code is Exit.CONFORMS
    called = {each.label for each in report.exchanges if each.operation}
    assert called <= labels(narrowed(EDITORS, [name]))


def test_the_command_checks_the_operation_and_no_other(tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    broken = next(each for each in DEVIANTS if each.name == "slider-above-accepted")
    with served(broken) as server:
        arguments = (server.url, "--only", "refuse.maximum", "--json", facts, "--operation")
        assert run(*arguments, PHOTO).exit_code == 0
        assert FACE not in json.loads(facts.read_text())["operations"]
        assert run(*arguments, FACE).exit_code == 1


def test_the_budget_is_that_of_the_operations() -> None:
    assert "with a budget of 50 credits" in run("http://127.0.0.1:9", "--plan", "--operation", PHOTO).output


def test_an_operation_that_there_is_not_is_told_with_the_nearest() -> None:
    result = run("http://127.0.0.1:9", "--operation", "POST /v1/ai-foto-editor")
    assert result.exit_code == 2
    assert result.output == (
        f"Error: --operation: there is no operation POST /v1/ai-foto-editor; the nearest is {PHOTO}\n"
    )
