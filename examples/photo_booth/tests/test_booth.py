"""The booth before a mock whose clock stands still, but for the booth's own waiting."""

from __future__ import annotations

from pathlib import Path

import pytest
from bluehour.contracts.pytest_plugin import MagicHour

from photo_booth import Booth, Busy, JobFailed, OutOfCredits, PaymentUnclear

EDIT = "aiFaceEditor.editImage"
A_DAY = 24 * 60 * 60

pytestmark = pytest.mark.magic_hour(credits=10, frozen=True)


def test_a_guest_gets_a_picture_for_one_credit(
    booth: Booth, magic_hour: MagicHour, portrait: Path, tmp_path: Path
) -> None:
    booth.order("Ada", portrait)
    picture = booth.picture("Ada", tmp_path)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert magic_hour.credits == 9


@pytest.mark.magic_hour(time_scale=1)  # jobs take as long as on the real service, by the mock's clock
def test_the_booth_waits_until_the_picture_is_ready(
    booth: Booth, portrait: Path, naps: list[float], tmp_path: Path
) -> None:
    booth.order("Ada", portrait)
    booth.picture("Ada", tmp_path)
    assert naps == [3]


def test_a_guest_who_asks_twice_pays_once(booth: Booth, magic_hour: MagicHour, portrait: Path) -> None:
    booth.order("Ada", portrait)
    booth.order("Ada", portrait)
    assert magic_hour.credits == 9


@pytest.mark.magic_hour(credits=0)
def test_an_empty_account_is_told_to_the_operator(
    booth: Booth, magic_hour: MagicHour, portrait: Path
) -> None:
    with pytest.raises(OutOfCredits):
        booth.order("Ada", portrait)
    magic_hour.accounts.set(magic_hour.token, credits=10)
    booth.order("Ada", portrait)
    assert magic_hour.credits == 9


@pytest.mark.magic_hour(
    rules=[{"match": {"operation": EDIT}, "answer": {"status": 429, "retry_after": 7}, "times": 1}]
)
def test_a_busy_service_is_asked_again_when_it_says(
    booth: Booth, magic_hour: MagicHour, portrait: Path, naps: list[float]
) -> None:
    booth.order("Ada", portrait)
    assert naps == [7]
    assert [entry.response.status for entry in magic_hour.journal.entries(operation=EDIT)] == [429, 200]
    assert magic_hour.credits == 9


@pytest.mark.magic_hour(rules=[{"match": {"operation": EDIT}, "answer": {"status": 429}}])
def test_the_booth_gives_up_on_a_service_that_stays_busy(
    booth: Booth, magic_hour: MagicHour, portrait: Path
) -> None:
    with pytest.raises(Busy):
        booth.order("Ada", portrait)
    magic_hour.rules.clear()
    booth.order("Ada", portrait)
    assert magic_hour.credits == 9


@pytest.mark.magic_hour(rules=[{"match": {"operation": EDIT}, "job": "no_source_face", "times": 1}])
def test_a_portrait_without_a_face_is_refunded(
    booth: Booth, magic_hour: MagicHour, portrait: Path, tmp_path: Path
) -> None:
    booth.order("Ada", portrait)
    with pytest.raises(JobFailed, match="detectable face"):
        booth.picture("Ada", tmp_path)
    assert magic_hour.credits == 10
    booth.order("Ada", portrait)
    assert booth.picture("Ada", tmp_path).exists()


@pytest.mark.parametrize("fault", ["drop", "cut", "malformed_json", "empty_body"])
def test_an_answer_that_is_lost_after_the_charge_is_not_paid_again(
    booth: Booth, magic_hour: MagicHour, portrait: Path, fault: str
) -> None:
    magic_hour.rules.add({"match": {"operation": EDIT}, "fault": fault, "times": 1})
    for _ in range(2):
        with pytest.raises(PaymentUnclear):
            booth.order("Ada", portrait)
    assert len(magic_hour.journal.entries(operation=EDIT)) == 1
    assert magic_hour.credits == 9


def test_a_link_that_has_expired_is_signed_anew(
    booth: Booth, magic_hour: MagicHour, portrait: Path, tmp_path: Path
) -> None:
    booth.order("Ada", portrait)
    booth.picture("Ada", tmp_path).unlink()
    magic_hour.clock.advance(A_DAY + 1)
    assert booth.picture("Ada", tmp_path).exists()
    downloads = magic_hour.journal.entries(operation="download")
    assert [entry.response.status for entry in downloads] == [200, 403, 200]
