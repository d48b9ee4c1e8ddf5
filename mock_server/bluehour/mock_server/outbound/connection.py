"""One HTTP request within one deadline: look-up, connection, TLS, the request, its answer piece by piece.

http.client speaks HTTP. It gets a socket whose every operation has what is left of the deadline, so that a
server that sends a byte a second gains nothing by it.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import closing, contextmanager
from functools import cache
from ipaddress import ip_address
from threading import BoundedSemaphore, Thread
from typing import TYPE_CHECKING, Any, cast

from .errors import OutboundError, TookTooLong
from .policy import TargetPolicy
from .url import Url

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_PIECE = 2**16
"""Bytes of a body that are read at a time."""

_LOOKUPS = BoundedSemaphore(32)
"""Names that are looked up at a time. A look-up can't be given up: its thread ends when the resolver does."""


class Deadline:
    """A time by which all must be done.

    Args:
        seconds: from now on.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends_at = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left.

        Raises:
            TookTooLong: there are none.
        """
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise self.passed()
        return left

    def passed(self) -> TookTooLong:
        """Return what says that it has passed."""
        return TookTooLong(f"no answer within {self._seconds:g} s")


@contextmanager
def answer_to(
    method: str,
    url: str,
    policy: TargetPolicy,
    deadline: Deadline,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Iterator[http.client.HTTPResponse]:
    """Send a request, and give its answer, whose body `pieces` reads; redirects are not followed.

    Args:
        method: such as GET.
        url: http or https.
        policy: which targets may be called.
        deadline: for all that is done in the context.
        body: what is sent.
        headers: beside those that HTTP wants, and a User-Agent.

    Raises:
        OutboundError: it came to nothing.
    """
    target = Url.parsed(url)
    with closing(_connected(target, policy, deadline)) as connected:
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.default_port = 443 if target.scheme == "https" else 80  # it goes without saying in Host
        connection.sock = cast(socket.socket, _TimedSocket(connected, deadline))
        with _in_one_line(deadline):
            connection.request(method, target.path, body, {"User-Agent": "bluehour", **(headers or {})})
            answer = connection.getresponse()
        yield answer


def pieces(answer: http.client.HTTPResponse, deadline: Deadline) -> Iterator[bytes]:
    """Read an answer's body piece by piece.

    Raises:
        OutboundError: it is not whole, or does not come in time.
    """
    while True:
        with _in_one_line(deadline):
            piece = answer.read(_PIECE)
        if not piece:
            break
        yield piece
    if answer.length:  # at the end of a body that has come whole nothing is left
        raise OutboundError(f"its answer is cut off: {answer.length} bytes of it did not come")


def check_target(url: str, policy: TargetPolicy, seconds: float) -> None:
    """Let a URL pass that may be called, as far as can be told now.

    A name that can't be looked up, or not within the seconds given, may be one tomorrow: it passes, unless it
    is denied by name. It is judged again with each request.

    Raises:
        TargetDenied: it may not be called.
        OutboundError: it is no http or https URL.
    """
    target = Url.parsed(url)
    policy.check_name(target.host, target.port)
    if policy.denies_nothing:
        return
    try:
        addresses = _addresses_of(target, Deadline(seconds))
    except OutboundError:
        return
    policy.callable_addresses(target.host, target.port, addresses)


def _addresses_of(url: Url, deadline: Deadline) -> list[str]:
    """The numeric addresses of a URL's host, those that are to be tried first in front."""
    try:
        return [f"{ip_address(url.host)}"]
    except ValueError:
        pass
    if not _LOOKUPS.acquire(timeout=deadline.left()):
        raise deadline.passed()
    found: Future[list[str]] = Future()
    Thread(target=_look_up, args=(url, found), name="bluehour-lookup", daemon=True).start()
    try:
        return found.result(deadline.left())
    except TimeoutError:
        raise deadline.passed() from None
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutboundError(f"the name {url.host} can't be looked up: {reason}") from error


def _look_up(url: Url, found: Future[list[str]]) -> None:
    try:
        infos = socket.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
        found.set_result(list(dict.fromkeys(str(info[4][0]) for info in infos)))
    except Exception as error:  # told to whoever waits
        found.set_exception(error)
    finally:
        _LOOKUPS.release()


def _connected(url: Url, policy: TargetPolicy, deadline: Deadline) -> socket.socket:
    addresses = policy.callable_addresses(url.host, url.port, _addresses_of(url, deadline))
    problem: OSError = OSError("it has no address")
    for number, address in enumerate(addresses):
        share = deadline.left() / (len(addresses) - number)  # one that is silent leaves time for the others
        try:
            connected = socket.create_connection((address, url.port), share)
        except OSError as error:
            problem = error
        else:
            return _encrypted(connected, url.host, deadline) if url.scheme == "https" else connected
    deadline.left()
    raise OutboundError(problem.strerror or f"{problem}") from problem


def _encrypted(plain: socket.socket, host: str, deadline: Deadline) -> socket.socket:
    try:
        plain.settimeout(deadline.left())
        with _in_one_line(deadline):
            return _tls().wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class _TimedSocket:
    """What http.client needs of a socket; each operation has as long as the deadline leaves."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._connected = connected
        self._deadline = deadline

    def sendall(self, data: ReadableBuffer) -> None:
        self._connected.settimeout(self._deadline.left())
        self._connected.sendall(data)

    def makefile(self, *_: Any) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._connected, self._deadline))

    def close(self) -> None:
        """Do nothing: http.client closes it before the answer is read, whoever opened it afterwards."""


class _TimedReader(io.RawIOBase):
    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._connected = connected
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._connected.settimeout(self._deadline.left())
        return self._connected.recv_into(buffer)


@contextmanager
def _in_one_line(deadline: Deadline) -> Iterator[None]:
    """Have what sockets and http.client raise be an OutboundError."""
    try:
        yield
    except TimeoutError:
        raise deadline.passed() from None
    except http.client.IncompleteRead as error:
        raise OutboundError("its answer is cut off") from error
    except ssl.SSLCertVerificationError as error:
        raise OutboundError(f"its certificate is refused: {error.verify_message}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "strerror", None) or f"{error}" or type(error).__name__
        raise OutboundError(reason.splitlines()[0][:200]) from error
