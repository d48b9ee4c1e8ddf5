"""The page as HTML: made once, then only told under which address it is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from secrets import token_hex

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import escape

from bluehour.openapi.contract import Contract
from bluehour.openapi.resources import Action

from .outline import outline, schema_anchor
from .prose import line, prose

_HOST = re.compile(r"[A-Za-z0-9.\-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?", re.ASCII)


class Page:
    """The reference of one contract."""

    def __init__(self, contract: Contract, actions: Mapping[str, Action]) -> None:
        # Nobody can write this into a specification: it stands where the address belongs. The asterisk
        # puts a URL of a curl command in quotes, as some addresses need.
        self._mark = f"address*{token_hex(16)}"
        self._html = _html(contract, actions, self._mark)

    @cached_property
    def _pieces(self) -> list[bytes]:
        # A lone surrogate, which YAML can have, can't be sent.
        return [piece.encode("utf-8", "replace") for piece in self._html.split(self._mark)]

    def at(self, scheme: str, host: str, port: str) -> bytes:
        """Return the page as it is read under an address, which its curl commands call.

        A Host header that is none could be harmful in a shell; such a request gets this machine's address.
        """
        if not _HOST.fullmatch(host):
            host = f"127.0.0.1:{port}"
        return str(escape(f"{scheme}://{host}")).encode().join(self._pieces)


def _html(contract: Contract, actions: Mapping[str, Action], mark: str) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"prose": prose, "line": line, "schema_anchor": schema_anchor}
    return environment.get_template("page.html").render(api=outline(contract, actions, mark), address=mark)
