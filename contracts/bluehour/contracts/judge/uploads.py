"""Upload links over time: one for each item that was asked for, no two alike, and alive."""

from __future__ import annotations

from typing import Any

from bluehour.openapi.contract import Contract
from bluehour.openapi.wording import counted

from ..exchange import Answer, Exchange
from .rulings import Rulings
from .times import CLOCKS_APART, LIFETIME_APART, ago, seconds_of, server_time, short, span


class Uploads:
    """Remembers the upload links that were given out.

    Args:
        contract: their lifetime is taken from it.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._seen: dict[str, Exchange] = {}

    def issued(self, exchange: Exchange, answer: Answer, rulings: Rulings) -> None:
        """Say what of the links in an answer fits what was asked for, and those before."""
        asked = Answer(0, body=exchange.request.body).field("items")
        issued = answer.field("items")
        if not 200 <= answer.status < 300 or not isinstance(asked, list) or not isinstance(issued, list):
            return
        wanted = [f".{item['extension']}" for item in asked if isinstance(item, dict) and "extension" in item]
        got = [str(item.get("file_path")) for item in issued if isinstance(item, dict)]
        rulings.expect(
            "upload.items",
            len(issued) == len(asked),
            f"{counted(len(asked), 'item')} asked for, {len(issued)} answered",
            "items",
        )
        for index, (extension, path) in enumerate(zip(wanted, got, strict=False)):
            rulings.expect(
                "upload.items",
                path.endswith(extension),
                f"Item {index} was to be a {extension} file, and its file_path is {short(path)}",
                f"items[{index}].file_path",
            )
        for index, item in enumerate(issued):
            if isinstance(item, dict):
                self._judge_link(exchange, item, index, rulings)

    def _judge_link(self, exchange: Exchange, item: dict[str, Any], index: int, rulings: Rulings) -> None:
        for key in ("file_path", "upload_url"):
            value = item.get(key)
            if isinstance(value, str):
                before = self._seen.get(value)
                rulings.expect(
                    "upload.unique",
                    before is None,
                    f"{key} {short(value)} was given out before",
                    f"items[{index}].{key}",
                    related=(before,) if before is not None and before is not exchange else (),
                )
                self._seen[value] = exchange
        at = seconds_of(item.get("expires_at"))
        if at is not None:
            now = min(exchange.ended_at, server_time(exchange) or exchange.ended_at)
            rulings.expect(
                "upload.expiry",
                at > now,
                f"The link expired {ago(at - now)} it was issued",
                f"items[{index}].expires_at",
            )
            self._judge_upload_lifetime(exchange, at, index, rulings)

    def _judge_upload_lifetime(
        self, exchange: Exchange, expires_at: float, index: int, rulings: Rulings
    ) -> None:
        lifetime = self._contract.extension("x-lifetimes", {}).get("upload-link")
        if lifetime:
            left = expires_at - (server_time(exchange) or exchange.ended_at)
            rulings.expect(
                "upload.lifetime",
                abs(left - lifetime) <= max(lifetime * LIFETIME_APART, CLOCKS_APART),
                f"The link is good for {span(left)}; links live {span(lifetime)}",
                f"items[{index}].expires_at",
                f"x-lifetimes: {{upload-link: {lifetime}}}",
            )
