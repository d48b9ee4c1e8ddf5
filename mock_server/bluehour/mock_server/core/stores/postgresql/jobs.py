"""Pending projects as jobs of Procrastinate, which `bluehour work` renders, in the store's own schema.

A job is no second truth: it says that a project is to be looked at. What becomes of the project, its row
alone tells; a job whose project is gone, or has ended, ends without a word.

Jobs are taken by priority, of equals the oldest first, and so accounts take turns: a job's priority lies as
far below that of the job that is next as its account has projects pending. The first job of one account goes
before the second of another, but not before one that has waited for its turn. Every minute begins a turn of
its own, so that no stream of new accounts keeps the second job of one waiting for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import sqlalchemy as sa

from ...installing import command_for
from ...projects import PENDING
from .. import StoreError
from .. import statements as sql
from ..database import Database, Session, Texts
from ..jobs import Worker
from .addresses import Address

QUEUE, TASK, ARGUMENT = "renders", "render", "project"
"""The queue, the task in it, and what the task is given: a project's id."""

MOST_TURNS = 1000
"""Pending projects of an account that are counted; those beyond have their turn together."""

SECONDS_OF_A_TURN = 60
"""So much later, a job has lost a turn to those that wait."""

DEFER = f"""
    PERFORM procrastinate_defer_jobs_v1(ARRAY[ROW(
        '{QUEUE}',
        '{TASK}',
        least(
            (SELECT priority FROM procrastinate_jobs WHERE status = 'todo'
                ORDER BY priority DESC, id LIMIT 1),
            -floor(extract(epoch FROM now()) / {SECONDS_OF_A_TURN})::integer
        ) - ({{turns}})::integer,
        NULL,
        new_id,
        jsonb_build_object('{ARGUMENT}', new_id),
        NULL
    )]::procrastinate_job_to_defer_v1[])"""  # noqa: S608 - names of ours
"""What a create's function does, before it stores the project; `turns` is how many of its account wait.

The project's id is the queueing lock as well: none waits twice.
"""

_DEFER_OTHERS = f"""
    SELECT procrastinate_defer_jobs_v1(array_agg(ROW(
        '{QUEUE}', '{TASK}', 0, NULL, id, jsonb_build_object('{ARGUMENT}', id), NULL
    )::procrastinate_job_to_defer_v1 ORDER BY created_at, number))
    FROM projects
    WHERE outcome = '{PENDING}'
        AND NOT EXISTS (SELECT FROM procrastinate_jobs WHERE queueing_lock = projects.id)
    HAVING count(*) > 0"""  # noqa: S608 - names of ours
"""Those that were left by a server that rendered by itself."""

_FORGET = sa.text(
    "SELECT procrastinate_cancel_job_v1(id, false, true) FROM procrastinate_jobs WHERE status = 'todo'"
)
_COUNT = sa.text("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')")
_WAITING = sa.text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'")
_WORKERS = sa.text(
    "SELECT id, (SELECT count(*) FROM procrastinate_jobs WHERE worker_id = worker.id AND status = 'doing'),"
    " extract(epoch FROM clock_timestamp() - last_heartbeat)::float8"
    " FROM procrastinate_workers AS worker ORDER BY id"
)

_MADE_BY = "procrastinate"
"""The setting that names the last migration of Procrastinate's tables."""


class WorkerJobs:
    """The jobs of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self) -> int:
        """Return how many there are."""
        return self._number(_COUNT)

    def waiting(self) -> int:
        """Return how many wait for a worker."""
        return self._number(_WAITING)

    def workers(self) -> Sequence[Worker]:
        """Return those who work, or have worked until they died."""
        with self._database.reading() as session:
            return [Worker(*row) for row in session.find(_WORKERS)]

    def _number(self, statement: sa.TextClause) -> int:
        with self._database.reading() as session:
            return int(session.first(statement)[0])


def forget(session: Session) -> None:
    """Forget the jobs that wait. Those that are worked on end by themselves, as their projects are gone."""
    session.find(_FORGET)


class _Tables(NamedTuple):
    """Procrastinate's tables, as it makes them.

    Attributes:
        definition: the statements that make them.
        version: the name of the last migration that they have in them.
    """

    definition: str
    version: str


def _tables() -> _Tables:
    """Return what the installed Procrastinate makes.

    Raises:
        StoreError: there is none.
    """
    try:
        from procrastinate.schema import SchemaManager
    except ImportError:
        raise StoreError(f"jobs for bluehour work need more than the store: {command_for('work')}") from None
    migrations = Path(SchemaManager.get_migrations_path()).glob("*.sql")
    return _Tables(SchemaManager.get_schema(), max(each.stem for each in migrations))


def complete(connection: psycopg.Connection[Any], address: Address, texts: Texts, lock: int) -> None:
    """Make Procrastinate's tables where they are lacking, and a job of each pending project that has none.

    Args:
        connection: to the store's schema.
        address: of the store.
        texts: of its statements.
        lock: the advisory lock that is held meanwhile.

    Raises:
        StoreError: they can't be used, as another version of Procrastinate has made them.
    """
    tables = _tables()
    setting = {"name": _MADE_BY, "value": tables.version.encode(), "wanted": _MADE_BY}
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
        if _first(connection, "SELECT to_regclass('procrastinate_jobs')") is None:
            connection.execute(tables.definition.encode())
            connection.execute(texts.of(sql.ADD_SETTING)[0], setting)
        found = _first(connection, texts.of(sql.FIND_SETTING)[0], setting)
        if found is None or bytes(found) != setting["value"]:
            version = "another program" if found is None else f"a Procrastinate of {bytes(found).decode()}"
            raise StoreError(
                f"{address.shown} can't be used for bluehour work: the jobs' tables in its schema"
                f" {address.schema} were made by {version}, and this one is of {tables.version}; install the"
                " one that made them, or bring them forward by Procrastinate's migrations and say so in the"
                f" row {_MADE_BY} of the table settings"
            )
        connection.execute("LOCK TABLE procrastinate_jobs IN EXCLUSIVE MODE")
        connection.execute(_DEFER_OTHERS)


def _first(connection: psycopg.Connection[Any], text: str, values: Any = None) -> Any:
    row = connection.execute(text, values).fetchone()
    return row[0] if row else None
