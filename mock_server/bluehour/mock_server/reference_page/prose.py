"""A description as HTML: the few Markdown forms that specifications use, everything else as it is written.

The text is a stranger's. It only ever goes into HTML as an argument of `Markup.format()`, which escapes it; a
link stays plain text, so the page leads nowhere that the reader did not choose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup

_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_HEADING = re.compile(r"^ {0,3}#{1,6} +(.*)$")
_QUOTE = re.compile(r"^ {0,3}> ?")
_ITEM = re.compile(r"^ {0,3}(?:[-*+]|\d{1,9}[.)]) +(.*)$")
_SPAN = re.compile(
    r"`(?P<code>[^`]+)`"
    r"|\*\*(?P<strong>[^*]+)\*\*"
    r"|\[(?P<text>[^\[\]]{1,300})\]\((?P<target>[^()\s]{1,300})\)"
)

_DEEPEST_QUOTE = 4


def prose(text: str) -> Markup:
    """Return a description's paragraphs, quotes, lists and code as HTML."""
    return _blocks(text.splitlines(), _DEEPEST_QUOTE)


def line(text: str) -> Markup:
    """Return a text of one line, with code and stress in it."""
    return _spans(" ".join(text.split()))


def _blocks(lines: list[str], depth: int) -> Markup:
    return Markup("").join(_block(kind, block, depth) for kind, block in _split(lines))


def _block(kind: str, lines: list[str], depth: int) -> Markup:
    if kind == "code":
        return Markup('<pre tabindex="0"><code>{}</code></pre>').format("\n".join(lines))
    if kind == "quote":
        inner = _blocks(lines, depth - 1) if depth else Markup("<p>{}</p>").format("\n".join(lines))
        return Markup("<blockquote>{}</blockquote>").format(inner)
    if kind == "list":
        return Markup("<ul>{}</ul>").format(
            Markup("").join(Markup("<li>{}</li>").format(_spans(item)) for item in lines)
        )
    if kind == "heading":
        return Markup("<p><strong>{}</strong></p>").format(_spans(lines[0]))
    return Markup("<p>{}</p>").format(_spans("\n".join(lines)))


def _split(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Cut a text into blocks: what each is, and its lines without their marks."""
    kind, fence = "text", ""
    block: list[str] = []
    for whole in lines:
        if fence:
            if whole.strip() == fence:
                yield "code", block
                kind, block, fence = "text", [], ""
            else:
                block.append(whole)
            continue
        found, content = _read(whole)
        if found == "text" and kind in ("list", "quote") and whole.strip():
            found = kind  # a line that goes on with what the one above began
            if kind == "list":
                block[-1] += " " + whole.strip()
                continue
        if found != kind or found in ("heading", "code") or not whole.strip():
            if block:
                yield kind, block
            kind, block = found, []
        if found == "code":
            fence = content
        elif whole.strip():
            block.append(content)
    if block:
        yield kind, block


def _read(whole: str) -> tuple[str, str]:
    """Tell what a line begins, and what is left of it without its mark."""
    if match := _FENCE.match(whole):
        return "code", match[1]
    if match := _HEADING.match(whole):
        return "heading", match[1].rstrip(" #")
    if match := _QUOTE.match(whole):
        return "quote", whole[match.end() :]
    if match := _ITEM.match(whole):
        return "list", match[1]
    return "text", whole


def _spans(text: str) -> Markup:
    """Return a text with its code and its stress; the target of a link stands behind it, in plain text."""
    parts, end = [], 0
    for match in _SPAN.finditer(text):
        parts += [Markup("{}").format(text[end : match.start()]), _span(match)]
        end = match.end()
    return Markup("").join([*parts, Markup("{}").format(text[end:])])


def _span(match: re.Match[str]) -> Markup:
    if match["code"]:
        return Markup("<code>{}</code>").format(match["code"])
    if match["strong"]:
        return Markup("<strong>{}</strong>").format(match["strong"])
    same = match["text"] == match["target"]
    return Markup("{}").format(match["text"] if same else f"{match['text']} ({match['target']})")
