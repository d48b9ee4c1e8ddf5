"""Every deviant is found, by a rule of the area that it is wrong in. All of them: `make bench-check`."""

from __future__ import annotations

import pytest

from bluehour.contracts.results import Exit
from tests.deviants.catalogue import DEVIANTS
from tests.deviants.checking import checked
from tests.deviants.deviant import Deviant
from tests.deviants.known import NOT_FOUND

SAMPLE = [each for each in DEVIANTS[::11] if each.name not in NOT_FOUND]
"""One in eleven, from every area: all of them take minutes."""


@pytest.mark.parametrize("deviant", SAMPLE, ids=lambda deviant: deviant.name)
def test_a_deviant_is_found(deviant: Deviant) -> None:
    report = checked(deviant, only_first=True)
    assert report.exit_code is Exit.FINDINGS, f"not found: {deviant.breaks}"
    assert report.spent <= report.max_credits


def test_the_list_of_those_that_are_not_found_has_no_strangers() -> None:
    assert NOT_FOUND.keys() <= {each.name for each in DEVIANTS}


def test_the_sample_has_every_area() -> None:
    assert {each.group for each in SAMPLE} == {each.group for each in DEVIANTS}
