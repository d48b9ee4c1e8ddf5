"""Deviants that forgive: they put illegal requests right before anybody judges them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .altering import Asked, Where, before
from .deviant import Wrap
from .fields import holders


def mending(where: Where, mend: Callable[[Any], Any]) -> Wrap:
    """Change the data in requests; `mend` may work in place, and returns what to take instead."""

    def change(asked: Asked) -> Asked:
        data = asked.json
        if data is None:
            return asked
        before_it = json.dumps(data)
        mended = json.dumps(mend(data))
        return asked if mended == before_it else asked.with_body(mended.encode())

    return before(where, change)


def filling(operation: str, field: str, value: Any) -> Wrap:
    """Put a value where a field is missing."""

    def mend(body: Any) -> Any:
        for holder, name in holders(body, field):
            holder.setdefault(name, value)
        return body

    return mending(operation, mend)


def replacing(operation: str, field: str, when: Callable[[Any], bool], better: Callable[[Any], Any]) -> Wrap:
    """Put a better value in place of some."""

    def mend(body: Any) -> Any:
        for holder, name in holders(body, field):
            if name in holder and when(holder[name]):
                holder[name] = better(holder[name])
        return body

    return mending(operation, mend)


def dropping(operation: str, field: str, when: Callable[[Any], bool]) -> Wrap:
    """Take some values for none at all."""

    def mend(body: Any) -> Any:
        for holder, name in list(holders(body, field)):
            if name in holder and when(holder[name]):
                del holder[name]
        return body

    return mending(operation, mend)
