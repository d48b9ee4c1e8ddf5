"""What the SQL store says to its database: SQLAlchemy's statements, built once; a session makes them text.

What PostgreSQL's `insert` adds to the standard one, `on_conflict_...`, SQLite writes just so. Of the
parameters, `wanted` is the id of a row, and `at` a time.
"""

from __future__ import annotations

from dataclasses import fields
from math import inf

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert

from ..accounts import Account, Entry
from ..assets import Upload
from ..deliveries import Delivery
from ..idempotency import MOST_KEYS, REMEMBERED_FOR
from ..projects import PENDING, Project
from ..records import Record
from .tables import (
    ACCOUNTS,
    COUNTS,
    DELIVERIES,
    KEYS,
    LEDGER,
    MEMBERS,
    NOTES,
    OUTBOX,
    PAGES,
    PROJECTS,
    RECORDS,
    SETTINGS,
    UPLOADS,
    WEBHOOKS,
)

_at: sa.BindParameter[float] = sa.bindparam("at", type_=sa.Double)
_id: sa.BindParameter[str] = sa.bindparam("wanted", type_=sa.String)
_limit: sa.BindParameter[int] = sa.bindparam("limit", type_=sa.BigInteger)


def _columns(table: sa.Table) -> list[sa.Column[object]]:
    """Return what a row holds; its number is the table's own affair."""
    return [column for column in table.c if column.name != "number"]


def _columns_for(kind: type, table: sa.Table) -> list[sa.Column[object]]:
    """Return a dataclass's fields as columns, in their order: a row is the class's arguments."""
    return [table.c[field.name] for field in fields(kind)]


def _add(table: sa.Table) -> Insert:
    values: dict[str, object] = {column.name: sa.bindparam(column.name) for column in _columns(table)}
    return insert(table).values(values).inline()  # nobody asks for the row's number


def _put(table: sa.Table, key: str) -> Insert:
    """Store a row, in place of the one with its key."""
    added = _add(table)
    names = (column.name for column in _columns(table) if column.name != key)
    return added.on_conflict_do_update(
        index_elements=[table.c[key]], set_={name: added.excluded[name] for name in names}
    )


_amounts = sa.cast(sa.func.coalesce(sa.func.sum(LEDGER.c.amount), 0), sa.BigInteger)


def _sum_of_ledger(after: sa.ColumnElement[float], until: sa.ColumnElement[float]) -> sa.ColumnElement[int]:
    return sa.select(_amounts).where(*_its_lines(after, until)).scalar_subquery()


def _its_lines(
    after: sa.ColumnElement[float], until: sa.ColumnElement[float]
) -> tuple[sa.ColumnElement[bool], ...]:
    return (LEDGER.c.account_id == ACCOUNTS.c.id, LEDGER.c.at > after, LEDGER.c.at <= until)


_every_account = sa.select(*_columns_for(Account, ACCOUNTS))
LAST_ACCOUNTS = _every_account.order_by(ACCOUNTS.c.number.desc()).limit(_limit)
COUNT_ACCOUNTS = sa.select(sa.func.count()).select_from(ACCOUNTS)
FIND_ACCOUNT = _every_account.where(ACCOUNTS.c.id == _id)
ADD_ACCOUNT = _add(ACCOUNTS).on_conflict_do_nothing().returning(ACCOUNTS.c.id)
SET_PLAN = sa.update(ACCOUNTS).where(ACCOUNTS.c.id == _id).values(plan=sa.bindparam("new_plan"))
# Who may take turns with others waits here, so that the next statement sees what they did.
HOLD_ACCOUNT = sa.select(ACCOUNTS.c.id).where(ACCOUNTS.c.id == _id).with_for_update()
HOLD_ITS_ACCOUNT = (
    sa.select(ACCOUNTS.c.id)
    .join(PROJECTS, PROJECTS.c.account_id == ACCOUNTS.c.id)
    .where(PROJECTS.c.id == _id)
    .with_for_update(of=ACCOUNTS)
)
# One of the sums is empty: `at` is after the settled time, or before it.
_latest = ACCOUNTS.c.settled + _sum_of_ledger(ACCOUNTS.c.settled_at, _at)
_balance = _latest - _sum_of_ledger(_at, ACCOUNTS.c.settled_at)
_changes_later = (
    sa.select(sa.cast(sa.func.sum(LEDGER.c.amount).over(order_by=LEDGER.c.at), sa.BigInteger).label("so_far"))
    .where(*_its_lines(_at, ACCOUNTS.c.settled_at))
    .correlate(ACCOUNTS)
    .subquery()
)
STANDING = sa.select(
    _balance.label("balance"),
    sa.select(sa.func.min(_changes_later.c.so_far)).scalar_subquery().label("lowest_change"),
    _latest.label("latest"),
    sa.case((_at < ACCOUNTS.c.settled_at, ACCOUNTS.c.settled_at), else_=_at).label("until"),
).where(ACCOUNTS.c.id == _id)
SETTLE = (
    sa.update(ACCOUNTS)
    .where(ACCOUNTS.c.id == _id)
    .values(settled=sa.bindparam("sum"), settled_at=sa.bindparam("until"))
)
CORRECT_SETTLED = (
    sa.update(ACCOUNTS)
    .where(ACCOUNTS.c.id == _id, ACCOUNTS.c.settled_at >= _at)
    .values(settled=ACCOUNTS.c.settled + sa.bindparam("change"))
)
BALANCE = sa.select(_balance).where(ACCOUNTS.c.id == _id)

ADD_LINES = _add(LEDGER)
DROP_LINE = sa.delete(LEDGER).where(
    *(LEDGER.c[name] == sa.bindparam(name) for name in ("account_id", "project_id", "amount", "at"))
)
LAST_LINES = (
    sa.select(*_columns_for(Entry, LEDGER))
    .where(LEDGER.c.account_id == _id)
    .order_by(LEDGER.c.at.desc(), LEDGER.c.number.desc())
    .limit(_limit)
)
ADD_PROJECT = _add(PROJECTS)
_every_project = sa.select(*_columns_for(Project, PROJECTS))
KINDS = sa.select(PROJECTS.c.operation_id, PROJECTS.c.plan).distinct()
PLANS = sa.select(ACCOUNTS.c.plan).distinct()
COUNT_PROJECTS = sa.select(sa.func.count()).select_from(PROJECTS)
FIND_PROJECT = _every_project.where(PROJECTS.c.id == _id)
FIND_PROJECT_TO_CHANGE = FIND_PROJECT.with_for_update()
NEWEST_PROJECTS = _every_project.order_by(PROJECTS.c.created_at.desc(), PROJECTS.c.number.desc()).limit(
    _limit
)
ITS_NEWEST_PROJECTS = NEWEST_PROJECTS.where(PROJECTS.c.account_id == _id)
# Written out rather than given, so that the database sees that its index of just these will do.
_is_pending = PROJECTS.c.outcome == sa.literal_column(f"'{PENDING}'")
PENDING_PROJECTS = _every_project.where(_is_pending).order_by(PROJECTS.c.created_at, PROJECTS.c.number)
COUNT_PENDING = sa.select(sa.func.count()).select_from(
    sa.select(PROJECTS.c.created_at).where(_is_pending).limit(_limit).subquery()
)
COUNT_ITS_PENDING = sa.select(sa.func.count()).select_from(
    sa.select(PROJECTS.c.finished_at)
    .where(PROJECTS.c.account_id == _id, PROJECTS.c.finished_at > _at, _is_pending)
    .limit(_limit)
    .subquery()
)
COUNT_UNFINISHED = sa.select(sa.func.count()).where(
    PROJECTS.c.account_id == _id, PROJECTS.c.finished_at > _at
)
TURN_PROJECT = (
    sa.update(PROJECTS)
    .where(PROJECTS.c.id == _id)
    .values(
        {
            name: sa.bindparam(f"new_{name}")
            for name in ("outcome", "rendering_at", "finished_at", "was_ended")
        }
    )
)
DELETE_PROJECT = (
    sa.update(PROJECTS).where(PROJECTS.c.id == _id, PROJECTS.c.deleted_at.is_(None)).values(deleted_at=_at)
)

PUT_UPLOAD = _put(UPLOADS, "path")
FIND_UPLOAD = sa.select(*_columns_for(Upload, UPLOADS)).where(UPLOADS.c.path == _id)

_collection: sa.BindParameter[str] = sa.bindparam("of", type_=sa.String)
_every_record = sa.select(*_columns_for(Record, RECORDS)).where(RECORDS.c.collection == _collection)
FIND_RECORD = _every_record.where(RECORDS.c.id == _id)
FIND_RECORDS = _every_record.where(~RECORDS.c.is_deleted).order_by(RECORDS.c.number)
ANY_RECORD = _every_record.limit(1)
LATEST_RECORDS = (
    sa.select(*_columns_for(Record, RECORDS))
    .where(~RECORDS.c.is_deleted)
    .order_by(RECORDS.c.created_at.desc(), RECORDS.c.number)
    .limit(_limit)
)
COUNT_RECORDS = sa.select(sa.func.count()).where(~RECORDS.c.is_deleted)
COUNT_ITS_RECORDS = COUNT_RECORDS.where(RECORDS.c.collection == _collection)
ADD_RECORD = _add(RECORDS).on_conflict_do_nothing().returning(RECORDS.c.id)
CHANGE_RECORD = (
    sa.update(RECORDS)
    .where(
        RECORDS.c.collection == _collection,
        RECORDS.c.id == _id,
        RECORDS.c.version == sa.bindparam("read", type_=sa.Integer),
    )
    .values(
        {
            name: sa.bindparam(f"new_{name}")
            for name in ("body", "running_at", "finished_at", "outcome", "is_deleted", "version")
        }
    )
    .returning(RECORDS.c.id)
)

PUT_WEBHOOK = _put(WEBHOOKS, "id")
FIND_WEBHOOKS = sa.select(*_columns(WEBHOOKS)).order_by(WEBHOOKS.c.number)
DROP_WEBHOOK = sa.delete(WEBHOOKS).where(WEBHOOKS.c.id == _id)
DROP_LATER_WEBHOOKS = sa.delete(WEBHOOKS).where(~WEBHOOKS.c.is_initial)
ADD_WEBHOOK = _add(WEBHOOKS).on_conflict_do_nothing()
AS_AT_THE_START = sa.update(WEBHOOKS).values(enabled=sa.true(), since=sa.null())

_base_url: sa.BindParameter[str] = sa.bindparam("base_url", type_=sa.String)
_announced = ["project_id", "base_url", "has_begun", "next_at"]
ANNOUNCE = (
    sa.insert(OUTBOX)
    .from_select(
        _announced,
        sa.select(_id, _base_url, sa.false(), sa.bindparam("begin", type_=sa.Double)).where(
            sa.exists().select_from(WEBHOOKS)
        ),
    )
    .inline()
)
ANNOUNCE_UNFINISHED = sa.insert(OUTBOX).from_select(
    _announced,
    sa.select(PROJECTS.c.id, _base_url, sa.false(), PROJECTS.c.rendering_at)
    .where(
        PROJECTS.c.finished_at > _at,
        ~sa.exists().where(OUTBOX.c.project_id == PROJECTS.c.id),
    )
    .order_by(PROJECTS.c.number),
)
NEXT_EVENT = (
    _every_project.add_columns(OUTBOX.c.has_begun, OUTBOX.c.next_at, OUTBOX.c.base_url)
    .join(OUTBOX, OUTBOX.c.project_id == PROJECTS.c.id)
    .order_by(OUTBOX.c.next_at, OUTBOX.c.number)
    .limit(1)
)
_finished_at = sa.select(PROJECTS.c.finished_at).where(PROJECTS.c.id == OUTBOX.c.project_id).scalar_subquery()
_as_given = (
    OUTBOX.c.project_id == _id,
    OUTBOX.c.has_begun == sa.bindparam("begun", type_=sa.Boolean),
    OUTBOX.c.next_at == _at,
)
BEGIN_EVENTS = (
    sa.update(OUTBOX)
    .where(*_as_given)
    .values(has_begun=sa.true(), next_at=_finished_at)
    .returning(OUTBOX.c.project_id)
)
END_EVENTS = sa.delete(OUTBOX).where(*_as_given).returning(OUTBOX.c.project_id)
MOVE_EVENT = (
    sa.update(OUTBOX)
    .where(OUTBOX.c.project_id == _id)
    .values(next_at=sa.case((OUTBOX.c.has_begun, sa.bindparam("end")), else_=sa.bindparam("begin")))
)

_delivery = _columns_for(Delivery, DELIVERIES)
_waiting = [column for column in _delivery if not column.nullable]
ADD_DELIVERY = (
    sa.insert(DELIVERIES)
    .from_select(
        [column.name for column in _waiting],
        sa.select(*(sa.bindparam(column.name, type_=column.type) for column in _waiting)).where(
            sa.exists().where(WEBHOOKS.c.id == sa.bindparam("webhook_id", type_=sa.String))
        ),
    )
    .inline()
)
_never = sa.literal(inf, sa.Double)
_sender: sa.BindParameter[str] = sa.bindparam("sender", type_=sa.String)
_first, _in_front = DELIVERIES.alias("first_one"), DELIVERIES.alias("in_front")
# What has not been tried yet holds up what is behind it in its project's line.
_next_delivery = (
    sa.select(_first)
    .where(
        _first.c.webhook_id == _id,
        _first.c.next_at < _never,
        ~sa.exists().where(
            _in_front.c.webhook_id == _first.c.webhook_id,
            _in_front.c.project_id == _first.c.project_id,
            _in_front.c.number < _first.c.number,
            _in_front.c.state.is_(None),
            _in_front.c.attempts.is_(None),
        ),
    )
    .order_by(_first.c.next_at, _first.c.number)
    .limit(1)
)
NEXT_DELIVERY = _next_delivery.with_only_columns(_first.c.next_at)
_due_delivery = (
    _next_delivery.with_only_columns(_first.c.number)
    .where(_first.c.next_at <= _at)
    .with_for_update(of=_first, skip_locked=True)
)
TAKE_DELIVERY = (
    sa.update(DELIVERIES)
    .where(DELIVERIES.c.number == _due_delivery.scalar_subquery())
    .values(sender=_sender, tries=DELIVERIES.c.tries + 1, next_at=_never)
    .returning(*_delivery)
)
CHANGE_DELIVERY = (
    sa.update(DELIVERIES)
    .where(
        DELIVERIES.c.id == _id,
        DELIVERIES.c.tries == sa.bindparam("made", type_=sa.Integer),
        DELIVERIES.c.sender.is_not_distinct_from(_sender),
    )
    .values(
        {
            name: sa.bindparam(f"new_{name}", type_=DELIVERIES.c[name].type)
            for name in ("tries", "next_at", "state", "problem", "sender", "attempts")
        }
    )
    .returning(DELIVERIES.c.id)
)
FIND_SENDERS = sa.select(DELIVERIES.c.sender).where(DELIVERIES.c.sender.is_not(None)).distinct()
RELEASE_DELIVERIES = (
    sa.update(DELIVERIES)
    .where(DELIVERIES.c.sender == _sender)
    .values(sender=sa.null(), next_at=sa.case((DELIVERIES.c.state.is_(None), _at), else_=_never))
)
_waits = (DELIVERIES.c.webhook_id == _id, DELIVERIES.c.next_at < _never)
HASTEN_DELIVERIES = (
    sa.update(DELIVERIES)
    .where(*_waits, DELIVERIES.c.at > sa.bindparam("after", type_=sa.Double))
    .values(next_at=_at)
)
_too_late_at = DELIVERIES.c.at + sa.bindparam("seconds", type_=sa.Double)
_is_due = (*_waits, DELIVERIES.c.next_at <= _at)
GIVE_UP_DELIVERIES = (
    sa.update(DELIVERIES)
    .where(*_is_due, _too_late_at <= _at)
    .values(state="failed", problem=sa.bindparam("problem", type_=sa.String), next_at=_never)
    .returning(DELIVERIES.c.id)
)
POSTPONE_DELIVERIES = sa.update(DELIVERIES).where(*_is_due).values(next_at=_too_late_at)
FIRST_TO_FORGET = (
    sa.select(_first.c.number)
    .where(_first.c.state.is_not(None))
    .order_by(_first.c.number.desc())
    .offset(sa.bindparam("most", type_=sa.BigInteger))
    .limit(1)
)
FORGET_DELIVERIES = (
    sa.delete(DELIVERIES)
    .where(DELIVERIES.c.state.is_not(None), DELIVERIES.c.number <= FIRST_TO_FORGET.scalar_subquery())
    .returning(DELIVERIES.c.id)
)
DROP_ITS_DELIVERIES = (
    sa.delete(DELIVERIES).where(DELIVERIES.c.webhook_id == _id).returning(DELIVERIES.c.state)
)
FIND_DELIVERY = sa.select(*_delivery).where(DELIVERIES.c.id == _id)
NEWEST_DELIVERIES = sa.select(*_delivery).order_by(DELIVERIES.c.number.desc()).limit(_limit)
ITS_NEWEST_DELIVERIES = NEWEST_DELIVERIES.where(DELIVERIES.c.project_id == _id)
COUNT_WAITING_DELIVERIES = sa.select(sa.func.count()).where(DELIVERIES.c.state.is_(None))

_its_key = (KEYS.c.account_id == _id, KEYS.c.key == sa.bindparam("key", type_=sa.String))
_forgotten_at = _at - sa.literal_column(f"{REMEMBERED_FOR}")
FIND_KEY = sa.select(KEYS.c.fingerprint, KEYS.c.project_id).where(*_its_key, KEYS.c.at > _forgotten_at)
DROP_KEY = sa.delete(KEYS).where(*_its_key)
ADD_KEY = _add(KEYS)


def _forget_keys(which: sa.ColumnElement[bool]) -> sa.Delete:
    """Forget keys, but for those that another create forgets just now: they belong to any account."""
    free = sa.select(KEYS.c.number).where(which).with_for_update(skip_locked=True)
    return sa.delete(KEYS).where(KEYS.c.number.in_(free))


def forget_keys_beyond(most: int) -> sa.Delete:
    """Leave the keys that were stored last."""
    last = sa.select(sa.func.max(KEYS.c.number) - sa.literal_column(f"{most}")).scalar_subquery()
    return _forget_keys(KEYS.c.number <= last)


FORGET_KEYS = _forget_keys(KEYS.c.at <= _forgotten_at)
FORGET_KEYS_BEYOND = forget_keys_beyond(MOST_KEYS)

FIND_NOTES = sa.select(*_columns(NOTES))
FIND_NOTE = sa.select(NOTES.c.value).where(NOTES.c.name == _id)
PUT_NOTE = _put(NOTES, "name")
_group: sa.BindParameter[str] = sa.bindparam("group", type_=sa.String)
COUNT = (
    insert(COUNTS)
    .values(group=_group, name=sa.bindparam("name"), value=sa.bindparam("by", type_=sa.BigInteger))
    .on_conflict_do_update(
        index_elements=[COUNTS.c.group, COUNTS.c.name],
        set_={"value": COUNTS.c.value + sa.bindparam("by", type_=sa.BigInteger)},
        where=COUNTS.c.value < sa.bindparam("at_most", type_=sa.BigInteger),
    )
    .returning(COUNTS.c.value)
)
FIND_COUNTS = sa.select(COUNTS.c.name, COUNTS.c.value).where(COUNTS.c.group == _group)
FIND_COUNT = sa.select(COUNTS.c.value).where(
    COUNTS.c.group == _group, COUNTS.c.name == sa.bindparam("name", type_=sa.String)
)
DROP_COUNTS = sa.delete(COUNTS).where(COUNTS.c.group == _group)
ADD_PAGE = sa.insert(PAGES).values({column.name: sa.bindparam(column.name) for column in PAGES.c}).inline()
FIND_PAGES = sa.select(PAGES).order_by(PAGES.c.number)
FIND_PAGE = sa.select(PAGES).where(PAGES.c.number == sa.bindparam("number", type_=sa.BigInteger))
COUNT_PAGES = sa.select(sa.func.count()).select_from(PAGES)
DROP_PAGES = sa.delete(PAGES).where(PAGES.c.number <= sa.bindparam("until", type_=sa.BigInteger))
DROP_ALL_PAGES = sa.delete(PAGES)
PUT_MEMBER = _put(MEMBERS, "id")
# A time that is too late is of a machine that has been started anew since.
_has_lease = sa.and_(MEMBERS.c.until > _at, MEMBERS.c.until <= _at + sa.bindparam("longest", type_=sa.Double))
FIND_MEMBERS = sa.select(MEMBERS.c.id, MEMBERS.c.pid, MEMBERS.c.host).where(MEMBERS.c.until > _at)
DROP_GONE_MEMBERS = sa.delete(MEMBERS).where(~_has_lease)
DROP_MEMBER = sa.delete(MEMBERS).where(MEMBERS.c.id == _id)
LAST_LEASE = sa.select(sa.func.max(MEMBERS.c.until)).where(
    MEMBERS.c.revision < sa.bindparam("known", type_=sa.BigInteger), MEMBERS.c.id != _id
)

ADD_SETTING = insert(SETTINGS).on_conflict_do_nothing()
FIND_SETTING = sa.select(SETTINGS.c.value).where(SETTINGS.c.name == _id)

# Accounts first: whoever charges one holds it till its project is stored.
EMPTY_TABLES = [
    sa.delete(each) for each in (ACCOUNTS, LEDGER, PROJECTS, UPLOADS, RECORDS, OUTBOX, DELIVERIES, KEYS)
]
