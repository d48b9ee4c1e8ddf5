"""What a deviant is: a server that breaks the contract in one way, and the exchange that shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from bluehour.mock_server.mock import Mock

from .client import Client

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Group: TypeAlias = Literal[
    "auth",
    "validation",
    "acceptance",
    "answers",
    "money",
    "lifecycle",
    "downloads",
    "uploads",
    "methods",
    "robustness",
]

Wrap: TypeAlias = "Callable[[Mock], WSGIApplication]"
"""Makes the application that deviates, of a fresh mock; it may set something on the mock first."""

Witness: TypeAlias = Callable[[Client], object]
"""A short exchange, and what was seen in it: a plain value without ids and times, to be compared.

It is played against a server whose clock stands still; only `Client.wait` moves it.
"""


@dataclass(frozen=True, slots=True)
class Deviant:
    """A server that is wrong in one way.

    Attributes:
        name: in kebab-case, unique.
        breaks: what it does wrong, in one sentence.
        rule: what it should keep to, or where that is said.
        operation: the id of the operation that it is about; None where it is about several or none.
        wrap: makes it.
        witness: shows that it is not the right server.
        group: the area that it is about.
    """

    name: str
    breaks: str
    rule: str
    operation: str | None
    wrap: Wrap = field(repr=False)
    witness: Witness = field(repr=False)
    group: Group
