"""Deviants that let the wrong ones in, keep the right ones out, or say it wrongly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from bluehour.mock_server.mock import Mock

from .altering import (
    Answered,
    Asked,
    Forward,
    Handler,
    Where,
    after,
    after_json,
    around,
    before,
    changed,
    error,
    handling,
    lacking,
    only,
)
from .client import Client
from .deviant import Deviant, Witness
from .fields import legal
from .names import CREATES, DELETE_PROJECT, FACE, GET_PROJECT, OPERATIONS, PHOTO, UPLOAD_URLS
from .witnesses import plain, png, posting, seen

_deviant = partial(Deviant, group="auth")

_SECURITY = "security bearerAuth: a bearer token is asked for"
_ENVELOPE = "components/responses/Unauthorized"
_OWN = "404 where there is no such project of the caller's"

_ANYBODY = "Bearer mhk_test_creator_100000_anybody"
_NOBODY = {"Authorization": None}


def _is_anonymous(asked: Asked) -> bool:
    return not asked.authorization


def _has_scheme(scheme: str) -> Callable[[Asked], bool]:
    return lambda asked: asked.authorization.partition(" ")[0].lower() == scheme


def _letting_in(asked: Asked) -> Asked:
    return asked.with_header("Authorization", _ANYBODY)


def _open_to(where: tuple[str, ...], when: Callable[[Asked], bool]) -> Callable[[Mock], Handler]:
    """Let some callers in: as whoever the project belongs to, or as somebody."""

    def make(mock: Mock) -> Handler:
        owners: dict[str, str] = {}

        def handler(asked: Asked, forward: Forward) -> Answered:
            if asked.of in where and when(asked):
                owner = owners.get(asked.project_id, _ANYBODY) if asked.of not in CREATES else _ANYBODY
                return forward(asked.with_header("Authorization", owner))
            answered = forward(asked)
            if asked.of in CREATES and answered.status == 200:
                owners[answered.json["id"]] = asked.authorization
            return answered

        return handler

    return make


def _shared(where: tuple[str, ...]) -> Callable[[Mock], Handler]:
    """Let whoever has an account at whatever project there is."""

    def make(mock: Mock) -> Handler:
        owners: dict[str, str] = {}

        def handler(asked: Asked, forward: Forward) -> Answered:
            answered = forward(asked)
            if asked.of in CREATES and answered.status == 200:
                owners[answered.json["id"]] = asked.authorization
            if asked.of in where and answered.status == 404 and asked.project_id in owners:
                return forward(asked.with_header("Authorization", owners[asked.project_id]))
            return answered

        return handler

    return make


def _sharing_uploads(mock: Mock) -> Handler:
    def handler(asked: Asked, forward: Forward) -> Answered:
        body = asked.json
        named = body.get("assets") if isinstance(body, dict) else None
        path = named.get("image_file_path") if isinstance(named, dict) else None
        upload = mock.world.store.upload(path) if isinstance(path, str) else None
        caller = mock.world.account_id_of(asked.authorization.partition(" ")[2])
        if upload is not None and caller is not None:
            mock.world.store.put_uploads([replace(upload, account_id=caller)])
        return forward(asked)

    return only(CREATES, handler)


def _telling_strangers(where: Where, answer: Answered) -> Callable[[Mock], Handler]:
    """Answer otherwise where there is a project, but another's."""

    def make(mock: Mock) -> Handler:
        def handler(asked: Asked, forward: Forward) -> Answered:
            answered = forward(asked)
            is_anothers = answered.status == 404 and mock.world.store.project(asked.project_id) is not None
            return answer if is_anothers else answered

        return only(where, handler)

    return make


def _without_token(operation: str) -> Witness:
    return posting(operation, legal(operation), _NOBODY)


def _with(authorization: str) -> Witness:
    return posting(FACE, legal(FACE), {"Authorization": authorization})


def _reading_without_token(client: Client) -> object:
    project_id = client.create(FACE, legal(FACE))
    return seen(client.call(GET_PROJECT, headers=_NOBODY, id=project_id))


def _deleting_without_token(client: Client) -> object:
    project_id = client.create(FACE, legal(FACE))
    refused = client.call(DELETE_PROJECT, headers=_NOBODY, id=project_id)
    return seen(refused), seen(client.project(project_id))


def _strangers_read(client: Client) -> object:
    return seen(client.another().project(client.create(FACE, legal(FACE))))


def _strangers_delete(client: Client) -> object:
    project_id = client.create(FACE, legal(FACE))
    return seen(client.another().delete(project_id)), seen(client.project(project_id))


def _strangers_upload(client: Client) -> object:
    path = client.upload(png())
    return seen(client.another().call(FACE, legal(FACE, path)))


def _refused_read(client: Client) -> object:
    answer = client.call(GET_PROJECT, headers=_NOBODY, id="cuid-example")
    return seen(answer), plain(answer.headers.get("Location"))


_TO_LOGIN = Answered(302, (("Location", "/login"), ("Content-Length", "0")), b"")

_FORBIDDEN = error(403, "forbidden", "Forbidden")
_DONE = Answered(204, (), b"")

DEVIANTS: tuple[Deviant, ...] = (
    *(
        _deviant(
            f"no-token-needed-for-{what}",
            f"Whoever sends no Authorization header at all may call {operation}.",
            _SECURITY,
            operation,
            around(_open_to((operation,), _is_anonymous)),
            _without_token(operation),
        )
        for operation, what in ((FACE, "a-face"), (PHOTO, "a-photo"), (UPLOAD_URLS, "upload-urls"))
    ),
    _deviant(
        "no-token-needed-to-read",
        "Whoever knows a project's id can read it without a token.",
        _SECURITY,
        GET_PROJECT,
        around(_open_to((GET_PROJECT,), _is_anonymous)),
        _reading_without_token,
    ),
    _deviant(
        "no-token-needed-to-delete",
        "Whoever knows a project's id can delete it without a token.",
        _SECURITY,
        DELETE_PROJECT,
        around(_open_to((DELETE_PROJECT,), _is_anonymous)),
        _deleting_without_token,
    ),
    _deviant(
        "token-asked-of-posts-only",
        "Tokens are looked at where something is posted: GET and DELETE pass without or with a wrong one.",
        _SECURITY,
        None,
        around(_open_to((GET_PROJECT, DELETE_PROJECT), lambda asked: not _has_scheme("bearer")(asked))),
        lambda client: (_reading_without_token(client), _deleting_without_token(client)),
    ),
    _deviant(
        "basic-scheme-accepted",
        "Basic credentials are taken for a bearer token.",
        _SECURITY,
        None,
        before(
            OPERATIONS,
            lambda asked: asked.with_header(
                "Authorization", asked.authorization.replace("Basic ", "Bearer ", 1)
            ),
        ),
        _with("Basic bWhrX3Rlc3Q6eA"),
    ),
    _deviant(
        "scheme-not-needed",
        "A key without the word Bearer before it is taken for a bearer token.",
        _SECURITY,
        None,
        before(
            OPERATIONS,
            lambda asked: (
                asked.with_header("Authorization", f"Bearer {asked.authorization}")
                if asked.authorization.startswith("mhk_")
                else asked
            ),
        ),
        _with("mhk_live_apikey"),
    ),
    _deviant(
        "lower-case-bearer-refused",
        "The scheme is compared as it is written, though its case means nothing.",
        "security bearerAuth: an HTTP scheme, whose name has no case",
        None,
        before(
            OPERATIONS,
            lambda asked: (
                asked
                if asked.authorization.startswith("Bearer")
                else asked.with_header("Authorization", None)
            ),
        ),
        _with("bearer mhk_live_apikey"),
    ),
    _deviant(
        "empty-token-accepted",
        "The word Bearer with nothing behind it is a token.",
        _SECURITY,
        None,
        before(
            OPERATIONS,
            lambda asked: _letting_in(asked) if asked.authorization.strip() == "Bearer" else asked,
        ),
        _with("Bearer"),
    ),
    _deviant(
        "invalid-token-accepted",
        "A token that says of itself that it is invalid opens an account.",
        "a token that nobody was given is 401; mhk_test_invalid is one",
        None,
        before(
            OPERATIONS,
            lambda asked: _letting_in(asked) if "mhk_test_invalid" in asked.authorization else asked,
        ),
        _with("Bearer mhk_test_invalid"),
    ),
    _deviant(
        "invalid-token-may-read",
        "A token that is refused by every other operation may read the example project.",
        "a token that nobody was given is 401; mhk_test_invalid is one",
        GET_PROJECT,
        before(
            GET_PROJECT,
            lambda asked: _letting_in(asked) if "mhk_test_invalid" in asked.authorization else asked,
        ),
        lambda client: seen(
            client.call(GET_PROJECT, headers={"Authorization": "Bearer mhk_test_invalid"}, id="cuid-example")
        ),
    ),
    _deviant(
        "403-in-place-of-401",
        "A missing token is answered with 403.",
        _ENVELOPE,
        None,
        after(OPERATIONS, 401, lambda _: error(403, "forbidden", "Forbidden")),
        _without_token(FACE),
    ),
    _deviant(
        "404-in-place-of-401",
        "Who may not read a project is told that there is none.",
        _ENVELOPE,
        GET_PROJECT,
        after(GET_PROJECT, 401, lambda _: error(404, "not_found", "Not Found")),
        _reading_without_token,
    ),
    _deviant(
        "wrong-scheme-is-400",
        "Credentials of another scheme are answered with 400.",
        _ENVELOPE,
        None,
        handling(
            OPERATIONS,
            lambda asked, forward: (
                error(400, "invalid_request", "Invalid Authorization header")
                if _has_scheme("basic")(asked)
                else forward(asked)
            ),
        ),
        _with("Basic bWhrX3Rlc3Q6eA"),
    ),
    _deviant(
        "401-redirects-to-a-login",
        "Who has no token is sent to a login page.",
        _ENVELOPE,
        GET_PROJECT,
        after(GET_PROJECT, 401, lambda _: _TO_LOGIN),
        _refused_read,
    ),
    _deviant(
        "401-message-differs",
        "The message of a 401 is not the one that the contract has for it.",
        f"{_ENVELOPE}: message Unauthorized",
        None,
        after_json(OPERATIONS, 401, changed(message="Invalid API key")),
        _without_token(PHOTO),
    ),
    _deviant(
        "401-code-differs",
        "The code of a 401 is not the one that the contract has for it.",
        f"{_ENVELOPE}: code unauthorized",
        None,
        after_json(OPERATIONS, 401, changed(code="invalid_token")),
        _without_token(UPLOAD_URLS),
    ),
    _deviant(
        "401-lacks-its-code",
        "A 401 has a message alone, as the vendor's had before the codes came.",
        f"{_ENVELOPE}: code is required",
        None,
        after_json(OPERATIONS, 401, lacking("code")),
        _without_token(FACE),
    ),
    _deviant(
        "401-is-empty",
        "A 401 of the deletion has no body.",
        f"{_ENVELOPE}: code and message are required",
        DELETE_PROJECT,
        after(DELETE_PROJECT, 401, lambda answered: answered.with_body(b"")),
        _deleting_without_token,
    ),
    _deviant(
        "anothers-project-can-be-read",
        "Whoever has an account can read the projects of every other.",
        _OWN,
        GET_PROJECT,
        around(_shared((GET_PROJECT,))),
        _strangers_read,
    ),
    _deviant(
        "anothers-project-can-be-deleted",
        "Whoever has an account can delete the projects of every other.",
        _OWN,
        DELETE_PROJECT,
        around(_shared((DELETE_PROJECT,))),
        _strangers_delete,
    ),
    _deviant(
        "anothers-project-is-403",
        "A project of another account is told from one that there is not.",
        _OWN,
        GET_PROJECT,
        around(_telling_strangers(GET_PROJECT, _FORBIDDEN)),
        _strangers_read,
    ),
    _deviant(
        "anothers-deletion-is-204",
        "Who deletes another's project is told that it is done, and it is not.",
        _OWN,
        DELETE_PROJECT,
        around(_telling_strangers(DELETE_PROJECT, _DONE)),
        _strangers_delete,
    ),
    _deviant(
        "anothers-upload-can-be-used",
        "A picture that one account has uploaded can be edited by every other.",
        "422 for an asset path that was never issued to the caller (FACTS 14)",
        None,
        around(_sharing_uploads),
        _strangers_upload,
    ),
)
