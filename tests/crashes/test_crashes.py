"""Nothing that was acknowledged is lost, and nothing is paid or refunded twice, whoever dies meanwhile."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from bluehour.mock_server.core.accounts import Account, account_of
from bluehour.mock_server.core.stores.opening import open_store
from tests.postgresql import Cluster

from .clients import CREDITS, RULED, Client, Told, call
from .fleet import PAUSE, SKEWED, Fleet, Member, fleet, wait_for
from .receiver import Received, receiving

pytestmark = pytest.mark.thorough

KILLS = int(os.environ.get("BLUEHOUR_KILLS", "200"))
SECONDS = 1800
"""In which so many are to be done, on any machine; each takes the start of a server."""

CLIENTS = 4
ANSWERS = 5
"""From one harm to the next."""

EVERY_DATABASE = 40
"""Kills of servers, after which the database is stopped as well."""

BROKEN = Path(__file__).with_name("broken.py")


def harm(
    fleet: Fleet, cluster: Cluster, kills: int, chance: random.Random, answers: Callable[[], int]
) -> int:
    """Kill, stop and cut off, until so many were killed; return how many that are.

    Whatever the machine does beside, clients get some answers from one harm to the next.
    """
    killed, enough, give_up_at = 0, 0, time.monotonic() + SECONDS
    while killed < kills and time.monotonic() < give_up_at:
        if answers() < enough:
            for each in (*fleet.members, *fleet.workers):
                each.revive()
            time.sleep(0.02)
            continue
        enough = answers() + ANSWERS
        one = chance.choice([*fleet.members, *fleet.workers])
        match chance.choices(["kill", "stop", "cut"], [8, 1, 1])[0]:
            case "kill":
                one.restart()
                killed += 1
            case "stop":
                one.send(signal.SIGSTOP)
                time.sleep(chance.random() * PAUSE)
                one.send(signal.SIGCONT)
            case "cut":
                one.relay.cut()
                time.sleep(chance.random() * PAUSE)
                one.relay.mend()
        if killed and killed % EVERY_DATABASE == 0:
            cluster.stop()
            time.sleep(0.3)
            cluster.start()
            killed += 1
    return killed


def control(members: Sequence[Member], method: str, path: str, body: Any = None) -> Any:
    """Call the control API of the first server that answers."""
    give_up_at = time.monotonic() + 60
    while time.monotonic() < give_up_at:
        for member in members:
            status, answer = call(member, method, path, "nobody", body)
            if 200 <= status < 300:
                return answer
        time.sleep(0.1)
    raise AssertionError(f"nobody has answered {method} {path}: {status} {answer}")


def settle(members: Sequence[Member]) -> None:
    """Let all jobs end and all events arrive."""
    give_up_at = time.monotonic() + 120
    while control(members, "GET", "/_mock/health")["waiting"]["jobs"]:
        assert time.monotonic() < give_up_at, "jobs wait, and nobody does them"
        time.sleep(0.1)
    for _ in range(12):  # what was refused is tried again, after longer and longer pauses
        control(members, "POST", "/_mock/deliveries/settle", {"timeout": 60})
        control(members, "POST", "/_mock/clock", {"advance": 3600})


@contextmanager
def used(
    cluster: Cluster, folder: Path, kills: int, program: Path = SKEWED
) -> Iterator[tuple[str, list[Told], Received, list[Member]]]:
    """Use a mock while its servers are harmed, then let it come to rest."""
    chance, url = random.Random(kills), cluster.url()
    with ExitStack() as stack:
        received = stack.enter_context(receiving(1))
        running = stack.enter_context(fleet(cluster, folder, url, ["--webhook", received.url], program))
        members = running.members
        rule = {"match": {"token": RULED}, "times": 3, "answer": {"status": 418}}
        control(members, "PUT", "/_mock/rules", {"rules": [rule]})  # which may be sent again
        stopped = Event()
        clients = [Client(members, number, stopped) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        done = harm(running, cluster, kills, chance, lambda: sum(client.told.answers for client in clients))
        stopped.set()
        for client in clients:
            client.join(60)
        assert done >= kills, f"only {done} kills within {SECONDS} s"
        for each in running.workers:
            each.revive()
        wait_for(members)
        settle(members)
        yield url, [client.told for client in clients], received, members


def violations(url: str, told: Sequence[Told], received: Received) -> list[str]:
    """Return what is not as it was promised."""
    found = [each for client in told for each in client.went_back]
    store, counted = open_store(url), {}
    try:
        accounts = {account.id: account for account in store.accounts()}
        for account in accounts.values():
            lines = store.ledger(account.id).entries
            if sum(line.amount for line in lines if line.project_id is None) != account.credits:
                found.append(f"{account.id} was opened with more than {account.credits}")
            balance = 0
            for line in lines:
                balance += line.amount
                if balance < 0:
                    found.append(f"{account.id} was at {balance}")
            projects = {each.id: each for each in store.projects(account_id=account.id, limit=10_000)}
            counted[account.id] = len(projects)
            charges = Counter(line.project_id for line in lines if line.amount < 0)
            refunds = Counter(line.project_id for line in lines if line.project_id and line.amount > 0)
            found += [f"{each} was charged {times} times" for each, times in charges.items() if times > 1]
            found += [f"{each} was refunded {times} times" for each, times in refunds.items() if times > 1]
            found += [f"{each} has no charge" for each in projects.keys() - charges.keys()]
            failed = {each.id for each in projects.values() if each.gives_back}
            if failed != refunds.keys():
                found.append(f"refunded are {len(refunds)}, failed are {len(failed)}")
        found += _of_creates(store, told, received)
    finally:
        store.close()
    found += _of_accounts(accounts, counted, told)
    if (forced := sum(client.forced for client in told)) > 3:
        found.append(f"a rule for three requests acted on {forced}")
    return found


def _of_accounts(
    accounts: Mapping[str, Account], counted: Mapping[str, int], told: Sequence[Told]
) -> Iterator[str]:
    """Whether each account has as many projects as clients were told of, or not."""
    for token in {token for client in told for token in (*client.created, *client.unknown)}:
        account = account_of(token, plans=["creator"], default_plan="", default_credits=0)
        assert account is not None
        sure = sum(len(client.created.get(token, ())) for client in told)
        most = sure + sum(client.unknown.get(token, 0) for client in told)
        if not sure <= counted.get(account.id, 0) <= most:
            yield f"{token} has {counted.get(account.id, 0)} projects, not {sure} to {most}"
        if sure and account.id not in accounts:
            yield f"{token} has no account"


def _of_creates(store: Any, told: Sequence[Told], received: Received) -> Iterator[str]:
    for client in told:
        for created in client.created.values():
            for project_id in created:
                if store.project(project_id) is None:
                    yield f"{project_id} was acknowledged, and is not there"
                events = received.of(project_id)
                ends = {kind for kind in events if not kind.endswith("started")}
                if len(ends) != 1:
                    yield f"{project_id} has the events {sorted(events)}"
                yield from (
                    f"{project_id} has {kind} with several bodies"
                    for kind, bodies in events.items()
                    if len(set(bodies)) > 1
                )


def test_nothing_is_lost_or_paid_twice(postgresql: Cluster, tmp_path: Path) -> None:
    with used(postgresql, tmp_path, KILLS) as (url, told, received, members):
        (rule,) = control(members, "GET", "/_mock/rules")["rules"]
        assert rule["acted"] == 3
        assert sum(len(each) for client in told for each in client.created.values()) > KILLS
        assert violations(url, told, received) == []


def test_it_would_be_found_out(postgresql: Cluster, tmp_path: Path) -> None:
    """A store that gives an account its credits without looking whether another process just has."""
    with used(postgresql, tmp_path, 3, BROKEN) as (url, told, received, _):
        found = violations(url, told, received)
    assert any(f"opened with more than {CREDITS}" in each for each in found), found
