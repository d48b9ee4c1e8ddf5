"""Plays a script of any other contract than Magic Hour's: its right answers are a mock's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bluehour.mock_server.api.resources.items import Items
from bluehour.mock_server.app import Application
from bluehour.mock_server.core.listening import Listener
from bluehour.mock_server.core.records import Record
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import Contract
from bluehour.openapi.data import from_json
from bluehour.openapi.messages import Request as Message
from bluehour.openapi.model import JSON, Operation
from bluehour.openapi.resources import Lifecycle
from bluehour.openapi.values import value_at

from ..script import Fault, Place, Turn
from .player import Player
from .requests import Understood
from .wire import Written, json_bytes
from .world import Project

_USUAL = {
    "not_found": (404, "Not Found"),
    "unauthorized": (401, "Unauthorized"),
    "unprocessable_entity": (422, ""),
}
_TOLD_ANYWAY = ("content-type", "content-length", "date", "connection")


class Mocked(Listener):
    """A mock whose jobs are done at once: how far one is told to be, is the script's affair.

    Args:
        contract: what is mocked.
    """

    def __init__(self, contract: Contract) -> None:
        self._mock = Mock(contract, Settings(time_scale=0, journal=0))
        self._app = Application(self._mock)
        self._mock.world.listen(self)
        self.made: Record | None = None

    def record_changed(self, old: Record | None, new: Record) -> None:
        """Remember what was made or changed last."""
        self.made = new

    def answer(self, message: Message) -> tuple[int, Mapping[str, str], Any]:
        """Return a right answer: its status, its headers, and its body as data, or as bytes."""
        self.made = None
        reply = self._app.answer(message)
        content = reply.body if isinstance(reply.body, bytes) else b""
        headers = {name: value for name, value in reply.headers if name.lower() not in _TOLD_ANYWAY}
        try:
            return reply.status, headers, from_json(content) if content else None
        except ValueError:
            return reply.status, headers, content

    def begin_anew(self) -> None:
        """Forget what the client before has made."""
        self._mock.world.reset()

    def end(self) -> None:
        """Let go of it."""
        self._mock.close()


class ResourcePlayer(Player):
    """One performance of a script by a mock of any contract.

    Args:
        mocked: what makes right answers.
        given: as of `Player`.
    """

    def __init__(self, mocked: Mocked, *given: Any) -> None:
        super().__init__(*given)
        self._mocked = mocked
        self._right: tuple[int, Mapping[str, str]] = (200, {})
        mocked.begin_anew()

    def _status_of(self, code: str, operation: Operation | None) -> tuple[int, str]:
        if code in _USUAL:
            return _USUAL[code]
        declared = operation.responses if operation is not None else {}
        return (422 if "422" in declared and "400" not in declared else 400), ""

    def _not_offered(self, known: Understood, place: Place) -> Iterator[str]:
        """Nothing: what a legal request asks for is the mock's to judge."""
        return iter(())

    def _strange(self, known: Understood, place: Place) -> str:
        """Tell of an id that nobody was given: once some were, by a client that could know them."""
        if place not in (Place.POLL, Place.DELETE) or not self._world.projects:
            return ""
        action = self._contract.actions.get(known.operation.id) if known.operation else None
        if action is None or action.resource.is_singleton or known.project in self._world.projects:
            return ""
        made = {project.kind for project in self._world.projects.values()}
        return f"{known.project!r} is no id that was given" if action.resource.path in made else ""

    def _done(self, place: Place, known: Understood, turn: Turn) -> tuple[Any, dict[str, Any]]:
        status, headers, body = self._mocked.answer(known.message)
        self._right = (status, headers)
        action = self._contract.actions.get(known.operation.id) if known.operation else None
        if action is None:
            return body, {}
        if place is Place.CREATE and (made := self._mocked.made) is not None:
            self._world.add_project(Project(made.id, action.resource.path, 0, self._world.next_job()))
            lifecycle, shown_at = action.resource.lifecycle, action.shown_at
            if lifecycle is not None and shown_at is not None:  # told at once, and it has only begun
                items = Items(action.resource, ())
                body = _put(body, shown_at, items.at_work(value_at(body, shown_at), lifecycle.waiting))
            return body, {"subject": made.id}
        if place is not Place.POLL or action.resource.lifecycle is None or action.shown_at is None:
            return body, {"subject": known.project}
        project = self._world.projects.get(known.project)
        state = project.next_state() if project else "complete"
        items = Items(action.resource, ())
        item = items.at_work(value_at(body, action.shown_at), _word(action.resource.lifecycle, state))
        is_readable = turn.fault in (None, Fault.NO_TYPE, Fault.WRONG_TYPE) and not turn.without
        is_told = is_readable and action.resource.lifecycle.field not in turn.fields
        told = {"subject": known.project, "state": state if is_told else ""}
        return _put(body, action.shown_at, item), told

    def _success(self, turn: Turn, operation: Operation, body: Any) -> Written | None:
        if turn.fault in (Fault.RESET_AFTER, Fault.SILENCE_AFTER):
            return None
        status, headers = self._right
        status = turn.status or status
        if body is None:
            return Written(status, headers=headers)
        if isinstance(body, bytes):
            return Written(status, body, "application/octet-stream", headers)
        return Written(status, json_bytes(body, turn), JSON, headers)


def _word(lifecycle: Lifecycle, state: str) -> str:
    """Return how a contract calls what a script calls a project's status."""
    match state:
        case "queued" | "draft":
            return lifecycle.waiting
        case "rendering":
            return lifecycle.running or lifecycle.waiting
        case "error":
            return lifecycle.failed or lifecycle.done
        case "canceled":
            return lifecycle.canceled or lifecycle.failed or lifecycle.done
        case "complete":
            return lifecycle.done
    return state


def _put(body: Any, place: tuple[str, ...], value: Any) -> Any:
    if not place:
        return value
    return {**body, place[0]: _put(body.get(place[0]), place[1:], value)}


def has_word(lifecycle: Lifecycle, state: str) -> bool:
    """Tell whether a contract has a word for what a script calls a project's status."""
    match state:
        case "rendering":
            return lifecycle.running is not None
        case "error":
            return lifecycle.failed is not None
        case "canceled":
            return lifecycle.canceled is not None
    return True
