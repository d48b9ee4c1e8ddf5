"""What is known of one request while it is answered.

Everyone on the way writes down what they learn; the request log, the journal and the gateway read it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from bluehour.openapi.model import Operation

    from .accounts import Account
    from .exchange import Refusal

_KEY = "bluehour.trace"


Kind = Literal["", "drop", "cut", "drip"]


@dataclass(frozen=True, slots=True)
class Disruption:
    """What is to go wrong while an answer is sent.

    Attributes:
        delay: seconds before its first byte.
        kind: `drop` closes the connection instead, `cut` amid the body, `drip` sends byte by byte.
        drip_seconds: how long that takes.
    """

    delay: float = 0
    kind: Kind = ""
    drip_seconds: float = 0


class Broken(NamedTuple):
    """A rule that the answer breaks: its id, the field of the answer that shows it, and what is wrong."""

    rule: str
    field: str
    message: str


@dataclass(slots=True)
class Trace:
    """One request's story so far."""

    headers: Sequence[tuple[str, str]] | None = None
    """The request's, in their order, where a gateway of ours received them."""
    operation: Operation | None = None
    """What was called; None until it is known, and for a path or method that there is not."""
    transfer: str = ""
    """`upload` or `download` for the two ends of a signed link, which are no operations."""
    path_values: Mapping[str, str] = field(default_factory=dict)
    """The values of the path's parameters, by name."""
    token: str | None = None
    """The credential that came."""
    account: Account | None = None
    body: bytes | None = None
    """The request's body, where it was read into memory."""
    answer: bytes | None = None
    """The answer's body, likewise."""
    note: Mapping[str, Any] = field(default_factory=dict)
    """What happened: `project`, `charged`, `balance`, `error`, …"""
    forced: str | None = None
    """What a scenario did, in words."""
    broken: Sequence[Broken] = ()
    """What of the answer breaks the contract, where somebody judges it: a proxy before another server."""
    remarks: Sequence[str] = ()
    """What else is to be said of it, such as that the answer never arrived."""
    refused: Refusal | None = None
    """Why it is refused before anybody works on it."""
    disruption: Disruption | None = None
    events: Callable[[], AsyncIterator[bytes]] | None = None
    """The body of an answer that goes on for ever: server-sent events."""


def begin_trace(environ: WSGIEnvironment, headers: Sequence[tuple[str, str]]) -> None:
    """Begin the trace of a request with its headers."""
    environ[_KEY] = Trace(headers)


def trace_of(environ: WSGIEnvironment) -> Trace:
    """Return the trace of the request that this is the environment of; a new one, the first time."""
    trace: Trace | None = environ.get(_KEY)
    if trace is None:
        trace = environ[_KEY] = Trace()
    return trace
