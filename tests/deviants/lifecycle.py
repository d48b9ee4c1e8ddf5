"""Deviants that lose, mix up or make up what a project is, or how it goes on."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from bluehour.mock_server.api.representation import signed_link
from bluehour.mock_server.core.assets import Upload
from bluehour.mock_server.core.clock import isoformat
from bluehour.mock_server.core.idempotency import Key
from bluehour.mock_server.core.projects import Project
from bluehour.mock_server.core.stores.memory import MemoryStore
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import load

from .altering import (
    Answered,
    Asked,
    Forward,
    Handler,
    Where,
    after_json,
    around,
    changed,
    error,
    json_answer,
    only,
)
from .client import Client
from .deviant import Deviant, Witness
from .fields import EXAMPLE_ASSET, FAILING_ASSET, equal_to, having, legal
from .mending import replacing
from .names import CREATES, DELETE_PROJECT, FACE, GET_PROJECT, PHOTO
from .serving import TIME_SCALE
from .storing import with_store
from .witnesses import deleting, failing, living, seen

_deviant = partial(Deviant, group="lifecycle")

_UNIQUE = "id: unique ID of the image"
_NAME = "name: the name of the image, as it was given"
_STATUS = "queued, rendering, then complete or error: a status never goes back"
_ERROR = "error: in the case of an error, what happened; null otherwise"
_GONE = "a deleted project is 200 with enabled false and no downloads; deleting it again is 204 (FACTS 14)"
_UNKNOWN = "404 Not Found for an unknown id"

_NOT_FOUND = error(404, "not_found", "Not Found")

Change = Callable[[dict[str, Any]], dict[str, Any]]


def _project(name: str, breaks: str, rule: str, change: Change, witness: Witness) -> Deviant:
    """Change what is shown of a project."""
    return _deviant(name, breaks, rule, GET_PROJECT, after_json(GET_PROJECT, 200, change), witness)


def _named(name: str, breaks: str, given: str, change: Callable[[str], str | None]) -> Deviant:
    """Change the names that projects are shown with."""

    def shown(data: dict[str, Any]) -> Any:
        return change(data["name"])

    return _project(name, breaks, _NAME, changed(name=shown), lambda client: _name_of(client, given))


def _remembering(
    name: str,
    breaks: str,
    rule: str,
    operation: str | None,
    make: Callable[[Mock], Handler],
    witness: Witness,
) -> Deviant:
    """Answer by what came before."""
    return _deviant(name, breaks, rule, operation, around(make), witness)


def _where(change: Change, **fields: Any) -> Change:
    """Change a project only where its fields have these values."""
    return lambda data: change(data) if all(data[name] == value for name, value in fields.items()) else data


def _one_id_each(mock: Mock) -> Handler:
    first: dict[str, str] = {}

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        if answered.status != 200:
            return answered
        data = answered.json
        return answered.with_json({**data, "id": first.setdefault(asked.authorization, data["id"])})

    return only(CREATES, handler)


def _every_second_id_again(mock: Mock) -> Handler:
    latest: dict[str, str] = {}

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        if answered.status != 200:
            return answered
        data = answered.json
        before = latest.pop(asked.authorization, None)
        if before is None:
            latest[asked.authorization] = data["id"]
            return answered
        return answered.with_json({**data, "id": before})

    return only(CREATES, handler)


def _newest_for_all(mock: Mock) -> Handler:
    newest: dict[str, str] = {}

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        if answered.status != 200:
            return answered
        if asked.of in CREATES:
            newest[asked.authorization] = answered.json["id"]
            return answered
        other = forward(asked.to("GET", f"/v1/image-projects/{newest.get(asked.authorization, 'none')}"))
        return other.with_json({**other.json, "id": asked.project_id}) if other.status == 200 else answered

    return only((*CREATES, GET_PROJECT), handler)


def _looked_at(change: Callable[[dict[str, Any], int], dict[str, Any]]) -> Callable[[Mock], Handler]:
    """Change a project by how often it was seen in the status that it is in."""

    def make(mock: Mock) -> Handler:
        looks: dict[tuple[str, str], int] = {}

        def handler(asked: Asked, forward: Forward) -> Answered:
            answered = forward(asked)
            if answered.status != 200:
                return answered
            data = answered.json
            key = data["id"], data["status"]
            looks[key] = looks.get(key, 0) + 1
            return answered.with_json(change(data, looks[key]))

        return only(GET_PROJECT, handler)

    return make


def _back_to_queued(data: dict[str, Any], look: int) -> dict[str, Any]:
    return {**data, "status": "queued"} if data["status"] == "rendering" and look % 2 == 0 else data


def _back_to_rendering(data: dict[str, Any], look: int) -> dict[str, Any]:
    return (
        {**data, "status": "rendering", "downloads": []}
        if data["status"] == "complete" and look == 2
        else data
    )


def _not_at_first(mock: Mock) -> Handler:
    """Find no project at the first look."""
    looked: set[str] = set()

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        if (
            answered.status != 200
            or asked.project_id in looked
            or not mock.world.store.project(asked.project_id)
        ):
            return answered
        looked.add(asked.project_id)
        return _NOT_FOUND

    return only(GET_PROJECT, handler)


def _around_time(shown: Callable[[float, float], float]) -> Callable[[Mock], Handler]:
    """Change created_at, given the time it is and the time it was."""

    def make(mock: Mock) -> Handler:
        def handler(asked: Asked, forward: Forward) -> Answered:
            answered = forward(asked)
            project = mock.world.store.project(asked.project_id)
            if answered.status != 200 or project is None:
                return answered
            at = shown(mock.world.clock.now(), project.created_at)
            return answered.with_json({**answered.json, "created_at": isoformat(at)})

        return only(GET_PROJECT, handler)

    return make


def _fails_after_all(mock: Mock) -> Handler:
    """Show a complete project once, then have it failed, its credits given back."""
    looks: dict[str, int] = {}

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        project = mock.world.store.project(asked.project_id)
        if answered.status != 200 or project is None or answered.json["status"] != "complete":
            return answered
        looks[project.id] = looks.get(project.id, 0) + 1
        if looks[project.id] == 1:
            return answered
        if looks[project.id] == 2:
            now = mock.world.clock.now()
            balance = mock.world.store.balance(project.account_id, now)
            mock.world.store.set_account(project.account_id, now, credits=balance + project.credits)
        messages = mock.world.contract.extension("x-job-errors")
        failure = {"code": "unknown_error", "message": messages["unknown_error"]}
        nothing = {"credits_charged": 0, "total_frame_cost": 0, "downloads": []}
        return answered.with_json({**answered.json, **nothing, "status": "error", "error": failure})

    return only(GET_PROJECT, handler)


def _made_up(where: Where, answer: Callable[[str], Answered]) -> Callable[[Mock], Handler]:
    """Answer otherwise for an id that nobody has."""

    def make(mock: Mock) -> Handler:
        def handler(asked: Asked, forward: Forward) -> Answered:
            answered = forward(asked)
            is_unknown = answered.status == 404 and mock.world.store.project(asked.project_id) is None
            return answer(asked.project_id) if is_unknown else answered

        return only(where, handler)

    return make


def _example_as(project_id: str) -> Answered:
    _, declared = load().operation(GET_PROJECT).success
    assert declared.json is not None
    return json_answer(200, {**declared.json.example, "id": project_id, "downloads": []})


def _bad_id(_: str) -> Answered:
    return error(400, "invalid_request", "Invalid value for id")


def _bad_id_by_form(project_id: str) -> Answered:
    return _NOT_FOUND if len(project_id) == 25 else _bad_id(project_id)


def _deleted_once(where: Where, answer_again: Answered) -> Callable[[Mock], Handler]:
    """Answer otherwise about a project that is deleted already."""

    def make(mock: Mock) -> Handler:
        def handler(asked: Asked, forward: Forward) -> Answered:
            project = mock.world.store.project(asked.project_id)
            answered = forward(asked)
            is_gone = answered.status < 300 and project is not None and project.deleted_at is not None
            return answer_again if is_gone else answered

        return only(where, handler)

    return make


def _keeping_downloads(mock: Mock) -> Handler:
    """Go on to show the downloads of a deleted project, though they lead nowhere."""

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        if answered.status != 200 or answered.json["enabled"] or answered.json["status"] != "complete":
            return answered
        link = signed_link(
            mock.world, asked.project_id, "output.png", mock.world.clock.now(), mock.world.base_url
        )
        return answered.with_json({**answered.json, "downloads": [link]})

    return only(GET_PROJECT, handler)


def _downloads_of_the_failed(mock: Mock) -> Handler:
    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        if answered.status != 200 or answered.json["status"] != "error":
            return answered
        link = signed_link(
            mock.world, asked.project_id, "output.png", mock.world.clock.now(), mock.world.base_url
        )
        return answered.with_json({**answered.json, "downloads": [link]})

    return only(GET_PROJECT, handler)


def _busy(mock: Mock) -> Handler:
    """Refuse to delete what still runs."""

    def handler(asked: Asked, forward: Forward) -> Answered:
        read = forward(asked.to("GET", asked.path))
        is_running = read.status == 200 and read.json["status"] in ("queued", "rendering")
        return error(409, "conflict", "The project is still running") if is_running else forward(asked)

    return only(DELETE_PROJECT, handler)


def _all_at_once(mock: Mock) -> Handler:
    """Delete all of an account's projects with one of them."""

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        project = mock.world.store.project(asked.project_id)
        if answered.status == 204 and project is not None:
            for other in mock.world.store.projects(account_id=project.account_id):
                mock.world.store.delete_project(other.id, mock.world.clock.now())
        return answered

    return only(DELETE_PROJECT, handler)


def _example_goes(mock: Mock) -> Handler:
    gone: set[str] = set()

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        if asked.project_id != "cuid-example" or answered.status >= 300:
            return answered
        if asked.of == DELETE_PROJECT:
            gone.add(asked.authorization)
            return answered
        return _NOT_FOUND if asked.authorization in gone else answered

    return only((GET_PROJECT, DELETE_PROJECT), handler)


class _Stalls(MemoryStore):
    """Has the jobs of one operation stuck."""

    def __init__(self, operation: str, **times: float) -> None:
        super().__init__()
        self._operation = operation
        self._times = times

    def add_project(
        self, project: Project, at_most: int | None = None, base_url: str = "", key: Key | None = None
    ) -> int:
        is_stuck = project.operation_id == self._operation
        if is_stuck:
            project = replace(project, **self._times)  # type: ignore[arg-type]  # times only
        return super().add_project(project, at_most, base_url, key)


class _NeverDeletes(MemoryStore):
    """Forgets to delete."""

    def delete_project(self, project_id: str, at: float) -> None:
        pass


class _TakesAnyFile(MemoryStore):
    """Does not keep in mind what was wrong with an upload."""

    def put_uploads(self, uploads: Iterable[Upload]) -> None:
        super().put_uploads([replace(each, error=None) for each in uploads])


def _name_of(client: Client, given: str) -> object:
    project_id = client.create(FACE, having(FACE, "name", given))
    return client.project(project_id).json["name"]


def _three_projects(client: Client) -> object:
    """Create three: how many ids are there, and what is read by each?"""
    ids = [client.create(FACE, having(FACE, "name", name)) for name in ("One", "Two", "Three")]
    return len(set(ids)), [client.project(each).json["name"] for each in ids]


def _statuses(operation: str) -> Witness:
    """Look twice at each stage."""

    def witness(client: Client) -> object:
        project_id = client.create(operation, legal(operation))
        seconds = load().operation(operation).render_seconds * TIME_SCALE
        statuses = []
        for pause in (0, 0, seconds / 2, 0, 0, seconds, 0, 0):
            client.wait(pause)
            answer = client.project(project_id)
            statuses.append(answer.json.get("status") or answer.status)
        return statuses

    return witness


def _end(operation: str, asset: str = EXAMPLE_ASSET) -> Witness:
    """Wait for a project's end."""

    def witness(client: Client) -> object:
        project = client.finished(operation, legal(operation, asset))
        return project["status"], project["error"]

    return witness


def _ages(client: Client) -> object:
    """Read created_at at two times: does it stay, and is it past?"""
    project_id = client.create(FACE, legal(FACE))
    before = client.project(project_id).json["created_at"]
    client.wait(5)
    now = client.send("GET", "/_mock/clock").json["now"]
    return client.project(project_id).json["created_at"] == before, before <= now


def _ids(client: Client) -> object:
    project_id = client.create(FACE, legal(FACE))
    return client.project(project_id).json["id"] == project_id


def _unknown(project_id: str) -> Witness:
    return lambda client: (seen(client.project(project_id)), seen(client.delete(project_id)))


def _deleting_in_time(client: Client) -> object:
    project_id = client.create(PHOTO, legal(PHOTO))
    return seen(client.delete(project_id)), client.project(project_id).json["enabled"]


def _deleting_one_of_two(client: Client) -> object:
    ids = [client.finished(FACE, legal(FACE))["id"] for _ in range(2)]
    client.delete(ids[0])
    return [client.project(each).json["enabled"] for each in ids]


def _deleting_the_example(client: Client) -> object:
    return seen(client.delete("cuid-example")), seen(client.project("cuid-example"))


def _letter(client: Client) -> object:
    project = client.finished(FACE, legal(FACE, client.upload(b"This is a letter, not a photo.")))
    return project["status"], project["error"]


def _type_of(client: Client) -> object:
    return [client.finished(operation, legal(operation))["type"] for operation in CREATES]


_A_FAILURE = {"code": "unknown_error", "message": "An unknown error occurred"}
_SWAPPED = {"FACE_EDITOR": "PHOTO_EDITOR", "PHOTO_EDITOR": "FACE_EDITOR"}

_IDS = (
    _remembering(
        "one-id-for-each-account",
        "Every create of an account answers with the id of its first.",
        _UNIQUE,
        None,
        _one_id_each,
        _three_projects,
    ),
    _remembering(
        "every-second-id-again",
        "Every second create answers with the id of the one before.",
        _UNIQUE,
        None,
        _every_second_id_again,
        _three_projects,
    ),
    _remembering(
        "newest-project-for-all",
        "Whatever project is read, the account's newest is shown.",
        "GET shows the project of that id",
        GET_PROJECT,
        _newest_for_all,
        _three_projects,
    ),
    _project(
        "project-has-another-id",
        "A project is shown under another id than it is read by.",
        "id: unique ID of the image project",
        changed(id=lambda data: data["id"].upper()),
        _ids,
    ),
)

_NAMES = (
    _named(
        "name-is-lost", "A project is shown without the name that it was given.", "My face", lambda _: None
    ),
    _named(
        "name-is-cut",
        "A name is cut after 20 characters.",
        "A name of thirty characters...",
        lambda name: name[:20],
    ),
    _named(
        "name-loses-its-accents",
        "A name is kept in ASCII, with question marks for the rest.",
        "Süße Großmutter",
        lambda name: name.encode("ascii", "replace").decode(),
    ),
    _named(
        "name-is-decoded-twice",
        "A name in UTF-8 is taken for latin-1.",
        "Süße Großmutter",
        lambda name: name.encode().decode("latin-1"),
    ),
    _named(
        "name-loses-its-emoji",
        "A name loses the characters beyond the first plane of Unicode.",
        "Face 🙂 smiles",
        lambda name: "".join(each for each in name if ord(each) < 0x10000),
    ),
    _named("name-is-escaped", "A name is shown as it would stand in HTML.", "Ann & Bob <3", html.escape),
    _named("name-is-stripped", "A name loses the blanks around it.", "  My face ", str.strip),
    _named("name-in-lower-case", "A name is shown in lower case.", "My Face", str.lower),
    _deviant(
        "empty-name-is-replaced",
        "A project that was given an empty name gets the default one.",
        _NAME,
        FACE,
        replacing(FACE, "name", equal_to(""), lambda _: "Face Editor"),
        lambda client: _name_of(client, ""),
    ),
    _deviant(
        "name-of-a-photo-is-lost",
        "A photo is always called by the default name.",
        _NAME,
        PHOTO,
        replacing(PHOTO, "name", lambda held: isinstance(held, str), lambda _: "Photo Editor"),
        living(PHOTO),
    ),
)

_KINDS = (
    _project(
        "types-are-swapped",
        "A face is shown as a photo, and a photo as a face.",
        "x-project-type",
        changed(type=lambda data: _SWAPPED.get(data["type"], data["type"])),
        _type_of,
    ),
    _project(
        "type-is-the-examples",
        "Every project has the type of the published example.",
        "x-project-type",
        changed(type="AI_IMAGE"),
        _type_of,
    ),
    _project(
        "image-count-is-zero",
        "A complete project counts no image.",
        "image_count: number of images generated",
        _where(changed(image_count=0), status="complete"),
        living(FACE),
    ),
    _project(
        "image-count-is-two",
        "A complete project counts two images, and has one.",
        "image_count: number of images generated",
        _where(changed(image_count=2), status="complete"),
        living(PHOTO),
    ),
    _project(
        "project-is-disabled",
        "A project that nobody deleted is shown as deleted while it runs.",
        "enabled: false if it is deleted",
        _where(changed(enabled=False), status="rendering"),
        living(FACE),
    ),
    _remembering(
        "created-at-is-now",
        "created_at is the time of the read.",
        "created_at: when the project was created",
        GET_PROJECT,
        _around_time(lambda now, _: now),
        _ages,
    ),
    _remembering(
        "created-at-is-tomorrow",
        "created_at lies in the future.",
        "created_at: when the project was created",
        GET_PROJECT,
        _around_time(lambda _, created: created + 86400),
        _ages,
    ),
)

_STAGES = (
    _remembering(
        "rendering-goes-back-to-queued",
        "Every second look at a rendering project says that it is queued.",
        _STATUS,
        GET_PROJECT,
        _looked_at(_back_to_queued),
        _statuses(PHOTO),
    ),
    _remembering(
        "complete-goes-back-to-rendering",
        "The second look at a complete project says that it is rendering.",
        _STATUS,
        GET_PROJECT,
        _looked_at(_back_to_rendering),
        _statuses(FACE),
    ),
    _remembering(
        "complete-turns-into-error",
        "A project that was shown as complete ends in an error after all.",
        _STATUS,
        GET_PROJECT,
        _fails_after_all,
        _statuses(FACE),
    ),
    _remembering(
        "unknown-at-first",
        "A project is not found at the first look.",
        "a project can be read once it is created",
        GET_PROJECT,
        _not_at_first,
        _statuses(PHOTO),
    ),
    _deviant(
        "face-never-ends",
        "A face stays rendering for ever.",
        _STATUS,
        FACE,
        with_store(lambda: _Stalls(FACE, finished_at=math.inf)),
        _end(FACE),
    ),
    _deviant(
        "photo-never-begins",
        "A photo stays queued for ever.",
        _STATUS,
        PHOTO,
        with_store(lambda: _Stalls(PHOTO, rendering_at=math.inf, finished_at=math.inf)),
        _end(PHOTO),
    ),
    _project(
        "queued-is-draft",
        "A queued project is called a draft.",
        "draft: not used",
        _where(changed(status="draft"), status="queued"),
        _statuses(PHOTO),
    ),
    _project(
        "error-is-canceled",
        "A job that fails is shown as canceled.",
        "canceled: canceled in the web app",
        _where(changed(status="canceled"), status="error"),
        _end(FACE, FAILING_ASSET),
    ),
)

_ERRORS = (
    _project(
        "failed-without-an-error",
        "A project whose status is error has no error.",
        _ERROR,
        _where(changed(error=None), status="error"),
        failing(FACE),
    ),
    _project(
        "complete-with-an-error",
        "A complete project has an error.",
        _ERROR,
        _where(changed(error=_A_FAILURE), status="complete"),
        living(FACE),
    ),
    _project(
        "error-comes-early",
        "A project has an error while it is still rendering.",
        _ERROR,
        _where(changed(error=_A_FAILURE), status="rendering"),
        living(PHOTO),
    ),
    _project(
        "every-error-is-unknown",
        "Whatever a job fails for, its error is unknown_error.",
        "x-job-errors: no_source_face where there is no face",
        _where(changed(error=_A_FAILURE), status="error"),
        _end(PHOTO, FAILING_ASSET),
    ),
    _deviant(
        "failed-with-a-download",
        "A failed project has a download.",
        "downloads: empty until the project is complete",
        GET_PROJECT,
        around(_downloads_of_the_failed),
        failing(FACE),
    ),
    _deviant(
        "no-face-is-no-error",
        "A picture without a face is edited all the same.",
        "x-failing-asset: ends the job in its error",
        FACE,
        replacing(FACE, "assets.image_file_path", equal_to(FAILING_ASSET), lambda _: EXAMPLE_ASSET),
        _end(FACE, FAILING_ASSET),
    ),
    _deviant(
        "no-picture-is-no-error",
        "An upload that is no picture is edited all the same.",
        "x-job-errors: invalid_file_format",
        None,
        with_store(_TakesAnyFile),
        _letter,
    ),
)

_UNKNOWN_ONES = (
    _remembering(
        "unknown-project-is-200",
        "Whatever id is read, there is a project.",
        _UNKNOWN,
        GET_PROJECT,
        _made_up(GET_PROJECT, _example_as),
        _unknown("nobody"),
    ),
    _remembering(
        "unknown-project-is-400",
        "An unknown id is answered with 400.",
        _UNKNOWN,
        None,
        _made_up((GET_PROJECT, DELETE_PROJECT), _bad_id),
        _unknown("cmwuorux7yex3ifweup31uym1"),
    ),
    _remembering(
        "odd-id-is-400",
        "An id of another form than its own is answered with 400.",
        _UNKNOWN,
        GET_PROJECT,
        _made_up(GET_PROJECT, _bad_id_by_form),
        _unknown("nobody"),
    ),
    _remembering(
        "deleting-an-unknown-is-204",
        "Whatever id is deleted, it is done.",
        _UNKNOWN,
        DELETE_PROJECT,
        _made_up(DELETE_PROJECT, lambda _: Answered(204, (), b"")),
        _unknown("nobody"),
    ),
)

_DELETIONS = (
    _deviant(
        "delete-does-nothing",
        "A deletion answers 204, and the project stays as it was.",
        _GONE,
        DELETE_PROJECT,
        with_store(_NeverDeletes),
        deleting,
    ),
    _project(
        "deleted-stays-enabled",
        "A deleted project has no downloads, and is enabled.",
        _GONE,
        changed(enabled=True),
        deleting,
    ),
    _deviant(
        "deleted-shows-downloads",
        "A deleted project still shows its downloads.",
        _GONE,
        GET_PROJECT,
        around(_keeping_downloads),
        deleting,
    ),
    _remembering(
        "deleted-project-is-404",
        "A deleted project is not found.",
        _GONE,
        GET_PROJECT,
        _deleted_once(GET_PROJECT, _NOT_FOUND),
        deleting,
    ),
    _remembering(
        "deleted-project-is-410",
        "A deleted project is gone, with a status that the operation does not have.",
        _GONE,
        GET_PROJECT,
        _deleted_once(GET_PROJECT, error(410, "gone", "Gone")),
        deleting,
    ),
    _remembering(
        "second-delete-is-404",
        "A project that is deleted again is not found.",
        _GONE,
        DELETE_PROJECT,
        _deleted_once(DELETE_PROJECT, _NOT_FOUND),
        deleting,
    ),
    _remembering(
        "running-project-is-undeletable",
        "A project can't be deleted before it has ended.",
        "DELETE: 204, at any time",
        DELETE_PROJECT,
        _busy,
        _deleting_in_time,
    ),
    _remembering(
        "delete-takes-all",
        "With one project all of the account's are deleted.",
        "DELETE is about the project of that id",
        DELETE_PROJECT,
        _all_at_once,
        _deleting_one_of_two,
    ),
    _remembering(
        "example-project-goes",
        "The project of the published examples can't be read once it was deleted.",
        "cuid-example can always be read (FACTS 14)",
        GET_PROJECT,
        _example_goes,
        _deleting_the_example,
    ),
    _project(
        "deleted-loses-its-status",
        "A complete project that is deleted is shown as canceled.",
        _STATUS,
        _where(changed(status="canceled"), enabled=False),
        deleting,
    ),
)

DEVIANTS: tuple[Deviant, ...] = (
    *_IDS,
    *_NAMES,
    *_KINDS,
    *_STAGES,
    *_ERRORS,
    *_UNKNOWN_ONES,
    *_DELETIONS,
)
