"""The signature by the vendor's recipe, and the helper with which tests and receivers verify it."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bluehour.mock_server.webhooks.signature import (
    SignatureError,
    delivery_rules,
    signature_of,
    signed_headers,
    verify,
)

# Worked out with another implementation of the vendor's recipe; see the receivers in its documentation.
SECRET = "whsec_test_secret"
AT = 1_729_314_984
BODY = b'{"type":"image.completed","payload":{"id":"clx123","status":"complete"}}'
SIGNATURE = "43c9993c0ab7b4bd9ffc4f0d06671718c3eb4b6ec38613b960280e583e29deef"

SIGNATURE_HEADER, TIMESTAMP_HEADER = "magic-hour-event-signature", "magic-hour-event-timestamp"
HEADERS = {SIGNATURE_HEADER: SIGNATURE, TIMESTAMP_HEADER: str(AT)}

bodies = st.dictionaries(st.text(), st.text()).map(lambda event: json.dumps(event).encode())
times = st.integers(0, 10**11)
header_values = st.text(max_size=80) | st.binary(max_size=80).map(lambda raw: raw.decode("latin-1"))


def assert_refused(body: bytes, headers: dict[str, str], secret: str = SECRET, now: float = AT) -> str:
    with pytest.raises(SignatureError) as refused:
        verify(body, headers, secret, now=now)
    return str(refused.value)


def test_the_published_recipe_gives_the_known_signature() -> None:
    assert signature_of(BODY, AT, SECRET) == SIGNATURE
    assert signed_headers(BODY, AT, SECRET) == HEADERS


def test_an_event_is_returned_at_its_time() -> None:
    event = {"type": "image.completed", "payload": {"id": "clx123", "status": "complete"}}
    assert verify(BODY, HEADERS, SECRET, now=AT) == event


def test_without_a_time_the_systems_counts() -> None:
    now = int(time.time())
    verify(BODY, signed_headers(BODY, now, SECRET), SECRET)
    with pytest.raises(SignatureError, match="s old"):
        verify(BODY, HEADERS, SECRET)


@given(bodies, st.text(min_size=1).filter(lambda text: text.isprintable()), times, st.floats(-300, 300))
def test_whatever_is_signed_is_accepted_within_five_minutes(
    body: bytes, secret: str, at: int, age: float
) -> None:
    assert verify(body, signed_headers(body, at, secret), secret, now=at + age) == json.loads(body)


@given(st.data())
def test_one_changed_byte_of_the_body_is_refused(data: st.DataObject) -> None:
    place, byte = data.draw(st.integers(0, len(BODY) - 1)), data.draw(st.integers(0, 255))
    changed = BODY[:place] + bytes([byte]) + BODY[place + 1 :]
    assume(changed != BODY)

    assert "signature" in assert_refused(changed, HEADERS)


@pytest.mark.parametrize(
    "same", [BODY + b"\n", BODY.replace(b":", b": "), b"\xef\xbb\xbf" + BODY], ids=["end", "spaces", "bom"]
)
def test_the_raw_body_counts_and_not_what_it_means(same: bytes) -> None:
    assert "signature" in assert_refused(same, HEADERS)


@given(st.text())
def test_another_secret_is_refused(secret: str) -> None:
    assume(secret.encode(errors="replace") != SECRET.encode())
    assert "signature" in assert_refused(BODY, signed_headers(BODY, AT, secret))


@given(st.floats(300, 1e11, exclude_min=True).flatmap(lambda age: st.sampled_from([age, -age])))
def test_more_than_five_minutes_either_way_are_refused(age: float) -> None:
    assume(abs(AT + age - AT) > 300)
    assert "at most 300 s" in assert_refused(BODY, HEADERS, now=AT + age)


@pytest.mark.parametrize("age", [300, -300])
def test_five_minutes_are_accepted_and_a_moment_more_is_not(age: int) -> None:
    verify(BODY, HEADERS, SECRET, now=AT + age)
    assert_refused(BODY, HEADERS, now=AT + age * 1.001)


@given(times)
def test_a_signature_holds_for_its_own_timestamp_alone(at: int) -> None:
    assume(at != AT)
    assert "signature" in assert_refused(BODY, {**HEADERS, TIMESTAMP_HEADER: str(at)}, now=at)


@pytest.mark.parametrize("missing", [SIGNATURE_HEADER, TIMESTAMP_HEADER])
def test_a_missing_header_is_refused_by_name(missing: str) -> None:
    headers = {name: value for name, value in HEADERS.items() if name != missing}
    assert missing in assert_refused(BODY, headers)


@given(header_values)
def test_a_garbled_signature_is_refused(garbled: str) -> None:
    assume(garbled != SIGNATURE)
    assert_refused(BODY, {**HEADERS, SIGNATURE_HEADER: garbled})


@given(header_values | st.text("0123456789", max_size=400) | st.from_regex(r"\A[-+ ]?\d+(\.\d+|e\d)?\s?\Z"))
def test_a_garbled_timestamp_is_refused(garbled: str) -> None:
    assume(garbled.lstrip("0") != str(AT))
    assert_refused(BODY, {**HEADERS, TIMESTAMP_HEADER: garbled})


@pytest.mark.parametrize(
    "garbled", ["", " ", "١٧٢٩٣١٤٩٨٤", "1e9", "-1", "0x10", f" {AT}", f"{AT}.0", "NaN", "9" * 400]
)
def test_a_timestamp_that_is_no_number_of_seconds_is_refused(garbled: str) -> None:
    assert_refused(BODY, {**HEADERS, TIMESTAMP_HEADER: garbled})


def test_a_timestamp_of_thousands_of_digits_is_refused() -> None:
    assert_refused(BODY, {**HEADERS, TIMESTAMP_HEADER: "9" * 5000})


def test_a_timestamp_is_signed_as_it_is_written() -> None:
    """The recipe signs the header's text: one that was written differently is another one."""
    assert_refused(BODY, {**HEADERS, TIMESTAMP_HEADER: f"0{AT}"})


def test_a_signed_time_beyond_all_times_is_refused() -> None:
    at = 10**400
    assert_refused(BODY, signed_headers(BODY, at, SECRET))


@given(st.data())
def test_headers_are_found_in_any_case(data: st.DataObject) -> None:
    def any_case(name: str) -> str:
        return "".join(data.draw(st.sampled_from([letter.lower(), letter.upper()])) for letter in name)

    verify(BODY, {any_case(name): value for name, value in HEADERS.items()}, SECRET, now=AT)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe\x00", b"nonsense"], ids=repr)
def test_a_signed_body_that_is_no_json_is_refused(body: bytes) -> None:
    assert "JSON" in assert_refused(body, signed_headers(body, AT, SECRET))


def test_a_signed_body_that_nests_without_end_is_refused() -> None:
    body = b"[" * 100_000
    assert_refused(body, signed_headers(body, AT, SECRET))


def test_the_contract_says_how_events_are_signed_and_delivered() -> None:
    assert dict(delivery_rules()) == {
        "signature-header": SIGNATURE_HEADER,
        "timestamp-header": TIMESTAMP_HEADER,
        "secret-prefix": "whsec_",
        "tolerance": 300,
        "answer-within": 10,
        "first-retry-after": 1,
        "retried-for": 86_400,
    }
