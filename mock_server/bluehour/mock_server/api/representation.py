"""A project as the API shows it, in answers and webhooks: the facts that the contract says of its kind.

A fuzz's stage shows projects by the same facts, but for how far they are and what their links are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache
from typing import Any

from bluehour.openapi.contract import Contract
from bluehour.openapi.model import Operation
from bluehour.openapi.outputs import Output

from ..core.assets.links import output_path, upload_path_of
from ..core.clock import isoformat
from ..core.projects import Project, credits_charged_at, status_at
from ..core.sources import output_of, request_of
from ..core.world import World

READS = "get-project"
"""The `x-behaviour` of an operation that shows projects."""


def project_as_shown(world: World, project: Project, at: float, base_url: str) -> dict[str, Any]:
    """Return a project as it is at a time, with fresh links if it is complete.

    Args:
        world: whose project it is.
        project: the project.
        at: seconds since the epoch.
        base_url: what the client reaches the server by.
    """
    fields = _fields_of(world.contract, kind_of(world, project))
    return _InWorld(world, project, at, base_url).told(fields)


def kind_of(world: World, project: Project) -> str:
    """Return a project's kind, such as `video`."""
    return world.contract.operation(project.operation_id).project_kind


def signed_link(world: World, project_id: str, name: str, at: float, base_url: str) -> dict[str, str]:
    """Return a fresh link to a file that a project made, as the API writes it."""
    expires_at = at + world.lifetimes["download-link"]
    link = world.links.sign(output_path(project_id, name), expires_at)
    return {"url": base_url + link, "expires_at": isoformat(int(expires_at))}


def reader_of(contract: Contract, kind: str) -> Operation | None:
    """Return the operation that shows projects of a kind."""
    return next(
        (each for each in contract.operations if each.behaviour == READS and each.project_kind == kind), None
    )


def events_of(contract: Contract) -> Mapping[tuple[str, str], str]:
    """Return a contract's events of projects, by the kind of project and the status that they announce."""
    return {
        (operation.project_kind, operation.node["x-project-status"]): name
        for name, operation in contract.webhooks.items()
        if "x-project-status" in operation.node
    }


def job_error_message(contract: Contract, code: str) -> str:
    """Return what a job error's code says to a person, from the contract's `x-job-errors`."""
    messages: Mapping[str, Any] = contract.extension("x-job-errors", {})
    return str(messages.get(code, messages.get("unknown_error", code)))


@lru_cache(maxsize=64)
def _fields_of(contract: Contract, kind: str) -> tuple[str, ...]:
    """What is shown of a kind of project; all that is known where nothing says so."""
    operation = reader_of(contract, kind)
    return tuple(FACTS) if operation is None else fields_shown_by(operation)


@lru_cache(maxsize=512)
def fields_shown_by(operation: Operation) -> tuple[str, ...]:
    """Return the facts of a project that an operation's answer shows."""
    media = operation.success[1].json
    return tuple(name for name in media.schema.properties if name in FACTS) if media else ()


class Facts(ABC):
    """What can be said of a project at a time.

    Args:
        contract: says what the project's operation makes.
        project: as it was made, or as it is known to have ended.
        at: seconds since the epoch.
    """

    def __init__(self, contract: Contract, project: Project, at: float) -> None:
        self.contract = contract
        self.project = project
        self.at = at

    @abstractmethod
    def make_links(self) -> Iterable[tuple[str, dict[str, str]]]:
        """Yield the names of a complete project's files with fresh links to them, as the API writes links."""

    def told(self, fields: Iterable[str]) -> dict[str, Any]:
        """Return some of what there is to say, by the fields that say it."""
        return {name: FACTS[name](self) for name in fields}

    @cached_property
    def status(self) -> str:
        """How far it is."""
        status = status_at(self.project, self.at)
        return "error" if status == "canceled" and not self._can_be_canceled else status

    @property
    def _can_be_canceled(self) -> bool:
        """Whether its kind has a word for it; a face detection has none."""
        kind = self.contract.operation(self.project.operation_id).project_kind
        reader = reader_of(self.contract, kind)
        media = reader.success[1].json if reader else None
        return media is None or "canceled" in media.schema.field("status").said("enum", ["canceled"])

    @property
    def name(self) -> str | None:
        """The one that was given or made; an empty one only where it was given."""
        return self.project.name or ("" if self.request.get("name") == "" else None)

    @cached_property
    def request(self) -> dict[str, Any]:
        """What was asked for, as it is meant."""
        return request_of(self.contract, self.project)

    @property
    def is_there(self) -> bool:
        """Whether nobody has deleted it."""
        deleted_at = self.project.deleted_at
        return deleted_at is None or deleted_at > self.at

    @property
    def credits(self) -> int:
        """What it has cost."""
        return credits_charged_at(self.project, self.at)

    @cached_property
    def output(self) -> Output:
        """What it makes."""
        return output_of(self.contract, self.project)

    @cached_property
    def links(self) -> list[tuple[str, dict[str, str]]]:
        """The names of its files with links to them, if there are any to see by now."""
        return list(self.make_links()) if self.is_there and self.status == "complete" else []

    @property
    def downloads(self) -> list[dict[str, str]]:
        """The links."""
        return [link for _, link in self.links]

    @property
    def error(self) -> dict[str, str] | None:
        """Why it failed."""
        if self.status != "error":
            return None
        code = self.project.error or "unknown_error"
        return {"code": code, "message": job_error_message(self.contract, code)}

    @property
    def start(self) -> float:
        """Where in its source it begins, in seconds."""
        return self.output.start or 0

    @property
    def end(self) -> float:
        """Where it ends, likewise."""
        return self.start + (self.output.seconds or 0)

    @property
    def faces(self) -> list[dict[str, str]]:
        """The faces that were found: pictures that other requests may name."""
        return [
            {"path": upload_path_of(self.project.id, name), "url": link["url"]} for name, link in self.links
        ]


class _InWorld(Facts):
    """A project that a world has."""

    def __init__(self, world: World, project: Project, at: float, base_url: str) -> None:
        super().__init__(world.contract, project, at)
        self._world = world
        self._base_url = base_url

    def make_links(self) -> Iterable[tuple[str, dict[str, str]]]:
        """See `Facts`."""
        for name in self._world.pictures.names_of(self.project):
            yield name, signed_link(self._world, self.project.id, name, self.at, self._base_url)


FACTS: Mapping[str, Callable[[Facts], Any]] = {
    "id": lambda facts: facts.project.id,
    "name": lambda facts: facts.name,
    "status": lambda facts: facts.status,
    "image_count": lambda facts: facts.output.count,
    "type": lambda facts: facts.contract.operation(facts.project.operation_id).project_type,
    "created_at": lambda facts: isoformat(facts.project.created_at),
    "width": lambda facts: facts.project.width or 0,
    "height": lambda facts: facts.project.height or 0,
    "start_seconds": lambda facts: facts.start,
    "end_seconds": lambda facts: facts.end,
    "fps": lambda facts: facts.project.fps or facts.output.fps or 0,
    "enabled": lambda facts: facts.is_there,
    "frame_cost": lambda facts: facts.credits,
    "estimated_frame_cost": lambda facts: facts.credits,
    "total_frame_cost": lambda facts: facts.credits,
    "credits_charged": lambda facts: facts.credits,
    "downloads": lambda facts: facts.downloads,
    "download": lambda facts: next(iter(facts.downloads), None),
    "faces": lambda facts: facts.faces,
    "error": lambda facts: facts.error,
}
"""What there is to say of a project, by the field that says it."""
