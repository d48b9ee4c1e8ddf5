"""Small texts that the reports share: what came from a server made visible, bodies, sizes, durations."""

from __future__ import annotations

import json

from bluehour.openapi.messages import phrase

_LONGEST_PARSED = 256 * 2**10


def visible(text: str) -> str:
    r"""Return a text in which whatever does not print is written as its escape: `\x1b`, `\u202e`.

    Line breaks and tabs stay. No terminal is steered by the result, and XML may hold it.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in "\n\t" else _escape(each) for each in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def text_of(body: bytes) -> str | None:
    """Return a body as text; None where it is none."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def pretty(body: bytes, longest: int) -> str:
    """Return a body for people: JSON with indents, text as it is, of anything else its first bytes."""
    text = text_of(body)
    if text is None:
        return f"{size(len(body))} that are no text: {body[:24].hex(' ')}{' …' if len(body) > 24 else ''}"
    if len(body) <= _LONGEST_PARSED:
        text = _indented(text)
    return cut(text, longest)


def _indented(text: str) -> str:
    try:
        value = json.loads(text)
        indented = json.dumps(value, indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
    return indented.encode("utf-8", "backslashreplace").decode()


def cut(text: str, longest: int) -> str:
    """Return a text's beginning, and how much is left out where that is not all."""
    left = len(text) - longest
    return text if left <= 0 else f"{text[:longest]} … and {left:,} more characters"


def status_words(status: int) -> str:
    """Return a status with its name: `404 Not Found`."""
    return f"{status} {phrase(status)}".rstrip()


def duration(seconds: float) -> str:
    """Return a time for people: `0.4 ms`, `12 ms`, `3.4 s`, `2 min 5 s`."""
    if seconds < 0.00995:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    return f"{seconds // 60:,.0f} min {seconds % 60:.0f} s"


def size(count: int) -> str:
    """Return a size for people: `812 bytes`, `12.4 kB`."""
    if count < 1000:
        return f"{count} byte{'' if count == 1 else 's'}"
    return f"{count / 1000:,.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:,.1f} MB"
