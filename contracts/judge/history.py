"""Answers over time: what projects and uploads may become, and what they may cost.

Only what answers say of each other is judged here, so it holds for traffic of any client.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from openapi.contract import Contract
from openapi.wording import counted

from ..exchange import Answer, Exchange
from .rulings import Rulings

_ORDER = {"draft": 0, "queued": 1, "rendering": 2, "complete": 3, "error": 3, "canceled": 3}
_ENDED = 3
_TOO_FAST = 429
_CLOCKS_APART = 300.0
"""Seconds that two machines' clocks may differ by."""

_FRESH_AFTER = 2.5
"""Seconds after which a link that is signed anew must be another: its times may be whole seconds."""

_LIFETIME_APART = 0.1
"""By how much of its published lifetime a link may live longer or shorter."""


@dataclass(slots=True)
class _Known:
    """A project as it was last seen.

    `made` is the create; `seen` the last GET that showed it, `ended` the first that showed its end.
    """

    made: Exchange
    name: str | None
    seen: Exchange | None = None
    ended: Exchange | None = None
    deleted: Exchange | None = None
    kept: dict[str, Any] = field(default_factory=dict)
    is_doubtful: bool = False


class History:
    """Remembers what answers said.

    Args:
        contract: prices, types and lifetimes are taken from it.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._projects: dict[str, _Known] = {}
        self._uploads: dict[str, Exchange] = {}
        self._by_behaviour: dict[str, Callable[[Exchange, Answer, Rulings], None]] = {
            "create-image-project": self._created,
            "get-image-project": self._read,
            "delete-image-project": self._deleted,
            "create-upload-urls": self._issued,
        }

    def judge(self, exchange: Exchange, rulings: Rulings) -> None:
        """Say what of an answer fits those before it, and remember it."""
        operation, answer = exchange.operation, exchange.answer
        if operation is None or exchange.request.method != operation.method:
            return
        if answer is None or answer.status >= 500:
            if operation.behaviour == "delete-image-project":
                self._doubt(exchange)
            return
        judge = self._by_behaviour.get(operation.behaviour or "")
        if judge is not None:
            judge(exchange, answer, rulings)

    # Creates.

    def _created(self, exchange: Exchange, answer: Answer, rulings: Rulings) -> None:
        operation = exchange.operation
        if operation is None or not 200 <= answer.status < 300 or not isinstance(answer.json, dict):
            return
        charged, cost = answer.field("credits_charged"), answer.field("frame_cost")
        rulings.expect(
            "credits.price",
            charged == operation.credits,
            f"It charges {charged!r} credits; its price is {operation.credits}",
            "credits_charged",
            f"x-credits: {operation.credits}",
        )
        rulings.expect(
            "credits.same",
            cost == charged,
            f"frame_cost is {cost!r}, credits_charged {charged!r}",
            "frame_cost",
        )
        self._new_id(exchange, answer.field("id"), rulings)

    def _new_id(self, exchange: Exchange, project_id: Any, rulings: Rulings) -> None:
        if not isinstance(project_id, str) or not project_id:
            return
        before = self._projects.get(project_id)
        is_new = before is None and project_id != self._contract.extension("x-example-project")
        told = "was given to another create before" if before else "is that of the published example"
        rulings.expect(
            "project.id",
            is_new,
            f"The id {project_id!r} {told}",
            "id",
            related=(before.made,) if before else (),
        )
        if before is None:
            sent = Answer(0, body=exchange.request.body).field("name")
            self._projects[project_id] = _Known(exchange, sent if isinstance(sent, str) else None)

    # Reads.

    def _read(self, exchange: Exchange, answer: Answer, rulings: Rulings) -> None:
        project_id = _last_segment(exchange)
        known = self._projects.get(project_id)
        if known is None or not _same_caller(known.made, exchange) or not _is_after(known.made, exchange):
            return
        if known.is_doubtful:
            return
        shown = answer.json
        if answer.status != 200 or not isinstance(shown, dict):
            if answer.status == 404:
                self._lost(known, exchange, rulings)
            return
        if known.deleted is not None:
            if _is_after(known.deleted, exchange):
                self._judge_deleted(known, shown, rulings)
            return
        rulings.keep("project.found")
        self._judge_kept(project_id, known, exchange, shown, rulings)
        self._judge_status(known, exchange, shown, rulings)
        self._judge_credits(known, shown, rulings)
        self._judge_error(shown, rulings)
        self._judge_downloads(known, exchange, shown, rulings)
        known.seen = exchange

    def _lost(self, known: _Known, exchange: Exchange, rulings: Rulings) -> None:
        if known.deleted is None:
            rulings.breach(
                "project.found", "The project was created, and is not found", related=(known.made,)
            )
        elif _is_after(known.deleted, exchange):
            rulings.breach(
                "project.deleted", "The deleted project can't be read any more", related=(known.deleted,)
            )

    def _judge_deleted(self, known: _Known, shown: dict[str, Any], rulings: Rulings) -> None:
        related = (known.deleted,) if known.deleted else ()
        if known.ended is not None and known.ended.answer is not None and "status" in shown:
            was = known.ended.answer.field("status")
            message = f"The status was {was}, and is {shown['status']} since it was deleted"
            rulings.expect("project.status", shown["status"] == was, message, "status", related=related)
        enabled, downloads = shown.get("enabled"), shown.get("downloads")
        if rulings.expect(
            "project.deleted",
            enabled is False,
            f"It is deleted, and enabled is {enabled!r}",
            "enabled",
            related=related,
        ):
            rulings.expect(
                "project.deleted",
                downloads == [],
                f"It is deleted, and has {_count(downloads)} downloads",
                "downloads",
                related=related,
            )

    def _judge_kept(
        self, project_id: str, known: _Known, exchange: Exchange, shown: dict[str, Any], rulings: Rulings
    ) -> None:
        operation = known.made.operation
        expected: dict[str, Any] = {"id": project_id, "enabled": True}
        if operation is not None:
            expected["type"] = operation.project_type
        if known.name is not None:
            expected["name"] = known.name
        expected |= known.kept
        for name, value in expected.items():
            if name not in shown:  # the schema says so
                continue
            got = shown[name]
            rulings.expect(
                "project.kept",
                got == value,
                f"{name} is {_short(got)}; it was {_short(value)}",
                name,
                related=(known.seen or known.made,),
            )
        known.kept.setdefault("name", shown.get("name"))
        if "created_at" not in known.kept:
            self._judge_created_at(known, exchange, shown.get("created_at"), rulings)
        known.kept.setdefault("created_at", shown.get("created_at"))

    def _judge_created_at(self, known: _Known, exchange: Exchange, shown: Any, rulings: Rulings) -> None:
        at = _seconds(shown)
        if at is None:  # no date-time: the schema says so
            return
        clocks = [known.made.at, _server_time(known.made) or known.made.at]
        rulings.expect(
            "project.created-at",
            any(abs(at - clock) <= _CLOCKS_APART for clock in clocks),
            f"created_at is {shown}, {_ago(at - known.made.at)} the create was sent",
            "created_at",
            related=(known.made,),
        )

    def _judge_status(
        self, known: _Known, exchange: Exchange, shown: dict[str, Any], rulings: Rulings
    ) -> None:
        status, before = shown.get("status"), known.seen
        rank = _rank(status)
        if rank is None:  # no status at all: the schema says so
            return
        if before is not None and before.answer is not None and _is_after(before, exchange):
            was = before.answer.field("status")
            ahead = rank > (_rank(was) or 0) or status == was
            rulings.expect(
                "project.status",
                ahead,
                f"The status was {was}, and is {status} now",
                "status",
                related=(before,),
            )
        if rank == _ENDED and known.ended is None:
            known.ended = exchange
            rulings.keep("project.ends")

    def _judge_credits(self, known: _Known, shown: dict[str, Any], rulings: Rulings) -> None:
        charged, total, status = (shown.get(key) for key in ("credits_charged", "total_frame_cost", "status"))
        made = (known.made,)
        rulings.expect(
            "credits.same",
            total == charged,
            f"total_frame_cost is {total!r}, credits_charged {charged!r}",
            "total_frame_cost",
        )
        if status == "error":
            rulings.expect(
                "credits.refund",
                charged == 0,
                f"The job ended in an error, and still shows {charged!r} credits charged",
                "credits_charged",
                related=made,
            )
        elif status != "canceled" and known.made.answer is not None:
            at_create = known.made.answer.field("credits_charged")
            rulings.expect(
                "credits.same",
                charged == at_create,
                f"credits_charged is {charged!r}; the create said {at_create!r}",
                "credits_charged",
                related=made,
            )

    def _judge_error(self, shown: dict[str, Any], rulings: Rulings) -> None:
        error, status = shown.get("error"), shown.get("status")
        if status == "error":
            told = isinstance(error, dict) and bool(error.get("code")) and bool(error.get("message"))
            rulings.expect(
                "project.error", told, f"The status is error, and error is {_short(error)}", "error"
            )
        else:
            rulings.expect(
                "project.error",
                error is None,
                f"The status is {status}, and error is {_short(error)}",
                "error",
            )

    def _judge_downloads(
        self, known: _Known, exchange: Exchange, shown: dict[str, Any], rulings: Rulings
    ) -> None:
        status, downloads, images = (shown.get(key) for key in ("status", "downloads", "image_count"))
        if not isinstance(downloads, list) or _rank(status) is None:  # the schema says so
            return
        if status != "complete":
            message = f"The status is {status}, and there is {counted(len(downloads), 'download')}"
            rulings.expect("project.downloads", not downloads, message, "downloads")
            return
        has_all = len(downloads) == images and len(downloads) > 0
        message = f"It is complete with {counted(len(downloads), 'download')}; image_count is {images!r}"
        rulings.expect("project.downloads", has_all, message, "downloads")
        self._judge_freshness(known, exchange, downloads, rulings)
        lifetime = self._contract.extension("x-lifetimes", {}).get("download-link")
        for index, link in enumerate(downloads):
            at = _seconds(link.get("expires_at")) if isinstance(link, dict) else None
            if at is not None and lifetime:
                self._judge_lifetime(exchange, at, index, lifetime, rulings)

    def _judge_freshness(
        self, known: _Known, exchange: Exchange, downloads: list[Any], rulings: Rulings
    ) -> None:
        """Links are signed anew for every read, which can be seen once a little time has passed."""
        if (
            not downloads
            or known.ended is None
            or known.ended.answer is None
            or exchange.at - known.ended.ended_at < _FRESH_AFTER
        ):
            return
        rulings.expect(
            "download.expiry",
            downloads != known.ended.answer.field("downloads"),
            f"The links are those of {exchange.at - known.ended.at:.0f} s ago; every read signs fresh ones",
            "downloads",
            related=(known.ended,),
        )

    def _judge_lifetime(
        self, exchange: Exchange, expires_at: float, index: int, lifetime: float, rulings: Rulings
    ) -> None:
        left = [expires_at - now for now in (exchange.ended_at, _server_time(exchange)) if now is not None]
        apart = max(lifetime * _LIFETIME_APART, _CLOCKS_APART)
        rulings.expect(
            "download.expiry",
            any(abs(each - lifetime) <= apart for each in left),
            f"The link expires {_ago(left[0])} this answer; links live {lifetime / 3600:g} h",
            f"downloads[{index}].expires_at",
            f"x-lifetimes: {{download-link: {lifetime}}}",
        )

    # Deletes.

    def _deleted(self, exchange: Exchange, answer: Answer, rulings: Rulings) -> None:
        known = self._projects.get(_last_segment(exchange))
        if known is None or not _same_caller(known.made, exchange) or not _is_after(known.made, exchange):
            return
        if answer.status == _TOO_FAST:
            return
        again = " again" if known.deleted else ""
        success = known.made.operation is not None and 200 <= answer.status < 300
        related = (known.deleted or known.made,)
        rulings.expect(
            "project.delete",
            success,
            f"The project's owner deleted it{again}, and got {answer.status}",
            f"{answer.status}",
            related=related,
        )
        if success and known.deleted is None:
            known.deleted = exchange
            known.is_doubtful = False

    def _doubt(self, exchange: Exchange) -> None:
        """A DELETE failed, and may have been carried out all the same: either way is right from here on."""
        known = self._projects.get(_last_segment(exchange))
        if known is not None and known.deleted is None and _same_caller(known.made, exchange):
            known.is_doubtful = True

    # Upload links.

    def _issued(self, exchange: Exchange, answer: Answer, rulings: Rulings) -> None:
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
                f"Item {index} was to be a {extension} file, and its file_path is {_short(path)}",
                f"items[{index}].file_path",
            )
        for index, item in enumerate(issued):
            if isinstance(item, dict):
                self._judge_link(exchange, item, index, rulings)

    def _judge_link(self, exchange: Exchange, item: dict[str, Any], index: int, rulings: Rulings) -> None:
        for key in ("file_path", "upload_url"):
            value = item.get(key)
            if isinstance(value, str):
                before = self._uploads.get(value)
                rulings.expect(
                    "upload.unique",
                    before is None,
                    f"{key} {_short(value)} was given out before",
                    f"items[{index}].{key}",
                    related=(before,) if before is not None and before is not exchange else (),
                )
                self._uploads[value] = exchange
        at = _seconds(item.get("expires_at"))
        if at is not None:
            now = min(exchange.ended_at, _server_time(exchange) or exchange.ended_at)
            rulings.expect(
                "upload.expiry",
                at > now,
                f"The link expired {_ago(at - now)} it was issued",
                f"items[{index}].expires_at",
            )
            self._judge_upload_lifetime(exchange, at, index, rulings)

    def _judge_upload_lifetime(
        self, exchange: Exchange, expires_at: float, index: int, rulings: Rulings
    ) -> None:
        lifetime = self._contract.extension("x-lifetimes", {}).get("upload-link")
        if lifetime:
            left = expires_at - (_server_time(exchange) or exchange.ended_at)
            rulings.expect(
                "upload.lifetime",
                abs(left - lifetime) <= max(lifetime * _LIFETIME_APART, _CLOCKS_APART),
                f"The link is good for {_span(left)}; links live {_span(lifetime)}",
                f"items[{index}].expires_at",
                f"x-lifetimes: {{upload-link: {lifetime}}}",
            )


def _rank(status: Any) -> int | None:
    """How far a status is; None for what is none."""
    return _ORDER.get(status) if isinstance(status, str) else None


def _last_segment(exchange: Exchange) -> str:
    return unquote(exchange.request.url.partition("?")[0].rpartition("/")[2])


def _same_caller(one: Exchange, other: Exchange) -> bool:
    return _credentials(one) == _credentials(other)


def _credentials(exchange: Exchange) -> tuple[str, str]:
    scheme, _, token = (exchange.request.header("Authorization") or "").partition(" ")
    return scheme.lower(), token.strip()


def _is_after(one: Exchange, other: Exchange) -> bool:
    """Whether one had ended when the other began; of those side by side nobody knows which came first."""
    return one.ended_at <= other.at


def _seconds(value: Any) -> float | None:
    """A date-time in seconds since the epoch; None for what is none."""
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return at.timestamp() if at.tzinfo else None


def _server_time(exchange: Exchange) -> float | None:
    """The server's own clock, by its Date header."""
    from email.utils import parsedate_to_datetime

    date = exchange.answer.header("Date") if exchange.answer else None
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except ValueError:
        return None


def _ago(seconds: float) -> str:
    return f"{_span(abs(seconds))} {'after' if seconds >= 0 else 'before'}"


def _span(amount: float) -> str:
    unit, size = next(
        (unit, size)
        for unit, size in (("days", 86400), ("h", 3600), ("min", 60), ("s", 1))
        if amount >= size or size == 1
    )
    return f"{amount / size:.3g} {unit}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _count(downloads: Any) -> str:
    return str(len(downloads)) if isinstance(downloads, list) else repr(downloads)
