"""What a behaviour is given, a `Call`, and what it gives back: an `Answer`, or a `Refusal` that it raises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bluehour.openapi.errors import BluehourError
from bluehour.openapi.messages import Request
from bluehour.openapi.model import JSON, Operation, Security
from bluehour.openapi.wording import printable

from ..core.accounts import Account
from ..core.world import World
from ..outbound.policy import TargetPolicy
from .trace import Trace


def challenge(operation: Operation | None) -> dict[str, str]:
    """Return the header that tells how to do better after a 401: the schemes that an operation takes."""
    schemes = [scheme for each in operation.security for scheme in each] if operation else []
    known = dict.fromkeys(filter(None, (_challenge_of(scheme) for scheme in schemes)))
    return {"WWW-Authenticate": ", ".join(known) or "Bearer"}


def _challenge_of(scheme: Security) -> str:
    match scheme.type:
        case "apiKey":  # no scheme of HTTP's; a client that knows none of this name shows it to a person
            return f'ApiKey in="{scheme.location}", name="{printable(scheme.parameter)}"'
        case "http" if scheme.scheme != "bearer":
            return f'{scheme.scheme.title()} realm="API"'
        case "mutualTLS":
            return ""
        case _:
            return "Bearer"


@dataclass(slots=True)
class Call:
    """One legal request, on its way to a behaviour.

    Attributes:
        world: everything that the server keeps.
        targets: which servers may be called for it.
        operation: what was called.
        account: who called; None where the operation lets anybody in.
        path: the values of the path's parameters, by name.
        parameters: the values of all parameters as data, by name; None of those that did not come.
        body: the body as data; None where there was none.
        request: the request itself.
        now: the time of the call, in seconds since the epoch; one call has one time.
        job: how the project ends that it creates, where a scenario says so: see `Effect.job`.
        trace: where what happens is written down.
    """

    world: World
    targets: TargetPolicy
    operation: Operation
    account: Account | None
    path: Mapping[str, str]
    parameters: Mapping[str, Any]
    body: Any
    request: Request
    now: float
    job: str | None
    trace: Trace

    @property
    def base_url(self) -> str:
        """What the client reaches this server by, such as `http://127.0.0.1:4010`."""
        return self.request.origin

    @property
    def caller(self) -> Account:
        """The account of an operation that wants one.

        Raises:
            Refusal: the contract lets anybody in, but the behaviour can't.
        """
        if self.account is None:
            raise Refusal("unauthorized")
        return self.account


@dataclass(slots=True)
class Answer:
    """A status and a body.

    Attributes:
        status: such as 200.
        body: data for JSON media types, text, bytes or a file for others.
        media_type: None where there is no body at all.
        headers: beside the Content-Type.
        note: for the request log, what happened.
        doubt: why the contract may not allow it, where it is the best that the contract has.
    """

    status: int
    body: Any = None
    media_type: str | None = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    note: Mapping[str, Any] = field(default_factory=dict)
    doubt: str = ""


Behaviour = Callable[[Call], Answer]
"""What answers an operation."""


class Refusal(BluehourError):
    """The request is refused with one of the contract's error codes; nothing was stored or charged.

    Attributes:
        code: such as `invalid_request`; the contract knows its status.
        message: for a person; None for the one that the contract's example shows.
        headers: to be sent along.
        doubt: why the contract may not declare it, see `Answer.doubt`.
    """

    def __init__(
        self,
        code: str,
        message: str | None = None,
        headers: Mapping[str, str] | None = None,
        doubt: str = "",
    ) -> None:
        super().__init__(message or code)
        self.code = code
        self.message = message
        self.headers = headers or {}
        self.doubt = doubt
