"""What each `x-behaviour` of the contract does. A behaviour is a function from a `Call` to an `Answer`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import orjson

from bluehour.openapi import terms, wording
from bluehour.openapi.model import Operation
from bluehour.openapi.values import places_at

from ..core.accounts import Account, InsufficientCredits, TooManyJobs
from ..core.assets import Upload
from ..core.assets.links import upload_path
from ..core.clock import isoformat
from ..core.idempotency import Key
from ..core.making import measured, name_for
from ..core.projects import PENDING, Project, QueueFull, new_id
from ..core.sources import sources_of
from .call import Answer, Behaviour, Call, Refusal
from .examples import documented_example
from .idempotency import once
from .representation import READS, fields_shown_by, kind_of, project_as_shown, signed_link
from .sources import Source, discard, find_source, keep, refuse_extension

_BEHAVIOURS: dict[str, Behaviour] = {}

_SAVED_ITEMS = 20
"""On a page where the request doesn't say how many, as the vendor's SDK has it."""

_QUEUED_SHARE = 0.25
"""How much of a job's time passes before rendering begins. No source says; any share shows both."""


_RETRY_AFTER = "5"
"""Seconds until a create is tried again that found the queue full."""


def behaviour_of(operation: Operation) -> Behaviour:
    """Return what answers an operation.

    Raises:
        LookupError: the contract names a behaviour that there is not.
    """
    if operation.behaviour is None:
        return documented_example
    try:
        return _BEHAVIOURS[operation.behaviour]
    except KeyError:
        known = ", ".join(sorted(_BEHAVIOURS))
        raise LookupError(
            f"{operation.method} {operation.path}: no x-behaviour '{operation.behaviour}'; there are {known}"
        ) from None


def _behaviour(name: str) -> Callable[[Behaviour], Behaviour]:
    def register(function: Behaviour) -> Behaviour:
        _BEHAVIOURS[name] = function
        return function

    return register


@_behaviour("create-project")
def create_project(call: Call) -> Answer:
    """Charge the account and start a job, in one step or not at all; what its key has made, not again."""
    return once(call, _create, _first_answer)


def _create(call: Call, key: Key | None) -> Answer:
    account = call.caller
    sources = _sources(call)
    request, price = _taken(call, account)
    project_id = new_id(call.operation.node.get("x-id"))
    limit = call.world.plans[account.plan]["upload-bytes"]
    errors = keep(call, sources, project_id, limit)
    try:
        project = _new_project(call, account, project_id, price, errors)
        if not terms.always_makes_the_same(call.operation):
            project = _with_what_is_made(call, project, request)
        balance = call.world.create_project(project, _most_jobs(call, account), call.base_url, key)
    except BaseException as error:
        discard(call, sources, project_id)
        if isinstance(error, InsufficientCredits | TooManyJobs | QueueFull):
            raise _refusal_for(error, price, call, account) from error
        raise
    if project.is_pending or not terms.always_makes_the_same(call.operation):
        call.trace.remarks = call.world.pictures.remarks_on(project)
    note = {"project": project.id, "charged": price, "balance": balance}
    return _accepted(call, project.id, price, note)


def _first_answer(call: Call, project_id: str) -> Answer:
    project = call.world.store.project(project_id)
    if project is None:  # forgotten just now
        raise Refusal("not_found")
    return _accepted(call, project.id, project.credits, {})


def _accepted(call: Call, project_id: str, price: int, note: dict[str, Any]) -> Answer:
    body = dict.fromkeys(fields_shown_by(call.operation), price) | {"id": project_id}
    return Answer(200, body, note=note)


def _sources(call: Call) -> list[Source]:
    """Return what the request names as its files, each once.

    Raises:
        Refusal: 422, a field names nothing that it can have; the message says which.
    """
    found: dict[str, Source] = {}
    for path, kinds in call.operation.annotated("x-asset-type"):
        for place, name in places_at(call.body, path):
            try:
                source = find_source(call, kinds, name)  # of each field, as they may want different types
            except Refusal as refusal:
                message = f"{wording.field_name(place)}: {refusal.message}"
                raise Refusal(refusal.code, message) from refusal
            found.setdefault(name, source)
    return list(found.values())


def _as_json(call: Call) -> bytes:
    """Return the body as JSON: as it came, unless it was compressed or began with a byte-order mark."""
    body = call.request.body
    return body if body.lstrip()[:1] == b"{" else orjson.dumps(call.body)


def _taken(call: Call, account: Account) -> tuple[dict[str, Any], int]:
    """Return the request as it is meant, and its price.

    Raises:
        Refusal: it is not offered, or not on this plan.
    """
    operation, plan = call.operation, account.plan
    if terms.takes_all(operation):
        return call.body, terms.usual_price(operation)
    is_simple = terms.is_simple(operation)
    request = call.body if is_simple else terms.meant(operation, call.body, plan)
    for objection in terms.objections(operation, request, plan, call.world.plans):
        code = "plan_upgrade_required" if objection.is_of_plan else "unprocessable_entity"
        raise Refusal(code, objection.message)
    return request, terms.usual_price(operation) if is_simple else terms.price(operation, request, plan) or 0


def _most_jobs(call: Call, account: Account) -> int | None:
    """How many jobs may be unfinished at a time, this one included, where that is limited."""
    return call.world.plans[account.plan].get("concurrent-jobs") if call.world.settings.concurrency else None


def _refusal_for(
    error: InsufficientCredits | TooManyJobs | QueueFull, price: int, call: Call, account: Account
) -> Refusal:
    if isinstance(error, InsufficientCredits):
        return Refusal("insufficient_credits", _too_poor(price, error.balance))
    if isinstance(error, QueueFull):
        return Refusal(
            "too_many_requests",
            f"Too many jobs wait: {error.waiting:,}. Try again later",
            headers={"Retry-After": _RETRY_AFTER},
        )
    jobs = wording.counted(error.running, "job")
    return Refusal(
        "too_many_requests",
        f"Too many jobs at a time: the {account.plan} plan allows {jobs}. Try again later",
    )


def _new_project(
    call: Call, account: Account, project_id: str, price: int, errors: list[str | None]
) -> Project:
    seconds = call.operation.render_seconds * call.world.settings.time_scale
    outcome = _outcome(call, errors)
    if call.job == "stuck" or outcome == PENDING:
        seconds = math.inf
    return Project(
        id=project_id,
        account_id=account.id,
        operation_id=call.operation.id,
        plan=account.plan,
        name=name_for(call.operation, call.body, call.now),
        credits=price,
        request=_as_json(call),
        created_at=call.now,
        rendering_at=call.now + seconds * _QUEUED_SHARE,
        finished_at=call.now + seconds,
        outcome=outcome,
    )


def _with_what_is_made(call: Call, project: Project, request: dict[str, Any]) -> Project:
    """Return a project with the size and the frames of what it makes, and with what that costs at its end."""
    sources = sources_of(call.world, project)
    clips = filter(None, map(call.world.pictures.clip_of, sources))
    longest_edge = call.world.plans[project.plan]["longest-edge"]
    return measured(project, call.operation, request, clips, longest_edge)


def _outcome(call: Call, errors: list[str | None]) -> str:
    """Return how a job will end: as a scenario forces it, in its assets' error, or as its rendering does."""
    if call.job is not None:
        return "complete" if call.job == "stuck" else call.job
    is_pending = call.world.pictures.takes_time_for(call.operation.project_type)
    return next(filter(None, errors), PENDING if is_pending else "complete")


def _too_poor(price: int, balance: int) -> str:
    costs, has = wording.counted(price, "credit"), wording.counted(balance, "credit")
    return f"Insufficient credits: this costs {costs}, and your account has {has}"


@_behaviour(READS)
def get_project(call: Call) -> Answer:
    """Show a project as it is now, with fresh links if it is complete."""
    if call.path["id"] in call.world.example_projects:
        return _example_project(call)
    project = _own_project(call)
    body = project_as_shown(call.world, project, call.now, call.base_url)
    return Answer(200, body, note={"project": project.id, "job": body["status"]})


def _own_project(call: Call) -> Project:
    """Return the project of the path: the caller's own, and of the operation's kind."""
    project = call.world.store.project(call.path["id"])
    if (
        project is None
        or project.account_id != call.caller.id
        or kind_of(call.world, project) != call.operation.project_kind
    ):
        raise Refusal("not_found")
    return project


def _example_project(call: Call) -> Answer:
    """The project of the published examples, as published, but with files that can be downloaded."""
    body = _with_links(call, documented_example(call).body, call.path["id"])
    return Answer(200, body, note={"project": call.path["id"], "job": body["status"]})


def _with_links(call: Call, example: Any, project_id: str) -> Any:
    """Return a part of an example with links of ours in the place of the published ones."""
    if isinstance(example, list):
        return [_with_links(call, each, project_id) for each in example]
    if not isinstance(example, dict):
        return example
    if "url" not in example:
        return {name: _with_links(call, each, project_id) for name, each in example.items()}
    name = urlsplit(str(example["url"])).path.rpartition("/")[2]
    link = signed_link(call.world, project_id, name, call.now, call.base_url)
    return {key: link.get(key, value) for key, value in example.items()}


@_behaviour("delete-project")
def delete_project(call: Call) -> Answer:
    """Delete a project and its files; deleting it again is as good."""
    if call.path["id"] not in call.world.example_projects:
        project = _own_project(call)
        call.world.store.delete_project(project.id, call.now)
        call.world.pictures.remove(project, call.now)
    status, _ = call.operation.success
    return Answer(status, media_type=None, note={"project": call.path["id"], "job": "deleted"})


@_behaviour("get-account")
def get_account(call: Call) -> Answer:
    """Show who calls, the plan, and what is left of the credits: the sum of the ledger."""
    account = call.caller
    facts: dict[str, Any] = {
        "id": account.id,
        "email": None,
        "tier": account.plan,
        "credits": call.world.store.balance(account.id, call.now),
        "subscription": None,
    }
    example = documented_example(call).body
    if account.plan != next(iter(call.world.plans), None) and isinstance(example, dict):
        facts["subscription"] = {**(example.get("subscription") or {}), "name": account.plan.capitalize()}
    return Answer(200, {**example, **facts})


@_behaviour("list-saved-items")
def list_saved_items(call: Call) -> Answer:
    """Show the items of the contract's `x-saved-items`, a page at a time, with fresh links to their files."""
    asked = call.parameters
    wanted = [
        item
        for item in call.operation.node.get("x-saved-items", ())
        if asked.get("type") in (None, item["type"])
    ]
    start = _place_of(asked.get("cursor"), wanted)
    page = wanted[start : start + (asked.get("limit") or _SAVED_ITEMS)]
    is_last = start + len(page) >= len(wanted)
    items = [{**item, "assets": [_with_link(call, each) for each in item["assets"]]} for item in page]
    return Answer(200, {"items": items, "next_cursor": None if is_last else page[-1]["id"]})


def _place_of(cursor: str | None, items: list[dict[str, Any]]) -> int:
    """Return where a page begins: behind the item that a cursor names, or at the end if it names none."""
    if cursor is None:
        return 0
    ids = [item["id"] for item in items]
    return ids.index(cursor) + 1 if cursor in ids else len(items)


def _with_link(call: Call, asset: dict[str, Any]) -> dict[str, Any]:
    name = str(asset["file_path"]).rpartition("/")[2]
    link = signed_link(call.world, call.world.example_projects[0], name, call.now, call.base_url)
    return {**asset, "url": link["url"], "url_expires_at": link["expires_at"]}


@_behaviour("create-upload-urls")
def create_upload_urls(call: Call) -> Answer:
    """Issue a signed link for each file that is to be uploaded, in the order of the request."""
    items = call.body["items"]
    for item in items:
        refuse_extension(call, item["extension"], [item["type"]])
    account = call.caller
    uploads = [
        Upload(upload_path(new_id(), item["type"], item["extension"]), account.id, call.now) for item in items
    ]
    call.world.store.put_uploads(uploads)
    expires_at = call.now + call.world.lifetimes["upload-link"]
    limit = call.world.plans[account.plan]["upload-bytes"]
    links = [
        {
            "upload_url": call.base_url + call.world.links.sign(f"/{upload.path}", expires_at, limit=limit),
            "expires_at": isoformat(int(expires_at)),
            "file_path": upload.path,
        }
        for upload in uploads
    ]
    return Answer(200, {"items": links}, note={"uploads": len(links)})
