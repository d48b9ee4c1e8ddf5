from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluehour.mock_server.rendering.reference.photo.effects import COMPLETE, EFFECTS
from bluehour.mock_server.rendering.reference.photo.prompts import (
    OPPOSITES,
    kept,
    remark_on,
    understood,
    wished,
)


@pytest.mark.parametrize(
    ("prompt", "effects"),
    [
        ("A pencil sketch of a person", {"sketch": 1}),
        ("a black-and-white photo", {"black-and-white": 1}),
        ("Make it brighter, please!", {"bright": 1}),
        ("slightly darker", {"dark": 0.5}),
        ("a very dark picture", {"dark": 1.35}),
        ("an oil painting in warm tones", {"painting": 1, "warm": 1}),
        ("dark and moody", {"dark": 1, "dramatic": 1}),
        ("at dusk", {"night": 0.45, "sunset": 0.35}),
        ("red and blue light", {"red": 1, "blue": 1}),
        ("", {}),
        ("a photo of a person", {}),
    ],
)
def test_words_for_the_whole_picture_are_understood(prompt: str, effects: dict[str, float]) -> None:
    told = understood(prompt)
    assert dict(told.effects) == pytest.approx(effects)
    assert told.not_understood == ()


@pytest.mark.parametrize(
    ("prompt", "missed"),
    [
        ("A photo portrait of a person wearing a hat", ("wearing", "hat")),
        ("a person in a red hat", ("red hat",)),
        ("a person in a dark blue suit", ("dark blue suit",)),
        ("a golden retriever", ("golden retriever",)),
        ("no hat", ("hat",)),
        ("ein Hund im Schnee", ("ein", "hund", "im", "schnee")),
    ],
)
def test_objects_are_told_back_and_so_are_their_colours(prompt: str, missed: tuple[str, ...]) -> None:
    told = understood(prompt)
    assert told.not_understood == missed
    assert told.words == ()
    assert not told.effects


def test_a_prompt_of_both_kinds_is_told_apart() -> None:
    told = understood("A person with a hat at sunset, cinematic")
    assert told.words == ("sunset", "cinematic")
    assert told.not_understood == ("hat",)


def test_what_the_description_says_is_there_already() -> None:
    told = understood("A dark photo of a woman in a hat, as a cartoon", "A dark photo of a woman in a hat")
    assert dict(told.effects) == {"cartoon": 1}
    assert told.not_understood == ()


def test_what_is_not_understood_is_remarked_on_in_a_sentence() -> None:
    asked = {"prompt": "a person in a hat with a dog and a hat, at night", "image_description": "a person"}
    assert remark_on({"style": asked}) == (
        "the analytic photo editor changes tone, colour and style only; it did not understand: hat, dog"
    )


@pytest.mark.parametrize("style", [{"prompt": "a photo at night"}, {"prompt": ""}, {"prompt": 7}, {}, None])
def test_where_all_is_understood_there_is_no_remark(style: object) -> None:
    assert remark_on({"style": style}) is None


def test_a_remark_on_a_long_prompt_is_short() -> None:
    remark = remark_on({"style": {"prompt": " ".join(f"word{place}" for place in range(500)) + "y" * 4_000}})
    assert remark is not None
    assert remark.endswith(" more")
    assert len(remark) < 700


def test_remarks_need_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; "
        "from bluehour.mock_server.rendering.reference.photo.prompts import remark_on; "
        "print(remark_on({'style': {'prompt': 'hat'}}))"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert told.endswith("understand: hat\n")


def test_a_negated_word_is_its_opposite() -> None:
    assert dict(wished("not dark")) == pytest.approx({"bright": 0.7})


def test_the_negative_prompt_pulls_away_a_little() -> None:
    assert dict(wished("", "dark")) == pytest.approx({"bright": 0.4})
    assert dict(wished("dark", "dark")) == pytest.approx({"dark": 0.6})
    assert dict(wished("bright", "dark")) == pytest.approx({"bright": 1.4})


def test_the_published_negative_prompt_asks_for_a_photo_once() -> None:
    assert dict(wished("", "painting, cartoon, sketch")) == pytest.approx({"photo": 0.4})


def test_opposites_cancel() -> None:
    assert dict(wished("bright and dark")) == {}


def test_every_effect_that_a_word_can_mean_is_made_and_has_an_opposite() -> None:
    assert set(OPPOSITES) == set(EFFECTS)
    assert set(OPPOSITES.values()) <= set(EFFECTS)
    assert set(EFFECTS) > COMPLETE


def test_a_description_says_what_a_tint_leaves_alone() -> None:
    assert kept("A photo of a woman in front of the sea") == {"skin", "blue"}
    assert kept("a chair") == set()


@given(st.text(), st.text(), st.text())
def test_any_text_can_be_read(prompt: str, negative: str, description: str) -> None:
    wishes = wished(prompt, negative, description)
    assert all(0 < amount <= 1.5 for amount in wishes.values())


def test_a_very_long_prompt_is_read_in_part() -> None:
    assert dict(understood("very " * 100_000 + "dark").effects) == {}
    assert dict(understood("dark " * 100_000).effects) == {"dark": 1.5}
