"""Names as people vary them: `petId`, `pet_id` and `PetID` are one; `pets` are many of a `pet`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_USUAL_IDS = ("id", "uid", "uuid", "guid", "gid", "sid", "key", "slug", "name", "number", "code")
_ALWAYS_IDS = ("uuid", "guid", "uid", "gid")
_NAMES = ("slug", "key", "handle", "login", "username")


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """Return a name without what people vary."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def singular(word: str) -> str:
    """Return what one of many is called: of `boxes` a `box`, of `stories` a `story`."""
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")):
        if word.endswith(ending):
            return word.removesuffix(ending) + instead
    return word.removesuffix("s") if not word.endswith("ss") else word


def id_among(fields: Iterable[str], parameter: str, collection: str) -> str | None:
    """Return the field that has what a path's parameter has; None where none seems to.

    Args:
        fields: of an item.
        parameter: such as `petId`.
        collection: the word that stands before it in the path, such as `pets`.
    """
    names = {plain(name): name for name in fields}
    wanted, one = plain(parameter), singular(plain(collection))
    if wanted in names:
        return names[wanted]
    endings = [known for known in names if known and wanted.endswith(known) and known in _USUAL_IDS]
    candidates = [*sorted(endings, key=len, reverse=True), "id", one + "id", *_ALWAYS_IDS]
    if wanted == one:
        candidates += [one + "name", one + "key", *_NAMES]
    return next((names[each] for each in candidates if each in names), None)
