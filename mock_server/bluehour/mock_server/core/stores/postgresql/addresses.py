"""What a URL says of a PostgreSQL database: how it is reached, and which schema of it is the store's."""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from ...settings import shown_store
from .. import StoreError

_SCHEMA = "bluehour"
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}", re.ASCII)

_UNLESS_SAID = {
    "application_name": "bluehour",
    "connect_timeout": "5",
    # A server that is not there any more, without a word, is noticed in half a minute.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "30000",
}
_OPTIONS = (
    "lock_timeout=10s",
    "idle_in_transaction_session_timeout=10s",  # a process that was stopped lets go of what it holds
    r"default_transaction_isolation=read\ committed",
    "client_min_messages=warning",
)


class Address(NamedTuple):
    """A database and the schema in it that is the store's.

    Attributes:
        parameters: libpq's, by name; with the password.
        schema: its name, which needs no quotes.
        shown: what names the database in errors.
    """

    parameters: dict[str, Any]
    schema: str
    shown: str


def address_of(url: str) -> Address:
    """Return what a URL says: one of libpq's, with `schema` among its parameters.

    Raises:
        StoreError: it is no such URL; of its text nothing is shown, as it may hold a password.
    """
    place, _, query = url.partition("?")
    asked = parse_qsl(query, keep_blank_values=True)
    schema = dict(asked).get("schema", _SCHEMA)
    if not _NAME.fullmatch(schema) or schema.startswith("pg_"):
        raise StoreError(
            f"{schema!r} can't be the schema of a store: its name is to be of small letters, digits and _"
        )
    others = urlencode([each for each in asked if each[0] != "schema"], quote_via=quote)
    try:
        given = conninfo_to_dict(f"{place}?{others}")
    except (psycopg.Error, UnicodeError):
        given = {"port": "?"}
    if not _is_sound(given):
        raise StoreError(
            "the store's URL can't be read: it is postgresql://user:password@host:port/database, with any of"
            " libpq's parameters and schema=NAME after a ?; in the password write @ as %40, : as %3A, / as"
            " %2F, ? as %3F, % as %25"
        )
    options = " ".join(f"-c {each}" for each in (f"search_path={schema}", *_OPTIONS))
    parameters = {**_UNLESS_SAID, **given, "options": f"{given.get('options', '')} {options}"}
    return Address(parameters, schema, shown_store(url))


def _is_sound(given: dict[str, Any]) -> bool:
    """Tell whether no part of a password can have come into something that errors show."""
    shown = "".join(f"{given.get(name, '')}" for name in ("host", "dbname"))
    return "@" not in shown and re.fullmatch(r"[\d,]*", f"{given.get('port', '')}") is not None
