"""The reference's page at `/docs`, made when somebody first asks for it, its files, and what it asks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import orjson
from flask import Flask, Response, request

from bluehour.openapi.contract import Contract
from bluehour.openapi.document import Document
from bluehour.openapi.model import JSON
from bluehour.openapi.resources import Action

from ..api.wsgi import body_of
from . import PATH
from .asking import LARGEST_QUESTION, answer_to

_COST = f"{PATH}/cost"
_STATIC = Path(__file__).with_name("static")
_FILES = {"base.css": "text/css", "reference.css": "text/css", "reference.js": "text/javascript"}

# The page is made of a stranger's text. Should any of it slip through as HTML, it can still do nothing.
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-cache",  # the next server at this address may have another contract
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def add_routes(app: Flask, contract: Contract, actions: Mapping[str, Action]) -> None:
    """Serve the reference, unless the contract has an operation there; and the contract itself.

    Args:
        app: what serves it.
        contract: what it tells of.
        actions: what operations do to resources whose state is kept, by operation id.
    """
    document = _written(contract.document)
    app.add_url_rule("/openapi.json", "openapi", lambda: Response(document, content_type=JSON))
    files = {f"{PATH}/{name}": name for name in _FILES}
    if _taken(contract) & {PATH, _COST, *files}:
        return
    app.add_url_rule(PATH, "reference_page", _View(contract, actions), strict_slashes=False)
    for path, name in files.items():
        app.add_url_rule(path, f"reference_page {name}", partial(_file, name))
    app.add_url_rule(_COST, "reference_page cost", partial(_cost, contract), methods=["POST"])


def _written(document: Document) -> bytes:
    try:
        return orjson.dumps(document)
    except TypeError:  # an integer of more than 64 bits, or half a surrogate pair: YAML can hold them
        return json.dumps(document).encode()


def _taken(contract: Contract) -> set[str]:
    prefixes = ("", *contract.base_paths)
    return {(prefix + one.path).rstrip("/") for one in contract.operations for prefix in prefixes}


class _View:
    """Answers with the page, which is made at the first request and kept."""

    def __init__(self, contract: Contract, actions: Mapping[str, Action]) -> None:
        self._contract = contract
        self._actions = actions

    @cached_property
    def _page(self) -> Any:
        from .page import Page

        return Page(self._contract, self._actions)

    def __call__(self) -> Response:
        html = self._page.at(request.scheme, request.host, request.environ["SERVER_PORT"])
        headers = {**_HEADERS, "Content-Security-Policy": _POLICY}
        return Response(html, headers=headers, content_type="text/html; charset=utf-8")


def _file(name: str) -> Response:
    content = (_STATIC / name).read_bytes()
    return Response(content, headers=_HEADERS, content_type=f"{_FILES[name]}; charset=utf-8")


def _cost(contract: Contract) -> Response:
    question = body_of(request.environ).read(LARGEST_QUESTION + 1)
    status, answer = answer_to(contract, question)
    return Response(orjson.dumps(answer), status, headers=_HEADERS, content_type=JSON)
