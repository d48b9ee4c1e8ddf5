"""Plays a script: decides what each request is answered, and keeps the world in which it is true."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bluehour.mock_server.api.faults import BAD_GATEWAY
from bluehour.openapi.contract import Contract
from bluehour.openapi.model import JSON, Operation
from bluehour.openapi.routes import Routes

from ...statuses import OVER
from ..clock import ClientClock
from ..performance import Asked, Charge
from ..script import RIGHT, Fault, Place, Script, Turn
from . import bodies
from .pictures import edited
from .requests import Request, Understood
from .wire import Written, json_bytes
from .world import Link, World


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
        notes: what else `Asked` says of it.
        is_sound: whether the contract allows its body.
    """

    written: Written | None
    turn: Turn = RIGHT
    place: Place | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    is_sound: bool = True


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
    ) -> None:
        self._script = script
        self._contract = contract
        self._routes = routes
        self._addresses = addresses
        self._token = token
        self._clock = clock
        self._longest_wait = longest_wait
        self._patience = patience
        self._places = bodies.places_in(contract)
        self._world = World(script)
        self._turns: Counter[Place] = Counter()
        self.asked: list[Asked] = []
        self.nowhere = 0

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

    def note(self, request: Request, answer: Answer, at: float) -> None:
        """Take down a request with what it is answered now."""
        turn, written = answer.turn, answer.written
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
                legal=written is not None
                and answer.is_sound
                and self._is_legal(answer.place, turn, written.status),
                **answer.notes,
            )
        )

    def _is_legal(self, place: Place | None, turn: Turn, status: int) -> bool:
        if turn.fault not in (None, Fault.EXPIRED) or turn.page or turn.booked or turn.without:
            return False
        if turn.delay >= self._patience or place is None:
            return False
        if not place.is_of_api:
            return status < 300 or status in self._contract.server_responses
        return any(
            self._places.get(operation.id) is place and self._contract.declared(operation, status)
            for operation in self._contract.operations
        )

    # The API.

    def _of_api(self, request: Request) -> Answer:
        known = Understood(self._routes, request, self._token)
        place = self._places.get(known.operation.id) if known.operation else None
        if place is None or known.operation is None or known.faults:
            return self._illegal(known, place)
        turn = self._next_turn(place)
        strange = self._strange(known, place)
        notes = {"subject": known.project, "strange": strange}
        if turn.fault is Fault.REDIRECT:
            location = {"Location": self._addresses.elsewhere + request.target}
            return Answer(Written(turn.status or 307, b"", headers=location), turn, place, notes)
        if strange and turn.is_done:
            return self._refused(known.operation, place, strange, notes)
        if turn.is_done:
            body, done = self._done(place, known, turn)
            body = bodies.with_fields(body, turn)
            notes |= done
        if not turn.succeeds:
            return Answer(self._error(turn, known.operation), turn, place, notes)
        is_sound = bodies.is_sound(known.operation, body)
        return Answer(self._success(turn, known.operation, body), turn, place, notes, is_sound)

    def _illegal(self, known: Understood, place: Place | None) -> Answer:
        code = "invalid_request"
        if known.operation is None:
            code = "not_found"
        elif not known.authorized:
            code = "unauthorized"
        status, message = self._status_of(code, known.operation)
        if code == "invalid_request":
            message = "; ".join(known.faults)
        body = bodies.error(self._contract, known.operation, status, code, message)
        return Answer(
            Written(status, json_bytes(body, RIGHT), JSON),
            Turn(status=status),
            place,
            {"faults": known.faults, "subject": known.project},
        )

    def _status_of(self, code: str, operation: Operation | None) -> tuple[int, str]:
        """Return the status that goes with an error code, and what is said with it."""
        return self._contract.errors[code]

    def _strange(self, known: Understood, place: Place) -> str:
        if place in (Place.POLL, Place.DELETE):
            is_known = known.project in self._world.projects and not known.is_split
            return "" if is_known else f"{known.project!r} is no id that was given"
        if place is Place.CREATE:
            example = str(self._contract.extension("x-example-asset", ""))
            library = tuple(self._contract.extension("x-asset-prefixes", ()))
            return self._world.why_not(known.body["assets"]["image_file_path"], example, library)
        return ""

    def _refused(self, operation: Operation, place: Place, why: str, notes: Mapping[str, Any]) -> Answer:
        code = "unprocessable_entity" if place is Place.CREATE else "not_found"
        status, message = self._status_of(code, operation)
        if place is Place.CREATE:
            message = why
        body = bodies.error(self._contract, operation, status, code, message)
        return Answer(Written(status, json_bytes(body, RIGHT), JSON), Turn(status=status), place, notes)

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
        return None, {}

    def _upload_urls(self, operation: Operation, body: Any, turn: Turn) -> Any:
        usual = bodies.right(operation)
        items = [
            usual["items"][0] | self._upload_item(item["extension"], turn.fields.get(f"items.{n}.file_path"))
            for n, item in enumerate(body["items"])
        ]
        return usual | {"items": items}

    def _upload_item(self, extension: str, path: Any) -> dict[str, str]:
        upload = self._world.add_upload(extension, path if isinstance(path, str) else None)
        target = self._world.add_link(Link(upload=upload), f"image.{extension}")
        return {
            "upload_url": self._link_host(Place.UPLOAD) + target,
            "expires_at": self._end_of("upload-link"),
            "file_path": upload.path,
        }

    def _create(self, operation: Operation, body: Any, turn: Turn) -> tuple[Any, dict[str, Any]]:
        wanted = turn.fields.get("id")
        project = self._world.add_project(
            operation.project_type,
            operation.credits,
            body.get("name"),
            bodies.in_time(self._clock.wall(), 0),
            wanted if isinstance(wanted, str) else None,
        )
        costs = {"credits_charged": project.price, "frame_cost": project.price}
        notes = {"charged": project.price, "subject": project.id}
        return bodies.right(operation) | {"id": project.id, **costs}, notes

    def _poll(self, operation: Operation, project_id: str, turn: Turn) -> tuple[Any, dict[str, Any]]:
        project = self._world.projects[project_id]
        state = project.next_state()
        is_over = state in OVER
        has_pictures = state == "complete" and not self._script.deleted
        costs = 0 if is_over and project.refunded else project.price
        body = bodies.right(operation) | {
            "id": project.id,
            "name": project.name,
            "type": project.type,
            "status": state,
            "image_count": self._script.pictures,
            "created_at": project.created_at,
            "enabled": not (is_over and self._script.deleted),
            "total_frame_cost": costs,
            "credits_charged": costs,
            "downloads": self._downloads(operation) if has_pictures else [],
            "error": self._job_error() if state == "error" else None,
        }
        # A poll whose answer can't be read has told the client nothing.
        is_readable = (
            turn.fault in (None, Fault.NO_TYPE, Fault.WRONG_TYPE)
            and "status" not in turn.fields
            and "status" not in turn.without
        )
        return body, {"state": state if is_readable else ""}

    def _job_error(self) -> dict[str, str]:
        known = self._contract.extension("x-job-errors", {})
        code = self._script.job_error
        return {"code": code, "message": known.get(code, code)}

    def _downloads(self, operation: Operation) -> list[dict[str, str]]:
        usual = bodies.right(operation)["downloads"][0]
        return [usual | self._download_item(number) for number in range(self._script.pictures)]

    def _download_item(self, number: int) -> dict[str, str]:
        alone = self._script.pictures == 1 or self._script.same_name
        name = "output.png" if alone else f"output-{number}.png"
        target = self._world.add_link(Link(picture=edited()[number]), name)
        return {
            "url": self._link_host(Place.DOWNLOAD) + target,
            "expires_at": self._end_of("download-link"),
        }

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
        if link.picture is not None and request.method == "HEAD" and not link.expired:
            return Answer(Written(200, link.picture, "image/png", says_all=False), RIGHT, None, notes)
        if request.method != (method := "PUT" if link.upload else "GET"):
            notes["strange"] = f"{request.method} of a link that is for {method}"
            return self._link_error(403, RIGHT, place, notes)
        if link.expired:
            return self._link_error(403, RIGHT, place, notes | {"link_is_dead": True})
        turn = self._next_turn(place)
        if turn.fault is Fault.REDIRECT:
            location = {"Location": self._addresses.elsewhere + request.target}
            return Answer(Written(turn.status or 307, b"", headers=location), turn, place, notes)
        if turn.fault is Fault.EXPIRED:
            link.expired = True
            return self._link_error(turn.status or 403, turn, place, notes)
        if link.upload is not None and turn.is_done:
            link.upload.content = request.body
        if not turn.succeeds:
            return Answer(self._error(turn, None), turn, place, notes)
        if turn.fault in (Fault.RESET_AFTER, Fault.SILENCE_AFTER):
            return Answer(None, turn, place, notes)
        if link.upload is not None:
            status = turn.status or 200
            return Answer(Written(status, None if status == 204 else b""), turn, place, notes)
        return self._picture(link, turn, notes)

    def _picture(self, link: Link, turn: Turn, notes: dict[str, Any]) -> Answer:
        assert link.picture is not None  # noqa: S101 - every other link is an upload's
        if turn.fault in (None, Fault.NO_TYPE, Fault.WRONG_TYPE):
            notes["served"] = hashlib.sha256(link.picture).hexdigest()
        return Answer(Written(turn.status or 200, link.picture, "image/png"), turn, Place.DOWNLOAD, notes)

    def _link_error(self, status: int, turn: Turn, place: Place, notes: dict[str, Any]) -> Answer:
        body = bodies.error(self._contract, None, status, "")
        return Answer(Written(status, json_bytes(body, turn), JSON), turn, place, notes)

    def _elsewhere(self, request: Request) -> Answer:
        """Links go on where a redirect leads; whatever was for the API meets a page to sign in at."""
        link = self._world.links.get(request.target)
        notes = {"subject": request.target}
        if link is not None and link.picture is not None and request.method == "GET":
            return self._picture(link, RIGHT, notes)
        if link is not None and link.upload is not None and request.method == "PUT":
            link.upload.content = request.body
            return Answer(Written(200, b""), RIGHT, Place.UPLOAD, notes)
        return Answer(Written(200, b"<html><body>Sign in</body></html>", "text/html"), Turn(page=True))

    def _next_turn(self, place: Place) -> Turn:
        turn = self._script.turn(place, self._turns[place])
        self._turns[place] += 1
        return turn
