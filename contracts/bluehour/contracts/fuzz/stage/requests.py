"""A request as it came, and what of it breaks the contract."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from bluehour.openapi.messages import Headers, Pairs
from bluehour.openapi.messages import Request as Message
from bluehour.openapi.model import Operation
from bluehour.openapi.reading import read
from bluehour.openapi.routes import Match, Routes

from ..performance import Host


@dataclass(frozen=True)
class Request:
    """What came.

    Attributes:
        host: who was asked.
        headers: names in lower case.
    """

    host: Host
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def carries(self, token: str) -> bool:
        """Tell whether the token is anywhere in it."""
        raw = token.encode()
        heads = (self.target, *self.headers.values())
        return raw in self.body or any(token in unquote(head) for head in heads)


class Understood:
    """A request to the API, read by the contract.

    Attributes:
        operation: that it calls; None where the contract has none.
        match: the operation, with the values of its path.
        message: the request, as every part of Bluehour has it.
        project: the last id in its path; nothing where the path has none.
        is_split: whether the id has a slash in it that is not percent-encoded.
        body: as data; None where it can't be read.
        faults: what breaks the contract, in words.
        authorized: whether it brings the token.
    """

    def __init__(self, routes: Routes, request: Request, token: str) -> None:
        match, self.is_split = _called(routes, request)
        self.operation = match.operation if match else None
        self.match = match
        headers = Headers(list(request.headers.items()))
        self.message = Message(request.method, request.target, headers, request.body)
        self.project = next(reversed([*match.values.values()]), "") if match else ""
        self.body: Any = None
        self.authorized = False
        self.faults = tuple(self._faults(match, request, token))

    def _faults(self, match: Match | None, request: Request, token: str) -> Iterator[str]:
        if match is None:
            yield f"the contract has no {request.method} {request.path}"
            return
        found = read(match.operation, self.message, match.values)
        self.body, self.authorized = found.body, _is_token(found.credential, token)
        if not self.authorized and match.operation.security and () not in match.operation.security:
            yield self._without_token(match.operation, request)
        if found.message:
            yield found.message

    @staticmethod
    def _without_token(operation: Operation, request: Request) -> str:
        schemes = {scheme.scheme or scheme.type for each in operation.security for scheme in each}
        if schemes != {"bearer"}:
            return "it is sent without the token"
        is_missing = "authorization" not in request.headers
        return "it is sent without Authorization" if is_missing else "Authorization is not Bearer <token>"


def _is_token(credential: str | None, token: str) -> bool:
    """Tell whether a credential is the token, as it is or as the name of a Basic one."""
    if credential is None:
        return False
    basic = (base64.b64encode(each.encode()).decode() for each in (token, f"{token}:", f":{token}"))
    return credential == token or credential in basic


def _called(routes: Routes, request: Request) -> tuple[Match | None, bool]:
    """What a request calls, and whether only once the slashes of an id in its path are percent-encoded."""
    path, is_split = request.path, False
    while (match := routes.find(request.method, path)) is None and path.rfind("/") > 0:
        before, _, rest = path.rpartition("/")
        path, is_split = f"{before}%2F{rest}", True
    # HEAD, which the contract has not, is not taken for GET here: no answer is prepared for it.
    return (match, is_split) if match and match.operation.method == request.method else (None, False)


def lower_names(pairs: Pairs) -> Mapping[str, str]:
    """Return headers by their names in lower case, the first of each."""
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name.lower(), value)
    return found
