"""The page as a reader meets it."""

from __future__ import annotations

from html.parser import HTMLParser

from flask.testing import FlaskClient

from bluehour.mock_server.app import create_app
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import Contract

VOID = {"meta", "link", "input", "br", "hr", "img"}


class Page(HTMLParser):
    """A page: its elements in order, the text of each that has an id, and the rows of its fields.

    The rules that depend on other fields, which have a row of their own, are part of their field's.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, str] = {}
        self.rows: list[tuple[set[str], str]] = []
        self.commands: list[str] = []
        self.text = ""
        self._open: list[tuple[str, str | None, str, int]] = []
        self.feed(html)
        self.close()
        assert self._open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes))
        if tag not in VOID:
            self._open.append((tag, attributes.get("id"), attributes.get("class", ""), len(self.text)))

    def handle_endtag(self, tag: str) -> None:
        opened, name, kind, start = self._open.pop()
        assert opened == tag, f"<{opened}> is closed by </{tag}>"
        text = self.text[start:]
        if name is not None:
            self.texts[name] = words(text)
        if tag == "tr" and "conditions" in kind:
            within, field = self.rows.pop()
            self.rows.append((within, f"{field} {words(text)}"))
        elif tag == "tr" and "depth-" in kind:
            self.rows.append(({one for _, one, _, _ in self._open if one}, words(text)))
        if tag == "pre" and text.startswith("curl "):
            self.commands.append(text)
        if tag in ("p", "li", "th", "td", "h1", "h2", "h3", "h4", "h5", "dt", "dd", "pre", "span", "code"):
            self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, name: str) -> list[str]:
        """Every value of an attribute."""
        return [attributes[name] for _, attributes in self.elements if name in attributes]

    def row(self, anchor: str, name: str) -> str:
        """The first row of a field within what has an id."""
        return self.rows_of(anchor, name)[0]

    def rows_of(self, anchor: str, name: str) -> list[str]:
        """All rows of fields with a name within what has an id."""
        return [text for ids, text in self.rows if anchor in ids and text.split()[0] == name]


def words(text: str) -> str:
    return " ".join(text.split())


_SIGNS = str.maketrans("\N{EN DASH}\N{MINUS SIGN}\N{MULTIPLICATION SIGN}", "--x")


def typed(text: str) -> str:
    """A text with the signs of a keyboard."""
    return text.translate(_SIGNS)


def client_of(contract: Contract) -> FlaskClient:
    return create_app(Mock(contract)).test_client()


def page_of(contract: Contract) -> Page:
    answer = client_of(contract).get("/docs")
    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    return Page(answer.get_data(as_text=True))
