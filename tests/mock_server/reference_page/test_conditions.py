"""What depends on other fields and on the plan is told at its field; what comes out, at its operation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from bluehour.mock_server.reference_page.cases import cases_of, grid, in_words
from bluehour.mock_server.reference_page.conditions import conditions
from bluehour.openapi.amounts import fields_in
from bluehour.openapi.contract import load
from bluehour.openapi.model import Operation

from .told import Page, page_of, typed

RULES = ("x-default", "x-means", "x-allowed", "x-most-items", "x-plan-needed", "x-required-if")
PICTURE = "aiImageGenerator.createImage"
VIDEO = "textToVideo.createVideo"
TALK = "aiTalkingPhoto.createTalkingPhoto"


@pytest.fixture(scope="module")
def page() -> Page:
    return page_of(load())


def every_rule() -> Iterator[Any]:
    for operation in load().operations:
        for rule in RULES:
            for path, said in operation.annotated(rule):
                yield pytest.param(operation.id, path[-1], said, id=f"{operation.id}-{'.'.join(path)}-{rule}")


@pytest.mark.parametrize(("anchor", "name", "said"), list(every_rule()))
def test_every_field_that_a_rule_names_and_every_value_is_told(
    page: Page, anchor: str, name: str, said: Any
) -> None:
    rows = page.rows_of(anchor, name)
    wanted = {one for one in (*fields_in(said), *texts_in(said)) if one != "$plan"}
    assert wanted
    assert any(all(one in row for one in wanted) for row in rows), rows


def texts_in(amount: Any) -> Iterator[str]:
    """Every key and every value of an amount, as a reader finds it."""
    if isinstance(amount, Mapping):
        for key, value in amount.items():
            yield from () if key in ("by", "of", "else", "field", "default") else (key,)
            yield from texts_in(value)
    elif isinstance(amount, list):
        for value in amount:
            yield from texts_in(value)
    elif isinstance(amount, bool):
        yield "true" if amount else "false"
    else:
        yield f"{amount:,}" if isinstance(amount, int) else amount.replace("..", " to ")


def test_a_default_says_on_which_plan_it_is_another(page: Page) -> None:
    row = page.row("audioToVideo.createVideo", "resolution")
    assert "default 480p on the free plan; else 720p" in row


def test_a_word_that_stands_for_others_says_for_which(page: Page) -> None:
    row = page.row(VIDEO, "model")
    assert "default means ltx-2.5 on the free plan; else kling-3.0" in row
    assert "ltx-2 means ltx-2.3" in row


def test_a_needed_plan_is_named(page: Page) -> None:
    row = page.row("aiImageUpscaler.createImage", "scale_factor")
    assert "plan: creator or higher with scale_factor 4 ; else free or higher" in row


def test_a_field_that_others_need_says_so(page: Page) -> None:
    row = page.row("videoToVideo.createVideo", "prompt")
    assert "required with style.prompt_type custom or append_default" in row


def test_an_asset_of_several_types_names_them(page: Page) -> None:
    assert "names an asset: image, video or audio" in page.row(VIDEO, "file_path")


def test_what_a_model_does_not_take_is_to_be_left_out(page: Page) -> None:
    row = page.row("characterReplace.createVideo", "points")
    assert "not with model kling-3.0" in row


def test_long_rules_and_long_lists_of_values_are_folded(page: Page) -> None:
    start = page.html.index('id="aiVoiceGenerator.createAudio"')
    names = page.html[start:].split("one of 1,264 values</summary>")[1].split("</details>")[0]
    assert names.count("<code>") == 1264
    assert "<details" in page.html[start:].split("one of 1,264 values")[0][-200:]
    assert "Allowed values by <code>model</code></summary>" in page.html


# --- what comes out -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("anchor", "said"),
    [
        (VIDEO, "Format mp4"),
        (VIDEO, "Length, in seconds end_seconds"),
        (VIDEO, "Shorter side, in pixels 360 with resolution 360p ; 480 with 480p"),
        (VIDEO, "Sound yes with model kling-2.5-audio or veo3.1-audio ; else as audio says"),
        ("lipSync.createVideo", "Length, in seconds end_seconds - start_seconds"),
        ("lipSync.createVideo", "Frames a second the smaller of 24 and max_fps_limit"),
        (TALK, "Shorter side, in pixels 480 with resolution 480p ; 720 with 720p Sound yes"),
        (TALK, "Longest clip, in seconds 45 with style.generation_mode prompted ; else 300"),
        (PICTURE, "How many image_count"),
        (PICTURE, "Shape aspect_ratio"),
        ("aiImageUpscaler.createImage", "Size the source's, times scale_factor"),
        ("imageBackgroundRemover.createImage", "Background transparent"),
        ("aiFaceEditor.editImage", "Format the source's"),
        ("aiGifGenerator.createImage", "Format output_format"),
        (
            "aiVoiceGenerator.createAudio",
            "Length, in seconds the number of characters of style.prompt x 0.06",
        ),
    ],
)
def test_what_comes_out_is_told(page: Page, anchor: str, said: str) -> None:
    assert said in typed(page.texts[anchor]).partition("What comes out")[2]


def makes_something(operation: Operation) -> bool:
    return operation.behaviour == "create-project"


@pytest.mark.parametrize("operation", load().operations, ids=lambda one: one.id)
def test_whatever_makes_something_says_what(page: Page, operation: Operation) -> None:
    assert ("What comes out" in page.texts[operation.id]) == makes_something(operation)


# --- amounts ------------------------------------------------------------------------------------------------


def test_products_of_tables_are_one_table() -> None:
    amount = {"product": [{"by": "a", "of": {"x": 2, "y": 3}}, {"by": "b", "of": {"1": 10, "2": 100}}]}
    table = grid(cases_of(amount), "Credits")
    assert table.heads == ("`a`", "`1`", "`2`")
    assert table.rows == (("`x`", "20", "200"), ("`y`", "30", "300"))


def test_rows_that_say_the_same_are_one_but_others_stay_apart() -> None:
    amount = {"by": "a", "of": {"x": 1, "y": 2, "z": 1}, "else": 1}
    assert in_words(cases_of(amount)) == "1 with `a` `x` or `z`; 2 with `y`; else 1"


def test_a_combination_that_is_not_listed_has_no_value() -> None:
    amount = {"by": "a", "of": {"x": {"by": "b", "of": {"1": 5}}, "y": {"by": "b", "of": {"1": 6, "2": 7}}}}
    assert grid(cases_of(amount), "Credits").rows == (("`x`", "5", "\N{EN DASH}"), ("`y`", "6", "7"))


@pytest.mark.parametrize("said", [None, 5, "x", [], [[]], {}, {"by": 1}, {"odd": {}}, {"product": 3}])
@pytest.mark.parametrize("rule", RULES)
def test_what_is_no_rule_is_told_somehow(rule: str, said: Any) -> None:
    assert all(condition.words for condition in conditions({rule: said}))
