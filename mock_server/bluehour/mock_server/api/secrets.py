"""Secrets as they may be shown: enough to recognise one, too little to use it.

What the journal, its archive, the log and a proxy show goes through here. It is for showing alone: a request
is judged as it was sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from threading import Lock
from urllib.parse import quote

from ..core.accounts import shortened

_SECRET_HEADER = re.compile(
    r"(?:.*-)?(?:authorization|(?:api|access|auth|secret|subscription)-?key|(?:.*-)?token|secret|password)",
    re.IGNORECASE,
)
_COOKIE = re.compile(r"(=\s*)([^;\s]+)")
_COOKIES = {"cookie": 0, "set-cookie": 1}
"""Headers of cookies, and how many there may be in one; 0: any number."""
_SECRET_FIELD = re.compile(
    r"((?:^|[?&;])(?:[\w.-]*(?:api[_-]?key|token|secret|password)|[\w.-]+signature|sig|key|auth)=)([^&;#\s]+)",
    re.IGNORECASE,
)
_USER = re.compile(r"(://)[^/?#@\s\"']+@")
"""Of a URL, with a password mostly."""
_SIGNATURE = re.compile(r"(signature=[0-9a-f]{6})[0-9a-f]{26,}", re.IGNORECASE)

_SHORTEST = 6
"""Characters; what is shorter may be in a text by chance."""

_FEW = 8
_SHORT_TEXT = 2000

_REMEMBERED = 256
"""Credentials; those that were learned first are forgotten first."""


class Secrets:
    """Remembers credentials, and takes them out of whatever is shown. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[str, tuple[str, ...]] = {}
        """By credential, its forms."""
        self._by_start: dict[str, tuple[str, ...]] = {}
        """The forms of all, by their first characters: that is what a text is looked through for."""

    def learn(self, credential: str) -> None:
        """Remember a credential; a known one costs next to nothing."""
        if len(credential) < _SHORTEST or credential in self._known:
            return
        with self._lock:
            forms = self._known[credential] = tuple(_forms(credential))
            for form in forms:
                others = self._by_start.get(form[:_SHORTEST], ())
                self._by_start[form[:_SHORTEST]] = (*others, form)
            if len(self._known) > _REMEMBERED:
                self._forget(next(iter(self._known)))

    def _forget(self, credential: str) -> None:
        for form in self._known.pop(credential):
            others = list(self._by_start.pop(form[:_SHORTEST]))
            others.remove(form)
            if others:
                self._by_start[form[:_SHORTEST]] = tuple(others)

    def learn_from(self, headers: Iterable[tuple[str, str]]) -> None:
        """Remember a request's credentials."""
        for name, value in headers:
            if _is_secret(name):
                self.learn(value.partition(" ")[2].strip() or value)

    def hide(self, text: str) -> str:
        """Return a text with every credential and every link's signature in it shortened."""
        if starts := self._starts_in(text):
            known = [form for start in starts for form in self._by_start.get(start, ())]
            for secret in sorted(known, key=len, reverse=True):  # one may be the beginning of another
                text = text.replace(secret, shortened(secret))
        if "@" in text and "://" in text:
            text = without_user(text)
        return _SIGNATURE.sub(r"\1…", text) if "=" in text and "signature=" in text.lower() else text

    def body(self, text: str) -> str:
        """Return a body as `hide` does; and as it is read, where JSON spells a credential otherwise."""
        hidden = self.hide(text)
        if "\\u" not in hidden:
            return hidden
        try:
            read = json.dumps(json.loads(hidden), ensure_ascii=False)
        except (ValueError, RecursionError):
            return hidden
        return self.hide(read) if self._starts_in(read) else hidden

    def _starts_in(self, text: str) -> list[str]:
        """Those of the known starts that a text has; of many, a short text is looked up part by part."""
        starts = self._by_start
        if len(starts) <= _FEW or len(text) > _SHORT_TEXT:
            return [start for start in list(starts) if start in text]
        return [
            start
            for place in range(len(text) - _SHORTEST + 1)
            if (start := text[place : place + _SHORTEST]) in starts
        ]

    def header(self, name: str, value: str) -> str:
        """Return a header's value as `hide` does, and without all of it where it is a secret by its name."""
        shown = shown_header(name, value)
        return self.query(shown) if "?" in shown else self.hide(shown)

    def query(self, query: str) -> str:
        """Return a query as `hide` does, and without what is called a key, a token or a secret in it."""
        return self.hide(_SECRET_FIELD.sub(lambda found: found[1] + shortened(found[2]), query))


def without_user(text: str) -> str:
    """Return a text without the users and passwords of the URLs in it."""
    return _USER.sub(r"\1…@", text)


def shown_header(name: str, value: str) -> str:
    """Return a header's value with what is a secret by the header's name shortened."""
    if (most := _COOKIES.get(name.lower())) is not None:
        return _COOKIE.sub(lambda found: found[1] + shortened(found[2]), value, count=most)
    if not _is_secret(name):
        return value
    scheme, space, secret = value.partition(" ")
    return f"{scheme} {shortened(secret)}" if space else shortened(value)


def _is_secret(header: str) -> bool:
    return _SECRET_HEADER.fullmatch(header) is not None


def _forms(secret: str) -> Iterator[str]:
    """A secret as it came, and as URLs, JSON and UTF-8 write it."""
    text = _as_text(secret)
    yield from dict.fromkeys((secret, text, quote(text, safe=""), json.dumps(text)[1:-1]))


def _as_text(header: str) -> str:
    """Return a header's value, whose bytes were taken for Latin-1, as the UTF-8 that they mostly are."""
    return header if header.isascii() else header.encode("latin-1", "replace").decode("utf-8", "replace")
