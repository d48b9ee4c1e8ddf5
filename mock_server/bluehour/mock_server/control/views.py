"""What the control API shows of a world, as `control.yaml` describes it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from bluehour.openapi import terms
from bluehour.openapi.model import Operation
from bluehour.openapi.resources import Action
from bluehour.openapi.wording import counted

from ..api.representation import project_as_shown
from ..api.resources.items import Items
from ..api.resources.work import item_at, item_in
from ..api.resources.work import status_of as status_of_item
from ..api.secrets import Secrets
from ..core.accounts import Account, Entry
from ..core.clock import isoformat, not_before
from ..core.projects import Project, status_at
from ..core.records import Record
from ..core.sources import sources_by_field
from ..core.world import World
from . import PREFIX


def state(world: World, features: Mapping[str, Any], version: str, upstream: str | None) -> dict[str, Any]:
    """Return what is running, in numbers.

    Args:
        world: what is kept.
        features: what they tell of themselves.
        version: of this package.
        upstream: the base URL of the server that a proxy stands before; None for a mock.
    """
    contract = world.contract
    return {
        "title": contract.title,
        "version": version,
        "mode": "mock" if upstream is None else "proxy",
        "clock": clock(world),
        "settings": _settings(world, upstream),
        "accounts": world.store.count_accounts(),
        "projects": world.store.count_projects(),
        "items": world.store.count_records(),
        **{name: features.get(name, 0) for name in ("rules", "webhooks", "journal")},
        "contract": {
            "operations": [_operation(operation) for operation in contract.operations],
            "projects": any(operation.behaviour for operation in contract.operations),
            "items": bool(world.actions),
            "job_errors": list(contract.extension("x-job-errors", {})),
            "plans": list(world.plans),
            "events": features.get("events", []),
        },
        "links": _links(upstream),
    }


def _operation(operation: Operation) -> dict[str, Any]:
    return {
        "id": operation.id,
        "method": operation.method,
        "path": operation.path,
        "summary": str(operation.node.get("summary", "")),
        "group": operation.group,
        "creates": operation.behaviour == "create-project",
        "credits": terms.usual_price(operation),
        "price": _price_of(operation),
    }


def _price_of(operation: Operation) -> str:
    """Return what an operation costs, in words."""
    if not operation.takes_credits:
        return "free"
    price = counted(terms.usual_price(operation), "credit")
    if terms.depends_on_request(operation):
        price = f"from {price}"
    return f"{price}, settled when it is done" if terms.settles(operation) else price


def _settings(world: World, upstream: str | None) -> dict[str, Any]:
    settings = world.settings
    if upstream is not None:
        return {"upstream": upstream, "journal": settings.journal}
    return {
        "store": settings.shown_store,
        "time_scale": settings.time_scale,
        "plan": settings.plan,
        "credits": settings.credits,
        "concurrency": settings.concurrency,
        "idempotency": settings.idempotency,
        "fetch_assets": settings.fetch_assets,
        "renderer": settings.renderer,
        "journal": settings.journal,
    }


def _links(upstream: str | None) -> dict[str, str]:
    control = {"control": f"{PREFIX}/openapi.json"}
    # Whatever else there may be behind a proxy is not ours.
    return control if upstream else {"docs": "/docs", "openapi": "/openapi.json", **control}


def clock(world: World) -> dict[str, Any]:
    """Return what time it is."""
    now = world.clock.now()
    ahead = round(world.clock.ahead, 3)
    return {"now": isoformat(now), "epoch": now, "frozen": world.clock.frozen, "ahead": ahead}


def account(world: World, account: Account) -> dict[str, Any]:
    """Return an account with what it has left."""
    return {
        "id": account.id,
        "token": account.token,
        "plan": account.plan,
        "credits": world.store.balance(account.id, world.clock.now()),
    }


def project(world: World, secrets: Secrets, project: Project, base_url: str) -> dict[str, Any]:
    """Return a project as the API shows it, and what only the mock knows of it."""
    now = world.clock.now()
    return {
        "project": {**project_as_shown(world, project, now, base_url), "name": secrets.hide(project.name)},
        "account": project.account_id,
        "operation": project.operation_id,
        "plan": project.plan,
        "outcome": project.outcome,
        "finished_at": None if project.finished_at == math.inf else not_before(project.finished_at),
        "deleted_at": None if project.deleted_at is None else isoformat(project.deleted_at),
        "request": orjson.loads(secrets.body(project.request.decode())),
        "pictures": pictures(world, project, now),
    }


def pictures(world: World, project: Project, now: float) -> dict[str, list[dict[str, str]]]:
    """Return where the control API has a project's files: what it is made of, and what it has made by now."""
    complete = status_at(project, now) == "complete" and project.deleted_at is None
    made = world.pictures.names_of(project) if complete else ()
    found = {
        "before": list(sources_by_field(world, project)),
        "after": [(name, Path(name)) for name in made],
    }
    return {
        which: [
            {
                "path": f"{PREFIX}/projects/{project.id}/pictures/{which}?number={number}",
                "name": name,
                "media_type": world.pictures.media_type_of(file),
            }
            for number, (name, file) in enumerate(files, 1)
        ]
        for which, files in found.items()
    }


def booking(world: World, entry: Entry, balance: int) -> dict[str, Any]:
    """Return a line of a ledger, with what it is for.

    Args:
        world: whose ledger it is.
        entry: the line.
        balance: what the account has from then on.
    """
    return {
        "at": isoformat(entry.at),
        "amount": entry.amount,
        "reason": _reason_of(world, entry),
        "project": entry.project_id,
        "balance": balance,
    }


def _reason_of(world: World, entry: Entry) -> str:
    if entry.project_id is None:
        return "given"
    if entry.amount <= 0:
        return "charge"
    project = world.store.project(entry.project_id)
    return "refund" if project is None or project.is_refunded else "settlement"


def item(record: Record, action: Action | None, world: World) -> dict[str, Any]:
    """Return an item of another contract's resource as it is now.

    Args:
        record: the item as it is kept.
        action: what has made it; None where the contract has no such operation any more.
        world: tells the time.
    """
    now = world.clock.now()
    lifecycle = action.resource.lifecycle if action is not None else None
    return {
        "collection": record.collection,
        "id": record.id,
        "operation": record.operation_id,
        "created_at": isoformat(record.created_at),
        "status": status_of_item(record, lifecycle, now) if lifecycle is not None else None,
        "item": item_in(record) if action is None else item_at(Items(action.resource, ()), record, now),
    }
