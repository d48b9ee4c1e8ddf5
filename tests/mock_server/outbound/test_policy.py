"""Which servers may be called, judged by name, port and address."""

from __future__ import annotations

import pytest

from bluehour.mock_server.outbound.errors import TargetDenied
from bluehour.mock_server.outbound.policy import TargetPolicy

PUBLIC = "93.184.215.14"

PRIVATE = [
    "127.0.0.1",
    "127.9.9.9",
    "10.0.0.7",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "fd00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "64:ff9b::a00:7",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::a00:7",
    "2001:0:a00:7::",
]


def may_call(
    address: str,
    *,
    host: str | None = None,
    port: int = 443,
    listens_at: str = "0.0.0.0",
    allow: tuple[str, ...] = (),
    deny: tuple[str, ...] = (),
) -> bool:
    policy = TargetPolicy.parsed(allow, deny).served_at(listens_at)
    try:
        return policy.callable_addresses(host or address, port, [address]) == [address]
    except TargetDenied:
        return False


@pytest.mark.parametrize("address", PRIVATE)
def test_a_server_that_others_reach_calls_no_private_address(address: str) -> None:
    assert not may_call(address)
    assert not may_call(address, host="harmless.example")
    assert not may_call(address, listens_at="192.168.0.5")


@pytest.mark.parametrize("address", PRIVATE)
def test_one_that_only_this_machine_reaches_calls_any(address: str) -> None:
    assert may_call(address, listens_at="127.0.0.1")
    assert may_call(address, listens_at="::1")


@pytest.mark.parametrize(
    "address", [PUBLIC, "2606:2800:21f:cb07::1", f"::ffff:{PUBLIC}", "64:ff9b::5db8:d70e"]
)
def test_what_is_for_everyone_may_be_called(address: str) -> None:
    assert may_call(address)


@pytest.mark.parametrize(
    ("pattern", "host", "address", "port"),
    [
        ("hooks.internal", "hooks.internal", "10.0.0.7", 80),
        ("HOOKS.internal.", "Hooks.Internal.", "10.0.0.7", 80),
        ("*.internal", "a.b.internal", "10.0.0.7", 80),
        ("*", "whatever", "10.0.0.7", 80),
        ("*:8080", "whatever", "10.0.0.7", 8080),
        ("hooks.internal:8080", "hooks.internal", "10.0.0.7", 8080),
        ("10.0.0.7", "hooks.internal", "10.0.0.7", 80),
        ("10.0.0.7:80", "10.0.0.7", "10.0.0.7", 80),
        ("10.0.0.0/8", "hooks.internal", "10.0.0.7", 80),
        ("10.0.0.0/8:80", "hooks.internal", "10.0.0.7", 80),
        ("10.0.0.0/8", "hooks.internal", "::ffff:10.0.0.7", 80),
        ("fd00::/8", "hooks.internal", "fd00::1", 80),
        ("fd00::1", "hooks.internal", "fd00::1", 80),
        ("[fd00::1]:80", "hooks.internal", "fd00::1", 80),
        ("[fd00::]/8:80", "hooks.internal", "fd00::1", 80),
    ],
)
def test_a_pattern_allows_and_denies_what_it_names(pattern: str, host: str, address: str, port: int) -> None:
    assert may_call(address, host=host, port=port, allow=(pattern,))
    assert not may_call(address, host=host, port=port, listens_at="127.0.0.1", deny=(pattern,))
    assert not may_call(address, host=host, port=port, allow=(pattern,), deny=(pattern,))


@pytest.mark.parametrize(
    ("pattern", "host", "address", "port"),
    [
        ("hooks.internal", "xhooks.internal", "10.0.0.7", 80),
        ("hooks.internal", "a.hooks.internal", "10.0.0.7", 80),
        ("*.internal", "internal", "10.0.0.7", 80),
        ("*.internal", "xinternal", "10.0.0.7", 80),
        ("hooks.internal:8080", "hooks.internal", "10.0.0.7", 80),
        ("10.0.0.7:8080", "10.0.0.7", "10.0.0.7", 80),
        ("10.0.0.0/24", "hooks.internal", "10.0.1.7", 80),
        ("::1", "hooks.internal", "fd00::1", 80),
    ],
)
def test_a_pattern_says_nothing_of_anything_else(pattern: str, host: str, address: str, port: int) -> None:
    assert not may_call(address, host=host, port=port, allow=(pattern,))
    assert may_call(address, host=host, port=port, listens_at="127.0.0.1", deny=(pattern,))


def test_a_network_is_denied_by_whatever_way_it_is_reached() -> None:
    for address in ("::ffff:93.184.215.14", "64:ff9b::5db8:d70e", "2002:5db8:d70e::1"):
        assert not may_call(address, deny=("93.184.0.0/16",))


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "::ffff:0.0.0.0"])
@pytest.mark.parametrize("denied", ["127.0.0.1", "127.0.0.0/8", "::1"])
def test_the_address_that_stands_for_all_is_this_machine(address: str, denied: str) -> None:
    assert may_call(address, listens_at="127.0.0.1")
    assert not may_call(address, listens_at="127.0.0.1", deny=(denied,))


def test_an_allowed_address_is_not_allowed_by_way_of_a_translator() -> None:
    assert not may_call("64:ff9b::a00:7", allow=("10.0.0.7",))


def test_of_several_addresses_those_are_left_that_may_be_called() -> None:
    policy = TargetPolicy().served_at("0.0.0.0")
    assert policy.callable_addresses("mixed.example", 80, ["10.0.0.7", PUBLIC, "::1"]) == [PUBLIC]


def test_a_denial_says_what_to_change_and_not_where_a_name_leads() -> None:
    policy = TargetPolicy.parsed((), ("evil.example",)).served_at("0.0.0.0")
    with pytest.raises(
        TargetDenied, match=r"^db\.internal leads to a private address.*--allow-target"
    ) as denied:
        policy.callable_addresses("db.internal", 80, ["10.0.0.7"])
    assert "10.0.0.7" not in f"{denied.value}"
    with pytest.raises(TargetDenied, match=r"^evil\.example is denied by --deny-target evil\.example$"):
        policy.check_name("evil.example", 80)


@pytest.mark.parametrize(
    "pattern", ["", " ", "a b", "http://a", "a/b", "*a", "a.*", "a:0", "a:65536", "a:b", "[::1", "1.2.3.0/33"]
)
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="is no target"):
        TargetPolicy.parsed((), (pattern,))
