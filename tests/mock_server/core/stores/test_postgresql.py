"""What only a store in PostgreSQL does: it is reached by network, may come to be away, and has versions."""

from __future__ import annotations

import re
import signal
import socket
import threading
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import psycopg
import pytest

from bluehour.mock_server.core.accounts import Account
from bluehour.mock_server.core.deliveries import Delivery, Endpoint
from bluehour.mock_server.core.idempotency import REMEMBERED_FOR, Key
from bluehour.mock_server.core.process import this_process
from bluehour.mock_server.core.projects import Project, new_id
from bluehour.mock_server.core.records import Record
from bluehour.mock_server.core.stores import Store, StoreError, StoreUnavailable
from bluehour.mock_server.core.stores.opening import open_store
from bluehour.mock_server.core.stores.postgresql import schema
from tests.postgresql import Cluster, running

NOW = 1_700_000_000.0
ACCOUNT = Account("acc_payer", "creator", 100)


def project(**changes: Any) -> Project:
    made = Project(new_id(), ACCOUNT.id, "op", "creator", "Face", 1, b"{}", NOW, NOW + 1, NOW + 2)
    return replace(made, **changes)


@pytest.fixture
def url(postgresql: Cluster) -> str:
    return postgresql.url()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(open_store(url)) as opened:
        opened.open_account(ACCOUNT, NOW)
        yield opened


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A server that no other test needs."""
    with running() as cluster:
        yield cluster


def refusal(url: str) -> str:
    """Return the one line that says why a store can't be opened."""
    with pytest.raises(StoreError) as refused:
        open_store(url)
    (line,) = str(refused.value).splitlines()
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    assert "hunter2" not in line
    return line


def schema_in(url: str) -> str:
    return url.rpartition("=")[2]


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    """Connect to a store's schema beside the store."""
    place, _, name = url.rpartition("&schema=")
    with psycopg.connect(place, options=f"-c search_path={name}") as connection:
        yield connection


@pytest.mark.parametrize(
    ("asked", "because"),
    [
        ("postgresql://me:hunter2@{nowhere}/db", "Connection refused"),
        ("postgresql://me%40home:hunter2@{nowhere}/db", "postgresql://{nowhere}/db can't be used as a store"),
        ("postgres://me:hunter2@{nowhere}/db", "Connection refused"),
        ("postgresql://me:hunter2@no.such.host.invalid/db", "no.such.host.invalid"),
        ("postgresql://me:hun@hunter2@{nowhere}/db", "in the password write @ as %40"),
        ("postgresql://me:hunter2/@{nowhere}/db", "in the password write @ as %40"),
        ("postgresql://me:1/hunter2@{nowhere}/db", "in the password write @ as %40"),
        ("postgresql://me:?hunter2@{nowhere}/db", "in the password write @ as %40"),
        ("postgresql://me:%hunter2@{nowhere}/db", "in the password write @ as %40"),
        ("postgresql://me:hunter2@{nowhere}/db?colour=red", "any of libpq's parameters"),
        ("postgresql://me:hunter2@{nowhere}/db?sslmode=perhaps", "sslmode"),
        ("postgresql://me:hunter2@{nowhere}/db?schema=Robert'); DROP", "can't be the schema"),
        ("postgresql://me:hunter2@{nowhere}/db?schema=pg_catalog", "can't be the schema"),
    ],
)
def test_a_url_that_cannot_be_used_is_one_line_that_says_why(asked: str, because: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        nowhere = f"127.0.0.1:{taken.getsockname()[1]}"

    assert because.format(nowhere=nowhere) in refusal(asked.format(nowhere=nowhere))


def test_a_missing_database_or_user_is_told(postgresql: Cluster) -> None:
    assert 'database "nowhere" does not exist' in refusal(postgresql.url(database="nowhere"))
    assert 'role "nobody" does not exist' in refusal(postgresql.url(user="nobody", password="hunter2"))


def test_a_wrong_password_is_told_and_not_shown(postgresql: Cluster) -> None:
    postgresql.run("CREATE ROLE locked LOGIN PASSWORD 'right'", "CREATE SCHEMA locked AUTHORIZATION locked")

    told = refusal(postgresql.url("locked", user="locked", password="hunter2"))

    assert 'password authentication failed for user "locked"' in told
    open_store(postgresql.url("locked", user="locked", password="right")).close()


def test_a_missing_permission_is_told(postgresql: Cluster) -> None:
    postgresql.run("CREATE ROLE guest LOGIN", "CREATE SCHEMA closed", "CREATE SCHEMA half")
    assert "permission denied for database postgres" in refusal(postgresql.url(user="guest"))
    assert "no permission for its schema closed" in refusal(postgresql.url("closed", user="guest"))
    postgresql.run("GRANT USAGE ON SCHEMA half TO guest")
    assert "permission denied for schema half" in refusal(postgresql.url("half", user="guest"))


def test_who_may_only_use_the_tables_may_open_a_store_that_is_made(postgresql: Cluster, url: str) -> None:
    open_store(url).close()
    name = schema_in(url)
    postgresql.run(
        "CREATE ROLE worker LOGIN",
        f"GRANT USAGE ON SCHEMA {name} TO worker",
        f"GRANT ALL ON ALL TABLES IN SCHEMA {name} TO worker",
        f"GRANT ALL ON ALL SEQUENCES IN SCHEMA {name} TO worker",
    )

    with closing(open_store(postgresql.url(name, user="worker"))) as store:
        store.open_account(ACCOUNT, NOW)
        assert store.add_project(project()) == 99
        store.reset()
        postgresql.run(f"REVOKE INSERT ON {name}.projects FROM worker")
        store.open_account(ACCOUNT, NOW)
        with pytest.raises(StoreUnavailable, match="permission denied for table projects"):
            store.add_project(project())
        assert store.balance(ACCOUNT.id, NOW) == 100


def test_a_missing_driver_is_told_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "bluehour.mock_server.core.stores.postgresql", None)

    told = refusal("postgresql://me:hunter2@host/db")

    assert re.search(r"needs more than the mock does: pip install .*\[postgres\]", told)


def test_tables_of_something_else_are_refused_and_left_as_they_were(postgresql: Cluster, url: str) -> None:
    name = schema_in(url)
    postgresql.run(f"CREATE SCHEMA {name}", f"CREATE TABLE {name}.projects (a text)")

    assert 'relation "projects" already exists' in refusal(url)

    tables = f"SELECT tablename FROM pg_tables WHERE schemaname = '{name}'"
    assert postgresql.run(tables) == [("projects",)]


def test_nothing_is_made_outside_the_schema(postgresql: Cluster) -> None:
    elsewhere = "SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    before = postgresql.run(elsewhere)
    plain = postgresql.url().partition("&")[0]

    open_store(plain).close()

    assert postgresql.run(elsewhere) == before
    assert postgresql.run("SELECT count(*) FROM bluehour.accounts") == [(0,)]


def test_stores_in_two_schemas_know_nothing_of_each_other(store: Store, postgresql: Cluster) -> None:
    with closing(open_store(postgresql.url())) as other:
        assert other.accounts() == []
        assert other.secret() != store.secret()


def test_a_later_version_is_refused(postgresql: Cluster, url: str) -> None:
    open_store(url).close()
    postgresql.run(f"UPDATE {schema_in(url)}.settings SET value = '99' WHERE name = 'version'")

    told = refusal(url)

    assert f"its schema {schema_in(url)} is of version 99, and this Bluehour knows those up to 3" in told


def test_an_earlier_version_is_brought_forward_once_step_by_step(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_store(url)) as store:
        store.open_account(ACCOUNT, NOW)
    steps = [["ALTER TABLE accounts ADD COLUMN colour varchar"], ["UPDATE accounts SET colour = 'red'"]]
    monkeypatch.setattr(schema, "STEPS", [*schema.STEPS, *steps])

    with ThreadPoolExecutor(8) as pool:
        for opened in pool.map(open_store, [url] * 8):
            opened.close()

    with connected(url) as connection:
        assert connection.execute("SELECT id, colour FROM accounts").fetchall() == [(ACCOUNT.id, "red")]
        assert connection.execute("SELECT value FROM settings WHERE name = 'version'").fetchone() == (b"5",)


def test_a_store_of_the_first_version_is_used_on(url: str, postgresql: Cluster) -> None:
    with closing(open_store(url)) as store:
        store.open_account(ACCOUNT, NOW)
    its = schema_in(url)
    postgresql.run(
        f"DROP TABLE {its}.notes, {its}.counts, {its}.members, {its}.pages",
        f"ALTER TABLE {its}.accounts DROP COLUMN token",
        f"ALTER TABLE {its}.webhooks DROP COLUMN since",
        f"DROP INDEX {its}.deliveries_by_time, {its}.deliveries_in_line",
        f"ALTER TABLE {its}.deliveries DROP COLUMN state, DROP COLUMN problem, DROP COLUMN sender,"
        " DROP COLUMN attempts",
        f"CREATE INDEX ix_deliveries_webhook_id ON {its}.deliveries (webhook_id)",
        f"INSERT INTO {its}.deliveries (id, webhook_id, event, project_id, body, at, tries, next_at)"
        " VALUES ('d', 'one', 'image.started', '7', '{}', 0, 1, 5)",
        f"UPDATE {its}.settings SET value = '1' WHERE name = 'version'",
    )
    with closing(open_store(url)) as store:
        assert store.accounts() == [ACCOUNT]
        assert store.notes.swap("clock", None, b"frozen")
        assert store.notes.count("rule 1", "acted", 1) == 1
        store.notes.check_in("me", this_process(), 1, 2)
        assert list(store.notes.members()) == ["me"]
        taken = store.deliveries.take("one", "me", 5)
        assert taken is not None
        assert (taken.id, taken.state, taken.tries) == ("d", "pending", 2)


def test_a_step_that_fails_changes_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(url).close()
    failing = ["ALTER TABLE accounts ADD COLUMN colour varchar", "SELECT 1/0"]
    monkeypatch.setattr(schema, "STEPS", [*schema.STEPS, failing])

    assert "division by zero" in refusal(url)

    monkeypatch.undo()
    with closing(open_store(url)) as store, connected(url) as connection:
        store.open_account(ACCOUNT, NOW)
        columns = connection.execute("SELECT * FROM accounts").description or []
        assert "colour" not in [each.name for each in columns]


def test_many_may_make_one_store_at_once(postgresql: Cluster) -> None:
    def open_it(url: str) -> bytes:
        with closing(open_store(url)) as store:
            return store.secret()

    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            assert len(set(pool.map(open_it, [postgresql.url()] * 8))) == 1


def connections(cluster: Cluster, name: str = "bluehour") -> int:
    ((count,),) = cluster.run(f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'")
    return int(count)


def test_a_process_has_few_connections_and_leaves_none_behind(postgresql: Cluster, url: str) -> None:
    url += "&application_name=few"
    with closing(open_store(url)) as store:
        assert connections(postgresql, "few") == 0
        store.open_account(replace(ACCOUNT, credits=1000), NOW)
        with ThreadPoolExecutor(40) as pool:
            left = list(pool.map(lambda _: store.add_project(project()), range(200)))
        assert sorted(left) == list(range(800, 1000))
        assert 1 <= connections(postgresql, "few") <= 8


def test_a_restart_of_the_database_costs_nothing_but_the_calls_under_way(own_cluster: Cluster) -> None:
    with closing(open_store(own_cluster.url())) as store:
        store.open_account(ACCOUNT, NOW)
        with ThreadPoolExecutor(8) as pool:  # each has a connection, or had one
            list(pool.map(lambda _: store.add_project(project()), range(40)))

        own_cluster.stop()
        with pytest.raises(StoreUnavailable, match="the store's database can't be used: connection"):
            store.add_project(project())
        own_cluster.start()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: store.add_project(project()), range(40)))
        assert store.balance(ACCOUNT.id, NOW) == 20


def test_a_call_under_way_as_the_database_stops_is_told_in_a_line(own_cluster: Cluster) -> None:
    url = own_cluster.url()
    with closing(open_store(url)) as store, ThreadPoolExecutor(1) as pool:
        store.open_account(ACCOUNT, NOW)
        with connected(url) as other:
            other.execute("SELECT * FROM accounts FOR UPDATE")
            waiting = pool.submit(store.add_project, project())
            wait_for_locked(own_cluster, 1)
            own_cluster.stop()
            other.close()
        with pytest.raises(StoreUnavailable, match=r"^the store's database can't be used: [^\n]*$"):
            waiting.result()
        own_cluster.start()

        assert store.add_project(project()) == 99


def locked(cluster: Cluster) -> set[int]:
    """Return the backends that wait for others to let go."""
    return {pid for (pid,) in cluster.run("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'")}


def wait_for_locked(cluster: Cluster, count: int, besides: Collection[int] = ()) -> None:
    """Wait until so many calls wait for others to let go, besides backends that did before."""
    for _ in range(3000):
        if len(locked(cluster) - {*besides}) == count:
            return
    raise AssertionError("nobody waits")


def test_creates_of_one_account_do_not_wait_for_those_of_another(store: Store, url: str) -> None:
    store.open_account(Account("acc_other", "creator", 5), NOW)
    with connected(url) as other:
        other.execute("SELECT * FROM accounts WHERE id = %s FOR UPDATE", ["acc_other"])

        assert store.add_project(project()) == 99


def test_a_create_waits_for_another_of_its_account(store: Store, url: str, postgresql: Cluster) -> None:
    with ThreadPoolExecutor(1) as pool:
        with connected(url) as other:
            other.execute("UPDATE accounts SET settled = 0")
            waiting = pool.submit(store.add_project, project(credits=2))
            wait_for_locked(postgresql, 1)
        assert str(waiting.exception()) == "0 credits left"


def test_a_create_does_not_wait_for_another_that_forgets_the_same_old_keys(store: Store, url: str) -> None:
    later = NOW + REMEMBERED_FOR
    store.add_project(project(), key=Key(ACCOUNT.id, "old", "same"))
    with connected(url) as other:
        other.execute("DELETE FROM idempotency_keys")
        store.add_project(project(created_at=later), key=Key(ACCOUNT.id, "new", "same"))
        other.rollback()
    assert store.used_key(Key(ACCOUNT.id, "old", "same"), NOW) is not None
    assert store.used_key(Key(ACCOUNT.id, "new", "same"), later) is not None


def test_a_key_whose_create_fails_is_free_again(store: Store) -> None:
    key, first = Key(ACCOUNT.id, "a", "same"), project()
    store.add_project(first)
    with pytest.raises(psycopg.errors.UniqueViolation):
        store.add_project(first, key=key)
    assert store.used_key(key, NOW) is None
    store.add_project(project(), key=key)


def test_an_event_that_is_handed_out_as_its_job_is_ended_is_followed_by_the_end_it_has_now(
    store: Store, url: str, postgresql: Cluster
) -> None:
    store.put_webhook(Endpoint("one", "http://127.0.0.1:9", "s", frozenset()))
    store.add_project(made := project(rendering_at=NOW + 1, finished_at=NOW + 50))
    event = store.next_event()
    with ThreadPoolExecutor(2) as pool:
        with connected(url) as other:
            other.execute("SELECT * FROM outbox FOR UPDATE")
            ending = pool.submit(store.end_project, made.id, "canceled", NOW + 2)
            wait_for_locked(postgresql, 1)
            handing = pool.submit(store.hand_out, event, [])
            wait_for_locked(postgresql, 2)
        assert ending.result().finished_at == NOW + 2
        assert handing.result()

    coming = store.next_event()
    assert coming is not None
    assert (coming.has_begun, coming.at) == (True, NOW + 2)


def test_a_webhook_that_is_put_during_a_create_is_told_of_its_job(
    store: Store, url: str, postgresql: Cluster
) -> None:
    with ThreadPoolExecutor(2) as pool:
        with connected(url) as other:
            other.execute("LOCK TABLE ledger IN SHARE MODE")
            creating = pool.submit(store.add_project, made := project())
            wait_for_locked(postgresql, 1)  # it has seen that there are no webhooks
            store.put_webhook(Endpoint("one", "http://127.0.0.1:9", "s", frozenset()))
            announcing = pool.submit(store.announce_unfinished, NOW, "http://a")
            wait_for_locked(postgresql, 2)
        creating.result()
        announcing.result()

    coming = store.next_event()
    assert coming is not None
    assert coming.project == made


def test_an_interrupt_leaves_a_store_that_goes_on(
    store: Store, url: str, postgresql: Cluster, request: pytest.FixtureRequest
) -> None:
    before = locked(postgresql)  # what another test has left, and is about to end

    def interrupt() -> None:
        wait_for_locked(postgresql, 1, before)
        signal.pthread_kill(main, signal.SIGINT)

    main = threading.main_thread().ident or 0
    request.addfinalizer(partial(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT)))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite in the background ignores it
    with connected(url) as other:
        other.execute("SELECT * FROM accounts FOR UPDATE")
        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            store.set_account(ACCOUNT.id, NOW, credits=7)
        thread.join()

    assert store.balance(ACCOUNT.id, NOW) == 100
    assert store.add_project(project()) == 99


def test_a_create_is_one_round_trip(url: str, postgresql: Cluster) -> None:
    with closing(open_store(f"{url}&options=-c%20log_statement%3Dall")) as store:
        store.open_account(ACCOUNT, NOW)
        before = len(postgresql.log.read_text())

        for _ in range(10):
            store.add_project(project(), at_most=100, key=Key(ACCOUNT.id, new_id(), "same"))

        said = re.findall("LOG:  (?:execute|statement).*", postgresql.log.read_text()[before:])
    assert len(said) == 10
    assert all(re.search("SELECT [a-z_, ]+ FROM create_project", each) for each in said)


@pytest.mark.parametrize("text", ["\0", "a\0\x1a", "\x1a0", "\x1a1\00", "ß\x1a\x1a"])
def test_every_text_comes_back_as_it_was(store: Store, text: str) -> None:
    record = Record("/pets", text, b"{}", "op", NOW)
    store.swap_record(None, record)
    store.add_project(made := project(name=text))
    store.put_webhook(Endpoint("one", "http://127.0.0.1:9", "s", frozenset()))
    store.hand_out(None, [delivery := Delivery(new_id(), "one", text, "7", b"\0", NOW, 0, NOW)])

    assert store.record("/pets", text) == record
    assert store.records("/pets") == [record]
    assert store.project(made.id) == made
    assert store.deliveries.newest() == [delivery]
