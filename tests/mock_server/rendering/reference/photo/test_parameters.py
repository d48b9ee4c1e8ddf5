from __future__ import annotations

import math
from dataclasses import fields
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.mock_server.rendering.reference.photo.parameters import parameters_of, schedule_of

from .asking import asked, request

any_number = st.floats(allow_nan=False, allow_infinity=False) | st.integers()
json_values: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | any_number | st.text() | st.lists(st.integers()) | st.just({})
)


def test_the_published_example_is_the_middle_of_each_curve() -> None:
    example = asked(likeness_strength=5.2, prompt_strength=3.75)
    assert example.strength == pytest.approx(0.49)
    assert example.guidance == pytest.approx(3.75)
    assert example.pull == pytest.approx(0.9375)


def test_a_strength_that_is_not_sent_is_the_published_one() -> None:
    bare, example = parameters_of({}), asked(likeness_strength=5.2, prompt_strength=3.75)
    assert (bare.strength, bare.guidance, bare.pull) == (example.strength, example.guidance, example.pull)


def test_a_request_without_what_is_optional_gets_the_contracts_defaults() -> None:
    bare = parameters_of({"resolution": 768, "style": {}})
    assert (bare.edge, bare.steps, bare.upscale_crispness) == (768, 4, 0.5)
    assert (bare.prompt, bare.negative_prompt, bare.description) == ("", "", "")


@given(any_number, any_number)
def test_more_likeness_is_never_more_strength(one: float, other: float) -> None:
    weaker, stronger = (asked(likeness_strength=likeness) for likeness in sorted((one, other)))
    assert 0 < stronger.strength <= weaker.strength < 1


@given(any_number, any_number)
def test_more_prompt_strength_is_never_less_guidance(one: float, other: float) -> None:
    weaker, stronger = (asked(prompt_strength=strength) for strength in sorted((one, other)))
    assert 1 <= weaker.guidance <= stronger.guidance <= 6.5
    assert 0 <= weaker.pull <= stronger.pull <= 1


def test_within_what_people_send_each_tenth_is_felt() -> None:
    tenths = [asked(likeness_strength=x / 10, prompt_strength=x / 10) for x in range(-200, 400)]
    assert all(a.strength > b.strength and a.guidance < b.guidance for a, b in pairwise(tenths))
    assert all(a.pull <= b.pull for a, b in pairwise(tenths))


@given(st.dictionaries(st.sampled_from([*request()["style"], "upscale_fidelity"]), json_values))
def test_any_json_is_brought_into_bounds(style: dict[str, Any]) -> None:
    found = parameters_of({"resolution": style.get("steps"), "steps": 123, "style": style})
    assert 512 <= found.edge <= 1024
    assert 3 <= found.steps <= 6
    assert 0 <= found.upscale_crispness <= 1
    assert all(
        math.isfinite(value)
        for value in (getattr(found, field.name) for field in fields(found))
        if not isinstance(value, str)
    )


def test_steps_of_the_style_win_over_the_deprecated_ones() -> None:
    assert parameters_of({"steps": 3, "style": {"steps": 6}}).steps == 6
    assert parameters_of({"steps": 3, "style": {}}).steps == 3
    assert parameters_of({"steps": 123, "style": {}}).steps == 6


def test_a_fidelity_of_1_means_more_details() -> None:
    details = [asked(upscale_fidelity=fidelity).upscale_crispness for fidelity in (0, 0.5, 1)]
    assert details == [0, 0.5, 1]


@pytest.mark.parametrize(
    ("height", "width", "size"),
    [(400, 600, (341, 512)), (600, 400, (512, 341)), (10, 10, (512, 512)), (1, 9_000, (1, 512))],
)
def test_the_longer_side_is_the_resolution(height: int, width: int, size: tuple[int, int]) -> None:
    assert asked().size(height, width) == size


def test_the_seed_is_of_the_words_and_of_nothing_else() -> None:
    assert asked("a").seed == asked("a", likeness_strength=9, upscale_factor=1).seed
    others = (asked("b"), asked("a", negative_prompt="b"), asked("a", image_description="b"))
    assert asked("a").seed not in {other.seed for other in others}
    assert asked("a", negative_prompt="b").seed != asked("b", negative_prompt="a").seed


@given(st.integers(3, 6), st.floats(0.02, 0.96))
def test_a_schedule_runs_exactly_the_steps(steps: int, strength: float) -> None:
    length, exact = schedule_of(steps, strength)
    assert int(length * exact) == steps  # as Stable Diffusion's pipelines count
    assert length - int(max(length - length * exact, 0)) == steps  # as Flux's do
    assert steps < length <= 50
    if strength >= 6 / 50:
        assert exact == pytest.approx(strength, abs=0.22)
