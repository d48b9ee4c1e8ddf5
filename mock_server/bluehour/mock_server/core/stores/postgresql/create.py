"""A create as a function in the database, so that it takes one round trip rather than nine.

It does what `SqlStore.add_project` does, by the same statements, whose parameters are its variables here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from .. import statements as sql
from ..database import Statement, Texts
from ..tables import PROJECTS
from .jobs import DEFER, MOST_TURNS

MONEY, JOBS, KEY, FULL = "money", "jobs", "key", "full"
"""Why a create is refused."""

_PARAMETERS = {
    "at_most": "BIGINT",
    "base_url": "VARCHAR",
    "amounts": "BIGINT[]",  # of the ledger's lines, the charge first
    "times": "DOUBLE PRECISION[]",
    "key": "VARCHAR",
    "fingerprint": "VARCHAR",
    "most_waiting": "BIGINT",
    "is_job": "BOOLEAN",  # for `bluehour work`
}
_RESULTS = {
    "refused": "VARCHAR",
    "number": "BIGINT",
    "used_fingerprint": "VARCHAR",
    "used_project": "VARCHAR",
}

_BODY = f"""
#variable_conflict use_column
DECLARE
    held VARCHAR;
    balance BIGINT := 0;
    lowest_change BIGINT;
    latest BIGINT := 0;
    until DOUBLE PRECISION := new_created_at;
    running BIGINT;
BEGIN
    {{hold}} INTO held;
    IF new_key IS NOT NULL THEN
        {{find_key}} INTO used_fingerprint, used_project;
        IF FOUND THEN
            refused := '{KEY}';
            RETURN;
        END IF;
    END IF;
    IF held IS NOT NULL THEN
        {{standing}} INTO balance, lowest_change, latest, until;
    END IF;
    IF balance + least(0, lowest_change) < new_credits THEN
        refused := '{MONEY}';
        number := balance + least(0, lowest_change);
        RETURN;
    END IF;
    IF new_at_most IS NOT NULL THEN
        {{count}} INTO running;
        IF running >= new_at_most THEN
            refused := '{JOBS}';
            number := running;
            RETURN;
        END IF;
    END IF;
    IF new_most_waiting IS NOT NULL THEN
        {{count_pending}} INTO running;
        IF running >= new_most_waiting THEN
            refused := '{FULL}';
            number := running;
            RETURN;
        END IF;
    END IF;
    IF new_is_job THEN
        {{defer}};
    END IF;
    {{add}};
    {{announce}};
    IF new_key IS NOT NULL THEN
        {{drop_key}};
        {{add_key}};
        {{forget_keys}};
        {{forget_keys_beyond}};
    END IF;
    FOR line IN 1 .. array_length(new_amounts, 1) LOOP
        {{book}};
        IF new_times[line] <= until THEN
            latest := latest + new_amounts[line];
        END IF;
        IF new_times[line] <= new_created_at THEN
            balance := balance + new_amounts[line];
        END IF;
    END LOOP;
    {{settle}};
    number := balance;
END
"""


class Created(NamedTuple):
    """What the function returns.

    Attributes:
        refused: why nothing was stored, if so.
        number: what the account has that is too little or too much; else the balance that is left.
        used_fingerprint, used_project: what is stored of a key that was used before.
    """

    refused: str | None
    number: int
    used_fingerprint: str
    used_project: str


class Create:
    """The function, as this version of Bluehour has it.

    Attributes:
        name: with a digest of the rest, so that two versions of Bluehour on one database each call their own.
        definition: the statement that makes it.
        call: the statement that calls it, with a project's fields and what `_PARAMETERS` names. It finds the
            fields of a `Created`.
    """

    def __init__(self, texts: Texts) -> None:
        project = {column.name: column.type.compile(texts.dialect) for column in PROJECTS.c}
        del project["number"]
        parameters = {**project, **_PARAMETERS}
        given = [f"new_{name} {kind}" for name, kind in parameters.items()]
        head = ", ".join([*given, *(f"OUT {name} {kind}" for name, kind in _RESULTS.items())])
        body = _BODY.format_map(_statements(texts, project))
        self.name = f"create_project_{hashlib.sha256((head + body).encode()).hexdigest()[:12]}"
        self.definition = (
            f"CREATE FUNCTION {self.name} ({head}) LANGUAGE plpgsql AS $function${body}$function$"
        )
        values = ", ".join(f"%({name})s::{kind}" for name, kind in parameters.items())
        self.call = f"SELECT {', '.join(_RESULTS)} FROM {self.name} ({values})"  # noqa: S608 - names of ours


def _statements(texts: Texts, project: Mapping[str, str]) -> dict[str, str]:
    def text(statement: Statement, **variables: str) -> str:
        written, own = texts.of(statement)
        return written % {**own, **variables}

    account = {"wanted": "new_account_id", "at": "new_created_at"}
    line = {"account_id": "new_account_id", "project_id": "new_id"}
    key = {**account, "key": "new_key"}
    return {
        "hold": text(sql.HOLD_ACCOUNT, **account),
        "standing": text(sql.STANDING, **account),
        "count": text(sql.COUNT_UNFINISHED, **account),
        "count_pending": text(sql.COUNT_PENDING, limit="new_most_waiting"),
        "defer": DEFER.format(turns=text(sql.COUNT_ITS_PENDING, **account, limit=f"{MOST_TURNS}")),
        "find_key": text(sql.FIND_KEY, **key),
        "drop_key": text(sql.DROP_KEY, **key),
        "add_key": text(sql.ADD_KEY, **key, **line, fingerprint="new_fingerprint"),
        "forget_keys": text(sql.FORGET_KEYS, **key),
        "forget_keys_beyond": text(sql.FORGET_KEYS_BEYOND),
        "add": text(sql.ADD_PROJECT, **{name: f"new_{name}" for name in project}),
        "announce": text(sql.ANNOUNCE, wanted="new_id", base_url="new_base_url", begin="new_rendering_at"),
        "book": text(sql.ADD_LINES, **line, amount="new_amounts[line]", at="new_times[line]"),
        "settle": text(sql.SETTLE, wanted="new_account_id", sum="latest", until="until"),
    }
