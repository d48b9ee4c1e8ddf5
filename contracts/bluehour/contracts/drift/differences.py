"""What a difference is, and how grave each kind of it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from bluehour.mock_server.core.wildcard import with_stars


class Severity(StrEnum):
    """What a difference means to who wrote a client by the contract."""

    BREAKING = "breaking"
    ADDED = "added"
    CHANGED = "changed"
    UNPUBLISHED = "deprecated"  # with us, and not published there: no drift


class Kind(Enum):
    """How a thing differs, and how grave that is in what clients send, and in what they get.

    This is the one table; docs/drift.md explains it.
    """

    GONE = "gone", Severity.BREAKING, Severity.BREAKING
    ADDED = "added", Severity.ADDED, Severity.ADDED
    REQUIRED = "added, required", Severity.BREAKING, Severity.ADDED
    FEWER = "gone", Severity.BREAKING, Severity.CHANGED
    MORE = "added", Severity.ADDED, Severity.BREAKING
    NARROWER = "changed", Severity.BREAKING, Severity.CHANGED
    WIDER = "changed", Severity.CHANGED, Severity.BREAKING
    OTHER = "changed", Severity.BREAKING, Severity.BREAKING
    NOTE = "changed", Severity.CHANGED, Severity.CHANGED
    UNPUBLISHED = "not published", Severity.UNPUBLISHED, Severity.UNPUBLISHED


ABSENT = object()
"""In place of a value that one side does not have."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How one thing differs.

    Attributes:
        what: such as `field`, `type` or `maximum`.
        ours, theirs: its values as JSON has them, or ABSENT.
        field: the dotted path of the field that it is about; nothing for a whole message.
        where: the part of an operation that it is in, such as `request`, `200` or `query limit`.
        operation: such as `GET /pets` or `webhook pet.sold`.
        is_sent: whether it is in what clients send, and not in what they get.
    """

    what: str
    kind: Kind
    ours: Any = ABSENT
    theirs: Any = ABSENT
    field: str = ""
    where: str = ""
    operation: str = ""
    is_sent: bool = True

    @property
    def severity(self) -> Severity:
        """What it means to a client."""
        _, sent, got = self.kind.value
        return sent if self.is_sent else got

    @property
    def name(self) -> str:
        """Where it is, and what: `POST /pets request owner.name: maxLength`."""
        return " ".join(filter(None, (self.operation, self.where, self.field))) + f": {self.what}"

    def fits(self, glob: str) -> bool:
        """Tell whether a pattern is for its operation, or for its name, with its severity or without."""
        return any(map(with_stars(glob), (self.operation, self.name, f"{self.severity} {self.name}")))


def presence(what: str, old: Any, new: Any, **place: Any) -> Iterator[Difference]:
    """Yield how a thing differs in being there, in being required and in being deprecated.

    Args:
        what: such as `field`.
        old, new: what it is with us and with them, or None; may have attributes `required` and `deprecated`.
        place: other attributes of the differences.
    """
    was_required, is_required = (getattr(each, "required", False) for each in (old, new))
    was_deprecated, is_deprecated = (getattr(each, "deprecated", False) for each in (old, new))
    if old is None and new is not None:
        yield Difference(what, Kind.REQUIRED if is_required else Kind.ADDED, **place)
    elif old is not None and new is None:
        yield Difference(what, Kind.UNPUBLISHED if was_deprecated else Kind.GONE, **place)
    elif was_required != is_required:
        kind = Kind.NARROWER if is_required else Kind.WIDER
        yield Difference("required", kind, was_required, is_required, **place)
    if None not in (old, new) and was_deprecated != is_deprecated:
        yield Difference("deprecated", Kind.NOTE, was_deprecated, is_deprecated, **place)
