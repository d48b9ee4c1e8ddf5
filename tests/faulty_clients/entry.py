"""What the registry knows of a faulty client, and the decorator that tells it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from inspect import getsourcefile
from pathlib import Path
from typing import Any, TypeAlias

from bluehour.contracts.fuzz.strategies import Profile
from tests.faulty_clients.careful import Client, Edited, Task

Edit: TypeAlias = Callable[[Task], Any]

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class FaultyClient:
    """A client that is wrong in one way.

    Attributes:
        name: in kebab-case, unique.
        file: where it is, from the repository's root.
        function: which function of the file makes the edit.
        rule: the rule's id that names its bug; nothing where there is no bug.
        bug: what it does wrong, as a developer would report it.
        profile: what scripts must have in them to show it.
        has_receiver: whether it receives webhooks.
    """

    name: str
    file: str
    function: str
    rule: str
    bug: str
    profile: Profile = Profile.REALISTIC
    has_receiver: bool = False

    @property
    def command(self) -> str:
        """What `bluehour fuzz --` is called with."""
        return f"{self.file}:{self.function}"


known: list[FaultyClient] = []


def breaks(rule: str, profile: Profile = Profile.REALISTIC) -> Callable[[type[Client] | Edit], Edit]:
    """Enter a client, a function or a class, with the rule that it breaks. It becomes a function."""

    def entered(client: type[Client] | Edit) -> Edit:
        name = client.__name__
        facts = (_kebab(name), _file(client), name, rule, _bug(client), profile)
        known.append(FaultyClient(*facts, has_receiver=hasattr(client, "receive")))
        return _function(client) if isinstance(client, type) else client

    return entered


def _function(client: type[Client]) -> Edit:
    def edit(task: Task) -> Edited | None:
        return client(task).edit()

    return edit


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[a-z])(?=[0-9])|(?<=[A-Z])(?=[A-Z][a-z])|_", "-", name).lower()


def _file(client: type[Client] | Edit) -> str:
    return str(Path(getsourcefile(client) or "").resolve().relative_to(ROOT))


def _bug(client: type[Client] | Edit) -> str:
    return " ".join((client.__doc__ or "").split())
