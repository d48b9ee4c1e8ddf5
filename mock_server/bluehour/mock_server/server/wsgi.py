"""Texts as WSGI has them: each character of a path or a query stands for a byte of its UTF-8 (PEP 3333)."""

from __future__ import annotations


def to_wsgi(text: str) -> str:
    """Return a text as it stands in an environment, which a server of ours makes."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def from_wsgi(value: str) -> str:
    """Return what an environment says, as text; bytes that are no UTF-8 become U+FFFD."""
    return value if value.isascii() else value.encode("latin-1", "replace").decode("utf-8", "replace")
