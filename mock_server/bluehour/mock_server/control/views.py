"""What the control API shows of a world, as `control.yaml` describes it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import orjson

from bluehour.openapi.resources import Action

from ..api.representation import image_project
from ..api.resources.items import Items
from ..api.resources.work import item_at, item_in
from ..api.resources.work import status_of as status_of_item
from ..api.secrets import Secrets
from ..core.accounts import Account
from ..core.clock import isoformat, not_before
from ..core.projects import Project, status_at
from ..core.records import Record
from ..core.sources import source_of
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
            "operations": [
                {
                    "id": operation.id,
                    "method": operation.method,
                    "path": operation.path,
                    "summary": str(operation.node.get("summary", "")),
                    "credits": operation.credits,
                }
                for operation in contract.operations
            ],
            "projects": any(operation.behaviour for operation in contract.operations),
            "items": bool(world.actions),
            "job_errors": list(contract.extension("x-job-errors", {})),
            "plans": list(world.plans),
            "events": features.get("events", []),
        },
        "links": _links(upstream),
    }


def _settings(world: World, upstream: str | None) -> dict[str, Any]:
    settings = world.settings
    if upstream is not None:
        return {"upstream": upstream, "journal": settings.journal}
    return {
        "store": settings.store,
        "time_scale": settings.time_scale,
        "plan": settings.plan,
        "credits": settings.credits,
        "concurrency": settings.concurrency,
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
        "token": world.shown_tokens.get(account.id),
        "plan": account.plan,
        "credits": world.store.balance(account.id, world.clock.now()),
    }


def project(world: World, secrets: Secrets, project: Project, base_url: str) -> dict[str, Any]:
    """Return a project as the API shows it, and what only the mock knows of it."""
    now = world.clock.now()
    pictures = f"{PREFIX}/projects/{project.id}/pictures"
    complete = status_at(project, now) == "complete" and project.deleted_at is None
    return {
        "project": {**image_project(world, project, now, base_url), "name": secrets.hide(project.name)},
        "account": project.account_id,
        "operation": project.operation_id,
        "plan": project.plan,
        "outcome": project.outcome,
        "finished_at": None if project.finished_at == math.inf else not_before(project.finished_at),
        "deleted_at": None if project.deleted_at is None else isoformat(project.deleted_at),
        "request": orjson.loads(secrets.body(project.request.decode())),
        "pictures": {
            "before": f"{pictures}/before" if source_of(world, project) else None,
            "after": f"{pictures}/after" if complete else None,
        },
    }


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
