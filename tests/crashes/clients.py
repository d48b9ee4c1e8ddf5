"""Clients that use the mock meanwhile, and write down all that they were told."""

from __future__ import annotations

import http.client
import json
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

from .fleet import Member

CREDITS = 40
"""Of an account: so few that many creates are refused for want of them."""

ACCOUNT_SECONDS = 1.5
"""Seconds after which clients take another account."""

RULED = "crash-rules"
"""The token that a rule speaks of, which acts three times."""

_RANK = {"queued": 0, "rendering": 1}
"""Of a status; all others are the end, and 2."""

_TIMEOUT = 8.0
_PAUSE = 0.05


@dataclass(slots=True)
class Told:
    """What a client was told.

    Attributes:
        created: by token, the ids of creates that were acknowledged, and what each was said to cost.
        unknown: by token, how many creates nobody has answered: they may be paid or not.
        went_back: what a status went back from and to.
        forced: how often the rule acted, as its token's client saw it.
        lost: how many answers that client never got.
    """

    created: defaultdict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    unknown: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    went_back: list[str] = field(default_factory=list)
    forced: int = 0
    lost: int = 0
    answers: int = 0


def call(member: Member, method: str, path: str, token: str, body: Any = None) -> tuple[int, Any]:
    """Send a request on a connection of its own; the status is 0 where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", member.port, timeout=_TIMEOUT)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if content else None
    except (OSError, http.client.HTTPException, ValueError):
        return 0, None
    finally:
        connection.close()


class Client(Thread):
    """Creates, and looks at what became of it, at whichever server comes.

    Args:
        members: the servers.
        number: of the client.
        stopped: set when it is to end.
    """

    def __init__(self, members: Sequence[Member], number: int, stopped: Event) -> None:
        super().__init__(daemon=True)
        self.told = Told()
        self._members = members
        self._number = number
        self._stopped = stopped
        self._chance = random.Random(number)
        self._ranks: dict[str, tuple[int, str]] = {}

    def run(self) -> None:
        """Work until it is stopped."""
        while not self._stopped.is_set():
            # All clients have the same accounts, and so open each at the same time at several servers.
            token = f"mhk_test_creator_{CREDITS}_{int(time.monotonic() / ACCOUNT_SECONDS)}"
            if self._chance.random() < 0.5:
                self._create(token)
            elif self.told.created[token]:
                self._look(token)
            if self._number == 0:
                self._be_ruled()

    def _create(self, token: str) -> None:
        name = self._chance.choice(["id/1234.png", "test/no_source_face.png"])
        body = {"assets": {"image_file_path": f"api-assets/{name}"}, "style": {"mouth_smile": 60}}
        status, answer = self._call("POST", "/v1/ai-face-editor", token, body)
        if status == 200:
            self.told.created[token][answer["id"]] = answer["credits_charged"]
        elif status == 0 or status >= 500:
            self.told.unknown[token] += 1

    def _look(self, token: str) -> None:
        project = self._chance.choice([*self.told.created[token]][-5:])
        status, answer = self._call("GET", f"/v1/image-projects/{project}", token)
        if status == 404:
            self.told.went_back.append(f"{project} is gone")
        if status != 200:
            return
        rank, before = self._ranks.get(project, (0, ""))
        now = _RANK.get(answer["status"], 2)
        if now < rank or (rank == 2 and answer["status"] != before):
            self.told.went_back.append(f"{project}: {before}, then {answer['status']}")
        self._ranks[project] = (now, answer["status"])

    def _be_ruled(self) -> None:
        status, _ = self._call("GET", "/v1/account", RULED)
        if status == 418:
            self.told.forced += 1
        elif status == 0:
            self.told.lost += 1

    def _call(self, method: str, path: str, token: str, body: Any = None) -> tuple[int, Any]:
        found = call(self._chance.choice(self._members), method, path, token, body)
        self.told.answers += found[0] > 0
        if not found[0]:
            time.sleep(_PAUSE)  # its server is about to come back: to try at once would only hold it up
        return found
