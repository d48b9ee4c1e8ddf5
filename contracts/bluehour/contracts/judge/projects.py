"""Image projects over time: what they may become, and what they may cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import orjson

from bluehour.openapi import terms
from bluehour.openapi.contract import Contract
from bluehour.openapi.model import Operation
from bluehour.openapi.wording import counted

from ..exchange import Answer, Exchange
from .rulings import Rulings
from .times import CLOCKS_APART, LIFETIME_APART, ago, is_after, same_caller, seconds_of, server_time, short

_ORDER = {"draft": 0, "queued": 1, "rendering": 2, "complete": 3, "error": 3, "canceled": 3}
_ENDED = 3
_TOO_FAST = 429

_FRESH_AFTER = 2.5
"""Seconds after which a link that is signed anew must be another: its times may be whole seconds."""


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


class Projects:
    """Remembers the projects that were created and shown.

    Args:
        contract: prices, types and lifetimes are taken from it.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._projects: dict[str, _Known] = {}

    def created(self, exchange: Exchange, answer: Answer, rulings: Rulings) -> None:
        """Take note of what a create has made, and say what of it is wrong."""
        operation = exchange.operation
        if operation is None or not 200 <= answer.status < 300 or not isinstance(answer.json, dict):
            return
        self._judge_price(_prices(self._contract, operation, exchange), answer, rulings)
        self._new_id(exchange, answer.field("id"), rulings)

    def _judge_price(self, prices: Sequence[int], answer: Answer, rulings: Rulings) -> None:
        charged = answer.field("credits_charged")
        if charged is None:  # the schema says so
            return
        if prices:
            price = " or ".join(map(str, prices))
            message = f"It charges {charged!r} credits; its price is {price}"
            rulings.expect(
                "credits.price", charged in prices, message, "credits_charged", f"x-credits: {price}"
            )
        for name in ("frame_cost", "estimated_frame_cost"):
            if (cost := answer.field(name)) is not None:
                message = f"{name} is {cost!r}, credits_charged {charged!r}"
                rulings.expect("credits.same", cost == charged, message, name)

    def _new_id(self, exchange: Exchange, project_id: Any, rulings: Rulings) -> None:
        if not isinstance(project_id, str) or not project_id:
            return
        before = self._projects.get(project_id)
        is_new = before is None and project_id not in self._contract.extension("x-example-projects", ())
        message = "was given to another create before" if before else "is that of the published example"
        rulings.expect(
            "project.id",
            is_new,
            f"The id {project_id!r} {message}",
            "id",
            related=(before.made,) if before else (),
        )
        if before is None:
            sent = Answer(0, body=exchange.request.body).field("name")
            self._projects[project_id] = _Known(exchange, sent if isinstance(sent, str) else None)

    def read(self, exchange: Exchange, answer: Answer, rulings: Rulings) -> None:
        """Say whether a project is shown as it may be by now."""
        project_id = _last_segment(exchange)
        known = self._projects.get(project_id)
        if known is None or not same_caller(known.made, exchange) or not is_after(known.made, exchange):
            return
        if known.is_doubtful:
            return
        shown = answer.json
        if answer.status != 200 or not isinstance(shown, dict):
            if answer.status == 404:
                self._lost(known, exchange, rulings)
            return
        if known.deleted is not None:
            if is_after(known.deleted, exchange):
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
            rulings.violate(
                "project.found", "The project was created, and is not found", related=(known.made,)
            )
        elif is_after(known.deleted, exchange):
            rulings.violate(
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
        if operation is not None and "x-project-type" in operation.node:
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
                f"{name} is {short(got)}; it was {short(value)}",
                name,
                related=(known.seen or known.made,),
            )
        known.kept.setdefault("name", shown.get("name"))
        if "created_at" not in known.kept:
            self._judge_created_at(known, exchange, shown.get("created_at"), rulings)
        known.kept.setdefault("created_at", shown.get("created_at"))

    def _judge_created_at(self, known: _Known, exchange: Exchange, shown: Any, rulings: Rulings) -> None:
        at = seconds_of(shown)
        if at is None:  # no date-time: the schema says so
            return
        clocks = [known.made.at, server_time(known.made) or known.made.at]
        rulings.expect(
            "project.created-at",
            any(abs(at - clock) <= CLOCKS_APART for clock in clocks),
            f"created_at is {shown}, {ago(at - known.made.at)} the create was sent",
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
        if before is not None and before.answer is not None and is_after(before, exchange):
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
        if "total_frame_cost" in shown:
            rulings.expect(
                "credits.same",
                total == charged,
                f"total_frame_cost is {total!r}, credits_charged {charged!r}",
                "total_frame_cost",
            )
        if status == "complete" and known.made.operation and terms.settles(known.made.operation):
            return  # it is billed by what has been made
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
        if "error" not in shown:  # its kind shows none, or the schema says so
            return
        error, status = shown.get("error"), shown.get("status")
        if status == "error":
            has_reason = isinstance(error, dict) and bool(error.get("code")) and bool(error.get("message"))
            rulings.expect(
                "project.error", has_reason, f"The status is error, and error is {short(error)}", "error"
            )
        else:
            rulings.expect(
                "project.error",
                error is None,
                f"The status is {status}, and error is {short(error)}",
                "error",
            )

    def _judge_downloads(
        self, known: _Known, exchange: Exchange, shown: dict[str, Any], rulings: Rulings
    ) -> None:
        status, downloads = (shown.get(key) for key in ("status", "downloads"))
        images = shown.get("image_count", 1)
        if not isinstance(downloads, list) or _rank(status) is None:  # the schema says so
            return
        if status != "complete":
            message = f"The status is {status}, and there is {counted(len(downloads), 'download')}"
            rulings.expect("project.downloads", not downloads, message, "downloads")
            return
        has_all = len(downloads) == images and len(downloads) > 0
        message = f"It is complete with {counted(len(downloads), 'download')}, and should have {images!r}"
        rulings.expect("project.downloads", has_all, message, "downloads")
        self._judge_freshness(known, exchange, downloads, rulings)
        lifetime = self._contract.extension("x-lifetimes", {}).get("download-link")
        for index, link in enumerate(downloads):
            at = seconds_of(link.get("expires_at")) if isinstance(link, dict) else None
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
        left = [expires_at - now for now in (exchange.ended_at, server_time(exchange)) if now is not None]
        apart = max(lifetime * LIFETIME_APART, CLOCKS_APART)
        rulings.expect(
            "download.expiry",
            any(abs(each - lifetime) <= apart for each in left),
            f"The link expires {ago(left[0])} this answer; links live {lifetime / 3600:g} h",
            f"downloads[{index}].expires_at",
            f"x-lifetimes: {{download-link: {lifetime}}}",
        )

    def deleted(self, exchange: Exchange, answer: Answer, rulings: Rulings) -> None:
        """Say whether its owner could delete a project."""
        known = self._projects.get(_last_segment(exchange))
        if known is None or not same_caller(known.made, exchange) or not is_after(known.made, exchange):
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

    def doubt(self, exchange: Exchange) -> None:
        """A DELETE failed, and may have been carried out all the same: either way is right from here on."""
        known = self._projects.get(_last_segment(exchange))
        if known is not None and known.deleted is None and same_caller(known.made, exchange):
            known.is_doubtful = True


def _prices(contract: Contract, operation: Operation, exchange: Exchange) -> list[int]:
    """Return what a request may cost: of whose plan nothing is known, each plan's price."""
    if terms.is_simple(operation):
        return [terms.usual_price(operation)]
    media = operation.json_body
    try:
        body = orjson.loads(exchange.request.body)
    except ValueError:
        return []
    if media is None or not media.schema.accepts(body):  # it has been accepted all the same
        return []
    plans = contract.extension("x-plans", {}) or [""]
    return terms.possible_prices(operation, body, plans)


def _rank(status: Any) -> int | None:
    """How far a status is; None for what is none."""
    return _ORDER.get(status) if isinstance(status, str) else None


def _last_segment(exchange: Exchange) -> str:
    return unquote(exchange.request.url.partition("?")[0].rpartition("/")[2])


def _count(downloads: Any) -> str:
    return str(len(downloads)) if isinstance(downloads, list) else repr(downloads)
