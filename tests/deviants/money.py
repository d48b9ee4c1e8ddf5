"""Deviants that charge, refund, show or refuse credits wrongly; what they charge, they really book."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from bluehour.mock_server.core.accounts import InsufficientCredits
from bluehour.mock_server.core.idempotency import Key
from bluehour.mock_server.core.projects import Project
from bluehour.mock_server.core.stores.memory import MemoryStore
from bluehour.mock_server.mock import Mock
from bluehour.openapi.contract import load
from bluehour.openapi.document import Document
from bluehour.openapi.terms import usual_price

from .altering import (
    Answered,
    Asked,
    Forward,
    Handler,
    Where,
    after,
    after_json,
    around,
    changed,
    error,
    only,
)
from .client import Client
from .deviant import Deviant, Witness, Wrap
from .editing import edited, edited_operation, keeping, schema_of
from .fields import EXAMPLE_ASSET, FAILING_ASSET, any_value, equal_to, having, legal
from .names import CREATES, DELETE_PROJECT, FACE, GET_PROJECT, PHOTO, UPLOAD_URLS
from .storing import with_store
from .witnesses import failing, living, seen

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_deviant = partial(Deviant, group="money")

_PRICE = "x-credits"
_ONCE = "the account is charged once, by x-credits, when the request is made"
_REFUND = "on error credits_charged and total_frame_cost become 0 and the balance is given back (FACTS 14)"
_FREE = "nothing is charged for what is not a create that is answered with 200"
_POOR = "402 insufficient_credits where the balance is below the price, and only there (FACTS 14)"
_PLAN = "402 plan_upgrade_required for a resolution above the plan's longest-edge (FACTS 14)"


def charge(mock: Mock, asked: Asked, credits: int) -> None:
    """Charge whoever calls, for no project; the balance may go below zero."""
    account = mock.world.open_account(asked.authorization.partition(" ")[2])
    if account is not None:
        _charge(mock, account.id, credits)


def _charge(mock: Mock, account_id: str, credits: int) -> None:
    now = mock.world.clock.now()
    mock.world.store.set_account(account_id, now, credits=mock.world.store.balance(account_id, now) - credits)


def _charging(
    where: Where, when: Callable[[Asked, Answered], bool], credits: Callable[[Asked], int] = lambda _: 1
) -> Wrap:
    """Charge beside what creates are charged, and say nothing of it."""

    def make(mock: Mock) -> Handler:
        def handler(asked: Asked, forward: Forward) -> Answered:
            answered = forward(asked)
            if when(asked, answered):
                charge(mock, asked, credits(asked))
            return answered

        return only(where, handler)

    return around(make)


def _answered(status: int) -> Callable[[Asked, Answered], bool]:
    return lambda _, answered: answered.status == status


def _price(asked: Asked) -> int:
    return usual_price(load().operation(asked.of))


class _KeepsCharges(MemoryStore):
    """Never gives credits back: what it stores of a project's end has no refund."""

    def __init__(self) -> None:
        super().__init__()
        self._outcomes: dict[str, str] = {}

    def add_project(
        self, project: Project, at_most: int | None = None, base_url: str = "", key: Key | None = None
    ) -> int:
        self._outcomes[project.id] = project.outcome
        return super().add_project(replace(project, outcome="complete"), at_most, base_url, key)

    def project(self, project_id: str) -> Project | None:
        project = super().project(project_id)
        return project and replace(project, outcome=self._outcomes[project_id])


class _RefundsHalf(MemoryStore):
    """Gives half of the credits back, and says that it was all."""

    def add_project(
        self, project: Project, at_most: int | None = None, base_url: str = "", key: Key | None = None
    ) -> int:
        balance = super().add_project(project, at_most, base_url, key)
        if project.is_refunded:
            self._ledgers[project.account_id].add(-(project.credits // 2), project.finished_at)
        return balance


class _Lends(MemoryStore):
    """Lets an account go below zero, by at most so many credits."""

    def __init__(self, at_most: int) -> None:
        super().__init__()
        self._lent = at_most

    def add_project(
        self, project: Project, at_most: int | None = None, base_url: str = "", key: Key | None = None
    ) -> int:
        # Given and taken back in the ledger's sums alone: it is no line of the books.
        ledger = self._ledgers[project.account_id]
        ledger.add(self._lent, project.created_at)
        try:
            return super().add_project(project, at_most, base_url, key) - self._lent
        except InsufficientCredits as error:
            raise InsufficientCredits(error.balance - self._lent) from error
        finally:
            ledger.add(-self._lent, project.created_at)


class _WantsOneMore(MemoryStore):
    """Asks for more than the price."""

    def add_project(
        self, project: Project, at_most: int | None = None, base_url: str = "", key: Key | None = None
    ) -> int:
        balance = self.balance(project.account_id, project.created_at)
        if balance == project.credits:
            raise InsufficientCredits(balance)
        return super().add_project(project, at_most, base_url, key)


def _showing_charges(mock: Mock) -> Handler:
    """Show what a project once cost, whatever was given back."""

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        project = mock.world.store.project(asked.project_id)
        if answered.status != 200 or project is None:
            return answered
        shown = {"credits_charged": project.credits, "total_frame_cost": project.credits}
        return answered.with_json({**answered.json, **shown})

    return only(GET_PROJECT, handler)


def _without_refund(mock: Mock) -> WSGIApplication:
    mock.world.store = _KeepsCharges()
    return around(_showing_charges)(mock)


def _refunding_deleted(mock: Mock) -> Handler:
    """Give back what a project cost once it is deleted."""

    def handler(asked: Asked, forward: Forward) -> Answered:
        before = mock.world.store.project(asked.project_id)
        answered = forward(asked)
        if asked.of == DELETE_PROJECT and answered.status == 204 and before and before.deleted_at is None:
            _charge(mock, before.account_id, -before.credits)
        if asked.of == GET_PROJECT and answered.status == 200 and not answered.json["enabled"]:
            return answered.with_json({**answered.json, "credits_charged": 0, "total_frame_cost": 0})
        return answered

    return only((GET_PROJECT, DELETE_PROJECT), handler)


def _priced_by_size(mock: Mock) -> Handler:
    """Charge twice as much for a photo that is enlarged four times, say so, and book it."""
    doubled: set[str] = set()

    def handler(asked: Asked, forward: Forward) -> Answered:
        answered = forward(asked)
        if answered.status != 200:
            return answered
        data = answered.json
        if asked.of == PHOTO and any_value("style.upscale_factor", equal_to(4))(asked.json):
            doubled.add(data["id"])
            charge(mock, asked, _price(asked))
        if data.get("id") in doubled:
            costs = [name for name in data if name in ("credits_charged", "frame_cost", "total_frame_cost")]
            return answered.with_json({**data, **{name: 2 * data[name] for name in costs}})
        return answered

    return only((PHOTO, GET_PROJECT), handler)


def _one_less(document: Document) -> None:
    """Let the free plan ask for a little less than its pictures may have."""
    for name, plan in document["x-plans"].items():
        plan["asked-edge"] = plan["longest-edge"] - (1 if name == "free" else 0)
    schema_of(document, PHOTO, "resolution")["x-plan-limit"] = "asked-edge"


def _code(code: str) -> Callable[[Answered], Answered]:
    return lambda answered: answered.with_json({**answered.json, "code": code})


def _for_code(code: str, change: Callable[[Answered], Answered]) -> Callable[[Answered], Answered]:
    return lambda answered: change(answered) if answered.json["code"] == code else answered


def _as(status: int, code: str) -> Callable[[Answered], Answered]:
    return lambda answered: error(status, code, answered.json["message"])


def _in_status(status: str, **fields: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    change = changed(**fields)
    return lambda data: change(data) if data["status"] == status else data


def _affording(credits: int, *steps: Callable[[Client], object]) -> Witness:
    """Take steps with an account of few credits, then count how many faces it can still pay."""

    def witness(client: Client) -> object:
        poor = client.another(credits=credits)
        taken = [step(poor) for step in steps]
        return taken, _count_payable(poor, credits + 1)

    return witness


def _count_payable(client: Client, most: int) -> int:
    for count in range(most):
        if client.call(FACE, legal(FACE)).status != 200:
            return count
    return most


def _create(operation: str, asset: str = EXAMPLE_ASSET) -> Callable[[Client], object]:
    return lambda client: seen(client.call(operation, legal(operation, asset)))


def _end(asset: str) -> Callable[[Client], object]:
    """Have a face ended, and see what it costs then."""

    def step(client: Client) -> object:
        project = client.finished(FACE, legal(FACE, asset))
        return project["status"], project["credits_charged"], project["total_frame_cost"]

    return step


def _end_photo(client: Client) -> object:
    return client.finished(PHOTO, legal(PHOTO, FAILING_ASSET))["credits_charged"]


def _delete(client: Client) -> object:
    project_id = client.finished(FACE, legal(FACE))["id"]
    client.delete(project_id)
    return client.project(project_id).json["credits_charged"]


def _read_twice(client: Client) -> object:
    return [client.project("cuid-example").status for _ in range(2)]


def _bad(client: Client) -> object:
    return client.call(FACE, having(FACE, "style.mouth_grim", 7)).status


def _unissued(client: Client) -> object:
    return client.call(FACE, legal(FACE, "api-assets/nobody/image.png")).status


def _above_plan(client: Client) -> object:
    return seen(client.another(plan="free").call(PHOTO, having(PHOTO, "resolution", 1024)))


def _at_plan(client: Client) -> object:
    return seen(client.another(plan="free").call(PHOTO, having(PHOTO, "resolution", 576)))


_PRICES = (
    _deviant(
        "photo-costs-five",
        "A photo is charged 5 credits.",
        _PRICE,
        PHOTO,
        edited_operation(PHOTO, credits=5),
        living(PHOTO),
    ),
    _deviant(
        "photo-costs-one",
        "A photo is charged as a face is.",
        _PRICE,
        PHOTO,
        edited_operation(PHOTO, credits=1),
        living(PHOTO),
    ),
    _deviant(
        "face-costs-two",
        "A face is charged 2 credits.",
        _PRICE,
        FACE,
        edited_operation(FACE, credits=2),
        living(FACE),
    ),
    _deviant(
        "face-costs-nothing",
        "A face is charged nothing.",
        _PRICE,
        FACE,
        edited_operation(FACE, credits=0),
        living(FACE),
    ),
    _deviant(
        "large-photo-costs-double",
        "A photo that is enlarged four times is charged twice.",
        _PRICE,
        PHOTO,
        around(_priced_by_size),
        living(PHOTO, having(PHOTO, "style.upscale_factor", 4)),
    ),
    _deviant(
        "photo-is-charged-twice",
        "A photo is booked twice, and shown as charged once.",
        _ONCE,
        PHOTO,
        _charging(PHOTO, _answered(200), _price),
        _affording(21, _create(PHOTO)),
    ),
    _deviant(
        "face-is-charged-twice",
        "A face is booked twice, and shown as charged once.",
        _ONCE,
        FACE,
        _charging(FACE, _answered(200), _price),
        _affording(4),
    ),
)

_SHOWN = (
    _deviant(
        "create-says-less-than-the-project",
        "A photo's create says 5 credits, the project 10, as is booked.",
        _ONCE,
        PHOTO,
        after_json(PHOTO, 200, changed(credits_charged=5, frame_cost=5)),
        living(PHOTO),
    ),
    _deviant(
        "project-says-more-than-the-create",
        "A project shows one credit more than was charged.",
        _ONCE,
        GET_PROJECT,
        after_json(
            GET_PROJECT,
            200,
            _in_status(
                "complete",
                credits_charged=lambda data: data["credits_charged"] + 1,
                total_frame_cost=lambda data: data["total_frame_cost"] + 1,
            ),
        ),
        living(FACE),
    ),
    _deviant(
        "running-project-shows-no-charge",
        "A project shows 0 credits until it is complete.",
        "charged right when the request is made",
        GET_PROJECT,
        after_json(GET_PROJECT, 200, _in_status("rendering", credits_charged=0, total_frame_cost=0)),
        living(PHOTO),
    ),
    _deviant(
        "frame-cost-differs",
        "frame_cost of a photo is not its credits_charged.",
        "frame_cost: the same as credits_charged",
        PHOTO,
        after_json(PHOTO, 200, changed(frame_cost=1)),
        living(PHOTO),
    ),
    _deviant(
        "total-frame-cost-differs",
        "total_frame_cost of a project is not its credits_charged.",
        "total_frame_cost: the same as credits_charged",
        GET_PROJECT,
        after_json(GET_PROJECT, 200, changed(total_frame_cost=5)),
        living(FACE),
    ),
    _deviant(
        "total-frame-cost-is-zero",
        "total_frame_cost, since it is deprecated, is always 0.",
        "total_frame_cost: the same as credits_charged",
        GET_PROJECT,
        after_json(GET_PROJECT, 200, changed(total_frame_cost=0)),
        living(FACE),
    ),
)

_REFUNDS = (
    _deviant(
        "no-refund",
        "A job that ends in an error keeps its credits, and shows them.",
        _REFUND,
        None,
        _without_refund,
        failing(PHOTO),
    ),
    _deviant(
        "refund-is-shown-not-booked",
        "A job that ends in an error shows 0 credits, which are not given back.",
        _REFUND,
        None,
        with_store(_KeepsCharges),
        _affording(2, _end(FAILING_ASSET)),
    ),
    _deviant(
        "refund-is-booked-not-shown",
        "A job that ends in an error gives its credits back, and still shows them.",
        _REFUND,
        GET_PROJECT,
        around(_showing_charges),
        failing(FACE),
    ),
    _deviant(
        "refund-of-a-half",
        "A job that ends in an error shows 0 credits, of which half are given back.",
        _REFUND,
        None,
        with_store(_RefundsHalf),
        _affording(12, _end_photo),
    ),
    _deviant(
        "refund-leaves-total-frame-cost",
        "After a refund total_frame_cost stays, credits_charged is 0.",
        _REFUND,
        GET_PROJECT,
        after_json(GET_PROJECT, 200, _in_status("error", total_frame_cost=1)),
        failing(FACE),
    ),
    _deviant(
        "refund-is-shown-negative",
        "After a refund credits_charged is below 0.",
        _REFUND,
        GET_PROJECT,
        after_json(GET_PROJECT, 200, _in_status("error", credits_charged=-10, total_frame_cost=-10)),
        failing(PHOTO),
    ),
    _deviant(
        "deleting-refunds",
        "A complete project that is deleted gives its credits back.",
        "only an error gives credits back",
        DELETE_PROJECT,
        around(_refunding_deleted),
        _affording(2, _delete),
    ),
)

_REJECTED = (
    _deviant(
        "400-is-charged",
        "A face that is refused for its fields is charged.",
        _FREE,
        FACE,
        _charging(FACE, _answered(400)),
        _affording(2, _bad),
    ),
    _deviant(
        "422-is-charged",
        "A face that is refused for its picture is charged.",
        _FREE,
        FACE,
        _charging(FACE, _answered(422)),
        _affording(2, _unissued),
    ),
    _deviant(
        "reading-is-charged",
        "Each read of a project is charged one credit.",
        _FREE,
        GET_PROJECT,
        _charging(GET_PROJECT, _answered(200)),
        _affording(3, _read_twice),
    ),
    _deviant(
        "deleting-is-charged",
        "Each deletion is charged one credit.",
        _FREE,
        DELETE_PROJECT,
        _charging(DELETE_PROJECT, _answered(204)),
        _affording(3, _delete),
    ),
    _deviant(
        "upload-urls-are-charged",
        "Each call of upload-urls is charged one credit.",
        _FREE,
        UPLOAD_URLS,
        _charging(UPLOAD_URLS, _answered(200)),
        _affording(2, _create(UPLOAD_URLS)),
    ),
)

_POOR_ONES = (
    _deviant(
        "402-never-comes",
        "An account may go as far below zero as it likes.",
        _POOR,
        None,
        with_store(lambda: _Lends(10**6)),
        _affording(1),
    ),
    _deviant(
        "402-comes-late",
        "An account may go one credit below zero.",
        _POOR,
        None,
        with_store(lambda: _Lends(1)),
        _affording(1),
    ),
    _deviant(
        "402-comes-early",
        "An account that has exactly the price can't pay.",
        _POOR,
        None,
        with_store(_WantsOneMore),
        _affording(1),
    ),
    _deviant(
        "402-is-422",
        "An account that can't pay is told 422, as before 2026-03-05.",
        _POOR,
        None,
        after(CREATES, 402, _for_code("insufficient_credits", _as(422, "unprocessable_entity"))),
        _affording(0, _create(FACE)),
    ),
    _deviant(
        "402-is-429",
        "An account that can't pay is told to come again.",
        _POOR,
        PHOTO,
        after(PHOTO, 402, _for_code("insufficient_credits", _as(429, "too_many_requests"))),
        _affording(9, _create(PHOTO)),
    ),
    _deviant(
        "402-code-is-none",
        "The code where credits lack is none that the contract has.",
        _POOR,
        None,
        after(CREATES, 402, _for_code("insufficient_credits", _code("payment_required"))),
        _affording(0, _create(FACE)),
    ),
    _deviant(
        "402-code-is-for-a-plan",
        "Where credits lack, the code is that for a plan.",
        _POOR,
        None,
        after(CREATES, 402, _for_code("insufficient_credits", _code("plan_upgrade_required"))),
        _affording(0, _create(FACE)),
    ),
)

_PLANS = (
    _deviant(
        "plan-is-not-asked",
        "Every plan may have every resolution.",
        _PLAN,
        PHOTO,
        edited(PHOTO, "resolution", **{"x-plan-limit": None}),
        _above_plan,
    ),
    _deviant(
        "plan-cap-is-exclusive",
        "The free plan may not have the very resolution that it reaches to.",
        _PLAN,
        PHOTO,
        keeping(_one_less),
        _at_plan,
    ),
    _deviant(
        "plan-cap-is-403",
        "A resolution above the plan's is answered with 403.",
        _PLAN,
        PHOTO,
        after(PHOTO, 402, _for_code("plan_upgrade_required", _as(403, "forbidden"))),
        _above_plan,
    ),
    _deviant(
        "plan-cap-is-400",
        "A resolution above the plan's is answered with 400.",
        _PLAN,
        PHOTO,
        after(PHOTO, 402, _for_code("plan_upgrade_required", _as(400, "invalid_request"))),
        _above_plan,
    ),
    _deviant(
        "plan-cap-has-the-code-of-credits",
        "A resolution above the plan's is said to lack credits.",
        _PLAN,
        PHOTO,
        after(PHOTO, 402, _for_code("plan_upgrade_required", _code("insufficient_credits"))),
        _above_plan,
    ),
)

DEVIANTS: tuple[Deviant, ...] = (*_PRICES, *_SHOWN, *_REFUNDS, *_REJECTED, *_POOR_ONES, *_PLANS)
