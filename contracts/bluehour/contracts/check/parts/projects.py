"""Projects after their jobs: the pictures, the published example, and what deleting leaves."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import orjson

from bluehour.mock_server.rendering.simulated import output_size
from bluehour.openapi import terms
from bluehour.openapi.model import Operation
from bluehour.openapi.outputs import size_of

from ...exchange import Exchange, label_of
from ..checker import Check, answered, is_success, path_values
from ..jobs import Job, Jobs
from .bodies import assets_in, names_own, source_size, with_upload
from .links import crossed, expire_soon, tampered_with

_FORMATS = {
    "png": "PNG",
    "gif": "GIF",
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "jfif": "JPEG",
    "webp": "WEBP",
    "avif": "AVIF",
}
_MEDIA = {
    "mp4": ("video", re.compile(rb".{4}ftyp", re.DOTALL)),
    "mov": ("video", re.compile(rb".{4}(ftyp|moov|wide|free|mdat)", re.DOTALL)),
    "webm": ("video", re.compile(rb"\x1aE\xdf\xa3")),
    "mp3": ("audio", re.compile(rb"ID3|\xff[\xe0-\xff]")),
    "wav": ("audio", re.compile(rb"RIFF.{4}WAVE", re.DOTALL)),
}
"""What videos and sounds begin with, by the extension of their names (the formats' own specifications)."""

_FAILED_EACH = 2
"""Jobs of an operation that failed, and are tried a second time."""

_EDGES_SHOWN = 6

_DOWNLOADS_EACH = 6
"""Pictures of each operation that are fetched at most."""

_OFTEN, _FETCHED_OFTEN = 20, 2
"""How often the first picture is fetched on this machine, where no network cuts it off, of the first so many
operations: a server may do so now and then, and serves them alike."""

_PIXELS_APART = 2
_ROUNDED = 8
"""Pixels of the shorter side, which need not be any number."""


def try_pictures(check: Check, jobs: Jobs) -> None:
    """Fetch the pictures of what has completed, and look into them."""
    fetched: list[Exchange] = []
    for place, operation in enumerate(check.creates):
        often = _OFTEN if check.is_local and place < _FETCHED_OFTEN else 2
        plain = [job for job in jobs.all if job.operation is operation and job.is_plain and not job.deleted]
        for job in plain:
            expect_complete(check, job)
        with check.within_budget(operation, "project.complete"):
            repeat_failed(check, jobs, operation)
        done = [
            job
            for job in jobs.all
            if job.operation is operation and job.is_fetched and job.status == "complete" and not job.deleted
        ]
        if not done:
            reason = "no edit has completed" if plain else "nothing was created"
            for rule_id in ("download.link", "download.picture", "download.size", "download.tampered"):
                check.unjudged(reason, operation, rule_id)
        for index, job in enumerate(done[:_DOWNLOADS_EACH]):
            jobs.look_at(job, "for fresh links")
            fetched += _try_picture(check, job, 2 if index else often)
    for one, other in pairwise(fetched):
        if crossed(check, "download.tampered", one, other):
            break


def expect_complete(check: Check, job: Job) -> None:
    """The edit of a good picture completes."""
    if job.has_ended and job.last is not None:
        error = job.shown("error")
        message = f"The edit ended in {job.status}: {error}"
        check.expect(
            "project.complete",
            job.last,
            job.status == "complete",
            message,
            "status",
            operation=label_of(job.operation),
            related=(job.made,),
        )


def repeat_failed(check: Check, jobs: Jobs, operation: Operation) -> None:
    """What is legal, and was accepted, does not always fail in the job: once may be bad luck."""
    failed = [job for job in jobs.all if job.operation is operation and job.edges and job.status == "error"]
    for job in failed[:_FAILED_EACH]:
        if job.was_repeated:
            continue
        job.was_repeated = True
        account = job.account
        if check.accounts.made_to_order:
            price = check.price_of(operation, job.request)
            account = check.accounts.with_credits(price, f"with {price} credits, for a job that failed")
        body = with_upload(check, operation, account, orjson.loads(job.made.request.body))
        made, again = jobs.create(operation, account, body, "the legal edges whose job failed, once more")
        if again is None:
            continue
        jobs.watch(again)
        if again.has_ended and again.last is not None:
            error, shown = again.shown("error"), "; ".join(job.edges[:_EDGES_SHOWN])
            more = f"; and {len(job.edges) - _EDGES_SHOWN} more" if len(job.edges) > _EDGES_SHOWN else ""
            check.expect(
                "project.complete",
                again.last,
                again.status != "error",
                f"It is legal, was accepted, and its job failed twice ({error}): {shown}{more}",
                "edges",
                operation=label_of(operation),
                related=(job.made, made),
            )


def _try_picture(check: Check, job: Job, times: int) -> Iterator[Exchange]:
    """Fetch a job's files so many times, each from its link, and look into them."""
    downloads = job.shown("downloads")
    label = label_of(job.operation)
    for index, link in enumerate(downloads if isinstance(downloads, list) else ()):
        url = link.get("url") if isinstance(link, dict) else None
        if not isinstance(url, str):
            continue
        exchange = check.fetch(url, "the picture, without a token")
        words = exchange.failure or f"answered by {answered(exchange)}"
        related = (job.last,) if job.last else ()
        if not check.expect(
            "download.link", exchange, is_success(exchange), f"downloads[{index}].url: {words}", "url",
            operation=label, related=related,
        ):  # fmt: skip
            continue
        yield exchange
        _judge_picture(check, job, exchange, label)
        _fetch_again(check, exchange, times, label)
        tampered_with(check, "download.tampered", url, label, _fetch)
        expire_soon(check, "download.expiry", url, link.get("expires_at"), label, _fetch)


def _fetch_again(check: Check, first: Exchange, times: int, label: str) -> None:
    """Whoever follows a link once more gets the same, whole."""
    for time in range(2, times + 1):
        again = check.fetch(first.request.url, "the same picture again")
        content = again.answer.body if again.answer and is_success(again) else None
        kept = first.answer is not None and content == first.answer.body
        words = again.failure or f"answered by {answered(again)}, {len(content or b''):,} bytes"
        message = f"Followed {time} times, the link did not give the same: {words}"
        if not check.expect("download.link", again, kept, message, "url", operation=label, related=(first,)):
            return


def _fetch(check: Check, url: str, purpose: str) -> Exchange:
    return check.fetch(url, purpose)


def _judge_picture(check: Check, job: Job, exchange: Exchange, label: str) -> None:
    if exchange.answer is None:
        return
    named = PurePosixPath(urlsplit(exchange.request.url).path).suffix.removeprefix(".").lower()
    content_type = (exchange.answer.header("Content-Type") or "").partition(";")[0].strip().lower()
    if named in _MEDIA:
        _judge_media(check, exchange, named, content_type, label)
        return
    found = _decoded(exchange.answer.body)
    if isinstance(found, str):
        check.expect("download.picture", exchange, False, f"It can't be decoded: {found}", operation=label)
        return
    picture_format, size = found
    expected = _FORMATS.get(named)
    check.expect(
        "download.picture",
        exchange,
        expected == picture_format,
        f"It is a {picture_format}, and its name ends in .{named}",
        "url",
        operation=label,
    )
    kept = content_type == f"image/{picture_format.lower()}" or not content_type.startswith("image/")
    check.expect(
        "download.picture",
        exchange,
        kept,
        f"It is a {picture_format}, and its Content-Type is {content_type or 'missing'}",
        "Content-Type",
        operation=label,
    )
    _judge_size(check, job, exchange, size, label)


def _judge_media(check: Check, exchange: Exchange, named: str, content_type: str, label: str) -> None:
    """A video or a sound is what its name says, as far as its beginning and its Content-Type tell."""
    media_type, pattern = _MEDIA[named]
    content = exchange.answer.body if exchange.answer else b""
    check.expect(
        "download.picture",
        exchange,
        pattern.match(content) is not None,
        f"{len(content):,} bytes that don't begin as a file does whose name ends in .{named}",
        "url",
        operation=label,
    )
    check.expect(
        "download.picture",
        exchange,
        content_type.partition("/")[0] in (media_type, "application"),
        f"Its name ends in .{named}, and its Content-Type is {content_type or 'missing'}",
        "Content-Type",
        operation=label,
    )


def _decoded(content: bytes) -> tuple[str, tuple[int, int]] | str:
    """A picture's format and size, once all of it is decoded, or why it can't be."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content), formats=tuple(set(_FORMATS.values()))) as image:
            image.load()
            return str(image.format), image.size
    except UnidentifiedImageError:
        return f"{len(content):,} bytes of no known format"
    except Exception as error:  # broken files come out of Pillow's decoders as nearly any exception
        return f"{len(content):,} bytes, {error}"[:200]


def _judge_size(check: Check, job: Job, exchange: Exchange, size: tuple[int, int], label: str) -> None:
    """A request that has a size gets it; another its source's own, as far as the account's plan allows."""
    if job.operation.project_kind != "image":
        return
    if not names_own(check, job.operation, job.request):
        check.unjudged("no picture could be uploaded whose size is known", label, "download.size")
        return
    source = source_size(check, job.operation, job.request)
    plans = check.contract.extension("x-plans", {})
    if not terms.always_makes_the_same(job.operation):
        _judge_asked_size(check, job, exchange, size, label)
        return
    plan = plans.get(job.account.plan)
    if plan is None and not job.operation.annotated("x-plan-limit"):
        _judge_proportions(check, job, exchange, size, label)
        return
    longest = plan["longest-edge"] if plan else max(source)
    wanted = output_size(source, job.request, longest)
    apart = [abs(one - other) for one, other in zip(size, wanted, strict=True)]
    longer = wanted.index(max(wanted))
    # The longer side is what was asked for; the other may be rounded, as many models need.
    kept = apart[longer] <= _PIXELS_APART and apart[1 - longer] <= max(_ROUNDED, min(wanted) / 100)
    message = told_of_size(size, source, wanted)
    check.expect("download.size", exchange, kept, message, operation=label, related=(job.made,))


def _judge_asked_size(check: Check, job: Job, exchange: Exchange, size: tuple[int, int], label: str) -> None:
    """Where the contract says how large an output is, it is as large, on whatever plan it was made."""
    source = source_size(check, job.operation, job.request)
    plans = check.contract.extension("x-plans", {}) or {"": {}}
    sizes = []
    for plan, limits in plans.items():
        asked = terms.output(job.operation, terms.meant(job.operation, job.request, plan), plan)
        if not asked.is_sized:
            return  # it has the source's size, and nothing says which source's
        named = source if assets_in(job.operation, job.request) else None
        sizes.append(size_of(asked, named, limits.get("longest-edge", max(source))))
    kept = any(max(abs(a - b) for a, b in zip(size, each, strict=True)) <= _ROUNDED for each in sizes)
    message = told_of_size(size, source, sizes[-1])
    check.expect("download.size", exchange, kept, message, operation=label, related=(job.made,))


def _judge_proportions(check: Check, job: Job, exchange: Exchange, size: tuple[int, int], label: str) -> None:
    """Of an account whose plan is not known, the size is not known either."""
    source = source_size(check, job.operation, job.request)
    wanted = size[0] * source[1] / source[0]
    message = f"It is {in_pixels(size)}, in other proportions than its source of {in_pixels(source)}"
    kept = abs(size[1] - wanted) <= _PIXELS_APART + wanted / 100
    check.expect("download.size", exchange, kept, message, operation=label, related=(job.made,))


def told_of_size(size: tuple[int, int], source: tuple[int, int], wanted: tuple[int, int]) -> str:
    """Say what a picture's size is, and what it should be of its source's."""
    return f"It is {in_pixels(size)}; of a source of {in_pixels(source)} it should be {in_pixels(wanted)}"


def in_pixels(size: tuple[int, int]) -> str:
    """Say a width and a height."""
    return f"{size[0]} x {size[1]}"


def try_example(check: Check) -> None:
    """The published example's project, on servers that have test accounts."""
    example = next(iter(check.contract.extension("x-example-projects", ())), None)
    if example is None or not check.accounts.made_to_order:
        for operation in (*check.reads, *check.deletes):
            check.unjudged("only servers with test accounts have it", operation, "project.example")
        return
    for operation in (*check.reads, *check.deletes) * 2:
        exchange = check.call(
            operation,
            check.accounts.main,
            path=path_values(operation, example),
            purpose="the published example",
        )
        if answered(exchange):
            message = f"The published example's project was answered by {answered(exchange)}"
            check.expect("project.example", exchange, is_success(exchange), message, "id")


def try_deleting(check: Check, jobs: Jobs) -> None:
    """Delete projects, read them, delete them again, and try what links led to them."""
    for operation in check.creates:
        mine = [job for job in jobs.all if job.operation is operation and job.has_ended and not job.deleted]
        job = next((job for job in mine if job.status == "complete"), next(iter(mine), None))
        if job is not None:
            for delete in check.deletes:
                if delete.project_kind == operation.project_kind:
                    _delete(check, jobs, job, delete)
    if not any(job.deleted for job in jobs.all):
        for operation in check.deletes:
            check.unjudged("there is no project to delete", operation, "project.delete")
        for operation in check.reads:
            check.unjudged("there is no project to delete", operation, "project.deleted")


def _delete(check: Check, jobs: Jobs, job: Job, operation: Operation) -> None:
    links = [link.get("url") for link in _listed(job.shown("downloads")) if isinstance(link, dict)]
    values = path_values(operation, job.project_id)
    first = check.call(operation, job.account, path=values, purpose="deleting a project")
    job.deleted = is_success(first)
    jobs.look_at(job, "the deleted project")
    check.call(operation, job.account, path=values, purpose="deleting it again")
    jobs.look_at(job, "the project that was deleted twice")
    if not job.deleted:
        return
    for url in links:
        if isinstance(url, str):
            exchange = check.fetch(url, "the picture of the deleted project")
            if answered(exchange):
                message = f"The deleted project's picture was answered by {answered(exchange)}"
                check.expect(
                    "download.deleted", exchange, not is_success(exchange), message, "url",
                    operation=label_of(job.operation), related=(first,),
                )  # fmt: skip


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
