from __future__ import annotations

from hypothesis import settings


def test_no_example_has_a_deadline_so_that_a_busy_machine_is_no_failure() -> None:
    assert settings.default is not None
    assert settings.default.deadline is None
