"""Legal bodies to begin with: the published example, with files that the account has uploaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bluehour.mock_server.rendering.media.packed import packed_audio, packed_video
from bluehour.openapi.model import Operation
from bluehour.openapi.validators import Path
from bluehour.openapi.values import places_at

from ...bodies.places import places, value_in, with_value
from ..accounts import Account
from ..checker import Check, answered, is_success

PICTURE = "image"
_OTHER = {"video": "mp4", "audio": "mp3"}
"""The extension of a file that is tried as an asset of a type, beside pictures."""


_CONTENTS = {"video": packed_video, "audio": packed_audio}


def legal_body(check: Check, operation: Operation, account: Account, *, wide: bool = False) -> Any:
    """Return the operation's first published example; the assets that it names are the account's own.

    Args:
        wide: whether its picture is the one on a wide ground.
    """
    media = operation.json_body
    if media is None:
        return None
    return with_upload(check, operation, account, media.example, wide=wide)


def with_upload(
    check: Check, operation: Operation, account: Account, body: Any, *, wide: bool = False
) -> Any:
    """Return a body that names the account's own files where it names any; see `legal_body`."""
    return naming(operation, body, lambda kind: uploaded(check, account, kind, wide=wide))


def naming(operation: Operation, body: Any, asset: Callable[[str], str] | str) -> Any:
    """Return a body that names other assets where it names any.

    Args:
        operation: whose.
        body: a legal one.
        asset: what it names; or returns that, for a type of asset.
    """
    for path, kind in assets_in(operation, body):
        body = with_value(body, path, asset if isinstance(asset, str) else asset(kind))
    return body


def assets_in(operation: Operation, body: Any) -> list[tuple[Path, str]]:
    """Return the places where a body names assets, and a type that each may be of."""
    return [
        (found, kinds if isinstance(kinds, str) else kinds[0])
        for path, kinds in operation.annotated("x-asset-type")
        for found, _ in places_at(body, path)
    ]


def uploaded(check: Check, account: Account, kind: str = PICTURE, *, wide: bool = False) -> str:
    """Return the file_path of a file that the account has uploaded, once in a check.

    Where it can't be uploaded, the published examples' asset has to do.
    """
    known = (account.token, f"wide {kind}" if wide and kind not in _CONTENTS else kind)
    if known not in check.uploaded:
        content, extension, size = _file(check, kind, wide)
        path = _upload(check, account, kind, content, extension)
        if path and size:
            check.sizes[path] = size
        check.uploaded[known] = path or example_asset(check, kind)
    return check.uploaded[known]


def source_size(check: Check, operation: Operation, body: Any) -> tuple[int, int]:
    """Return the size of the first picture that a body names: the usual one's where that is not known."""
    named = (value_in(body, path) for path, _ in assets_in(operation, body))
    return next((check.sizes[each] for each in named if each in check.sizes), check.picture.size)


def names_own(check: Check, operation: Operation, body: Any) -> bool:
    """Tell whether no asset that a body names has to do for one that could not be uploaded."""
    return all(
        value_in(body, path) != example_asset(check, kind) for path, kind in assets_in(operation, body)
    )


def example_asset(check: Check, kind: str = PICTURE) -> str:
    """Return an asset as published examples name them; nothing where the contract has none."""
    beginning = next(iter(check.contract.extension("x-example-assets", ())), "")
    return f"{beginning}1234.{_OTHER.get(kind, 'png')}" if beginning else ""


def _file(check: Check, kind: str, wide: bool) -> tuple[bytes, str, tuple[int, int] | None]:
    """Return a file's content, its extension, and the size that it has as a picture."""
    if kind in _CONTENTS:
        return _CONTENTS[kind]().read_bytes(), _OTHER[kind], None
    picture = check.picture.widened if wide else check.picture
    return picture.content, picture.extension, picture.size


def _upload(check: Check, account: Account, kind: str, content: bytes, extension: str) -> str | None:
    asked = {"items": [{"type": kind, "extension": extension}]}
    for operation in check.uploads:
        issued = check.call(operation, account, asked, purpose=f"a link for the {kind}")
        items = issued.answer.field("items") if issued.answer else None
        item = items[0] if isinstance(items, list) and items and isinstance(items[0], dict) else {}
        url, path = item.get("upload_url"), item.get("file_path")
        if isinstance(url, str) and isinstance(path, str):
            put = check.put(url, content, f"the {kind}, without a Content-Type")
            message = (
                f"The {kind} was PUT to its link without a Content-Type, and answered by {answered(put)}"
            )
            if check.expect("upload.put", put, is_success(put), message, "upload_url"):
                return path
    return None


def at_maximum(operation: Operation, body: Any) -> Any:
    """Return a body with every number that it has at its maximum."""
    media = operation.json_body
    for place in list(places(media.schema, body)) if media else ():
        if place.present and "maximum" in place.node:
            body = with_value(body, place.path, place.node["maximum"])
    return body


def has_uploaded(check: Check, account: Account) -> bool:
    """Tell whether the picture that the account names is its own."""
    return uploaded(check, account) != example_asset(check)
