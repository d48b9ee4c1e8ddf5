"""How a deployment is reached: by which proxy, with which certificates, and with which headers of its own."""

from __future__ import annotations

import base64
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from ..exchange import Headers
from ..loopback import is_loopback

_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Whom a URL leads to."""

    scheme: str
    host: str
    port: int

    @property
    def address(self) -> str:
        """Its host and port, as a proxy is told them."""
        host = f"[{self.host}]" if ":" in self.host else self.host.encode("idna").decode()
        return f"{host}:{self.port}"


def origin_of(url: str) -> Origin:
    """Return whom a URL leads to.

    Raises:
        ValueError: it is no http or https URL.
    """
    parts = urlsplit(url)
    port = parts.port
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("it is no http or https URL")
    return Origin(parts.scheme, parts.hostname, port or _PORTS[parts.scheme])


def foreign_host(url: str, target: str) -> str:
    """Return the host that a link leads to where it is not the target's; nothing where it is, or is none.

    A port of its own makes another host; https beside http does not.
    """
    try:
        there, here = origin_of(url), origin_of(target)
    except ValueError:
        return ""
    ports = [0 if each.port in _PORTS.values() else each.port for each in (there, here)]
    if there.host == here.host and ports[0] == ports[1]:
        return ""
    return there.address.removesuffix(f":{_PORTS[there.scheme]}")


class Proxy(NamedTuple):
    """An HTTP proxy; `authorization` is the value of Proxy-Authorization, nothing where it asks for none."""

    host: str
    port: int
    authorization: str

    @property
    def headers(self) -> Headers:
        """What is sent to it alone."""
        return (("Proxy-Authorization", self.authorization),) if self.authorization else ()

    def __str__(self) -> str:
        """Tell it without its password."""
        return f"http://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Network:
    """How the deployment is reached.

    Attributes:
        headers: sent with every request to the deployment itself, and not to links that lead elsewhere.
        proxy: the URL of an HTTP proxy for all requests; without one, HTTP_PROXY, HTTPS_PROXY and NO_PROXY
            are obeyed, but for servers on this machine.
        cacert: a file of certificates, PEM, that are trusted beside those that the system trusts.
        insecure: whether any certificate is taken.
        cert: the client's certificate, PEM, which the deployment alone is shown.
        key: its key; None where it is in the same file.
    """

    headers: Headers = field(default=(), repr=False)
    proxy: str | None = None
    cacert: Path | None = None
    insecure: bool = False
    cert: Path | None = None
    key: Path | None = None

    def try_for(self, target: str) -> None:
        """See that a deployment can be called so.

        Raises:
            ValueError: an option or a variable can't be used; the message says what to do, in one line.
        """
        self.try_certificates(target)
        self.proxy_for(origin_of(target))

    def try_certificates(self, target: str) -> None:
        """See that certificates can be judged and shown so.

        Raises:
            ValueError: an option can't be used; the message says what to do, in one line.
        """
        if self.key is not None and self.cert is None:
            raise ValueError("--key is the key of a certificate: say which by --cert FILE")
        if self.cacert is not None and self.insecure:
            raise ValueError("--cacert and --insecure contradict each other: leave one out")
        if origin_of(target).scheme == "https" or self.cacert or self.cert:
            self.tls(shows_certificate=True)

    def proxy_for(self, origin: Origin) -> Proxy | None:
        """Return the proxy that leads to a server; None where it is called directly.

        Raises:
            ValueError: the proxy that is named can't be used; the message says what to do.
        """
        if self.proxy:
            return _proxy(self.proxy, "--proxy")
        known = getproxies_environment()
        named = known.get(origin.scheme)
        if not named or is_loopback(origin.host) or proxy_bypass(origin.address):
            return None
        return _proxy(named, f"{origin.scheme.upper()}_PROXY")

    def tls(self, *, shows_certificate: bool) -> ssl.SSLContext:
        """Return what certificates are judged by, and whether the client's own is shown.

        Raises:
            ValueError: a file can't be used; the message names it.
        """
        made = ssl.create_default_context()
        if self.insecure:
            made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
        if self.cacert is not None:
            try:
                made.load_verify_locations(self.cacert)
            except OSError as error:
                raise ValueError(
                    f"--cacert: {self.cacert} has no certificate that can be read, PEM"
                ) from error
        if self.cert is not None and shows_certificate:
            self._load_own(made, self.cert)
        return made

    def _load_own(self, made: ssl.SSLContext, cert: Path) -> None:
        def none() -> str:
            raise ValueError(f"--key: {self.key or cert} has a passphrase; give a key without one")

        try:
            made.load_cert_chain(cert, self.key, password=none)
        except OSError as error:
            beside = f" with --key {self.key}" if self.key else "; is its key in another file? --key FILE"
            raise ValueError(f"--cert: {cert} can't be used{beside}: {error.strerror or error}") from error

    def described(self, target: str) -> list[str]:
        """Return what a reader of the report should know of it, in sentences."""
        notes = []
        if self.headers:
            names = ", ".join(dict.fromkeys(name for name, _ in self.headers))
            notes.append(f"Every request to the deployment itself carried what --header says: {names}.")
        if proxy := self.proxy_for(origin_of(target)):
            notes.append(f"The deployment was called through the proxy {proxy}.")
        if self.insecure:
            notes.append("No certificate was verified: --insecure.")
        return notes


def _proxy(url: str, said_by: str) -> Proxy:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port or _PORTS["http"]
    except ValueError as error:
        raise ValueError(f"{said_by} is no URL of a proxy: {error}") from error
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(
            f"{said_by}: say an HTTP proxy, as in http://proxy.example.com:3128, which carries https, too; "
            "SOCKS and proxies behind TLS are not supported"
        )
    user = unquote(parts.username or ""), unquote(parts.password or "")
    basic = base64.b64encode(":".join(user).encode()).decode() if any(user) else ""
    return Proxy(parts.hostname, port, f"Basic {basic}" if basic else "")
