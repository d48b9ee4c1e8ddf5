"""Upload links: what they are issued for, what can be PUT to them, and until when. All of it is free."""

from __future__ import annotations

from random import Random
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from bluehour.openapi.model import Operation

from ...exchange import Exchange, label_of
from ..checker import Check, answered, is_success
from ..jobs import Job, Jobs
from .bodies import assets_in, example_asset, legal_body, naming, uploaded
from .links import expire_soon, tampered_with

_CONTENT_TYPES = (None, "application/octet-stream", "image/png", "text/plain; charset=utf-8")
_BAIT = ("../../image.png", "https://[", "file:///image.png")

_LARGE = 12 * 2**20
"""Bytes of a file that nobody needs so large: limits of one, five and ten megabytes show."""

_UNKNOWN = ("gif", "svg", "txt", "pdf", "exe")

_BROKEN = b"This is no picture, whatever its name says.\n" * 20


def try_uploads(check: Check) -> None:
    """Ask for links in every way, and use some."""
    for operation in check.uploads:
        _try_every_extension(check, operation)
        _try_wrong_extensions(check, operation)
        _try_putting(check, operation)


def _try_every_extension(check: Check, operation: Operation) -> None:
    """One link for each documented extension, in an order of chance: the answers come in that order."""
    known: dict[str, list[str]] = check.contract.extension("x-asset-extensions", {})
    items = [{"type": kind, "extension": each} for kind, extensions in known.items() for each in extensions]
    check.random.shuffle(items)
    exchange = _issue(check, operation, items, "a link for every documented extension")
    if is_success(exchange):
        for _ in items:
            check.expect("accept.extensions", exchange, True, "")
        return
    for item in items:
        exchange = _issue(check, operation, [item], f"a link for {item['type']} .{item['extension']}")
        if answered(exchange):
            message = (
                f"{item['type']} .{item['extension']} is documented, and was refused: {answered(exchange)}"
            )
            check.expect("accept.extensions", exchange, is_success(exchange), message, item["extension"])


def _try_wrong_extensions(check: Check, operation: Operation) -> None:
    known: dict[str, list[str]] = check.contract.extension("x-asset-extensions", {})
    expected = check.status_of("unprocessable_entity")
    misfits = _misfits(known, check.random)
    asked = [[{"type": kind, "extension": extension}] for kind, extension in misfits]
    if misfits:  # once is enough to see whether more than the first item is looked at
        kind, extension = misfits[0]
        asked.append([{"type": kind, "extension": known[kind][0]}, {"type": kind, "extension": extension}])
    for items in asked:
        shown = f"{items[-1]['type']} .{items[-1]['extension']}"
        exchange = _issue(check, operation, items, f"{shown}, which does not fit")
        if 0 < answered(exchange) < 500:
            message = f"{shown} was answered by {answered(exchange)} in place of {expected}"
            check.expect("upload.extension", exchange, answered(exchange) == expected, message, shown)


def _misfits(known: dict[str, list[str]], random: Random) -> list[tuple[str, str]]:
    """Each type with every extension that is another's, or nobody's."""
    everything = {each for extensions in known.values() for each in extensions} | set(_UNKNOWN)
    found = [(kind, each) for kind in known for each in sorted(everything - set(known[kind]))]
    random.shuffle(found)
    return found


def _try_putting(check: Check, operation: Operation) -> None:
    items = [{"type": "image", "extension": "png"}] * (len(_CONTENT_TYPES) + 1)
    exchange = _issue(check, operation, items, "links for several files")
    links = [item for item in _links(exchange) if isinstance(item.get("upload_url"), str)]
    label = label_of(operation)
    if not links:
        check.unjudged("no link was issued", operation, "upload.tampered")
        return
    _try_large(check, operation)
    put = exchange
    for content_type, item in zip(_CONTENT_TYPES, links, strict=False):
        for turn in ("", ", a second time"):
            put = check.put(
                item["upload_url"],
                check.picture.content,
                f"a file as {content_type or 'no type at all'}{turn}",
                content_type=content_type,
            )
            words = put.failure or f"answered by {answered(put)}"
            message = f"A PUT with the Content-Type {content_type}{turn}: {words}"
            check.expect("upload.put", put, is_success(put), message, "Content-Type")
    if not is_success(put):
        check.unjudged("nothing could be PUT", operation, "upload.tampered")
        return
    tampered_with(check, "upload.tampered", links[-1]["upload_url"], label, _put)
    expire_soon(check, "upload.expiry", links[-1]["upload_url"], links[-1].get("expires_at"), label, _put)


def _try_large(check: Check, operation: Operation) -> None:
    """PUT a picture with much behind its end, which no reader of pictures looks at, and name it."""
    account = check.accounts.empty or check.accounts.main
    issued = check.call(
        operation,
        account,
        {"items": [{"type": "image", "extension": "png"}]},
        purpose="a link for a large file",
    )
    item = next(iter(_links(issued)), {})
    if not isinstance(item.get("upload_url"), str):
        return
    content = check.picture.content + bytes(max(0, _LARGE - len(check.picture.content)))
    put = check.put(item["upload_url"], content, f"a file of {_LARGE // 2**20} MiB")
    words = put.failure or f"answered by {answered(put)}"
    message = f"A file of {_LARGE // 2**20} MiB was {words}; no limit is declared"
    check.expect("upload.put", put, is_success(put), message, "size")


def _put(check: Check, url: str, purpose: str) -> Exchange:
    return check.put(url, check.picture.content, purpose)


def _issue(check: Check, operation: Operation, items: list[dict[str, str]], purpose: str) -> Exchange:
    return check.call(operation, check.accounts.main, {"items": items}, purpose=purpose)


def _links(issued: Exchange) -> list[dict[str, Any]]:
    """Return the links that were issued, as the answer has them; what is no object is left out."""
    items = issued.answer.field("items") if issued.answer and is_success(issued) else None
    return [each for each in items if isinstance(each, dict)] if isinstance(items, list) else []


def try_assets(check: Check, jobs: Jobs) -> None:
    """Name assets that can't be edited: never issued, of another type, and no picture at all."""
    main = check.accounts.main
    naming_any = [each for each in check.creates if assets_in(each, legal_body(check, each, main))]
    for operation in naming_any:
        with check.within_budget(operation, "upload.issued"):
            for says, path in _unusable(check):
                _try_unusable(check, jobs, operation, says, path)
    cheapest = next((each for each in check.paid if each in naming_any), None)
    if cheapest is not None:
        with check.within_budget(cheapest, "upload.broken"):
            _try_broken(check, jobs, cheapest)
        with check.within_budget(cheapest, "upload.tampered"):
            _try_crossed(check, jobs, cheapest)


def _unusable(check: Check) -> list[tuple[str, str]]:
    mine = uploaded(check, check.accounts.main)
    return [
        ("a path that was never issued", f"api-assets/{token_hex(12)}/image.png"),
        ("a path like an issued one", mine.replace("/", f"/{token_hex(2)}", 1)),
        ("a path without a folder", "image.png"),
        ("an asset of no type by its name", f"{example_asset(check).rpartition('.')[0]}.txt"),
        ("a path that leads upwards", _BAIT[0]),
        ("a URL that can't be parsed", _BAIT[1]),
        ("a URL of no scheme that is known", _BAIT[2]),
    ]


def _try_unusable(check: Check, jobs: Jobs, operation: Operation, says: str, path: str) -> None:
    if check.findings.is_broken("upload.issued", label_of(operation)):
        return
    body = legal_body(check, operation, check.accounts.main)
    exchange = check.call(
        operation, check.accounts.main, naming(operation, body, path), purpose=f"{says}: {path}"
    )
    jobs.accept(exchange, check.accounts.main)
    expected, status = check.status_of("unprocessable_entity"), answered(exchange)
    if status == check.status_of("insufficient_credits"):
        check.unjudged("the account has no credits left", operation, "upload.issued")
    elif 0 < status < 500:
        # What looks like an attack may be refused on its way, in whatever manner.
        kept = status == expected or (path in _BAIT and status >= 400)
        message = f"{says[0].upper()}{says[1:]} ({path}) was answered by {status} in place of {expected}"
        check.expect("upload.issued", exchange, kept, message, "assets")


def _try_crossed(check: Check, jobs: Jobs, operation: Operation) -> None:
    """PUT a file to a link with another link's query; where it is taken, see whether the file is there."""
    for issuing in check.uploads:
        issued = _issue(check, issuing, [{"type": "image", "extension": "png"}] * 2, "links to mix up")
        links = _links(issued)
        urls = [urlsplit(each["upload_url"]) for each in links if isinstance(each.get("upload_url"), str)]
        if len(urls) < 2 or not urls[0].query or urls[0].netloc != urls[1].netloc:
            return
        mixed = urlunsplit(urls[1]._replace(query=urls[0].query))
        put = check.put(mixed, check.picture.content, "a link with another link's query")
        if not is_success(put):
            if answered(put):
                check.expect("upload.tampered", put, True, "", operation=label_of(issuing))
            return
        body = naming(operation, legal_body(check, operation, check.accounts.main), links[1]["file_path"])
        exchange, _ = jobs.create(operation, check.accounts.main, body, "the file that was PUT so")
        message = "A link's query was put behind another link's path, and the file was taken for that one"
        check.expect(
            "upload.tampered",
            put,
            not is_success(exchange),
            message,
            "upload_url",
            operation=label_of(issuing),
        )


def _try_broken(check: Check, jobs: Jobs, operation: Operation) -> None:
    """An upload that is no picture: refused, or a job that fails and costs nothing."""
    path = broken_file(check, operation)
    if path is None:
        return
    body = naming(operation, legal_body(check, operation, check.accounts.main), path)
    exchange, job = jobs.create(operation, check.accounts.main, body, "an upload that is no picture")
    if answered(exchange) == check.status_of("insufficient_credits"):
        check.unjudged("the account has no credits left", operation, "upload.broken")
    else:
        expect_broken(check, jobs, exchange, job)


def broken_file(check: Check, operation: Operation) -> str | None:
    """Return the file_path of a picture that was replaced by what is none, the main account's own.

    Where there is none, `upload.broken` is said of the operation: the file itself was refused, or no link
    was issued.
    """
    lack = "there is no link for a file that is no picture"
    for issuing in check.uploads:
        asked = [{"type": "image", "extension": "png"}] * 2
        issued = _issue(check, issuing, asked, "links for a good and a broken file")
        links = [each for each in _links(issued) if isinstance(each.get("upload_url"), str)]
        path = links[-1].get("file_path") if len(links) == len(asked) else None
        if not isinstance(path, str):
            continue
        check.put(links[0]["upload_url"], check.picture.content, "a good picture, by another link")
        check.put(links[1]["upload_url"], check.picture.content, "a good picture, to be replaced")
        broken = check.put(links[1]["upload_url"], _BROKEN, "a file that is no picture, in its place")
        if is_success(broken):
            return path
        if answered(broken):
            check.expect("upload.broken", broken, True, "", operation=label_of(operation))
            return None
        lack = broken.failure
    check.unjudged(lack, operation, "upload.broken")
    return None


def expect_broken(check: Check, jobs: Jobs, exchange: Exchange, job: Job | None) -> None:
    """Say whether a create with an upload that is no picture was refused, or has failed."""
    if job is None:
        kept = 400 <= answered(exchange) < 500
        check.expect("upload.broken", exchange, kept or not answered(exchange), "The create failed")
        return
    jobs.watch(job)
    if job.has_ended:
        message = f"A picture was replaced by a file that is none, and its edit ended in {job.status}"
        check.expect(
            "upload.broken", job.last, job.status == "error", message, "status",
            operation=exchange.label, related=(exchange,),
        )  # fmt: skip
