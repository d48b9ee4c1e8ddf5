"""Servers that nobody can judge: each is left soon, breaks no rule, and the exit code is 3."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest

from bluehour.contracts.check.run import Options, check
from bluehour.contracts.results import Exit, Report
from tests.editors import EDITORS

from .raw import Peer, serving

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
PIECE = b"10000\r\n" + b"x" * 2**16 + b"\r\n"


def checked(script: Callable[[Peer], None], timeout: float | None = 0.3) -> tuple[Report, int]:
    """Check a server that answers by a script; return how many requests came, too."""
    with serving(script) as server:
        report = check(Options(server.url, "any-token", timeout=timeout), contract=EDITORS)
        return report, len(server.requests)


def never(peer: Peer) -> None:
    peer.request()
    peer.until_it_leaves()


def slowly(peer: Peer) -> None:
    """A byte at a time, and never the last one."""
    peer.request()
    peer.send(ANSWER + b"Content-Length: 100000\r\n\r\n ")
    peer.until_it_leaves()


def without_end(peer: Peer) -> None:
    peer.request()
    peer.send(ANSWER + b"Transfer-Encoding: chunked\r\n\r\n")
    while peer.send(PIECE):
        pass


def only_hints(peer: Peer) -> None:
    peer.request()
    while peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100):
        pass


def a_head_without_end(peer: Peer) -> None:
    peer.request()
    while peer.send(b"X-A: " + b"a" * 60_000 + b"\r\n"):
        pass


def noise(peer: Peer) -> None:
    peer.request()
    peer.send(bytes(range(256)) * 4)


def nothing(peer: Peer) -> None:
    peer.request()


@pytest.mark.parametrize(
    "script", [never, slowly, without_end, only_hints, a_head_without_end, noise, nothing]
)
def test_a_server_that_never_answers_breaks_no_rule_and_is_soon_left(script: Callable[[Peer], None]) -> None:
    report, requests = checked(script)
    assert (report.exit_code, report.findings) == (Exit.UNJUDGED, ())
    assert "gave no answer of HTTP" in report.stopped
    assert requests <= 2


def test_what_grows_when_it_is_inflated_is_not_kept() -> None:
    bomb = gzip.compress(bytes(50 * 2**20))

    def answer(peer: Peer) -> None:
        while peer.request():
            peer.send(ANSWER + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb)

    report, _ = checked(answer, timeout=None)
    assert report.exit_code is Exit.FINDINGS  # it answers, and nothing of it is JSON
    assert max(len(each.answer.body) for each in report.exchanges if each.answer) == len(bomb)


def test_who_falls_silent_is_left_and_what_was_found_is_told() -> None:
    answers = iter(range(40))

    def answer(peer: Peer) -> None:
        while peer.request():
            if next(answers, None) is None:
                peer.until_it_leaves()
                return
            peer.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    report, requests = checked(answer, timeout=2)
    assert "not answered" in report.stopped or "without an answer" in report.stopped
    assert requests <= 44
    assert report.findings  # a 404 without its envelope, and silence where there were answers before
