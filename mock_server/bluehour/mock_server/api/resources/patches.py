"""Changes written as JSON Patch (RFC 6902)."""

from __future__ import annotations

import copy
from typing import Any

from ..call import Call, Refusal
from .items import Item


def patched(item: Item, call: Call) -> Item:
    """Return an item as a JSON Patch would have it.

    Args:
        item: not changed.
        call: its body is the patch.

    Raises:
        Refusal: it is none, or one of its steps, such as a test, fails; 409 where the contract has that.
    """
    from jsonpath import JSONPatch, JSONPatchError  # here: few requests have one
    from jsonpath.exceptions import JSONPointerError

    try:
        after: Any = JSONPatch(call.body).apply(copy.deepcopy(item))
    except (JSONPatchError, JSONPointerError) as error:
        code = "conflict" if call.operation.responses.get("409") else "invalid_request"
        raise Refusal(code, f"The patch can't be applied: {error}") from error
    if not isinstance(after, dict):
        raise Refusal("invalid_request", "The patch can't be applied: it leaves no object")
    return after
