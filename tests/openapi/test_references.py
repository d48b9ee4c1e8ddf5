"""References without an end are told when a contract is read, not met when it is served."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bluehour.openapi.contract import load_anew
from bluehour.openapi.document import SpecError
from bluehour.openapi.references import LONGEST_CHAIN


def file(tmp_path: Path, schemas: dict[str, Any]) -> Path:
    path = tmp_path / "spec.json"
    head = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {}}
    path.write_text(json.dumps({**head, "components": {"schemas": schemas}}))
    return path


def to(name: object) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


@pytest.mark.parametrize(
    "link",
    [to, lambda name: {"allOf": [to(name)]}, lambda name: {"not": to(name)}],
    ids=["$ref", "allOf", "not"],
)
def test_a_chain_of_thousands_of_references_is_refused(tmp_path: Path, link: Any) -> None:
    chain = {str(number): link(number + 1) for number in range(60_000)}
    with pytest.raises(
        SpecError, match=r"spec\.json: the reference #/components/schemas/\d+ leads on through"
    ):
        load_anew(file(tmp_path, chain | {"60000": {}}))


def test_a_chain_of_hundreds_is_followed(tmp_path: Path) -> None:
    chain = {str(number): to(number + 1) for number in range(LONGEST_CHAIN // 2 - 2)}
    load_anew(file(tmp_path, chain | {str(len(chain)): {}}))


def test_a_chain_through_the_parts_of_a_value_may_be_long(tmp_path: Path) -> None:
    chain: dict[str, Any] = {str(number): {"items": to(number + 1)} for number in range(2 * LONGEST_CHAIN)}
    load_anew(file(tmp_path, chain | {str(len(chain)): {}}))


def test_a_circle_of_references_names_nothing_and_is_left_out(tmp_path: Path) -> None:
    contract = load_anew(file(tmp_path, {"a": to("b"), "b": to("a")}))
    assert contract.document["components"]["schemas"] == {"a": {}, "b": {}}
    told = r"#/components/schemas/./\$ref: the reference #/components/schemas/. leads in a circle"
    assert [re.fullmatch(told, str(defect)) is not None for defect in contract.defects] == [True, True]


def test_schemas_that_hold_themselves_are_no_circle(tmp_path: Path) -> None:
    load_anew(
        file(tmp_path, {"tree": {"properties": {"left": to("tree")}}, "odd": {"anyOf": [to("odd"), {}]}})
    )


def test_a_reference_that_nobody_needs_may_lead_nowhere(tmp_path: Path) -> None:
    load_anew(file(tmp_path, {"a": to("nowhere"), "b": {"$ref": "other.yaml#/c"}}))
