"""Results made by hand: one with a finding of every kind that is shown, and one without any."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bluehour.contracts.fuzz.coverage import Coverage
from bluehour.contracts.fuzz.judge import Violation
from bluehour.contracts.fuzz.performance import Asked, Charge, Ending, Performance
from bluehour.contracts.fuzz.results import Finding, Result
from bluehour.contracts.fuzz.rules import RULES
from bluehour.contracts.fuzz.script import RIGHT, Fault, Place, Script, Turn

TOKEN = "mhk_live_Zk9s0Qx7Yb2Lr5Wd8Vn3"
HARMFUL = "<script>alert('x')</script>\x1b[31mred\x00\x7f\u202e\ud800 ]]> & \"quoted\""
"""What a page, a terminal, JSON and UTF-8 each have reason to fear."""
BEARER = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}

LOST = Turn(fault=Fault.RESET_AFTER)
ODD_ID = Turn(fields={"id": f"a\u0001b{HARMFUL}", "note": "Zoë\u2028\xa0\U000e0001"})


def asked(place: Place | None, at: float, method: str = "POST", **known: Any) -> Asked:
    """A request of the client's, answered as it should be."""
    facts: dict[str, Any] = {"host": "api", "target": f"/v1/{place}", "headers": BEARER, "body": b"{}"}
    facts |= {"turn": RIGHT, "status": 200, "ended_at": at} | known
    return Asked(at=at, place=place, method=method, **facts)


def performance(script: Script, *requests: Asked, ending: Ending, **known: Any) -> Performance:
    facts: dict[str, Any] = {"charges": (), "seconds": 12.5, "real_seconds": 0.1, "given": {}} | known
    return Performance(script, requests, ending=ending, token=TOKEN, **facts)


def paid_twice() -> Finding:
    script = Script({Place.CREATE: (LOST,)})
    played = performance(
        script,
        asked(Place.UPLOAD_URLS, 0.0),
        asked(Place.UPLOAD, 0.01, "PUT", host="links", body=b"\xff\xd8\xff", carries_token=True),
        asked(Place.CREATE, 0.02, turn=LOST, status=0, charged=1, legal=False),
        asked(Place.CREATE, 2.02, charged=1),
        asked(Place.POLL, 2.5, "GET", body=b"", state="complete"),
        asked(Place.DOWNLOAD, 3, "GET", host="links", body=b"", served="cd"),
        ending=Ending("done", status="complete", files={"output.png": "cd"}, credits=1, output="paid\n"),
        charges=(Charge("p1", 1, False), Charge("p2", 1, False)),
    )
    return Finding(
        Violation("pay.once", "2 creates were charged for 1 job: 2 credits", "reset-after"), played, "c", 5
    )


def harmful() -> Finding:
    """A crash, with all that a client and a script can do to a report; the token is everywhere."""
    script = Script({Place.CREATE: (ODD_ID,)})
    played = performance(
        script,
        asked(Place.CREATE, 0.5, turn=ODD_ID, headers={"authorization": "Basic " + _basic(TOKEN)}),
        asked(None, 1, "BREW", target=f"/v1/{HARMFUL}?token={TOKEN}", status=404, faults=(f"no {TOKEN}",)),
        asked(Place.POLL, 2, "GET", strange=f"'{HARMFUL}{TOKEN}' is no id that was given", status=404),
        asked(None, 3, "GET", host="elsewhere", carries_token=True, body=TOKEN.encode()),
        ending=Ending(
            "crashed",
            error=f"ValueError: {HARMFUL} {TOKEN}",
            kind="ValueError",
            where="client.py:31 in edit",
            files={f"{TOKEN}.png": "ef"},
            missing=(f"{HARMFUL}{TOKEN}",),
            output=f"sending {TOKEN}\n{HARMFUL}\n",
        ),
        nowhere=1,
    )
    violation = Violation(
        "error.legal", f"ValueError: {HARMFUL} {TOKEN} at client.py:31", f"ValueError {TOKEN}"
    )
    return Finding(violation, played, "an id with a control character", steady=False)


def endless() -> Finding:
    """It polls for ever, and asks in turns for very much."""
    script = Script(
        {Place.POLL: (Turn(status=402, code="plan_upgrade_required"),)}, job=("error",), gone="poll"
    )
    polls = [asked(Place.POLL, 2.0 * number, "GET", state="error") for number in range(1, 290)]
    turns = [asked((Place.POLL, Place.DOWNLOAD)[n % 2], 600 + n, "GET") for n in range(60)]
    first = asked(Place.POLL, 0, "GET", status=402, turn=script.turn(Place.POLL, 0))
    played = performance(script, first, *polls, *turns, ending=Ending("late"), seconds=1234.5)
    return Finding(
        Violation("end.in-time", "it had not ended after 600 s", "poll error"), played, "job error", 2
    )


def leaking(number: int) -> Finding:
    turn = Turn(status=302, fault=Fault.REDIRECT)
    played = performance(
        Script({Place.DOWNLOAD: (RIGHT,) * number + (turn,)}),
        asked(Place.DOWNLOAD, 1, "GET", host="links", status=302, turn=turn, body=b"", carries_token=True),
        asked(Place.DOWNLOAD, 1.1, "GET", host="elsewhere", body=b"", carries_token=True),
        ending=Ending("refused", error="ApiError: no picture", kind="ApiError", where="api.py:7 in get"),
    )
    return Finding(
        Violation("token.host", f"GET carries the token, way {number}", f"way {number}"), played, "t"
    )


def coverage() -> Coverage:
    return Coverage(
        answers=Counter(
            {"create 200": 1200, "create 402 plan_upgrade_required": 3, "poll 200": 2, "upload-urls 503": 1}
        ),
        faults=Counter({"create reset-after": 4, "poll 502 page": 1, "None 200 page": 1, "nobody there": 2}),
        transitions=Counter(
            {"→ queued": 9, "queued → rendering": 7, "rendering → queued": 1, "queued → <paused>\x1b": 1}
            | {"<paused>\x1b → complete": 1, "rendering → error": 2}
        ),
        endings=Counter({"complete": 5, "error no_source_face": 2}),
        outcomes=Counter({"done": 7, "crashed": 3, "refused": 2}),
        topics=Counter({"create reset-after": 4, "poll 502 page": 1}),
    )


def result(*findings: Finding, **known: Any) -> Result:
    facts: dict[str, Any] = {
        "client": "client.py:edit",
        "call": "-- client.py:edit",
        "version": "0.1.0",
        "profile": "realistic",
        "seed": 42,
        "rules": frozenset(rule.id for rule in RULES if rule.id != "poll.pace"),
        "topics": 194,
        "played": 200,
        "seconds": 8.0,
        "coverage": coverage(),
        "findings": findings,
    }
    return Result(**facts | known)


def sample(**known: Any) -> Result:
    """Everything at once."""
    findings = (paid_twice(), *(leaking(number) for number in range(1, 6)), endless(), harmful())
    facts: dict[str, Any] = {
        "client": f"node {HARMFUL}",
        "notes": (f"poll.pace was not judged {HARMFUL}",),
        "stopped": "it was interrupted",
    }
    return result(*findings, **facts | known)


SAVED: Mapping[int, str] = {0: "out/it's <b>.json", 7: "out/eight.json"}


def kept() -> Result:
    return replace(result(), rules=frozenset(rule.id for rule in RULES))


def _basic(token: str) -> str:
    return base64.b64encode(f"{token}:".encode()).decode()
