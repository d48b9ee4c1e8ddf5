"""A URL that a request can be sent to, taken apart."""

from __future__ import annotations

import string
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from .errors import OutboundError

_PORTS = {"http": 80, "https": 443}

_AS_WRITTEN = "!#$%&'()*+,/:;=?@[]~"
"""What of a URL needs no quotes, or has them already."""


@dataclass(frozen=True, slots=True)
class Url:
    """An http or https URL.

    Attributes:
        host: a name, in the ASCII form that it has in the DNS, or an address; IPv6 without its brackets.
        path: with the query, quoted; at least `/`.
    """

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parsed(cls, text: str) -> Url:
        """Take a URL apart; its user, password and fragment are not sent.

        Raises:
            OutboundError: it is no http or https URL.
        """
        try:
            parts = urlsplit(text)
            host, port = _ascii(parts.hostname or ""), parts.port
        except ValueError as error:  # a port that is no number, an address that is none
            raise OutboundError(f"it is no URL: {error}") from None
        if parts.scheme not in _PORTS:
            raise OutboundError("it is no http or https URL")
        if not host or port == 0 or any(each.isspace() or not each.isprintable() for each in text):
            raise OutboundError("it is no URL of a server")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.scheme, host, port or _PORTS[parts.scheme], quote(path, safe=_AS_WRITTEN))


def _ascii(host: str) -> str:
    # As the resolver spells it, so that what is judged is what is called.
    return host if host.isascii() else host.encode("idna").decode()


def redirected(url: str, location: str) -> str:
    """Return the URL that a Location header leads to from another one."""
    # http.client reads headers as Latin-1; the bytes are kept as they came.
    try:
        return urljoin(url, quote(location, encoding="latin-1", safe=string.punctuation))
    except ValueError as error:
        raise OutboundError(f"it is redirected to what is no URL: {error}") from None
