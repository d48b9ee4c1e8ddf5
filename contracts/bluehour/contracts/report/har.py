"""All exchanges of a check as an HTTP archive."""

from __future__ import annotations

import json

from bluehour.openapi import har as archives
from bluehour.openapi.messages import Headers, Response

from ..exchange import Exchange
from ..results import Report
from .shown import shown


def har(report: Report) -> str:
    """Return the archive, without the report's secrets."""
    known = shown(report).report
    comment = f"bluehour check of {known.target}, seed {known.seed}"
    archive = archives.archive(map(_entry, known.exchanges), known.version, comment)
    return json.dumps(archive, ensure_ascii=False, separators=(",", ":")) + "\n"


def _entry(exchange: Exchange) -> archives.Entry:
    answer = exchange.answer
    return archives.Entry(
        at=exchange.at,
        ms=answer.seconds * 1000 if answer else 0,
        request=exchange.request.message,
        response=Response(answer.status, Headers(answer.headers), answer.body) if answer else None,
        comment=f"{exchange.number}: {exchange.purpose}" if exchange.purpose else f"{exchange.number}",
        failure=exchange.failure,
    )
