"""A create as a function in the database, so that it takes one round trip rather than nine.

It does what `SqlStore.add_project` does, by the same statements, whose parameters are its variables here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from .. import statements as sql
from ..database import Statement, Texts
from ..tables import PROJECTS

MONEY, JOBS = "money", "jobs"
"""Why a create is refused."""

_PARAMETERS = {
    "at_most": "BIGINT",
    "base_url": "VARCHAR",
    "amounts": "BIGINT[]",  # of the ledger's lines, the charge first
    "times": "DOUBLE PRECISION[]",
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
    IF FOUND THEN
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
    {{add}};
    {{announce}};
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


class Create:
    """The function, as this version of Bluehour has it.

    Attributes:
        name: with a digest of the rest, so that two versions of Bluehour on one database each call their own.
        definition: the statement that makes it.
        call: the statement that calls it, with a project's fields and what `_PARAMETERS` names. It returns
            why it was refused, if so, and then what the account has; else the balance it leaves.
    """

    def __init__(self, texts: Texts) -> None:
        project = {column.name: column.type.compile(texts.dialect) for column in PROJECTS.c}
        del project["number"]
        parameters = {**project, **_PARAMETERS}
        head = ", ".join(f"new_{name} {kind}" for name, kind in parameters.items())
        body = _BODY.format_map(_statements(texts, project))
        self.name = f"create_project_{hashlib.sha256((head + body).encode()).hexdigest()[:12]}"
        self.definition = (
            f"CREATE FUNCTION {self.name} ({head}, OUT refused VARCHAR, OUT number BIGINT)"
            f" LANGUAGE plpgsql AS $function${body}$function$"
        )
        given = ", ".join(f"%({name})s::{kind}" for name, kind in parameters.items())
        self.call = f"SELECT refused, number FROM {self.name} ({given})"  # noqa: S608 - names of ours


def _statements(texts: Texts, project: Mapping[str, str]) -> dict[str, str]:
    def text(statement: Statement, **variables: str) -> str:
        written, own = texts.of(statement)
        return written % {**own, **variables}

    account = {"wanted": "new_account_id", "at": "new_created_at"}
    line = {"account_id": "new_account_id", "project_id": "new_id"}
    return {
        "hold": text(sql.HOLD_ACCOUNT, **account),
        "standing": text(sql.STANDING, **account),
        "count": text(sql.COUNT_UNFINISHED, **account),
        "add": text(sql.ADD_PROJECT, **{name: f"new_{name}" for name in project}),
        "announce": text(sql.ANNOUNCE, wanted="new_id", base_url="new_base_url", begin="new_rendering_at"),
        "book": text(sql.ADD_LINES, **line, amount="new_amounts[line]", at="new_times[line]"),
        "settle": text(sql.SETTLE, wanted="new_account_id", sum="latest", until="until"),
    }
