"""Deviants that a single look does not show: now and then, behind a token, or only in the job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from bluehour.mock_server.core.accounts import InsufficientCredits
from bluehour.mock_server.core.assets.links import output_path
from bluehour.mock_server.core.clock import isoformat
from bluehour.mock_server.core.idempotency import Key
from bluehour.mock_server.core.projects import Project
from bluehour.mock_server.core.stores.memory import MemoryStore
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import load
from bluehour.openapi.terms import usual_price

from .altering import (
    BROKEN,
    Answered,
    Asked,
    Forward,
    Handler,
    Where,
    answering,
    around,
    error,
    handling,
    only,
)
from .client import Answer, Client
from .deviant import Deviant, Witness, Wrap
from .fields import any_value, having, legal, without
from .money import charge
from .names import CREATES, DELETE_PROJECT, DOWNLOAD, FACE, GET_PROJECT, PHOTO, UPLOAD, UPLOAD_URLS
from .storing import with_store
from .witnesses import png, seen

_money = partial(Deviant, group="money")
_lifecycle = partial(Deviant, group="lifecycle")
_downloads = partial(Deviant, group="downloads")
_validation = partial(Deviant, group="validation")
_acceptance = partial(Deviant, group="acceptance")
_auth = partial(Deviant, group="auth")
_methods = partial(Deviant, group="methods")
_uploads = partial(Deviant, group="uploads")

_ONCE = "the account is charged once, by x-credits, when the request is made"
_NEW = "each create makes a project of its own"
_SIGNED = "download links are signed, and good until expires_at"
_FIRST = "credentials are checked before anything else"
_TOKEN = "a bearer token in the header Authorization is the only way in"
_OPEN = "no rule forbids it"

_DAY = 86_400
_FIFTEEN = 15


def _counted(where: Where, when: Callable[[int], bool], handler: Callable[[Mock], Handler]) -> Wrap:
    """Deviate at some of the requests, by their number; the others are answered rightly."""

    def make(mock: Mock) -> Handler:
        wrong, count = handler(mock), 0

        def counted(asked: Asked, forward: Forward) -> Answered:
            nonlocal count
            count += 1
            return wrong(asked, forward) if when(count) else forward(asked)

        return only(where, counted)

    return around(make)


# Money.


def _accepted(where: Where, when: Callable[[int], bool]) -> Wrap:
    """Charge some of the creates that are accepted a second time."""

    def make(mock: Mock) -> Handler:
        count = 0

        def handler(asked: Asked, forward: Forward) -> Answered:
            nonlocal count
            answered = forward(asked)
            if answered.status == 200:
                count += 1
                if when(count):
                    charge(mock, asked, usual_price(load().operation(asked.of)))
            return answered

        return only(where, handler)

    return around(make)


class _LendsTheRest(MemoryStore):
    """Serves whoever has a credit left, and lets the balance go below zero."""

    def add_project(
        self, project: Project, at_most: int | None = None, base_url: str = "", key: Key | None = None
    ) -> int:
        ledger = self._ledgers[project.account_id]
        balance = self.balance(project.account_id, project.created_at)
        if balance <= 0:
            raise InsufficientCredits(balance)
        lent = max(0, project.credits - balance)
        ledger.add(lent, project.created_at)
        try:
            return super().add_project(project, at_most, base_url, key) - lent
        finally:
            ledger.add(-lent, project.created_at)


def _bill(faces: int) -> Witness:
    """Count how many faces an account can pay that has credits for so many."""

    def witness(client: Client) -> object:
        payer = client.another(credits=faces)
        return sum(payer.call(FACE, legal(FACE)).status == 200 for _ in range(faces))

    return witness


def _half_paid(client: Client) -> object:
    return client.another(credits=5).call(PHOTO, legal(PHOTO)).status


_MONEY = (
    _money(
        "every-tenth-create-is-charged-twice",
        "Every tenth create is booked twice, and shown as charged once.",
        _ONCE,
        None,
        _accepted(CREATES, lambda count: count % 10 == 0),
        _bill(12),
    ),
    _money(
        "every-third-face-is-charged-twice",
        "Every third face is booked twice, and shown as charged once.",
        _ONCE,
        FACE,
        _accepted(FACE, lambda count: count % 3 == 0),
        _bill(12),
    ),
    _money(
        "the-first-create-is-charged-twice",
        "The first create after a start is booked twice.",
        _ONCE,
        None,
        _accepted(CREATES, lambda count: count == 1),
        _bill(3),
    ),
    _money(
        "a-create-may-leave-a-debt",
        "Whoever has a credit left is served, and the balance goes below zero.",
        "402 insufficient_credits where the balance is below the price",
        None,
        with_store(_LendsTheRest),
        _half_paid,
    ),
)


# Projects.


def _remembering(mock: Mock) -> Handler:
    """Answer a body that an account has sent before as it was answered then."""
    known: dict[tuple[str, str, bytes], Answered] = {}

    def handler(asked: Asked, forward: Forward) -> Answered:
        key = asked.authorization, asked.of, asked.body
        if key not in known:
            answered = forward(asked)
            if answered.status != 200:
                return answered
            known[key] = answered
        return known[key]

    return only(CREATES, handler)


def _twice(client: Client) -> object:
    ids = [client.call(FACE, legal(FACE)).json["id"] for _ in range(2)]
    return len({*ids})


_PROJECTS = (
    _lifecycle(
        "same-body-same-project",
        "A body that was sent before is answered by the project that it made then.",
        _NEW,
        None,
        around(_remembering),
        _twice,
    ),
)


# Pictures.


def _of_the_one_before(mock: Mock) -> Handler:
    """Send the picture of the project that the account has created before."""
    before: dict[str, str] = {}
    newest: dict[str, str] = {}

    def handler(asked: Asked, forward: Forward) -> Answered:
        if asked.of in CREATES:
            answered = forward(asked)
            if answered.status == 200:
                before[answered.json["id"]] = newest.get(asked.of, answered.json["id"])
                newest[asked.of] = answered.json["id"]
            return answered
        other = before.get(asked.project_id, asked.project_id)
        right = forward(asked)
        if right.status != 200 or other == asked.project_id:
            return right
        picture = forward(_signed(mock, asked, other))
        return picture if picture.status == 200 else right

    return only((*CREATES, DOWNLOAD), handler)


def _now_and_then_another(mock: Mock) -> Handler:
    """Serve, every third time, the picture that was served before."""
    served: list[Answered] = []

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        if answered.status != 200:
            return answered
        served.append(answered)
        return served[-2] if len(served) % 3 == 0 else answered

    return only(DOWNLOAD, handler)


def _halved(mock: Mock) -> Handler:
    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        return answered.with_body(answered.body[: len(answered.body) // 2])

    return handler


def _signed(mock: Mock, asked: Asked, project_id: str) -> Asked:
    path = output_path(project_id, "output.png")
    return asked.to("GET", mock.world.links.sign(path, mock.world.clock.now() + _DAY))


def _by_any_link(mock: Mock) -> Handler:
    """Take the query of any link for the path of any other."""
    queries: set[str] = set()

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        if asked.of == GET_PROJECT:
            if answered.status == 200:
                queries.update(each["url"].partition("?")[2] for each in answered.json["downloads"])
            return answered
        if answered.status == 403 and asked.environ["QUERY_STRING"] in queries:
            return forward(_signed(mock, asked, asked.project_id))
        return answered

    return only((GET_PROJECT, DOWNLOAD), handler)


def _short_lived(mock: Mock) -> Handler:
    """Say that links are good for seconds, and take them for a day."""

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        if answered.status != 200:
            return answered
        at = isoformat(int(mock.world.clock.now() + 8))
        links = [{**each, "expires_at": at} for each in answered.json["downloads"]]
        return answered.with_json({**answered.json, "downloads": links})

    return only(GET_PROJECT, handler)


def _two_links(client: Client) -> list[str]:
    paths = [client.upload(png(64, 48)), client.upload(png(40, 80))]
    return [client.finished(FACE, legal(FACE, path))["downloads"][0]["url"] for path in paths]


def _both(client: Client) -> object:
    return [seen(client.fetch(url)) for url in _two_links(client)]


def _by_turns(client: Client) -> object:
    one, other = _two_links(client)
    return [seen(client.fetch(url)) for url in (one, other, one)]


def _fetched_often(client: Client) -> object:
    url = client.finished(FACE, legal(FACE))["downloads"][0]["url"]
    return [seen(client.fetch(url)) for _ in range(_FIFTEEN)]


def _crossed(client: Client) -> object:
    one, other = _two_links(client)
    return seen(client.fetch(f"{other.partition('?')[0]}?{one.partition('?')[2]}"))


def _said_to_be_good_for(client: Client) -> object:
    project = client.finished(FACE, legal(FACE))
    now = client.send("GET", "/_mock/clock").json["now"]
    return project["downloads"][0]["expires_at"][:13] == now[:13]


_PICTURES = (
    _downloads(
        "picture-of-the-project-before",
        "A link leads to the picture of the project that was created before.",
        "a download link leads to the project's own picture",
        None,
        around(_of_the_one_before),
        _both,
    ),
    _downloads(
        "every-third-picture-is-the-one-before",
        "Every third download is the picture that was served before.",
        "a download link leads to the project's own picture",
        None,
        around(_now_and_then_another),
        _by_turns,
    ),
    _downloads(
        "every-fifteenth-picture-is-cut-off",
        "Of every fifteenth download half is sent.",
        "a download link leads to the picture, for whoever has it (FACTS 14)",
        None,
        _counted(DOWNLOAD, lambda count: count % _FIFTEEN == 0, _halved),
        _fetched_often,
    ),
    _downloads(
        "signature-does-not-cover-the-path",
        "The query of one link opens every other.",
        _SIGNED,
        None,
        around(_by_any_link),
        _crossed,
    ),
    _downloads(
        "expiry-is-not-enforced",
        "Links are said to be good for seconds, and work for a day.",
        _SIGNED,
        GET_PROJECT,
        around(_short_lived),
        _said_to_be_good_for,
    ),
)


# Replicas.


def _clamped(field: str, most: float) -> Callable[[Mock], Handler]:
    """Take what is too large for what is just allowed."""

    def handler(asked: Asked, forward: Forward) -> Answered:
        body = asked.json
        if any_value(field, lambda held: isinstance(held, int | float) and held > most)(body):
            return forward(asked.with_json(having_in(body, field, most)))
        return forward(asked)

    return lambda _: handler


def having_in(body: Any, field: str, value: Any) -> Any:
    """Return a body with another value in a field that it has."""
    head, _, rest = field.partition(".")
    return {**body, head: having_in(body[head], rest, value) if rest else value}


def _forgiving(field: str, default: Any) -> Callable[[Mock], Handler]:
    """Do without a field."""

    def handler(asked: Asked, forward: Forward) -> Answered:
        body, (head, _, rest) = asked.json, field.partition(".")
        if isinstance(body, dict) and isinstance(body.get(head), dict) and rest not in body[head]:
            return forward(asked.with_json({**body, head: {**body[head], rest: default}}))
        return forward(asked)

    return lambda _: handler


def _third(count: int) -> bool:
    return count % 3 == 0


def _many(operation: str, body: Any) -> Witness:
    return lambda client: sorted(client.call(operation, body).status for _ in range(3))


_REPLICAS = (
    _validation(
        "one-of-three-replicas-clamps-sliders",
        "Every third request is answered by a replica that clamps a slider.",
        "request style.mouth_smile: maximum 100",
        FACE,
        _counted(FACE, _third, _clamped("style.mouth_smile", 100)),
        _many(FACE, having(FACE, "style.mouth_smile", 105)),
    ),
    _validation(
        "one-of-three-replicas-clamps-resolutions",
        "Every third request is answered by a replica that clamps the factor.",
        "request style.upscale_factor: maximum 4",
        PHOTO,
        _counted(PHOTO, _third, _clamped("style.upscale_factor", 4)),
        _many(PHOTO, having(PHOTO, "style.upscale_factor", 5)),
    ),
    _validation(
        "one-of-three-replicas-needs-no-prompt",
        "Every third request is answered by a replica that needs no prompt.",
        "request style.prompt: required",
        PHOTO,
        _counted(PHOTO, _third, _forgiving("style.prompt", "x")),
        _many(PHOTO, without(PHOTO, "style.prompt")),
    ),
)  # fmt: skip


# Who calls.


def _let_in(by: Callable[[Asked], str]) -> Wrap:
    """Take a token from elsewhere, where there is none in its place."""

    def handler(asked: Asked, forward: Forward) -> Answered:
        token = by(asked)
        if token and not asked.authorization:
            return forward(asked.with_header("Authorization", f"Bearer {token}"))
        return forward(asked)

    return around(lambda _: handler)


def _in_query(name: str) -> Callable[[Asked], str]:
    def token(asked: Asked) -> str:
        pairs = [each.partition("=") for each in str(asked.environ["QUERY_STRING"]).split("&")]
        return next((value for key, _, value in pairs if key == name), "")

    return token


def _in_header(name: str) -> Callable[[Asked], str]:
    return lambda asked: asked.header(name)


def _in_any_case(mock: Mock) -> Handler:
    """Know accounts by their tokens' letters, whatever their case."""
    known: dict[str, str] = {}

    def handler(asked: Asked, forward: Forward) -> Answered:
        scheme, _, token = asked.authorization.partition(" ")
        first = known.setdefault(token.lower(), token)
        if first and scheme:
            asked = asked.with_header("Authorization", f"{scheme} {first}")
        return forward(asked)

    return handler


_ANYBODY = "Bearer mhk_test_creator_100000_anybody"


def _before_credentials(when: Callable[[Asked, Answered], bool]) -> Wrap:
    """Say what is wrong with a request before asking who sends it."""

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        if answered.status == 401:
            known = forward(asked.with_header("Authorization", _ANYBODY))
            return known if when(asked, known) else answered
        return answered

    return handling((*CREATES, UPLOAD_URLS, GET_PROJECT, DELETE_PROJECT), handler)


_NOBODY = {"Authorization": None}


def _with_query(name: str) -> Witness:
    return lambda client: (
        client.send("GET", f"/v1/image-projects/x?{name}={client.token}", headers=_NOBODY).status
    )


def _with_header(name: str) -> Witness:
    return lambda client: client.call(GET_PROJECT, headers={**_NOBODY, name: client.token}, id="x").status


def _shouting(client: Client) -> object:
    project_id = client.create(FACE, legal(FACE))
    return client.call(
        GET_PROJECT, headers={"Authorization": f"Bearer {client.token.upper()}"}, id=project_id
    ).status


_CALLERS = (
    *(
        _auth(
            f"token-accepted-in-the-query-as-{name.replace('_', '-').lower()}",
            f"A token in the query, {name}, will do.",
            _TOKEN,
            None,
            _let_in(_in_query(name)),
            _with_query(name),
        )
        for name in ("access_token", "api_key", "token", "key")
    ),
    *(
        _auth(
            f"token-accepted-in-{name.lower()}",
            f"A token in the header {name} will do.",
            _TOKEN,
            None,
            _let_in(_in_header(name)),
            _with_header(name),
        )
        for name in ("X-Api-Key", "X-Auth-Token", "Api-Key")
    ),
    _auth(
        "token-has-no-case",
        "A token is good in any case.",
        _TOKEN,
        None,
        around(_in_any_case),
        _shouting,
    ),
    _auth(
        "validation-before-authentication",
        "What is wrong with a body is told to whoever asks.",
        _FIRST,
        None,
        _before_credentials(lambda _, known: known.status == 400),
        lambda client: client.call(FACE, {}, headers=_NOBODY).status,
    ),
    _auth(
        "malformed-json-before-authentication",
        "What is no JSON is refused for that, whoever sends it.",
        _FIRST,
        None,
        _before_credentials(lambda asked, known: known.status == 400 and asked.json is None),
        lambda client: client.send("POST", "/v1/ai-face-editor", b'{"a', _NOBODY).status,
    ),
    _auth(
        "existence-before-authentication",
        "Whether there is a project is told to whoever asks.",
        _FIRST,
        GET_PROJECT,
        _before_credentials(lambda asked, known: asked.method == "GET" and known.status == 404),
        lambda client: client.call(GET_PROJECT, headers=_NOBODY, id="x").status,
    ),
    _methods(
        "head-of-a-project-is-500",
        "HEAD of a project that there is fails.",
        "HEAD is answered as GET is",
        GET_PROJECT,
        around(lambda _: lambda asked, forward: _failing_head(asked, forward)),
        lambda client: client.send("HEAD", f"/v1/image-projects/{client.create(FACE, legal(FACE))}").status,
    ),
)  # fmt: skip


def _failing_head(asked: Asked, forward: Forward) -> Answered:
    answered = forward(asked)
    is_there = asked.method == "HEAD" and asked.path.startswith("/v1/") and answered.status == 200
    return replace(BROKEN, body=b"") if is_there else answered


# What is legal.


def _failing_later(when: Callable[[Any], bool]) -> Wrap:
    """Accept a create, and end its job in an error."""
    asset = load().extension("x-failing-asset").format(code="unknown_error") + ".png"

    def handler(asked: Asked, forward: Forward) -> Answered:
        body = asked.json
        if when(body) and isinstance(body.get("assets"), dict):
            return forward(asked.with_json(having_in(body, "assets.image_file_path", asset)))
        return forward(asked)

    return handling(CREATES, handler)


def _ended(operation: str, field: str, value: Any) -> Witness:
    return lambda client: client.finished(operation, having(operation, field, value))["status"]


_BLOCKED = Answered(
    403, (("Content-Type", "text/html"),), b"<html><body><h1>Request blocked</h1></body></html>"
)


def _eaten(*words: str) -> Wrap:
    """Stand a firewall before it, which takes words for an attack."""
    return answering(
        CREATES,
        lambda asked: all(word in asked.body.lower().decode(errors="replace") for word in words),
        _BLOCKED,
    )


def _prompted(text: str) -> Witness:
    return lambda client: client.call(PHOTO, having(PHOTO, "style.prompt", text)).status


def _named(name: str) -> Witness:
    return lambda client: client.call(FACE, having(FACE, "name", name)).status


def _longer(operation: str, field: str, most: int) -> Wrap:
    refused = error(400, "invalid_request", f"{field} is too long")
    test = any_value(field, lambda held: isinstance(held, str) and len(held) > most)
    return answering(operation, lambda asked: test(asked.json), refused)


def _large(most: int) -> Wrap:
    too_large = Answered(413, (("Content-Type", "text/plain"),), b"Payload Too Large")

    def handler(asked: Asked, forward: Forward) -> Answered:
        return too_large if len(asked.body) > most else forward(asked)

    return handling(UPLOAD, handler)


def _putting(size: int) -> Witness:
    def witness(client: Client) -> object:
        answer: Answer = client.put(client.issue()["upload_url"], png() + bytes(size))
        return answer.status

    return witness


_LEGAL = (
    _acceptance(
        "highest-slider-fails-in-the-job",
        "A slider at its maximum is accepted, and its job fails.",
        "request style.mouth_smile: maximum 100",
        FACE,
        _failing_later(any_value("style.mouth_smile", lambda held: held == 100)),
        _ended(FACE, "style.mouth_smile", 100),
    ),
    _acceptance(
        "lowest-slider-fails-in-the-job",
        "A slider at its minimum is accepted, and its job fails.",
        "request style.head_pitch: minimum -100",
        FACE,
        _failing_later(any_value("style.head_pitch", lambda held: held == -100)),
        _ended(FACE, "style.head_pitch", -100),
    ),
    _acceptance(
        "largest-factor-fails-in-the-job",
        "A photo that is to be enlarged four times is accepted, and its job fails.",
        "request style.upscale_factor: maximum 4",
        PHOTO,
        _failing_later(any_value("style.upscale_factor", lambda held: held == 4)),
        _ended(PHOTO, "style.upscale_factor", 4),
    ),
    _acceptance(
        "long-prompt-fails-in-the-job",
        "A prompt of more than 1,000 characters is accepted, and its job fails.",
        "request style.prompt: no maxLength",
        PHOTO,
        _failing_later(any_value("style.prompt", lambda held: isinstance(held, str) and len(held) > 1000)),
        _ended(PHOTO, "style.prompt", "a" * 1001),
    ),
    _acceptance(
        "firewall-eats-select",
        "A prompt with the words select and from is taken for an attack.",
        _OPEN,
        None,
        _eaten("select", "from"),
        _prompted("select the hat from the shelf"),
    ),
    _acceptance(
        "firewall-eats-script",
        "A prompt with the markup of a script is taken for an attack.",
        _OPEN,
        None,
        _eaten("<script"),
        _prompted("<script> as a tattoo"),
    ),
    _acceptance(
        "firewall-eats-drop-table",
        "A prompt with the words drop table is taken for an attack.",
        _OPEN,
        None,
        _eaten("drop table"),
        _prompted("a drop table of glass"),
    ),
    _acceptance(
        "firewall-eats-paths",
        "A prompt that names a path upwards is taken for an attack.",
        _OPEN,
        None,
        _eaten("../"),
        _prompted("a note that says ../ on it"),
    ),
    *(
        _acceptance(
            f"name-above-{most}-refused",
            f"A name of more than {most} characters is refused.",
            "request name: no maxLength",
            FACE,
            _longer(FACE, "name", most),
            _named("a" * (most + 1)),
        )
        for most in (5_000, 16_384, 65_535)
    ),
    *(
        _uploads(
            f"file-above-{most}-refused",
            f"A file of more than {most} bytes is refused.",
            "no limit is declared for a file",
            None,
            _large(most),
            _putting(most),
        )
        for most in (1_000_000, 5_000_000, 10_000_000)
    ),
)

DEVIANTS: tuple[Deviant, ...] = (*_MONEY, *_PROJECTS, *_PICTURES, *_REPLICAS, *_CALLERS, *_LEGAL)
