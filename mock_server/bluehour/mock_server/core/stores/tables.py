"""The tables of the SQL store."""

from __future__ import annotations

import sqlalchemy as sa

from ..projects import PENDING

TABLES = sa.MetaData()
"""For SQLite and PostgreSQL. A change of these is a step of `postgresql.schema`, too."""

FORMER_INDEXES = ("ledger_by_time", "projects_by_time", "ix_deliveries_webhook_id")
"""Those of earlier versions, which are in no use."""


def _numbered() -> sa.Column[int]:
    """A key that grows with each row: the order in which they were stored."""
    return sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)


_pending = sa.text(f"outcome = '{PENDING}'")

ACCOUNTS = sa.Table(
    "accounts",
    TABLES,
    _numbered(),
    sa.Column("id", sa.String, nullable=False, unique=True),
    sa.Column("plan", sa.String, nullable=False),
    sa.Column("credits", sa.BigInteger, nullable=False),
    # The ledger's sum up to a time that no negative line is later than. A balance starts from here, so
    # its cost doesn't grow with the account's past; the ledger alone says what is right.
    sa.Column("settled", sa.BigInteger, nullable=False),
    sa.Column("settled_at", sa.Double, nullable=False),
    sa.Column("token", sa.String),
)
LEDGER = sa.Table(
    "ledger",
    TABLES,
    _numbered(),
    sa.Column("account_id", sa.String, nullable=False),
    sa.Column("project_id", sa.String),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Index("ledger_in_order", "account_id", "at", "number", "amount"),
)
PROJECTS = sa.Table(
    "projects",
    TABLES,
    _numbered(),
    sa.Column("id", sa.String, nullable=False, unique=True),
    sa.Column("account_id", sa.String, nullable=False),
    sa.Column("operation_id", sa.String, nullable=False),
    sa.Column("plan", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("credits", sa.BigInteger, nullable=False),
    sa.Column("request", sa.LargeBinary, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("rendering_at", sa.Double, nullable=False),
    sa.Column("finished_at", sa.Double, nullable=False),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("deleted_at", sa.Double),
    sa.Column("was_ended", sa.Boolean, nullable=False),
    sa.Column("settled", sa.BigInteger),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("fps", sa.Double),
    sa.Column("seconds", sa.Double),
    sa.Index("projects_in_order", "created_at", "number"),
    sa.Index("projects_of_account_in_order", "account_id", "created_at", "number"),
    sa.Index("projects_by_end", "account_id", "finished_at"),
    sa.Index("projects_pending", "created_at", "number", sqlite_where=_pending, postgresql_where=_pending),
)
UPLOADS = sa.Table(
    "uploads",
    TABLES,
    sa.Column("path", sa.String, primary_key=True),
    sa.Column("account_id", sa.String, nullable=False),
    sa.Column("issued_at", sa.Double, nullable=False),
    sa.Column("uploaded_at", sa.Double),
    sa.Column("error", sa.String),
)
RECORDS = sa.Table(
    "records",
    TABLES,
    _numbered(),
    sa.Column("collection", sa.String, nullable=False),
    sa.Column("id", sa.String, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("operation_id", sa.String, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("running_at", sa.Double, nullable=False),
    sa.Column("finished_at", sa.Double, nullable=False),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("is_deleted", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("collection", "id"),
)
WEBHOOKS = sa.Table(
    "webhooks",
    TABLES,
    _numbered(),
    sa.Column("id", sa.String, nullable=False, unique=True),
    sa.Column("url", sa.String, nullable=False),
    sa.Column("secret", sa.String, nullable=False),
    sa.Column("events", sa.String, nullable=False),  # their names, with commas between them
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("is_initial", sa.Boolean, nullable=False),
    sa.Column("since", sa.Double),  # NULL: it gets all events
)
# A project that has events to come, for as long as it has.
OUTBOX = sa.Table(
    "outbox",
    TABLES,
    _numbered(),
    sa.Column("project_id", sa.String, nullable=False, unique=True),
    sa.Column("base_url", sa.String, nullable=False),
    sa.Column("has_begun", sa.Boolean, nullable=False),
    sa.Column("next_at", sa.Double, nullable=False),
    sa.Index("outbox_by_time", "next_at", "number"),
)
_is_over = sa.text("state IS NOT NULL")
_is_sent = sa.text("sender IS NOT NULL")
DELIVERIES = sa.Table(
    "deliveries",
    TABLES,
    _numbered(),
    sa.Column("id", sa.String, nullable=False, unique=True),
    sa.Column("webhook_id", sa.String, nullable=False),
    sa.Column("event", sa.String, nullable=False),
    sa.Column("project_id", sa.String, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_at", sa.Double, nullable=False),
    sa.Column("state", sa.String),  # NULL: it is pending
    sa.Column("problem", sa.String),
    sa.Column("sender", sa.String),
    sa.Column("attempts", sa.LargeBinary),  # JSON; NULL: none
    sa.Index("deliveries_by_time", "webhook_id", "next_at", "number"),
    sa.Index("deliveries_in_line", "webhook_id", "project_id", "number"),
    sa.Index("deliveries_over", "number", sqlite_where=_is_over, postgresql_where=_is_over),
    sa.Index("deliveries_sent", "sender", sqlite_where=_is_sent, postgresql_where=_is_sent),
)
# What an Idempotency-Key has made; REMEMBERED_FOR and MOST_KEYS bound them.
KEYS = sa.Table(
    "idempotency_keys",
    TABLES,
    _numbered(),
    sa.Column("account_id", sa.String, nullable=False),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("fingerprint", sa.String, nullable=False),
    sa.Column("project_id", sa.String, nullable=False),
    sa.Column("at", sa.Double, nullable=False, index=True),
    sa.UniqueConstraint("account_id", "key"),
)
# What all processes are to know alike; see `notes`.
NOTES = sa.Table(
    "notes",
    TABLES,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)
COUNTS = sa.Table(
    "counts",
    TABLES,
    sa.Column("group", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
PAGES = sa.Table(
    "pages",
    TABLES,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("packed", sa.LargeBinary, nullable=False),
    sa.Column("body", sa.LargeBinary),
    sa.Column("answer", sa.LargeBinary),
    sa.Column("operation_id", sa.String),
)
MEMBERS = sa.Table(
    "members",
    TABLES,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("pid", sa.BigInteger, nullable=False),
    sa.Column("host", sa.String, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("until", sa.Double, nullable=False),
)
SETTINGS = sa.Table(
    "settings",
    TABLES,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)
