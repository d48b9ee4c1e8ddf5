"""A journal in a few lines."""

from __future__ import annotations

from bluehour.contracts.transcript import transcript

from .entries import answered, entry

PROJECT = "/v1/image-projects/cmwq3t1166"


def test_a_line_tells_what_was_asked_answered_and_odd() -> None:
    journal = [
        answered(200, {"id": "p"}, credits=-1),
        answered(402, {"code": "insufficient_credits", "message": "Insufficient credits"}),
        entry({}, "Missing required field: style (expected object)"),
        answered(429, forced="a rule"),
        answered(200, {"status": "queued"}, path=PROJECT, operation="imageProjects.getDetails"),
    ]
    assert transcript(journal).splitlines() == [
        "POST /v1/ai-face-editor             200  -1 credit",
        "POST /v1/ai-face-editor             402  Insufficient credits",
        "POST /v1/ai-face-editor             400  Missing required field: style (expected object)",
        "POST /v1/ai-face-editor             429  forced: a rule",
        f"POST {PROJECT}  200  queued",
    ]


def test_of_many_requests_the_last_ones_are_shown() -> None:
    lines = transcript([answered(200, {})] * 1000).splitlines()
    assert lines[0] == "… 960 before these"
    assert len(lines) == 41


def test_without_requests_there_is_nothing_to_tell() -> None:
    assert transcript([]) == ""
