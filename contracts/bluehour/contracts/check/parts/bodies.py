"""Legal bodies to begin with: the published example, with a picture that the account has uploaded."""

from __future__ import annotations

from typing import Any

from bluehour.openapi.model import Operation

from ...bodies.places import places, with_value
from ..accounts import Account
from ..checker import Check, answered, is_success


def legal_body(check: Check, operation: Operation, account: Account) -> Any:
    """Return the operation's first published example; the assets that it names are the account's own."""
    media = operation.json_body
    if media is None:
        return None
    return with_upload(check, operation, account, media.example)


def with_upload(check: Check, operation: Operation, account: Account, body: Any) -> Any:
    """Return a body that names the account's own picture where it names one."""
    for path, kind in operation.annotated("x-asset-type"):
        if kind == "image":
            body = with_value(body, path, uploaded(check, account))
    return body


def uploaded(check: Check, account: Account) -> str:
    """Return the file_path of the picture that the account has uploaded, once in a check.

    Where it can't be uploaded, the published example's asset has to do.
    """
    if account.token not in check.uploaded:
        check.uploaded[account.token] = _upload(check, account) or str(
            check.contract.extension("x-example-asset", "")
        )
    return check.uploaded[account.token]


def _upload(check: Check, account: Account) -> str | None:
    asked = {"items": [{"type": "image", "extension": check.picture.extension}]}
    for operation in check.uploads:
        issued = check.call(operation, account, asked, purpose="a link for the picture")
        items = issued.answer.field("items") if issued.answer else None
        item = items[0] if isinstance(items, list) and items and isinstance(items[0], dict) else {}
        url, path = item.get("upload_url"), item.get("file_path")
        if isinstance(url, str) and isinstance(path, str):
            put = check.put(url, check.picture.content, "the picture, without a Content-Type")
            message = (
                f"The picture was PUT to its link without a Content-Type, and answered by {answered(put)}"
            )
            if check.expect("upload.put", put, is_success(put), message, "upload_url"):
                return path
    return None


def naming(operation: Operation, body: Any, asset: str) -> Any:
    """Return a body that names another asset where it names one."""
    for path, _ in operation.annotated("x-asset-type"):
        body = with_value(body, path, asset)
    return body


def at_maximum(operation: Operation, body: Any) -> Any:
    """Return a body with every number that it has at its maximum."""
    media = operation.json_body
    for place in list(places(media.schema, body)) if media else ():
        if place.present and "maximum" in place.node:
            body = with_value(body, place.path, place.node["maximum"])
    return body


def has_uploaded(check: Check, account: Account) -> bool:
    """Tell whether the picture that the account names is its own."""
    return uploaded(check, account) != str(check.contract.extension("x-example-asset", ""))
