"""What the control API does with the world itself: its clock, accounts and projects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any

from bluehour.openapi.wording import cut, quoted

from .. import __version__
from ..api.call import Answer
from ..api.feature import Feature
from ..api.secrets import Secrets
from ..core.accounts import Account, TokenRefused
from ..core.clock import LATEST, isoformat
from ..core.projects import Project, ProjectEnded
from ..core.world import World
from . import views
from .exchange import ControlCall, conflict, existing, invalid, unknown


class WorldOperations:
    """The operations on what a mock keeps.

    Args:
        world: what is controlled.
        secrets: what must not be shown of it.
        features: what else there is, each with a word on its state.
    """

    def __init__(self, world: World, secrets: Secrets, features: Sequence[Feature]) -> None:
        self._world = world
        self._secrets = secrets
        self._features = features

    def state(self, call: ControlCall) -> Answer:
        """Tell what is running."""
        features: dict[str, Any] = {}
        for feature in self._features:
            features |= feature.state()
        return Answer(200, views.state(self._world, features, __version__, call.upstream))

    def reset(self, call: ControlCall) -> Answer:
        """Begin anew."""
        at = call.body.get("clock")
        self._world.reset(None if at is None else _seconds(at))
        return self.state(call)

    def clock(self, _: ControlCall) -> Answer:
        """Tell the time."""
        return Answer(200, views.clock(self._world))

    def set_clock(self, call: ControlCall) -> Answer:
        """Freeze, set, advance."""
        target = call.body.get("set")
        try:
            self._world.clock.change(
                frozen=call.body.get("frozen"),
                to=None if target is None else _seconds(target),
                advance=call.body.get("advance", 0),
            )
        except ValueError as error:
            raise invalid(f"{error}. Only a reset, with `clock`, takes it anywhere") from error
        return self.clock(call)

    def list_accounts(self, call: ControlCall) -> Answer:
        """The accounts that were opened last."""
        accounts = self._world.store.accounts(call.parameters["limit"])
        return Answer(200, {"accounts": [views.account(self._world, each) for each in accounts]})

    def set_account(self, call: ControlCall) -> Answer:
        """Open an account by its token, or change it."""
        self._refuse_unknown_plan(call.body)
        try:
            account = self._world.open_account(call.body["token"])
        except TokenRefused:
            raise invalid("token: the mock refuses it, as it says `invalid`") from None
        return self._changed(call, account)

    def get_account(self, call: ControlCall) -> Answer:
        """One account, with the end of its ledger."""
        account = self._account(call)
        page = self._world.store.ledger(account.id, call.parameters["limit"])
        balances = accumulate((each.amount for each in page.entries), initial=page.before)
        next(balances)
        ledger = [
            views.booking(self._world, each, balance)
            for each, balance in zip(page.entries, balances, strict=True)
        ]
        return Answer(200, {**views.account(self._world, account), "ledger": ledger})

    def change_account(self, call: ControlCall) -> Answer:
        """Change an account's credits or plan."""
        self._refuse_unknown_plan(call.body)
        return self._changed(call, self._account(call))

    def list_items(self, call: ControlCall) -> Answer:
        """What other contracts' operations have made, newest first."""
        actions = self._world.actions
        found = self._world.store.latest_records(call.parameters["limit"])
        shown = [views.item(record, actions.get(record.operation_id), self._world) for record in found]
        return Answer(200, {"items": shown})

    def list_projects(self, call: ControlCall) -> Answer:
        """Projects, newest first."""
        asked = call.parameters
        found = self._world.store.projects(account_id=asked["account"], limit=asked["limit"])
        return Answer(200, {"projects": [self._shown(each, call) for each in found]})

    def get_project(self, call: ControlCall) -> Answer:
        """One project."""
        project = self._world.store.project(call.parameters["id"])
        if project is None:
            raise unknown("project", call.parameters["id"])
        return Answer(200, self._shown(project, call))

    def force_outcome(self, call: ControlCall) -> Answer:
        """End an unfinished project now."""
        try:
            with existing("project", call.parameters["id"]):
                project = self._world.end_project(call.parameters["id"], call.body["outcome"])
        except ProjectEnded as error:
            raise conflict(
                f"The project has ended already: {error.outcome}. Only an unfinished one can end"
            ) from error
        self._world.announce_to_all("projects", "accounts")
        return Answer(200, self._shown(project, call))

    def _shown(self, project: Project, call: ControlCall) -> dict[str, Any]:
        return views.project(self._world, self._secrets, project, call.base_url)

    def _account(self, call: ControlCall) -> Account:
        account = self._world.store.account(call.parameters["id"])
        if account is None:
            raise unknown("account", call.parameters["id"])
        return account

    def _changed(self, call: ControlCall, account: Account) -> Answer:
        body = call.body
        if body.keys() & {"plan", "credits"}:
            credits = body.get("credits")
            account = self._world.store.set_account(
                account.id,
                self._world.clock.now(),
                plan=body.get("plan"),
                credits=None if credits is None else int(credits),
            )
        self._world.announce_to_all("accounts")
        return Answer(200, views.account(self._world, account))

    def _refuse_unknown_plan(self, body: Mapping[str, Any]) -> None:
        plan, plans = body.get("plan"), self._world.plans
        if plan is not None and plan not in plans:
            known = ", ".join(plans) or "none"
            raise invalid(f"plan: there is no plan {quoted(plan)}; there are {known}")


def _seconds(time: Any) -> float:
    """A time of the control API in seconds since the epoch."""
    if not isinstance(time, str):
        return float(time)
    try:
        seconds = datetime.fromisoformat(time.upper()).timestamp()
    except (ValueError, OverflowError):  # a leap second, say: RFC 3339 has it, Python has not
        seconds = -1
    if not 0 <= seconds <= LATEST:
        span = f"from 1970 to {isoformat(LATEST)}"
        raise invalid(f"{cut(time)} is no time that the clock can show: {span}")
    return seconds
