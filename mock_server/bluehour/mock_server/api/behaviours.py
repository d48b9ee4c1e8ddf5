"""What each `x-behaviour` of the contract does. A behaviour is a function from a `Call` to an `Answer`."""

from __future__ import annotations

import math
from collections.abc import Callable

import orjson

from bluehour.openapi import wording
from bluehour.openapi.model import Operation
from bluehour.openapi.schema import value_at

from ..core.accounts import Account, InsufficientCredits, TooManyJobs
from ..core.assets import Upload
from ..core.assets.links import upload_path
from ..core.clock import isoformat
from ..core.projects import PENDING, Project, new_id
from .call import Answer, Behaviour, Call, Refusal
from .examples import documented_example
from .representation import download_link, image_project
from .sources import discard, find_source, keep, refuse_extension

_BEHAVIOURS: dict[str, Behaviour] = {}

_QUEUED_SHARE = 0.25
"""How much of a job's time passes before rendering begins. No source says; any share shows both."""


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


@_behaviour("create-image-project")
def create_image_project(call: Call) -> Answer:
    """Charge the account and start a job, in one step or not at all."""
    account = call.caller
    named = ((value_at(call.body, path), kind) for path, kind in call.operation.annotated("x-asset-type"))
    sources = [find_source(call, kind, name) for name, kind in named if name is not None]
    _refuse_above_plan(call, account)
    project_id, limit = new_id(), call.world.plans[account.plan]["upload-bytes"]
    errors = keep(call, sources, project_id, limit)
    try:
        project = _new_project(call, account, project_id, errors)
        balance = call.world.create_project(project, _most_jobs(call, account), call.base_url)
    except BaseException as error:
        discard(call, sources, project_id)
        if isinstance(error, InsufficientCredits | TooManyJobs):
            raise _refusal_for(error, call, account) from error
        raise
    if project.is_pending:
        call.trace.remarks = call.world.pictures.remarks_on(project)
    body = {"id": project.id, "frame_cost": project.credits, "credits_charged": project.credits}
    return Answer(200, body, note={"project": project.id, "charged": project.credits, "balance": balance})


def _as_json(call: Call) -> bytes:
    """Return the body as JSON: as it came, unless it was compressed or began with a byte-order mark."""
    body = call.request.body
    return body if body.lstrip()[:1] == b"{" else orjson.dumps(call.body)


def _refuse_above_plan(call: Call, account: Account) -> None:
    for path, limit_name in call.operation.annotated("x-plan-limit"):
        asked, limit = value_at(call.body, path), call.world.plans[account.plan][limit_name]
        if asked is not None and asked > limit:
            raise Refusal(
                "plan_upgrade_required",
                f"{wording.field_name(path)} must be at most {limit} on the {account.plan} plan. "
                f"Please upgrade your plan for {asked}",
            )


def _most_jobs(call: Call, account: Account) -> int | None:
    """How many jobs may be unfinished at a time, this one included, where that is limited."""
    return call.world.plans[account.plan].get("concurrent-jobs") if call.world.settings.concurrency else None


def _refusal_for(error: InsufficientCredits | TooManyJobs, call: Call, account: Account) -> Refusal:
    if isinstance(error, InsufficientCredits):
        return Refusal("insufficient_credits", _too_poor(call.operation.credits, error.balance))
    jobs = wording.counted(error.running, "job")
    return Refusal(
        "too_many_requests",
        f"Too many jobs at a time: the {account.plan} plan allows {jobs}. Try again later",
    )


def _new_project(call: Call, account: Account, project_id: str, errors: list[str | None]) -> Project:
    seconds = call.operation.render_seconds * call.world.settings.time_scale
    outcome = _outcome(call, errors)
    if call.job == "stuck" or outcome == PENDING:
        seconds = math.inf
    return Project(
        id=project_id,
        account_id=account.id,
        operation_id=call.operation.id,
        plan=account.plan,
        name=_name(call),
        credits=call.operation.credits,
        request=_as_json(call),
        created_at=call.now,
        rendering_at=call.now + seconds * _QUEUED_SHARE,
        finished_at=call.now + seconds,
        outcome=outcome,
    )


def _outcome(call: Call, errors: list[str | None]) -> str:
    """Return how a job will end: as a scenario forces it, in its assets' error, or as its rendering does."""
    if call.job is not None:
        return "complete" if call.job == "stuck" else call.job
    return next(filter(None, errors), PENDING if call.world.pictures.takes_time else "complete")


def _name(call: Call) -> str:
    """The name asked for, or the contract's default with the time in place of its word `dateTime`."""
    if "name" in call.body:
        return str(call.body["name"])
    return str(call.operation.with_defaults({}).get("name", "")).replace("dateTime", isoformat(call.now))


def _too_poor(price: int, balance: int) -> str:
    costs, has = wording.counted(price, "credit"), wording.counted(balance, "credit")
    return f"Insufficient credits: this costs {costs}, and your account has {has}"


@_behaviour("get-image-project")
def get_image_project(call: Call) -> Answer:
    """Show a project as it is now, with fresh links if it is complete."""
    if call.path["id"] in call.world.example_projects:
        return _example_project(call)
    project = _own_project(call)
    body = image_project(call.world, project, call.now, call.base_url)
    return Answer(200, body, note={"project": project.id, "job": body["status"]})


def _own_project(call: Call) -> Project:
    project = call.world.store.project(call.path["id"])
    if project is None or project.account_id != call.caller.id:
        raise Refusal("not_found")
    return project


def _example_project(call: Call) -> Answer:
    """The project of the published examples, as published, but with a picture that can be downloaded."""
    body = dict(documented_example(call).body)
    link = download_link(call.world, body["id"], "png", call.now, call.base_url)
    body["downloads"] = [link]
    return Answer(200, body, note={"project": body["id"], "job": body["status"]})


@_behaviour("delete-image-project")
def delete_image_project(call: Call) -> Answer:
    """Delete a project and its picture; deleting it again is as good."""
    if call.path["id"] not in call.world.example_projects:
        project = _own_project(call)
        call.world.store.delete_project(project.id, call.now)
        call.world.pictures.remove(project, call.now)
    status, _ = call.operation.success
    return Answer(status, media_type=None, note={"project": call.path["id"], "job": "deleted"})


@_behaviour("create-upload-urls")
def create_upload_urls(call: Call) -> Answer:
    """Issue a signed link for each file that is to be uploaded, in the order of the request."""
    items = call.body["items"]
    for item in items:
        refuse_extension(call, item["extension"], item["type"])
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
