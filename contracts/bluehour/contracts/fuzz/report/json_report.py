"""The result as JSON, for programs: every fact of it, under names that stay."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...report.texts import text_of
from ..performance import Asked
from ..results import Result
from . import met
from .shown import Case, shown, standings, verdict

FORMAT = 1
"""Changes with the meaning of a field; a new field does not change it."""

_LONGEST_BODY = 4_000
_FEW = 200
"""Characters, or bytes, of a body that is not told as a whole."""


def as_json(result: Result, *, saved: Mapping[int, str] | None = None) -> str:
    """Return the result as an object.

    - `format`, `bluehour` (its version), `client`, `operation` (that it was to call; null where the choice
      was its own), `profile`, `seed`, `played` (scripts), `seconds`, `stopped` (null where it was not),
      `notes`, `part` (`index` from 1, and `of`), `call` (how the command line says the client),
      `places` (those that a client comes to), `ends` (the statuses in which its jobs can end)
    - `exit_code`: that of the command; `exit` is its name: `kept`, `findings`, `usage` or `unjudged`
    - `verdict`: the whole in one sentence
    - `rules`: of each rule `id`, `group`, `title`, `place` (what says so), `advice`, and `standing`:
      `broken`, `kept` or `not judged`
    - `findings`: each with `number`, `rule`, `message`, `mark`, `topic`, `times`, `steady`, `smallest`
      (whether there was time to shrink it to the end), `path` (of the saved script, or null), `story`
      (sentences), `script` (as its file has it), `seconds` (on the client's clock), `slept` (those of them
      that took no time), `transcript`, `ending`, `charges` (`project`, `credits`, `refunded`) and
      `links_to_nowhere`
    - a request of the transcript has `at`, `ended_at`, `host`, `place` (null where it is for nothing known),
      `method`, `target`, `headers`, `body` (`size`, and `text`; of a long one what it
      `begins` with, of one that is no text its first bytes as `hex`), `status` (null
      for no answer), `code`, `fault`, `page`, `retry_after`, `state`, `charged`, `served`, `faults`,
      `strange`, `carries_token`, `legal`, `link_is_dead`, `wrong_type`, and
      `delivered`: the events that the client's receiver was sent before the answer, each with `name`,
      `event` (to the script), `project`, `state`, `status` (null for no answer) and `problem`
    - `coverage`: `answers`, `faults`, `transitions`, `endings`, `outcomes`, `topics` and `events`, each with
      counts by name; `topics_of` is how many there are; `not_met`

    The token is `<token>` wherever it was.
    """
    cases = [case for each in shown(result, saved).values() for case in each]
    coverage = result.coverage
    facts = {
        "format": FORMAT,
        "bluehour": result.version,
        "client": result.client,
        "operation": result.operation or None,
        "profile": result.profile,
        "seed": result.seed,
        "played": result.played,
        "seconds": round(result.seconds, 3),
        "exit_code": int(result.exit_code),
        "exit": result.exit_code.name.lower(),
        "verdict": verdict(result),
        "stopped": result.stopped or None,
        "notes": list(result.notes),
        "part": {"index": result.part.index + 1, "of": result.part.of},
        "call": result.call,
        "places": list(result.places),
        "ends": list(result.ends),
        "rules": [
            {
                "id": rule.id,
                "group": rule.group,
                "title": rule.title,
                "place": rule.place,
                "advice": rule.advice,
                "standing": standing,
            }
            for rule, standing in standings(result).items()
        ],
        "findings": [_finding(case) for case in sorted(cases, key=lambda case: case.number)],
        "coverage": {
            "answers": dict(coverage.answers),
            "faults": dict(coverage.faults),
            "transitions": dict(coverage.transitions),
            "endings": dict(coverage.endings),
            "outcomes": dict(coverage.outcomes),
            "topics": dict(coverage.topics),
            "events": dict(coverage.events),
            "topics_of": result.topics,
            "not_met": met.unmet(result),
        },
    }
    text = json.dumps(facts, ensure_ascii=False, indent=2)
    # A lone surrogate is nothing that UTF-8 has; JSON writes it as this does.
    return text.encode("utf-8", "backslashreplace").decode() + "\n"


def _finding(case: Case) -> dict[str, Any]:
    finding = case.finding
    return {
        "number": case.number,
        "rule": case.rule.id,
        "message": case.violation.message,
        "mark": case.violation.mark,
        "topic": finding.topic,
        "times": finding.times,
        "steady": finding.steady,
        "smallest": finding.smallest,
        "path": case.path or None,
        "story": list(case.story),
        "script": json.loads(case.script),
        "seconds": round(case.played.seconds, 3),
        "slept": round(max(0.0, case.played.seconds - case.played.real_seconds), 3),
        "transcript": [_asked(each) for each in case.asked],
        "ending": _ending(case),
        "charges": [
            {"project": each.project, "credits": each.credits, "refunded": each.refunded}
            for each in case.played.charges
        ],
        "links_to_nowhere": case.played.nowhere,
    }


def _ending(case: Case) -> dict[str, Any]:
    ending = case.ending
    return {
        "outcome": ending.outcome,
        "status": ending.status or None,
        "credits": ending.credits,
        "files": dict(ending.files),
        "missing": list(ending.missing),
        "error": ending.error or None,
        "type": ending.kind or None,
        "where": ending.where or None,
        "said": ending.output,
    }


def _asked(asked: Asked) -> dict[str, Any]:
    turn = asked.turn
    return {
        "at": round(asked.at, 3),
        "ended_at": round(asked.ended_at, 3),
        "host": asked.host,
        "place": str(asked.place) if asked.place else None,
        "method": asked.method,
        "target": asked.target,
        "headers": dict(asked.headers),
        "body": _body(asked.body),
        "status": asked.status or None,
        "code": turn.code or None,
        "fault": str(turn.fault) if turn.fault else None,
        "page": turn.page,
        "retry_after": turn.retry_after or None,
        "state": asked.state or None,
        "charged": asked.charged,
        "served": asked.served or None,
        "faults": list(asked.faults),
        "strange": asked.strange or None,
        "carries_token": asked.carries_token,
        "legal": asked.legal,
        "link_is_dead": asked.link_is_dead,
        "wrong_type": asked.wrong_type or None,
        "delivered": [
            {
                "name": each.name,
                "event": each.event,
                "project": each.project,
                "state": each.state,
                "status": each.status or None,
                "problem": each.problem or None,
            }
            for each in asked.delivered
        ],
    }


def _body(body: bytes) -> dict[str, Any]:
    text = text_of(body)
    if text is None:
        return {"size": len(body), "hex": body[:_FEW].hex()}
    return {"size": len(body), **({"text": text} if len(body) <= _LONGEST_BODY else {"begins": text[:_FEW]})}
