"""What the control API shows of a mock's parts, as `control.yaml` describes them."""

from __future__ import annotations

import math
from typing import Any

import orjson

from ..accounts import Account
from ..clock import isoformat, not_before
from ..journal.secrets import shortened
from ..mock import Mock
from ..projects import Project, status_at
from ..rendering.outputs import source_of
from ..representation import image_project
from ..scenarios.rules import Rule
from ..webhooks.deliveries import Attempt, Delivery, Endpoint
from . import PREFIX


def state(mock: Mock, version: str) -> dict[str, Any]:
    """Return what is running, in numbers."""
    return {
        "title": mock.contract.title,
        "version": version,
        "mode": "mock" if mock.upstream is None else "proxy",
        "clock": clock(mock),
        "settings": _settings(mock),
        "accounts": mock.store.count_accounts(),
        "projects": mock.store.count_projects(),
        "rules": sum(rule.enabled for rule in mock.scenarios.all()),
        "webhooks": len(mock.webhooks.endpoints()),
        "journal": len(mock.journal) if mock.journal is not None else 0,
        "contract": {
            "operations": [
                {
                    "id": operation.id,
                    "method": operation.method,
                    "path": operation.path,
                    "summary": str(operation.node.get("summary", "")),
                    "credits": operation.credits,
                }
                for operation in mock.contract.operations
            ],
            "job_errors": list(mock.contract.extension("x-job-errors", {})),
            "plans": list(mock.plans),
            "events": list(mock.webhooks.events.values()),
        },
        "links": _links(mock),
    }


def _settings(mock: Mock) -> dict[str, Any]:
    settings = mock.settings
    if mock.upstream is not None:
        return {"upstream": mock.upstream, "journal": settings.journal}
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


def _links(mock: Mock) -> dict[str, str]:
    control = {"control": f"{PREFIX}/openapi.json"}
    # Whatever else there may be behind a proxy is not ours.
    return control if mock.upstream else {"docs": "/docs", "openapi": "/openapi.json", **control}


def clock(mock: Mock) -> dict[str, Any]:
    """Return what time it is for a mock."""
    now = mock.clock.now()
    ahead = round(mock.clock.ahead, 3)
    return {"now": isoformat(now), "epoch": now, "frozen": mock.clock.frozen, "ahead": ahead}


def account(mock: Mock, account: Account) -> dict[str, Any]:
    """Return an account with what it has left."""
    return {
        "id": account.id,
        "token": mock.shown_tokens.get(account.id),
        "plan": account.plan,
        "credits": mock.store.balance(account.id, mock.clock.now()),
    }


def project(mock: Mock, project: Project, base_url: str) -> dict[str, Any]:
    """Return a project as the API shows it, and what only the mock knows of it."""
    now = mock.clock.now()
    pictures = f"{PREFIX}/projects/{project.id}/pictures"
    complete = status_at(project, now) == "complete" and project.deleted_at is None
    return {
        "project": {**image_project(mock, project, now, base_url), "name": mock.secrets.hide(project.name)},
        "account": project.account_id,
        "operation": project.operation_id,
        "plan": project.plan,
        "outcome": project.outcome,
        "finished_at": None if project.finished_at == math.inf else not_before(project.finished_at),
        "deleted_at": None if project.deleted_at is None else isoformat(project.deleted_at),
        "request": orjson.loads(mock.secrets.body(project.request.decode())),
        "pictures": {
            "before": f"{pictures}/before" if source_of(mock, project) else None,
            "after": f"{pictures}/after" if complete else None,
        },
    }


def rule(rule: Rule) -> dict[str, Any]:
    """Return a rule and how often it was asked."""
    return {
        "id": rule.id,
        "rule": dict(rule.given),
        "enabled": rule.enabled,
        "fitted": rule.fitted,
        "acted": rule.acted,
    }


def webhooks(mock: Mock) -> dict[str, Any]:
    """Return the webhooks, and how many deliveries did not fit."""
    return {
        "webhooks": [webhook(each) for each in mock.webhooks.endpoints()],
        "dropped": mock.webhooks.dropped,
        "forgotten": mock.webhooks.forgotten,
    }


def webhook(endpoint: Endpoint) -> dict[str, Any]:
    """Return a webhook; its secret can be recognised, but not used."""
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "secret": shortened(endpoint.secret),
        "events": sorted(endpoint.events),
        "enabled": endpoint.enabled,
    }


def delivery(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery with every attempt."""
    next_at = delivery.next_at
    return {
        "id": delivery.id,
        "webhook": delivery.endpoint.id,
        "url": delivery.endpoint.url,
        "event": delivery.event,
        "project": delivery.project_id,
        "state": delivery.state,
        "problem": delivery.problem,
        "body": delivery.body.decode(),
        "next_at": None if next_at is None else not_before(next_at),
        "attempts": [_attempt(each) for each in list(delivery.attempts)],
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "at": isoformat(attempt.at),
        "headers": attempt.headers,
        "status": attempt.status,
        "problem": attempt.problem,
        "ms": attempt.ms,
    }
