"""A result read back from its JSON report: the parts of a run come so from machines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from bluehour.openapi.errors import BluehourError

from ..coverage import Coverage
from ..judge import Violation
from ..performance import Asked, Charge, Delivered, Ending, Performance
from ..results import Finding, Part, Result
from ..rules import rule
from ..script import Event, Fault, Place, ScriptError, Turn, loaded
from .json_report import FORMAT


class ReportError(BluehourError):
    """A file is no JSON report of a fuzz."""


def from_json(text: str) -> Result:
    """Return the result that `as_json` has told; what it does not tell is as in a result without it.

    Raises:
        ReportError: it is none, or an older or newer Bluehour's.
    """
    try:
        known = json.loads(text)
        if known["format"] != FORMAT:
            raise ReportError(f"its format is {known['format']}, and {FORMAT} can be read")
        return _result(known)
    except ScriptError as error:
        raise ReportError(f"a script in it can't be read: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, LookupError, RecursionError):
        raise ReportError("it is no JSON report of this Bluehour's fuzz") from None


def _result(known: Mapping[str, Any]) -> Result:
    coverage = Coverage()
    for name in {each.name for each in fields(Coverage)} & {*known["coverage"]}:
        setattr(coverage, name, Counter(known["coverage"][name]))
    return Result(
        client=known["client"],
        call=known["call"],
        version=known["bluehour"],
        profile=known["profile"],
        seed=known["seed"],
        rules=frozenset(each["id"] for each in known["rules"] if each["standing"] != "not judged"),
        topics=known["coverage"]["topics_of"],
        played=known["played"],
        seconds=known["seconds"],
        coverage=coverage,
        findings=tuple(_finding(each) for each in known["findings"]),
        stopped=known["stopped"] or "",
        notes=tuple(known["notes"]),
        places=tuple(known["places"]),
        ends=tuple(known["ends"]),
        operation=known["operation"] or "",
        part=Part(known["part"]["index"] - 1, known["part"]["of"]),
    )


def _finding(known: Mapping[str, Any]) -> Finding:
    ending = known["ending"]
    played = Performance(
        script=loaded(json.dumps(known["script"])),
        asked=tuple(_asked(each) for each in known["transcript"]),
        charges=tuple(Charge(**each) for each in known["charges"]),
        ending=Ending(
            outcome=ending["outcome"],
            status=ending["status"] or "",
            files=ending["files"],
            missing=tuple(ending["missing"]),
            credits=ending["credits"],
            error=ending["error"] or "",
            kind=ending["type"] or "",
            where=ending["where"] or "",
            output=ending["said"],
        ),
        seconds=known["seconds"],
        real_seconds=known["seconds"] - known["slept"],
        token="<token>",  # noqa: S106  # it was taken out when the report was written
        given={},
        nowhere=known["links_to_nowhere"],
    )
    violation = Violation(rule(known["rule"]).id, known["message"], known["mark"])
    return Finding(violation, played, known["topic"], known["times"], known["steady"], known["smallest"])


def _asked(known: Mapping[str, Any]) -> Asked:
    return Asked(
        at=known["at"],
        ended_at=known["ended_at"],
        host=known["host"],
        place=Place(known["place"]) if known["place"] else None,
        method=known["method"],
        target=known["target"],
        headers=known["headers"],
        body=_body(known["body"]),
        turn=Turn(
            status=known["status"] or 0,
            code=known["code"] or "",
            page=known["page"],
            retry_after=known["retry_after"] or "",
            fault=Fault(known["fault"]) if known["fault"] else None,
        ),
        status=known["status"] or 0,
        faults=tuple(known["faults"]),
        strange=known["strange"] or "",
        state=known["state"] or "",
        charged=known["charged"],
        served=known["served"] or "",
        carries_token=known["carries_token"],
        legal=known["legal"],
        link_is_dead=known["link_is_dead"],
        wrong_type=known["wrong_type"] or "",
        delivered=tuple(_delivered(each) for each in known["delivered"]),
    )


def _body(known: Mapping[str, Any]) -> bytes:
    """The body, as far as it was told: what is shown of bytes is their beginning and how many there are."""
    if "hex" in known:
        return bytes.fromhex(known["hex"]).ljust(known["size"], b"\xff")
    if "text" in known:
        return str(known["text"]).encode()
    return f"{known['begins']} … of {known['size']:,} bytes, the others left out".encode()


def _delivered(known: Mapping[str, Any]) -> Delivered:
    facts = {**known, "event": Event(known["event"])}
    return Delivered(**facts | {"status": known["status"] or 0, "problem": known["problem"] or ""})
