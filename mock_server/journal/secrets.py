"""Secrets as they may be shown: enough to recognise one, too little to use it."""

from __future__ import annotations

import re
from urllib.parse import quote

_SECRET_HEADERS = frozenset({"Authorization", "Proxy-Authorization", "X-Api-Key"})
_COOKIE = re.compile(r"(=\s*)([^;\s]+)")
_COOKIES = {"Cookie": 0, "Set-Cookie": 1}
"""Headers of cookies, and how many there may be in one; 0: any number."""
_SECRET_FIELD = re.compile(r"((?:^|&)[\w-]*(?:api[_-]?key|token|secret)=)([^&]+)", re.IGNORECASE)
_SIGNATURE = re.compile(r"(signature=[0-9a-f]{6})[0-9a-f]{26,}", re.IGNORECASE)


SHORTEST = 6
"""Characters; what is shorter may be in a text by chance."""


def shortened(secret: str) -> str:
    """Return the beginning of a secret, and of a long one its end: `mhk_live…3f2a`."""
    if len(secret) >= 24:
        return f"{secret[:8]}…{secret[-4:]}"
    return f"{secret[: len(secret) // 2]}…"


def without_secrets(header: str, value: str, token: str | None) -> str:
    """Return a header's value, or a query under no header's name, with the credential in it shortened."""
    found = token and next((each for each in (token, quote(token, safe="")) if each in value), None)
    if found:
        value = value.replace(found, shortened(found))
    if (most := _COOKIES.get(header)) is not None:
        return _COOKIE.sub(lambda found: found[1] + shortened(found[2]), value, count=most)
    if found or header not in _SECRET_HEADERS:
        return value
    scheme, space, secret = value.partition(" ")
    return f"{scheme} {shortened(secret)}" if space else shortened(value)


def without_secret_fields(query: str) -> str:
    """Return a query in which what is called a token, a key or a secret is shortened."""
    return _SECRET_FIELD.sub(lambda found: found[1] + shortened(found[2]), query)


def without_signatures(text: str) -> str:
    """Return a text in which signed links can be recognised, but not used."""
    return _SIGNATURE.sub(r"\1…", text)
