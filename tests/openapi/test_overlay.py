"""Overlays: a document that is somebody else's, changed at places that a JSONPath finds."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from bluehour.openapi.contract import load
from bluehour.openapi.document import SpecError
from bluehour.openapi.overlay import OverlayError, overlaid

SHOP = Path(__file__).parent / "specs" / "pet-shop-3.0.yaml"
DOCUMENT = {
    "tags": [{"name": "a"}, {"name": "b"}],
    "paths": {"/a": {"get": {"tags": ["x"], "deep": {"n": 1}}}},
}


def changed(*actions: dict[str, Any]) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    assert list(overlaid(document, {"overlay": "1.0.0", "actions": list(actions)})) == []
    return document


def test_an_update_is_merged_at_every_depth() -> None:
    update = {"tags": ["y"], "deep": {"m": 2}, "new": {"a": 1}}
    made = changed({"target": "$.paths['/a'].get", "update": update})
    assert made["paths"]["/a"]["get"] == {"tags": ["x", "y"], "deep": {"n": 1, "m": 2}, "new": {"a": 1}}


def test_an_update_of_a_list_is_one_more_item() -> None:
    made = changed({"target": "$.tags", "update": {"name": "c"}})
    assert [each["name"] for each in made["tags"]] == ["a", "b", "c"]


def test_all_that_a_path_finds_is_removed() -> None:
    assert changed({"target": "$.tags[*]", "remove": True})["tags"] == []
    assert changed({"target": "$.tags[?@.name == 'a']", "remove": True})["tags"] == [{"name": "b"}]


def test_actions_follow_each_other() -> None:
    made = changed(
        {"target": "$", "update": {"info": {"title": "T"}}}, {"target": "$.info", "update": {"version": "2"}}
    )
    assert made["info"] == {"title": "T", "version": "2"}


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ({}, "expected Overlay 1.0 in the field 'overlay', found None"),
        ([], "expected Overlay 1.0 in the field 'overlay', found None"),
        ({"overlay": "1.0.0"}, "expected a list of actions in the field 'actions'"),
        ({"overlay": "1.0.0", "actions": [{}]}, "actions[0]: expected a JSONPath in the field 'target'"),
        ({"overlay": "1.0.0", "actions": [{"target": "$", "remove": True}]},
         "actions[0]: $: the whole document can't be removed"),
        ({"overlay": "1.0.0", "actions": [{"target": "$.tags[0].name", "update": {}}]},
         "actions[0]: $.tags[0].name: an update changes objects and lists, and this is neither"),
    ],
)  # fmt: skip
def test_what_is_no_overlay_is_told(overlay: Any, message: str) -> None:
    with pytest.raises(OverlayError) as caught:
        list(overlaid(copy.deepcopy(DOCUMENT), overlay))
    assert str(caught.value) == message


def test_a_path_that_is_none_is_told_in_one_line() -> None:
    with pytest.raises(OverlayError, match=r"^actions\[0\]: \$\[: .+") as caught:
        list(overlaid({}, {"overlay": "1.0.0", "actions": [{"target": "$[", "remove": True}]}))
    assert "\n" not in str(caught.value)


def test_a_contract_is_read_with_its_overlays(tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.yaml"
    actions = [
        {"target": "$.paths['/pet'].post", "update": {"x-resource": False, "x-render-seconds": 9}},
        {"target": "$.paths['/nothing']", "remove": True},
    ]
    overlay.write_text(yaml.safe_dump({"overlay": "1.0.0", "actions": actions}))
    made = load(SHOP, overlays=[overlay])
    assert made.operation("addPet").render_seconds == 9
    assert "addPet" not in made.actions
    assert [each.message for each in made.defects] == [f"{overlay}: there is nothing at $.paths['/nothing']"]
    with pytest.raises(SpecError, match="there is nothing at"):
        load(SHOP, overlays=[overlay], strict=True)
    assert load(SHOP).operation("addPet").render_seconds == 0


def test_a_file_that_is_no_overlay_is_told(tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("overlay: 2.0.0\nactions: []\n")
    with pytest.raises(SpecError, match=r"overlay\.yaml: expected Overlay 1\.0"):
        load(SHOP, overlays=[overlay])
