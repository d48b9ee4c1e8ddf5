"""Secrets as they may be shown: enough to recognise one, too little to use it."""

from __future__ import annotations

import re

_SECRET_HEADERS = frozenset({"Authorization", "Cookie", "Set-Cookie", "Proxy-Authorization", "X-Api-Key"})
_SIGNATURE = re.compile(r"(signature=[0-9a-f]{6})[0-9a-f]{58}")


def shortened(secret: str) -> str:
    """Return the beginning of a secret, and of a long one its end: `mhk_live…3f2a`."""
    if len(secret) >= 24:
        return f"{secret[:8]}…{secret[-4:]}"
    return f"{secret[: len(secret) // 2]}…"


def without_secrets(header: str, value: str, token: str | None) -> str:
    """Return a header's value with the credential in it shortened."""
    if token and token in value:
        return value.replace(token, shortened(token))
    if header not in _SECRET_HEADERS:
        return value
    scheme, space, secret = value.partition(" ")
    return f"{scheme} {shortened(secret)}" if space else shortened(value)


def without_signatures(text: str) -> str:
    """Return a text in which signed links can be recognised, but not used."""
    return _SIGNATURE.sub(r"\1…", text)
