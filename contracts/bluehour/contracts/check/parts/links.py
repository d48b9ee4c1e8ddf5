"""Signed links: what was changed is refused, and so is what has expired."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ...exchange import Exchange
from ..checker import Check, answered, is_success

_NO_QUERY = "no query at all"
_LONGEST_NUMBER = 20

_SIGNATURE = re.compile(r"sig(nature)?$|hmac|^mac$|digest", re.IGNORECASE)
_UNTIL = re.compile(r"^exp|expir|until|deadline|valid|^ttl$|^e$|^se$", re.IGNORECASE)
"""Names of what signs a link, and of what says until when it is good: this vendor, S3, GCS, Azure, CDNs."""

_WORTH_WAITING = 15.0
"""Seconds of lifetime of a link that are waited for to see it end."""

_Use = Callable[[Check, str, str], Exchange]
"""Uses a link, for a purpose."""


def tampered_with(check: Check, rule_id: str, url: str, label: str, use: _Use) -> None:
    """Use a link with its signed part changed, in every way that could go unnoticed."""
    changed = list(_changed(url))
    if not changed:
        check.unjudged("the link has no signature to change", label, rule_id)
    for says, link in changed:
        exchange = use(check, link, says)
        if says == _NO_QUERY and is_success(exchange) and "signature" not in url.lower():
            check.unjudged("the link needs no query, so it is not what is signed", label, rule_id)
            return
        if answered(exchange):
            message = f"The link was followed with {says}, and answered by {answered(exchange)}"
            check.expect(rule_id, exchange, not is_success(exchange), message, "url", operation=label)


def _changed(url: str) -> Iterator[tuple[str, str]]:
    try:
        parts = urlsplit(url)
    except ValueError:  # no URL at all, which whoever uses it says
        return
    pairs = [pair.partition("=") for pair in parts.query.split("&") if "=" in pair]
    if not pairs:
        return
    yield _NO_QUERY, urlunsplit(parts._replace(query=""))
    for at in _signed(pairs):
        name, _, value = pairs[at]
        if value.isdecimal() and len(value) <= _LONGEST_NUMBER:
            changed, how = str(int(value) + 86_400), f"{name} raised"
        else:
            middle = len(value) // 2
            changed = value[:middle] + ("0" if value[middle] != "0" else "1") + value[middle + 1 :]
            how = f"another {name}"
        query = "&".join(f"{n}={changed if at == index else v}" for index, (n, _, v) in enumerate(pairs))
        yield how, urlunsplit(parts._replace(query=query))
        if len(pairs) > 1:
            others = "&".join("".join(pair) for index, pair in enumerate(pairs) if index != at)
            yield f"no {name}", urlunsplit(parts._replace(query=others))


def _signed(pairs: list[tuple[str, str, str]]) -> list[int]:
    """Return where in a query a signature is, and what it is there to keep: until when the link is good.

    A link may carry parameters of its own that nobody signs, such as a version or a file's name.
    """
    filled = [index for index, (_, _, value) in enumerate(pairs) if value]
    if not filled:
        return []
    named = [index for index in filled if _SIGNATURE.search(pairs[index][0])]
    signatures = named or [max(filled, key=lambda index: len(pairs[index][2]))]
    return sorted({*signatures, *(index for index in filled if _UNTIL.search(pairs[index][0]))})


def crossed(check: Check, rule_id: str, one: Exchange, other: Exchange) -> bool:
    """Follow a link whose path is another's: what a signature does not cover, it does not keep.

    Returns whether it could be done: the two have to be told apart by their content.
    """
    first, second = urlsplit(one.request.url), urlsplit(other.request.url)
    if not (first.query and one.answer and other.answer) or first.path == second.path:
        return False
    if first.netloc != second.netloc or one.answer.body == other.answer.body:
        return False
    url = urlunsplit(second._replace(query=first.query))
    exchange = check.fetch(url, "a link with another link's query")
    if answered(exchange) and exchange.answer:
        is_open = is_success(exchange) and exchange.answer.body == other.answer.body
        message = "A link's query was put behind another link's path, and opened that one"
        check.expect(rule_id, exchange, not is_open, message, "url", related=(one, other))
    return True


def expire_soon(check: Check, rule_id: str, url: str, expires_at: Any, label: str, use: _Use) -> None:
    """Where a link lives for seconds only, wait for its end, and use it then."""
    try:
        left = datetime.fromisoformat(expires_at).timestamp() - check.now()
    except (TypeError, ValueError):
        return
    if not 0 < left <= _WORTH_WAITING:
        return
    check.progress.say(f"waiting {left:.0f} s for a link to expire")
    check.sleep(left + 1.5)
    exchange = use(check, url, "a link that has expired")
    if answered(exchange):
        message = f"The link has expired, and was answered by {answered(exchange)}"
        check.expect(rule_id, exchange, not is_success(exchange), message, "expires_at", operation=label)
