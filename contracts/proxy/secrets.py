"""Credentials that have passed, so that none of them is ever written: not even where a server shows one."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from mock_server.journal.secrets import SHORTEST, shortened

from .http1 import Pairs

CREDENTIALS = frozenset({"authorization", "proxy-authorization", "x-api-key"})
"""Headers, in lower case; the journal shortens these itself."""

_REMEMBERED = 256
"""Credentials; those that were seen least recently are forgotten first."""


class Secrets:
    """Remembers credentials, and takes them out of what is written."""

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}

    def learn(self, headers: Pairs) -> None:
        """Remember a request's credentials."""
        for name, value in headers:
            if name.lower() in CREDENTIALS:
                self._remember(value.partition(" ")[2].strip() or value)

    def hide(self, text: str) -> str:
        """Return a text with every credential in it shortened."""
        for secret, shown in self._shown.items():
            text = text.replace(secret, shown)
        return text

    def hide_in_bytes(self, content: bytes | None) -> bytes | None:
        """Return a body with every credential in it shortened."""
        if content:
            for secret, shown in self._shown.items():
                content = content.replace(secret.encode("latin-1"), shown.encode())
        return content

    def hide_in(self, headers: Pairs) -> Pairs:
        """Return headers with every credential shortened that is not where credentials belong."""
        return tuple(
            (name, value if name.lower() in CREDENTIALS else self.hide(value)) for name, value in headers
        )

    def _remember(self, secret: str) -> None:
        if len(secret) < SHORTEST:
            return
        for form in _forms(secret):
            self._shown.pop(form, None)
            self._shown[form] = shortened(form)
        while len(self._shown) > _REMEMBERED:
            del self._shown[next(iter(self._shown))]


def _forms(secret: str) -> Iterator[str]:
    yield secret
    if (in_url := quote(secret, safe="")) != secret:
        yield in_url
