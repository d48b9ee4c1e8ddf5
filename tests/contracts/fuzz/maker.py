"""A client that does whatever a task asks for, and does it right: files, create, polls, downloads.

Where projects are read it knows from the contract, as other clients know it by heart.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from bluehour.contracts import Task
from bluehour.openapi.contract import load

from . import careful

CONTRACT = load()
CREATES = [each for each in CONTRACT.operations if each.behaviour == "create-project"]


@cache
def reads(path: str) -> str:
    """Where what is made at a path is read, without the id."""
    (kind,) = {each.project_kind for each in CREATES if each.path == path}
    (read,) = {
        each.path
        for each in CONTRACT.operations
        if each.behaviour == "get-project" and each.project_kind == kind
    }
    return read.removesuffix("/{id}")


class Maker(careful.Client):
    """Does what is asked, once. Each step is a method, so that a test can have one go wrong."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.projects = reads(task.path)

    def edit(self) -> dict[str, Any]:
        project = self.wait_for(self.make(self.uploaded(self.task.request)))
        return {
            "status": "complete",
            "files": self.download(project),
            "credits_charged": project.get("credits_charged"),
        }

    def uploaded(self, value: Any) -> Any:
        """The request with each of its files uploaded, and named as the API names it."""
        if isinstance(value, Mapping):
            return {name: self.uploaded(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.uploaded(each) for each in value]
        kinds = {self.task.photo: "image", self.task.video: "video", self.task.audio: "audio"}
        return self.upload_file(value, kinds[value]) if value in kinds else value

    def make(self, request: Mapping[str, Any]) -> str:
        project = self.api("POST", self.task.path, request, again=(429,)).get("id")
        if not isinstance(project, str):
            raise careful.Refused("the project has no id")
        return project

    def links(self, project: dict[str, Any]) -> list[str]:
        return super().links({"downloads": project.get("downloads", project.get("faces"))})

    def is_whole(self, picture: bytes) -> bool:
        return len(picture) > 0
