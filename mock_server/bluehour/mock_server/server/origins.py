"""What clients reach the server by: it goes into links, and tells which of them are on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from bluehour.openapi.messages import Headers, is_host

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Origins:
    """Tells of each request where it was sent, and by whom.

    Attributes:
        scheme: `http` or `https`, as the server itself speaks.
        public: the base URL that clients use, whatever they say; nothing where their Host header tells.
        proxies: whose `X-Forwarded-` headers are believed; anybody else could make them up.
    """

    scheme: str = "http"
    public: str = ""
    proxies: tuple[Network, ...] = ()

    def origin_of(self, host: str, headers: Headers, peer: str) -> str:
        """Return what a client reaches the server by, such as `https://mock.example.com`.

        Args:
            host: of the request, or the server's own address.
            headers: the request's.
            peer: the address that it came from.
        """
        if self.public:
            return self.public
        scheme = self.scheme
        if self.proxies and self._is_proxy(peer):
            told = _first(headers.get("x-forwarded-proto"))
            scheme = told if told in ("http", "https") else scheme
            forwarded = _first(headers.get("x-forwarded-host"))
            host = forwarded if is_host(forwarded) else host
        return f"{scheme}://{host}"

    def client_of(self, headers: Headers, peer: str) -> str:
        """Return the address of who has sent a request: behind proxies, the last one that is none of them.

        Args:
            headers: the request's.
            peer: the address that it came from.
        """
        if not self.proxies:
            return peer
        hops = [hop.strip() for hop in (headers.get("x-forwarded-for") or "").split(",")]
        client = peer
        while self._is_proxy(client) and hops and _is_address(hops[-1]):
            client = hops.pop()
        return client

    def _is_proxy(self, address: str) -> bool:
        try:
            found = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(found in network for network in self.proxies)


def networks(given: tuple[str, ...]) -> tuple[Network, ...]:
    """Return the networks that proxies are on.

    Args:
        given: addresses and networks, such as `127.0.0.1` and `10.0.0.0/8`.

    Raises:
        ValueError: one is neither; the message says which.
    """
    return tuple(_network(each) for each in given)


def _network(text: str) -> Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is no address and no network, as 127.0.0.1 and 10.0.0.0/8 are") from None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _first(value: str | None) -> str:
    return (value or "").partition(",")[0].strip()
