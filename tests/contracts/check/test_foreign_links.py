"""Links that lead to other hosts than the deployment's: they are named, and can be forbidden."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from bluehour.contracts.check.inprocess import AppWire
from bluehour.contracts.check.network import foreign_host
from bluehour.contracts.check.run import Options, check
from bluehour.contracts.exchange import Answer, Request
from bluehour.contracts.report import terminal
from bluehour.contracts.results import Report, State
from bluehour.contracts.rules import RULES
from bluehour.mock_server.app import create_app
from bluehour.mock_server.cli import main
from bluehour.mock_server.core.clock import Clock
from bluehour.mock_server.core.settings import Settings
from bluehour.mock_server.mock import Mock
from tests.editors import EDITORS, editors_file

STORE = "http://files.example.net"
NAMING = tuple(each for each in RULES if not each.id.endswith(".random"))
EXAMPLES = EDITORS.extension("x-example-assets")[0].encode()
FORBIDDEN = "it takes a link to another host, which --no-foreign-links forbids"


class WithStore:
    """A deployment whose files are on another host; a strict one edits nothing that was not sent there."""

    def __init__(self, mock: Mock, strict: bool) -> None:
        self.asked: set[str] = set()
        self._base = mock.world.base_url
        self._strict = strict
        self._wire = AppWire(create_app(mock))

    def send(self, request: Request, timeout: float, *, fresh: bool, most: int = 2**26) -> Answer:
        self.asked.add(urlsplit(request.url).netloc)
        if self._strict:
            request = replace(request, body=request.body.replace(EXAMPLES, b"api-assets/nobody/"))
        here = replace(request, url=request.url.replace(STORE, self._base))
        answer = self._wire.send(here, timeout, fresh=fresh, most=most)
        return replace(answer, body=answer.body.replace(self._base.encode(), STORE.encode()))


def checked(strict: bool = False, **options: Any) -> tuple[Report, WithStore]:
    clock = Clock()
    with closing(Mock(EDITORS, Settings(time_scale=0.02), clock=clock)) as mock:
        wire = WithStore(mock, strict)
        asked = Options(mock.world.base_url, "mhk_test_pro_10000_me", rules=NAMING, **options)
        report = check(asked, contract=EDITORS, wire=wire, sleep=clock.advance, now=clock.now)
    return report, wire


def test_they_are_followed_and_named() -> None:
    report, wire = checked()
    assert not report.findings, terminal(report, colour=False, width=110)
    assert urlsplit(STORE).netloc in wire.asked
    (note,) = (each for each in report.notes if "files.example.net" in each)
    assert "another host than the deployment's: they are followed" in note


def test_where_that_is_forbidden_none_is_and_what_takes_one_is_not_judged() -> None:
    report, wire = checked(follows_foreign=False)
    assert not report.findings, terminal(report, colour=False, width=110)
    assert urlsplit(STORE).netloc not in wire.asked
    assert any("they are not followed" in each for each in report.notes)
    unjudged = {each.rule.id for each in report.unjudged if each.reason == FORBIDDEN}
    assert {"upload.put", "upload.broken", "download.link"} <= unjudged
    kept = {each.rule.id for each in report.verdicts if each.state is State.KEPT}
    assert {"refuse.maximum", "auth.required", "answer.schema"} <= kept
    takes_links = {"upload.put", "upload.broken", "upload.tampered", "download.link", "download.tampered"}
    assert not kept & takes_links


def test_that_a_file_which_was_not_sent_is_unknown_is_no_fault() -> None:
    report, _ = checked(strict=True, follows_foreign=False)
    assert not report.findings, terminal(report, colour=False, width=110)
    places = {(each.rule.id, each.operation) for each in report.unjudged if each.reason == FORBIDDEN}
    assert ("upload.usable", "POST /v1/ai-face-editor") in places


def test_what_is_not_sent_is_in_no_account_of_what_was() -> None:
    report, _ = checked(follows_foreign=False)
    assert [each.number for each in report.exchanges] == [*range(1, len(report.exchanges) + 1)]


@pytest.mark.parametrize(
    ("link", "host"),
    [
        ("http://api.example.com/a", ""),
        ("https://api.example.com/a", ""),
        ("https://api.example.com:443/a", ""),
        ("http://api.example.com:8080/a", "api.example.com:8080"),
        ("https://files.example.com/a", "files.example.com"),
        ("http://user@files.example.com:81/a", "files.example.com:81"),
        ("https://[::1]:8080/a", "[::1]:8080"),
        ("file:///etc/passwd", ""),
        ("https://[", ""),
    ],
)
def test_another_host_is_another_name_or_port(link: str, host: str) -> None:
    assert foreign_host(link, "http://api.example.com") == host


@pytest.mark.parametrize(
    ("options", "says"), [([], "They are followed"), (["--no-foreign-links"], "They are not followed")]
)
def test_a_plan_names_the_hosts_of_the_examples(options: list[str], says: str) -> None:
    arguments = ["check", "http://127.0.0.1:9", "--spec", f"{editors_file()}", "--only", "path", "--plan"]
    output = CliRunner().invoke(main, [*arguments, *options]).output
    assert "may lead to other hosts, as published examples do to videos.magichour.ai." in output
    assert says in output
