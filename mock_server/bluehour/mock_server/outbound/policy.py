"""Which servers may be called: `--allow-target`, `--deny-target`, and what holds without them.

A request is judged by its host and port, and by the address that the host's name leads to; it then goes to
that very address, so that a name can't lead elsewhere a moment later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from .errors import TargetDenied

Address = IPv4Address | IPv6Address

_NAME = re.compile(r"\*|(\*\.)?[\w-]+(\.[\w-]+)*", re.ASCII)
_BRACKETED = re.compile(r"\[([^\[\]]+)\]((?:/\d+)?)")
_WITH_PORT = re.compile(r"(?P<host>\[[^\[\]]+\](/\d+)?|[^:]+):(?P<port>\d{1,5})")

# Networks whose addresses have an IPv4 address in their last 32 bits, and lead there.
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")

_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")  # RFC 8215; not every Python knows that it is private


@dataclass(frozen=True, slots=True)
class Pattern:
    """What an option names: hosts by name, or addresses by network; at one port or at all.

    Attributes:
        text: as it was given.
        name: a name in lower case; `*.example.com` stands for all names below it, `*` for everything.
    """

    text: str
    name: str | None
    network: IPv4Network | IPv6Network | None
    port: int | None

    @classmethod
    def parsed(cls, text: str) -> Pattern:
        """Read a pattern, such as `hooks.example.com`, `*.example.com:443`, `10.0.0.0/8` or `[fd00::1]:8080`.

        Raises:
            ValueError: it is none.
        """
        host, port = text.strip().lower().rstrip("."), None
        if _network(host) is None and (match := _WITH_PORT.fullmatch(host)):
            host, port = match["host"], int(match["port"])
        network = _network(host)
        is_none = network is None and not _NAME.fullmatch(host)
        if is_none or (port is not None and not 0 < port < 65536):
            raise ValueError(
                f"{text!r} is no target; one is a name (hooks.example.com, *.example.com), an address "
                "(10.0.0.7) or a network (10.0.0.0/8, fd00::/8), with :PORT or without"
            )
        return cls(text.strip(), None if network else host, network, port)

    def fits(self, host: str, port: int, addresses: Iterable[Address]) -> bool:
        """Tell whether it names a host at a port, or one of the addresses."""
        if self.port not in (None, port):
            return False
        if self.network is not None:
            return any(each in self.network for each in addresses)
        name, host = self.name or "", host.lower().rstrip(".")
        return name in ("*", host) or (name.startswith("*.") and host.endswith(name[1:]))


_NEAR = (".localhost", ".local", ".internal", ".lan", ".home.arpa")


@dataclass(frozen=True, slots=True)
class TargetPolicy:
    """Decides which servers may be called.

    What is denied by a pattern is denied. Anything else may be called, but for private addresses where
    `private` is false: of these, only what is allowed by a pattern.

    Attributes:
        allowed, denied: the patterns.
        private: whether private addresses may be called: this machine, its network, and whatever else is not
            for everyone on the internet.
    """

    allowed: tuple[Pattern, ...] = ()
    denied: tuple[Pattern, ...] = ()
    private: bool = True

    @classmethod
    def parsed(cls, allow: Iterable[str], deny: Iterable[str]) -> TargetPolicy:
        """Return a policy of the patterns of `--allow-target` and `--deny-target`.

        Raises:
            ValueError: a pattern is none.
        """
        return cls(tuple(map(Pattern.parsed, allow)), tuple(map(Pattern.parsed, deny)))

    def served_at(self, address: str) -> TargetPolicy:
        """Return the policy of a server that listens at an address.

        One that other machines can reach must not be a way for them to what only this machine reaches.
        """
        return replace(self, private=ip_address(address.partition("%")[0]).is_loopback)

    @property
    def denies_nothing(self) -> bool:
        """Whether every target may be called."""
        return self.private and not self.denied

    def is_near(self, host: str, port: int) -> bool:
        """Tell whether a server is one that a mock may call unasked: on this machine's networks, by its name.

        Nothing is looked up: a name without dots, or one of those that nobody can have on the internet.
        """
        if any(pattern.fits(host, port, ()) for pattern in self.allowed):
            return True
        network = _network(host)
        if network is not None:
            return _is_private(network.network_address)
        name = host.lower().rstrip(".")
        return "." not in name or name.endswith(_NEAR)

    def check_name(self, host: str, port: int) -> None:
        """Let a host pass that is not denied by its name, whatever its address.

        Raises:
            TargetDenied: it is.
        """
        if reason := self._denial(host, port, ()):
            raise TargetDenied(reason)

    def callable_addresses(self, host: str, port: int, addresses: Sequence[str]) -> list[str]:
        """Return those of a host's addresses that may be called, in their order.

        Args:
            host: a name or an address, as the URL has it.
            port: the port.
            addresses: numeric; at least one.

        Raises:
            TargetDenied: none may.
        """
        reasons = {address: self._reason_against(host, port, address) for address in addresses}
        if callable_ones := [address for address, reason in reasons.items() if reason is None]:
            return callable_ones
        raise TargetDenied(next(filter(None, reasons.values())))

    def _reason_against(self, host: str, port: int, address: str) -> str | None:
        itself = ip_address(address.partition("%")[0])
        everywhere = [itself, *_embedded(itself)]
        if reason := self._denial(host, port, everywhere):
            return reason
        if self.private or not any(map(_is_private, everywhere)):
            return None
        if any(pattern.fits(host, port, _same(itself)) for pattern in self.allowed):
            return None
        # Not the address: a stranger who asks is not to learn what a name is here.
        what = "is a private address" if _network(host) else "leads to a private address"
        return (
            f"{host} {what}, and a server that listens for other machines calls none that --allow-target "
            "does not name"
        )

    def _denial(self, host: str, port: int, addresses: Iterable[Address]) -> str | None:
        for pattern in self.denied:
            if pattern.fits(host, port, addresses):
                return f"{host} is denied by --deny-target {pattern.text}"
        return None


def _network(text: str) -> IPv4Network | IPv6Network | None:
    bracketed = _BRACKETED.fullmatch(text)
    try:
        return ip_network(bracketed[1] + bracketed[2] if bracketed else text, strict=False)
    except ValueError:
        return None


def _same(address: Address) -> list[Address]:
    """The address, and the IPv4 address that it is another spelling of."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return [address] if mapped is None else [address, mapped]


def _embedded(address: Address) -> Iterator[Address]:
    """Addresses that an address leads to, by whatever way."""
    if address.is_unspecified:  # systems take it for this machine
        yield from (IPv4Address("127.0.0.1"), IPv6Address("::1"))
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped is not None:
        yield from (address.ipv4_mapped, *_embedded(address.ipv4_mapped))
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _NAT64 or address in _COMPATIBLE:
        yield IPv4Address(int(address) & 0xFFFF_FFFF)


def _is_private(address: Address) -> bool:
    """Tell whether an address is not for everyone on the internet, or for many at a time."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None or address in _NAT64:  # as private as what is embedded
            return False
        if address.is_site_local or address in _LOCAL_NAT64:
            return True
    return not address.is_global or address.is_multicast
