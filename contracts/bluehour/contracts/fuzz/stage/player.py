"""Plays a script: decides what each request is answered, and keeps the world in which it is true."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bluehour.mock_server.api.faults import BAD_GATEWAY
from bluehour.mock_server.api.representation import events_of, fields_shown_by, reader_of
from bluehour.mock_server.core.projects import Project as Row
from bluehour.mock_server.rendering.encoding import media_type_of
from bluehour.mock_server.webhooks.signature import signed_headers
from bluehour.openapi.contract import Contract
from bluehour.openapi.model import JSON, Operation
from bluehour.openapi.routes import Routes
from bluehour.openapi.values import values_at

from ...statuses import OVER
from ..clock import ClientClock
from ..performance import Asked, Charge, Delivered
from ..script import RIGHT, Event, Fault, Place, Script, Turn
from . import bodies, media
from .events import Due, Webhook, made_up
from .projects import Seen, bought, not_offered
from .requests import Request, Understood
from .wire import Written, json_bytes
from .world import Link, Project, World, fits


@dataclass(frozen=True)
class Addresses:
    """Base URLs: of the API, of signed links, of whom a redirect leads to, and of nobody."""

    api: str
    links: str
    elsewhere: str
    nowhere: str


@dataclass(frozen=True)
class Answer:
    """What to send, and why.

    Attributes:
        written: None for no answer at all.
        place: what the request was for.
        operation: that was called; None for a link.
        notes: what else `Asked` says of it.
        is_sound: whether the contract allows its body.
        events: what the client's receiver is to be sent before it.
    """

    written: Written | None
    turn: Turn = RIGHT
    place: Place | None = None
    operation: Operation | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    is_sound: bool = True
    events: tuple[Due, ...] = ()


class Player:
    """One performance of a script.

    Args:
        script: what to play.
        contract: what right answers are made of.
        routes: the contract's.
        addresses: where links and redirects lead.
        token: the client's.
        clock: the client's.
        longest_wait: seconds that a Retry-After may ask for.
        patience: seconds for which the client waits for an answer.
        webhook: the client's receiver; None where it has none, and then no events are sent.
    """

    def __init__(
        self,
        script: Script,
        contract: Contract,
        routes: Routes,
        addresses: Addresses,
        token: str,
        clock: ClientClock,
        longest_wait: float,
        patience: float,
        webhook: Webhook | None = None,
    ) -> None:
        self._script = script
        self._contract = contract
        self._routes = routes
        self._addresses = addresses
        self._token = token
        self._clock = clock
        self._longest_wait = longest_wait
        self._patience = patience
        self._webhook = webhook
        self._forger = made_up()
        self._places = bodies.places_in(contract)
        self._world = World(script)
        self._rows: dict[str, Row] = {}
        self._turns: Counter[Place] = Counter()
        self.asked: list[Asked] = []
        self.nowhere = 0
        self.made: set[str] = set()
        """Digests of the files of projects that the client was told to be complete."""

    @property
    def charges(self) -> tuple[Charge, ...]:
        """What was booked."""
        return tuple(self._world.charged())

    def is_gone(self) -> bool:
        """Tell whether the API can't be connected to any more."""
        gone = self._script.gone
        return gone == "start" or any(gone == place for place in self._turns)

    def answer(self, request: Request) -> Answer:
        """Decide on a request."""
        if request.host == "elsewhere":
            return self._elsewhere(request)
        return self._of_api(request) if request.host == "api" else self._of_link(request)

    def note(self, request: Request, answer: Answer, at: float, delivered: Sequence[Delivered] = ()) -> None:
        """Take down a request with what it is answered now, and with the events that were sent before."""
        turn, written = answer.turn, answer.written
        for due, each in zip(answer.events, delivered, strict=False):  # not all where the client has left
            if each.is_taken:
                self.made |= due.files
        self.asked.append(
            Asked(
                at=at,
                ended_at=self._clock.now(),
                host=request.host,
                place=answer.place,
                method=request.method,
                target=request.target,
                headers=request.headers,
                body=request.body,
                turn=turn,
                status=written.status if written else 0,
                carries_token=request.carries(self._token),
                legal=written is not None and answer.is_sound and self._is_legal(answer, written.status),
                delivered=tuple(delivered),
                **answer.notes,
            )
        )

    def _is_legal(self, answer: Answer, status: int) -> bool:
        place, turn = answer.place, answer.turn
        if turn.fault not in (None, Fault.EXPIRED) or turn.page or turn.booked or turn.without:
            return False
        if turn.delay >= self._patience or place is None:
            return False
        if not all(due.told.event.is_genuine for due in answer.events):
            return False
        if not place.is_of_api:
            return status < 300 or status in self._contract.server_responses
        declared = self._contract.declared(answer.operation, status)
        return declared is not None and bodies.has_code(declared, turn.code)

    # The API.

    def _of_api(self, request: Request) -> Answer:
        known = Understood(self._routes, request, self._token)
        operation = known.operation
        place = self._places.get(operation.id) if operation else None
        if place is None or operation is None or known.faults:
            return self._illegal(known, place)
        if faults := tuple(self._not_offered(known, place)):
            notes = {"subject": known.project, "faults": faults}
            return self._refused("unprocessable_entity", operation, place, "; ".join(faults), notes)
        turn = self._next_turn(place)
        strange = self._strange(known, place)
        notes = {"subject": known.project, "strange": strange}
        if turn.fault is Fault.REDIRECT:
            location = {"Location": self._addresses.elsewhere + request.target}
            return Answer(Written(turn.status or 307, b"", headers=location), turn, place, operation, notes)
        if strange and turn.is_done:
            if place is Place.CREATE:
                return self._refused("unprocessable_entity", operation, place, strange, notes)
            return self._refused("not_found", operation, place, "", notes)
        events: tuple[Due, ...] = ()
        if turn.is_done:
            events = self._due(turn, known.project)  # first: they say how far the project is
            body, done = self._done(place, known, turn)
            events = events or self._due(turn, done.get("subject", ""))
            body = bodies.with_fields(body, turn)
            notes |= done
        if not turn.succeeds:
            return Answer(self._error(turn, operation), turn, place, operation, notes, events=events)
        is_sound = bodies.is_sound(operation, body)
        return Answer(self._success(turn, operation, body), turn, place, operation, notes, is_sound, events)

    def _illegal(self, known: Understood, place: Place | None) -> Answer:
        code, message = "invalid_request", "; ".join(known.faults)
        if known.operation is None:
            code, message = "not_found", ""
        elif not known.authorized:
            code, message = "unauthorized", ""
        notes = {"faults": known.faults, "subject": known.project}
        return self._refused(code, known.operation, place, message, notes)

    def _refused(
        self,
        code: str,
        operation: Operation | None,
        place: Place | None,
        message: str,
        notes: Mapping[str, Any],
    ) -> Answer:
        status, usual_message = self._status_of(code, operation)
        body = bodies.error(self._contract, operation, status, code, message or usual_message)
        written = Written(status, json_bytes(body, RIGHT), JSON)
        return Answer(written, Turn(status=status), place, operation, notes)

    def _status_of(self, code: str, operation: Operation | None) -> tuple[int, str]:
        """Return the status that goes with an error code, and what is said with it."""
        return self._contract.errors[code]

    def _not_offered(self, known: Understood, place: Place) -> Iterator[str]:
        """Yield what of a legal request no server takes: a combination of values, or an extension."""
        assert known.operation is not None  # noqa: S101 - nothing else comes here
        if place is Place.CREATE:
            yield from not_offered(self._contract, known.operation, known.body)
        if place is Place.UPLOAD_URLS:
            for item in known.body["items"]:
                if not fits(item["extension"], [item["type"]], self._contract):
                    yield f"{item['extension']!r} is no extension of {item['type']} files"

    def _strange(self, known: Understood, place: Place) -> str:
        """Tell what of a request the client was never given; nothing where there is nothing."""
        assert known.operation is not None  # noqa: S101 - nothing else comes here
        if place in (Place.POLL, Place.DELETE):
            project = self._world.projects.get(known.project)
            if project is None or known.is_split:
                return f"{known.project!r} is no id that was given"
            kind = known.operation.project_kind
            return "" if project.kind == kind else f"{known.project!r} is of kind {project.kind}, not {kind}"
        if place is not Place.CREATE:
            return ""
        named = (
            self._world.why_not(asset, [kinds] if isinstance(kinds, str) else kinds, self._contract)
            for path, kinds in known.operation.annotated("x-asset-type")
            for asset in values_at(known.body, path)
        )
        return next(filter(None, named), "")

    def _error(self, turn: Turn, operation: Operation | None) -> Written | None:
        """The answer of a turn that fails; None where there is none."""
        if not turn.status or turn.fault in (Fault.RESET, Fault.SILENCE):
            return None
        headers = {}
        if turn.retry_after:
            headers["Retry-After"] = bodies.retry_after(turn, self._clock.wall(), self._longest_wait)
        if turn.page:
            return Written(turn.status, BAD_GATEWAY, "text/html", headers)
        body = bodies.error(self._contract, operation, turn.status, turn.code)
        return Written(turn.status, json_bytes(bodies.with_fields(body, turn), turn), JSON, headers)

    def _success(self, turn: Turn, operation: Operation, body: Any) -> Written | None:
        if turn.fault in (Fault.RESET_AFTER, Fault.SILENCE_AFTER):
            return None
        status = turn.status or operation.success[0]
        if body is None:
            return Written(status)
        return Written(status, json_bytes(body, turn), JSON)

    def _done(self, place: Place, known: Understood, turn: Turn) -> tuple[Any, dict[str, Any]]:
        """Do what was asked for: the right answer's body, and notes."""
        assert known.operation is not None  # noqa: S101 - nothing else is done
        if place is Place.UPLOAD_URLS:
            return self._upload_urls(known.operation, known.body, turn), {}
        if place is Place.CREATE:
            return self._create(known.operation, known.body, turn)
        if place is Place.POLL:
            return self._poll(known.operation, known.project, turn)
        return bodies.right(known.operation), {}

    def _upload_urls(self, operation: Operation, body: Any, turn: Turn) -> Any:
        usual = bodies.right(operation)
        items = [
            usual["items"][0] | self._upload_item(item, turn.fields.get(f"items.{n}.file_path"))
            for n, item in enumerate(body["items"])
        ]
        return usual | {"items": items}

    def _upload_item(self, item: Mapping[str, str], path: Any) -> dict[str, str]:
        kind, extension = item["type"], item["extension"]
        upload = self._world.add_upload(kind, extension, path if isinstance(path, str) else None)
        link = Link(upload=upload, typed=self._script.typed)
        target = self._world.add_link(link, f"{kind}.{extension}")
        return {
            "upload_url": self._link_host(Place.UPLOAD) + target,
            "expires_at": self._end_of("upload-link"),
            "file_path": upload.path,
        }

    def _create(self, operation: Operation, body: Any, turn: Turn) -> tuple[Any, dict[str, Any]]:
        wanted, job = turn.fields.get("id"), self._world.next_job()
        project_id = wanted if isinstance(wanted, str) else self._world.new_id(operation.node.get("x-id"))
        now = self._clock.wall()
        project = bought(self._contract, operation, body, self._script, project_id, now)
        price = project.credits if project.settled is None else project.settled
        self._world.add_project(Project(project_id, operation.project_kind, price, job))
        self._rows[project_id] = project
        facts = self._seen(project, "queued")
        told = bodies.right(operation) | facts.told(fields_shown_by(operation))
        return told, {"charged": project.credits, "subject": project_id}

    def _poll(self, operation: Operation, project_id: str, turn: Turn) -> tuple[Any, dict[str, Any]]:
        state = self._world.projects[project_id].next_state()
        facts = self._seen(self._rows[project_id], state)
        body = bodies.right(operation) | facts.told(fields_shown_by(operation))
        self._world.found |= {face["path"] for face in facts.faces}
        if state == "complete":
            self.made |= self._files_of(project_id, facts)
        # A poll whose answer can't be read has told the client nothing.
        is_readable = (
            turn.fault in (None, Fault.NO_TYPE, Fault.WRONG_TYPE)
            and "status" not in turn.fields
            and "status" not in turn.without
        )
        return body, {"state": state if is_readable else ""}

    def _files_of(self, project_id: str, facts: Seen) -> frozenset[str]:
        nth = self._world.number_of(project_id)
        return frozenset(_digest(_file(name, number, nth)) for number, name in enumerate(facts.names))

    def _seen(self, project: Row, state: str) -> Seen:
        link_to = partial(self._download, project.id)
        return Seen(self._contract, project, self._clock.wall(), state, self._script, link_to)

    def _download(self, project_id: str, name: str, number: int) -> dict[str, str]:
        """Return a fresh link to a file."""
        file = _file(name, number, self._world.number_of(project_id))
        link = Link(file=file, media_type=media_type_of(Path(name)), project=project_id)
        return {
            "url": self._link_host(Place.DOWNLOAD) + self._world.add_link(link, name),
            "expires_at": self._end_of("download-link"),
        }

    # Events.

    def _due(self, turn: Turn, project_id: str) -> tuple[Due, ...]:
        """Make the events of a turn. The project is from then on as far as they say."""
        if self._webhook is None or project_id not in self._rows:
            return ()
        made = (self._event(self._webhook, event, project_id) for event in turn.events)
        return tuple(filter(None, made))

    def _event(self, webhook: Webhook, event: Event, project_id: str) -> Due | None:
        """Make one; None where the contract has none of what there is to tell."""
        project = self._world.projects[project_id]
        end = project.job[-1] if project.job[-1] in OVER else ""
        state = {Event.STARTED: "rendering", Event.ENDED: end}.get(event, "complete")
        name = events_of(self._contract).get((project.kind, state))
        reader = reader_of(self._contract, project.kind)
        if name is None or reader is None:
            return None
        facts = self._seen(self._rows[project_id], state)
        payload = bodies.right(reader) | facts.told(fields_shown_by(reader))
        files: frozenset[str] = frozenset()
        if event.is_genuine:
            project.go_on_to(state)
            files = self._files_of(project_id, facts) if state == "complete" else files
        else:
            payload["downloads"] = [
                {**each, "url": self._addresses.elsewhere} for each in payload["downloads"]
            ]
        body = json_bytes({"type": name, "payload": payload}, RIGHT)
        secret = webhook.secret if event.is_genuine else self._forger
        headers = {} if event is Event.UNSIGNED else signed_headers(body, int(self._clock.wall()), secret)
        return Due(Delivered(name, event, project_id, state), body, headers, files)

    # Signed links.

    def _end_of(self, kind: str) -> str:
        """When a link that is made now expires."""
        return bodies.in_time(self._clock.wall(), self._contract.extension("x-lifetimes")[kind])

    def _link_host(self, place: Place) -> str:
        """Where a new link leads. Nobody sees who connects to nowhere, so the link itself is its turn."""
        number = self._turns[place]
        if self._script.turn(place, number).fault is Fault.REFUSED:
            self._turns[place] += 1
            self.nowhere += 1
            return self._addresses.nowhere
        return self._addresses.links

    def _of_link(self, request: Request) -> Answer:
        link = self._world.links.get(request.target)
        place = Place.UPLOAD if link and link.upload else Place.DOWNLOAD
        notes: dict[str, Any] = {"subject": request.target}
        if link is None:
            strange = f"{request.target} is no link that was given"
            return self._link_error(403, RIGHT, place, notes | {"strange": strange})
        if link.upload is not None:
            notes["asset"] = link.upload.kind
        if link.file is not None and request.method == "HEAD" and not link.expired:
            return Answer(Written(200, link.file, link.media_type, says_all=False), notes=notes)
        if request.method != (method := "PUT" if link.upload else "GET"):
            notes["strange"] = f"{request.method} of a link that is for {method}"
            return self._link_error(403, RIGHT, place, notes)
        if link.expired:
            return self._link_error(403, RIGHT, place, notes | {"link_is_dead": True})
        if wrong := link.wrong_type(request.headers.get("content-type", "")):
            return self._link_error(403, RIGHT, place, notes | {"wrong_type": wrong})
        turn = self._next_turn(place)
        if turn.fault is Fault.REDIRECT:
            location = {"Location": self._addresses.elsewhere + request.target}
            return Answer(Written(turn.status or 307, b"", headers=location), turn, place, notes=notes)
        if turn.fault is Fault.EXPIRED:
            link.expired = True
            return self._link_error(turn.status or 403, turn, place, notes)
        if link.upload is not None and turn.is_done:
            link.upload.content = request.body
        if not turn.succeeds:
            return Answer(self._error(turn, None), turn, place, notes=notes)
        if turn.fault in (Fault.RESET_AFTER, Fault.SILENCE_AFTER):
            return Answer(None, turn, place, notes=notes)
        if link.upload is not None:
            status = turn.status or 200
            return Answer(Written(status, None if status == 204 else b""), turn, place, notes=notes)
        return self._content(link, turn, notes)

    def _content(self, link: Link, turn: Turn, notes: dict[str, Any]) -> Answer:
        assert link.file is not None  # noqa: S101 - every other link is an upload's
        events = self._due(turn, link.project)
        if turn.fault in (None, Fault.NO_TYPE, Fault.WRONG_TYPE):
            notes["served"] = _digest(link.file)
        written = Written(turn.status or 200, link.file, link.media_type)
        return Answer(written, turn, Place.DOWNLOAD, notes=notes, events=events)

    def _link_error(self, status: int, turn: Turn, place: Place, notes: dict[str, Any]) -> Answer:
        body = bodies.error(self._contract, None, status, "")
        written = Written(status, json_bytes(body, turn), JSON)
        if turn.page:
            written = Written(status, BAD_GATEWAY, "text/html")
        return Answer(written, turn, place, notes=notes)

    def _elsewhere(self, request: Request) -> Answer:
        """Links go on where a redirect leads; whatever was for the API meets a page to sign in at."""
        link = self._world.links.get(request.target)
        notes: dict[str, Any] = {"subject": request.target}
        if link is not None and link.file is not None and request.method == "GET":
            return self._content(link, RIGHT, notes)
        if link is not None and link.upload is not None and request.method == "PUT":
            link.upload.content = request.body
            notes["asset"] = link.upload.kind
            return Answer(Written(200, b""), RIGHT, Place.UPLOAD, notes=notes)
        return Answer(Written(200, b"<html><body>Sign in</body></html>", "text/html"), Turn(page=True))

    def _next_turn(self, place: Place) -> Turn:
        turn = self._script.turn(place, self._turns[place])
        self._turns[place] += 1
        return turn


def _file(name: str, number: int, project: int) -> bytes:
    return media.made(name.rpartition(".")[2], number, project)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
