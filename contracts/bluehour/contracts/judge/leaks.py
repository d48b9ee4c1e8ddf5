"""What no answer may show: stack traces, the server's files, secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from bluehour.openapi.data import from_json

from ..exchange import Answer, Exchange
from .rulings import Rulings

_DISK = r"(?<![\w.:/-])/(?:usr|home|root|var|opt|srv|app|etc|tmp|mnt|Users)/[\w.@+-][\w./@+-]*"
_SQL = r"\b(?:SELECT|INSERT INTO|UPDATE|DELETE FROM)\b[^\n]{1,200}?\b(?:FROM|VALUES|SET|WHERE)\b"
_KEY = r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bwhsec_\w{6,}|\bsk_(?:live|test)_\w{6,}"
_DATABASE = r"\b(?:sqlalchemy\.exc|psycopg2?\.|sqlite3\.\w*Error|SQLSTATE\[|pymongo\.errors)"

_LEAKS = tuple(
    (what, re.compile(pattern))
    for what, pattern in (
        ("a stack trace", r"Traceback \(most recent call last\)"),
        ("a stack trace", r"\bFile \"[^\"]+\", line \d+"),
        ("a stack trace", r"\bat [\w$.<>\[\] ]{1,200} \([^()\s]+:\d+:\d+\)"),
        ("a stack trace", r"\bat [\w$.]+\([\w$]+\.(?:java|kt|scala|cs):\d+\)"),
        ("a stack trace", r"\bgoroutine \d+ \[running\]"),
        ("a stack trace", r"\b(?:panicked|panic:)[^\n]{0,80}\.(?:rs|go):\d+"),
        ("a path of the server's disk", _DISK),
        ("a path of the server's disk", r"\b[A-Z]:\\(?:\w[\w .-]*\\)+"),
        ("a path of the server's disk", r"\b(?:site-packages|node_modules)/"),
        ("a database's error", _DATABASE),
        ("a database's error", _SQL),
        ("a connection's password", r"\b\w+(?:\+\w+)?://[^\s/:@]+:[^\s/@]+@"),
        ("a secret key", _KEY),
    )
)

_SHORTEST_SECRET = 8
"""Characters of a token that can't be in an answer by chance."""


def judge_leaks(exchange: Exchange, rulings: Rulings) -> None:
    """Say whether an answer shows what is not the caller's to see, other than what the caller sent itself."""
    answer = exchange.answer
    if answer is None or exchange.transfer:
        return
    found = _token_in(exchange, answer)
    if found is None and answer.status >= 400:
        found = _leak_in(exchange, answer)
    rulings.expect(
        "answer.leak", found is None, f"A {answer.status} shows {found}", (found or "").split(":")[0]
    )


def _token_in(exchange: Exchange, answer: Answer) -> str | None:
    _, _, token = (exchange.request.header("Authorization") or "").partition(" ")
    token = token.strip()
    if len(token) < _SHORTEST_SECRET:
        return None
    shown = answer.body + "\n".join(value for _, value in answer.headers).encode("utf-8", "surrogateescape")
    return "the caller's token" if token.encode("utf-8", "surrogateescape") in shown else None


def _leak_in(exchange: Exchange, answer: Answer) -> str | None:
    text = _read(answer.body)
    sent = unquote(exchange.request.url) + exchange.request.body.decode("utf-8", "replace")
    sent += _read(exchange.request.body)
    for what, pattern in _LEAKS:
        for match in pattern.finditer(text):
            if match[0] not in sent:
                return f"{what}: {' '.join(match[0].split())[:120]}"
    return None


def _read(body: bytes) -> str:
    """A body as a person reads it: of JSON its texts, a line each, without what JSON escapes in them."""
    try:
        return "\n".join(_texts(from_json(body)))
    except ValueError:
        return body.decode("utf-8", "replace")


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, child in node.items():
            yield key
            yield from _texts(child)
    elif isinstance(node, list):
        for child in node:
            yield from _texts(child)
