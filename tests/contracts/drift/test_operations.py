"""What is told of operations and webhooks, and of all that they take and answer but for schemas."""

from __future__ import annotations

from typing import Any

import pytest

from .specs import cases, told


@pytest.mark.parametrize("case", cases("operations.yaml"), ids=lambda case: str(case["name"]))
def test_a_difference_is_told_once_and_as_grave_as_it_is(case: dict[str, Any]) -> None:
    assert sorted(told(case["ours"], case["theirs"])) == sorted(case["told"])
    assert not told(case["ours"], case["ours"])
    assert not told(case["theirs"], case["theirs"])
