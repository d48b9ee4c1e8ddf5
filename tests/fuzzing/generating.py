"""Requests for a contract: legal ones, changed with a mind for what they are made of."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any
from urllib.parse import quote, urlsplit

import orjson

from bluehour.openapi.contract import Contract
from bluehour.openapi.document import SpecError
from bluehour.openapi.model import Operation, Parameter

from .contents import Contents
from .odd_http import METHODS, PARAMETERS, QUERIES, Header
from .oddities import TEXTS
from .sending import Sent, sent

_PARAMETER = re.compile(rb"\{([^{}]+)\}")

_INSERTED = b"/../ /%2e%2e/ %2f %00 % %ff \xff \xe6\xbc\xa2 %E6%BC%A2 ;a=b %0d%0a // /./ # %25 ".split()
"""Into a path, at any place."""

_FILES = (b"", b"x", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff\xe0")

_LEARNED = ("id", "file_path", "upload_url", "url")
"""Fields of answers whose values are used in requests to come."""


class Generator:
    """Makes requests.

    Args:
        contract: whose operations are called.
        seed: the same one makes the same requests, as long as the server gives out the same.
        tokens: what opens an account.
        prefixes: what may stand before the operations' paths.
        extra: methods and paths that the contract does not have.
    """

    def __init__(
        self,
        contract: Contract,
        seed: int,
        tokens: Sequence[str],
        prefixes: Sequence[str] = ("",),
        extra: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        self._random = random = Random(seed)
        self._tokens = tokens
        self._prefixes = prefixes
        self._extra = extra
        self._operations = [(each, Contents(each, random)) for each in contract.operations]
        self._learned: dict[str, deque[str]] = {name: deque(maxlen=20) for name in _LEARNED}

    def learn(self, body: bytes) -> None:
        """Remember ids and links of an answer, to be used by requests to come."""
        if not body.startswith((b"{", b"[")) or len(body) > 20_000:
            return
        try:
            answer = orjson.loads(body)
        except orjson.JSONDecodeError:
            return
        for name, text in _texts(answer):
            if name in self._learned:
                self._learned[name].append(text)

    def requests(self, number: int) -> Iterator[Sent]:
        """Yield so many."""
        for _ in range(number):
            yield self._request()

    def _request(self) -> Sent:
        random = self._random
        links = [*self._learned["upload_url"], *self._learned["url"]]
        if links and random.random() < 0.06:
            return self._transfer(random.choice(links))
        if self._extra and random.random() < 0.05:
            method, target = random.choice(self._extra)
            return sent(method, target, [], b"", random)
        operation, contents = random.choice(self._operations)
        known = [*self._tokens, *(text for texts in self._learned.values() for text in texts)]
        content, content_type = contents.content(known)
        headers, query = self._credentials(operation)
        if content_type:
            headers.append((b"Content-Type", content_type))
        query += self._query(operation)
        target = self._path(operation) + (b"?" + b"&".join(query) if query else b"")
        method = random.choice(METHODS) if random.random() < 0.03 else operation.method.encode()
        return sent(method, target, headers, content, random)

    def _credentials(self, operation: Operation) -> tuple[list[Header], list[bytes]]:
        """Headers and a query by which the contract knows a caller; most of the time."""
        random = self._random
        headers: list[Header] = []
        query: list[bytes] = []
        for scheme in random.choice(operation.security or ((),)) if random.random() < 0.95 else ():
            name, token = scheme.parameter.encode(), random.choice(self._tokens).encode()
            if scheme.type != "apiKey":
                headers.append((b"Authorization", (scheme.scheme or "bearer").encode() + b" " + token))
            elif scheme.location == "query":
                query.append(name + b"=" + token)
            else:
                is_cookie = scheme.location == "cookie"
                headers.append((b"Cookie", name + b"=" + token) if is_cookie else (name, token))
        return headers, query

    def _path(self, operation: Operation) -> bytes:
        random = self._random
        parameters = {each.name: each for each in operation.parameters if each.location == "path"}
        template = (random.choice(self._prefixes) + operation.path).encode()
        path = _PARAMETER.sub(lambda found: self._segment(parameters.get(found[1].decode())), template)
        return self._odd_path(path) if random.random() < 0.08 else path

    def _segment(self, parameter: Parameter | None) -> bytes:
        random = self._random
        choice = random.random()
        if self._learned["id"] and choice < 0.5:
            return quote(random.choice(self._learned["id"]), safe="").encode()
        if choice < 0.7:
            return _legal(parameter)
        if choice < 0.9:
            return random.choice(PARAMETERS) or b"%20"
        return quote(random.choice(TEXTS).encode("utf-8", "surrogatepass"), safe="").encode() or b"0"

    def _odd_path(self, path: bytes) -> bytes:
        random = self._random
        place = random.randrange(len(path) + 1)
        before, after = path[:place], path[place:]
        return random.choice(
            (
                before + random.choice(_INSERTED) + after,
                before + random.choice(_INSERTED) + after,
                before + b"x" * 3000 + after,
                b"/" + path,
                path + b"/",
                before,
                path.upper(),
                b"/" + b"".join(b"%%%02x" % byte for byte in path[1:]),
                b"http://[::1]:4010" + path,
                b"*",
            )
        )

    def _query(self, operation: Operation) -> list[bytes]:
        random = self._random
        parts = []
        for each in operation.parameters:
            if each.location == "query" and random.random() < (0.9 if each.required else 0.4):
                value = _legal(each) if random.random() < 0.6 else random.choice(PARAMETERS)
                parts.append(quote(each.name, safe="").encode() + b"=" + value)
        if parts and random.random() < 0.1:
            parts.append(random.choice(parts))
        if random.random() < 0.08:
            parts.append(random.choice(QUERIES))
        return parts

    def _transfer(self, link: str) -> Sent:
        """A call of one of the two ends of a signed link, which may be changed a little."""
        random = self._random
        parts = urlsplit(link)
        path, query = parts.path.encode(), parts.query.encode()
        if random.random() < 0.1:
            path = self._odd_path(path)
        if random.random() < 0.4:
            query = random.choice(
                (
                    query.replace(b"expires=", b"expires=" + random.choice(PARAMETERS)),
                    b"expires=%s&signature=%s" % (random.choice(PARAMETERS), b"0" * 64),
                    query + random.choice(PARAMETERS),
                    query.replace(b"&", b";"),
                    query.rpartition(b"=")[0],
                    b"",
                )
            )
        method = random.choice((b"PUT", b"GET", b"GET", b"HEAD", b"POST", b"DELETE"))
        content = random.choice(_FILES) if method == b"PUT" else b""
        return sent(method, path + b"?" + query, [], content, random)


def _legal(parameter: Parameter | None) -> bytes:
    """A legal value of a parameter, where one can be made."""
    if parameter is not None:
        try:
            return quote(str(parameter.example), safe="").encode()
        except SpecError:
            pass
    return b"1"


def _texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The texts of an answer, each with the name of its field."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, key)
    elif isinstance(value, list):
        for item in value[:20]:
            yield from _texts(item, name)
