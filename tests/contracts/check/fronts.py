"""What stands before a server: a TLS front, and a proxy as companies have it. Both are real, and small."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread
from urllib.parse import urlsplit

from .raw import Peer, serving

_ABSOLUTE = re.compile(rb"^([A-Z]+) http://[^/ ]+(/[^ ]*)")


@contextmanager
def tls_front(url: str, context: ssl.SSLContext) -> Iterator[str]:
    """Pass on what comes by TLS to a server that speaks none; give the https URL."""

    def script(peer: Peer) -> None:
        with suppress(OSError), context.wrap_socket(peer.socket, server_side=True) as client:
            _pass_on(client, _connected(url))

    with serving(script) as server:
        yield server.url.replace("http:", "https:")


@dataclass
class Proxy:
    """A running proxy: its URL, and the first lines and credentials of what it was asked for."""

    url: str
    asked: list[str] = field(default_factory=list)
    credentials: set[str] = field(default_factory=set)


@contextmanager
def proxy_to(url: str, refuses: int = 0) -> Iterator[Proxy]:
    """A proxy for which every name leads to one server; or that refuses to open a tunnel."""

    def script(peer: Peer) -> None:
        head = peer.head()
        proxy.asked.append(head.split(b"\r\n")[0].decode())
        proxy.credentials.update(re.findall(r"Proxy-Authorization: (.*)\r\n", head.decode()))
        if refuses:
            peer.send(f"HTTP/1.1 {refuses} No\r\nContent-Length: 3\r\n\r\nno\n".encode())
            return
        server = _connected(url)
        if head.startswith(b"CONNECT "):
            peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            server.sendall(_ABSOLUTE.sub(rb"\1 \2", head).replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        _pass_on(peer.socket, server)

    with serving(script) as server:
        proxy = Proxy(server.url)
        yield proxy


def _connected(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port))


def _pass_on(client: socket.socket, server: socket.socket) -> None:
    back = Thread(target=_copy, args=(server, client), daemon=True)
    back.start()
    with server:
        _copy(client, server)
        back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
