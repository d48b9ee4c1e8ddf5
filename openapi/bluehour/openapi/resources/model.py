"""Resources, and what operations do to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..model import Operation
from ..schema import Schema

Kind = Literal["create", "create_many", "read", "list", "replace", "update", "act", "delete"]
"""What an operation does to a resource; to act is to change an item without a word of what is new."""

Place = tuple[str, ...]
"""The fields that lead to a part of a body; none lead to all of it."""


@dataclass(frozen=True)
class Lifecycle:
    """How an item gets done by itself: the field that tells, and what it says.

    Attributes:
        field: such as `status`.
        waiting: what it says at first.
        running: then; None where there is no word for it.
        done: at the end.
        failed: at the end, where something went wrong; None where there is no word for it.
        canceled: at the end, where somebody stopped it; likewise.
    """

    field: str
    waiting: str
    running: str | None
    done: str
    failed: str | None
    canceled: str | None


@dataclass(frozen=True, eq=False)
class Resource:
    """A kind of thing that a contract's operations create, read, list, change and delete.

    Attributes:
        path: of the collection, such as `/users/{userId}/posts`; of a singleton, its own.
        parameter: what names an item in its path, such as `postId`; empty where no path does, and None of a
            singleton.
        id_field: the field of an item that is its id; None where it shows none.
        schema: an item, as it is shown.
        named_by: what the parameter may be; None where there is none.
        sendable: the fields that clients can set.
        lifecycle: None where an item does not change by itself.
        parent: whose items these are part of.
    """

    path: str
    parameter: str | None
    id_field: str | None
    schema: Schema
    named_by: Schema | None = None
    sendable: frozenset[str] = frozenset()
    lifecycle: Lifecycle | None = None
    parent: Resource | None = None

    @property
    def is_singleton(self) -> bool:
        """Whether there is one item, which its path alone names."""
        return self.parameter is None

    @property
    def name(self) -> str:
        """The last word of its path, such as `posts`."""
        return next((part for part in reversed(self.path.split("/")) if part and part[0] != "{"), self.path)


@dataclass(frozen=True, eq=False)
class Action:
    """What one operation does to a resource.

    Attributes:
        kind: what.
        resource: to which.
        operation: the one that does it.
        shown_at: where its answer shows the item, or the list; None where it does not.
        sent_at: where the request's body has it.
        id_sent_at: the field of the request's body that names the item, where its path does not.
        id_shown_at: the field of the answer that is the new item's id, where that is not in the item.
        copies: whether the new item is like the one that its path names.
        creates: whether it makes an item that is not there yet, though it is no create.
    """

    kind: Kind
    resource: Resource
    operation: Operation
    shown_at: Place | None = None
    sent_at: Place = ()
    id_sent_at: str | None = None
    id_shown_at: str | None = None
    copies: bool = False
    creates: bool = False

    @property
    def makes(self) -> bool:
        """Whether it may make an item."""
        return self.creates or self.kind in ("create", "create_many")
