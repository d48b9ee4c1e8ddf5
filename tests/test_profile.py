from __future__ import annotations

from hypothesis import settings


def test_no_example_has_a_deadline_so_that_a_busy_machine_is_no_failure() -> None:
    assert settings().deadline is None
    assert settings.get_profile("reproducible").deadline is None
    assert settings.get_profile("thorough").deadline is None


def test_the_same_examples_are_tried_every_time_unless_it_is_asked_for_more() -> None:
    assert settings.get_profile("reproducible").derandomize
    assert not settings.get_profile("thorough").derandomize
    assert settings.get_profile("thorough").max_examples > settings.get_profile("reproducible").max_examples
