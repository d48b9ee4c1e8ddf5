"""What is in the store's schema, in which version, and how one version becomes the next."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa

from .. import StoreError
from ..database import Texts
from ..statements import ADD_SETTING, FIND_SETTING
from ..tables import TABLES
from .addresses import Address
from .create import Create

STEPS: Sequence[Sequence[str]] = (
    (
        "CREATE TABLE notes (name varchar NOT NULL PRIMARY KEY, value bytea NOT NULL)",
        'CREATE TABLE counts ("group" varchar NOT NULL, name varchar NOT NULL, value bigint NOT NULL,'
        ' PRIMARY KEY ("group", name))',
        "CREATE TABLE pages (number bigint NOT NULL PRIMARY KEY, packed bytea NOT NULL, body bytea,"
        " answer bytea, operation_id varchar)",
        "CREATE TABLE members (id varchar NOT NULL PRIMARY KEY, pid bigint NOT NULL, host varchar NOT NULL,"
        " revision bigint NOT NULL, until float8 NOT NULL)",
        "ALTER TABLE accounts ADD COLUMN token varchar",
        "DELETE FROM settings WHERE name LIKE 'note:%'",
    ),
    (
        "ALTER TABLE webhooks ADD COLUMN since float8",
        "ALTER TABLE deliveries ADD COLUMN state varchar, ADD COLUMN problem varchar,"
        " ADD COLUMN sender varchar, ADD COLUMN attempts bytea",
        "DROP INDEX ix_deliveries_webhook_id",
        "CREATE INDEX deliveries_by_time ON deliveries (webhook_id, next_at, number)",
        "CREATE INDEX deliveries_in_line ON deliveries (webhook_id, project_id, number)",
        "CREATE INDEX deliveries_over ON deliveries (number) WHERE state IS NOT NULL",
        "CREATE INDEX deliveries_sent ON deliveries (sender) WHERE sender IS NOT NULL",
    ),
)
"""The statements that make version 2 of version 1, 3 of 2, and so on; a new schema is made from `TABLES`."""

LOCK = 0x626C7565686F7572
"""Whoever makes or changes tables holds this advisory lock of the database meanwhile."""

Connection = psycopg.Connection[tuple[Any, ...]]


def version() -> int:
    """Return the version that this Bluehour makes and uses."""
    return 1 + len(STEPS)


def complete(connection: Connection, address: Address, texts: Texts, create: Create) -> bytes:
    """Make of the store's schema what is lacking, and return the store's secret.

    Where nothing is lacking, no right to make anything is needed.

    Raises:
        StoreError: a later Bluehour has made the tables, or the schema may not be looked into.
    """

    def run(text: str, *values: Any) -> Any:
        """Run a statement, and return the first value that it finds, or None."""
        cursor = connection.execute(text, values or None)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    def setting(name: str, value: bytes) -> bytes:
        """Return what a setting is, from now on this value if it has not been."""
        connection.execute(texts.of(ADD_SETTING)[0], {"name": name, "value": value})
        row = connection.execute(texts.of(FIND_SETTING)[0], {"wanted": name}).fetchone()
        return bytes(row[0]) if row else value

    schema, refused = address.schema, f"{address.shown} can't be used as a store"
    with connection.transaction():
        run("SELECT pg_advisory_xact_lock(%s)", LOCK)
        may_use = run(
            "SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = %s", schema
        )
        if may_use is None:
            run(f"CREATE SCHEMA {schema}")
        elif not may_use:
            raise StoreError(f"{refused}: no permission for its schema {schema}")
        if run("SELECT to_regclass('settings')") is None:
            for statement in _all_tables(texts.dialect):
                run(statement)
        found = int(setting("version", b"%d" % version()))
        if found > version():
            raise StoreError(
                f"{refused}: its schema {schema} is of version {found}, and this Bluehour knows those up to"
                f" {version()}; take a later one, or another schema by ?schema=NAME"
            )
        for step in STEPS[found - 1 :]:
            for text in step:
                run(text)
        if found < version():
            run("UPDATE settings SET value = %s WHERE name = 'version'", b"%d" % version())
        if run("SELECT to_regproc(%s)", create.name) is None:
            run(create.definition)
        return setting("secret", secrets.token_bytes(32))


def _all_tables(dialect: sa.Dialect) -> Iterator[str]:
    for table in TABLES.sorted_tables:
        yield f"{sa.schema.CreateTable(table).compile(dialect=dialect)}"
        for index in table.indexes:
            yield f"{sa.schema.CreateIndex(index).compile(dialect=dialect)}"
