"""What clients reach the server by: as they say, as proxies that are trusted say, or as it was told."""

from __future__ import annotations

import pytest

from bluehour.mock_server.server.origins import Origins, networks
from bluehour.openapi.messages import Headers

PROXY, STRANGER = "10.0.0.1", "203.0.113.5"
BEHIND = Origins(proxies=networks(("10.0.0.0/8", "::1")))
FORWARDED = Headers(
    [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "mock.example.com"), ("X-Forwarded-For", STRANGER)]
)


def test_it_is_what_the_client_says() -> None:
    assert Origins().origin_of("localhost:4010", Headers(), STRANGER) == "http://localhost:4010"
    assert Origins("https").origin_of("localhost:4010", FORWARDED, PROXY) == "https://localhost:4010"


def test_proxies_that_are_trusted_are_believed_and_nobody_else() -> None:
    assert BEHIND.origin_of("inside:80", FORWARDED, PROXY) == "https://mock.example.com"
    assert BEHIND.origin_of("inside:80", FORWARDED, STRANGER) == "http://inside:80"
    assert BEHIND.client_of(FORWARDED, PROXY) == STRANGER
    assert BEHIND.client_of(FORWARDED, STRANGER) == STRANGER
    assert Origins().client_of(FORWARDED, PROXY) == PROXY


@pytest.mark.parametrize(
    ("hops", "client"),
    [
        ("1.1.1.1, 203.0.113.5, 10.0.0.2", "203.0.113.5"),  # the first could be made up
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("nonsense", PROXY),
        ("", PROXY),
        ("nonsense, 10.0.0.2", "10.0.0.2"),
    ],
)
def test_the_client_is_the_last_hop_that_is_no_proxy(hops: str, client: str) -> None:
    assert BEHIND.client_of(Headers([("X-Forwarded-For", hops)]), PROXY) == client


@pytest.mark.parametrize(
    ("name", "value"), [("X-Forwarded-Host", "evil/path"), ("X-Forwarded-Proto", "javascript")]
)
def test_what_is_no_host_and_no_scheme_goes_into_no_link(name: str, value: str) -> None:
    assert BEHIND.origin_of("inside:80", Headers([(name, value)]), PROXY) == "http://inside:80"


def test_a_public_url_is_what_it_was_told() -> None:
    told = Origins("https", "https://mock.example.com/api")
    assert told.origin_of("inside:80", Headers(), STRANGER) == "https://mock.example.com/api"


def test_what_is_no_network_is_told() -> None:
    with pytest.raises(ValueError, match="'nginx' is no address and no network"):
        networks(("127.0.0.1", "nginx"))
