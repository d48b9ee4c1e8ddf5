"""The pytest plugin, as suites of other people's clients see it."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from textwrap import dedent

import pytest

pytest_plugins = ["pytester"]

# Loaded here once: pytester forgets what an inner run imports, and some of it can't be loaded twice.
for name in (
    "bluehour.contracts.legality",
    "bluehour.contracts.receiver",
    "bluehour.contracts.transcript",
    "bluehour.mock_server.server.inprocess",
):
    import_module(name)

CONFTEST = '''
import json
import urllib.error
import urllib.request

import pytest

SMILE = {"assets": {"image_file_path": "api-assets/id/1234.png"}, "style": {"mouth_smile": 60}}


@pytest.fixture
def call(magic_hour):
    """Calls the mock, and returns the answer's JSON, also that of a refusal."""

    def call(method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {magic_hour.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(magic_hour.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            return json.load(refusal)

    return call


@pytest.fixture
def smile(call):
    """Orders a smile."""

    def smile(mouth_smile=60):
        return call("POST", "/v1/ai-face-editor", SMILE | {"style": {"mouth_smile": mouth_smile}})

    return smile


@pytest.fixture
def status(call):
    """Tells a project's status."""
    return lambda project: call("GET", f"/v1/image-projects/{project['id']}")["status"]
'''


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A suite with a client in its conftest.py."""
    pytester.makeconftest(CONFTEST)
    return pytester


def run(suite: pytest.Pytester, code: str, *arguments: str) -> pytest.RunResult:
    suite.makepyfile(f"import pytest\n\n{dedent(code)}")
    return suite.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


def test_each_test_has_an_account_of_its_own_and_a_mock_without_a_past(suite: pytest.Pytester) -> None:
    code = """
    tokens = set()

    @pytest.mark.parametrize("time", [1, 2])
    def test_one(magic_hour, smile, time):
        assert magic_hour.credits == 10_000
        assert magic_hour.journal.entries() == magic_hour.rules.all() == magic_hour.webhooks.all() == []
        assert not magic_hour.clock.state().frozen
        smile()
        assert magic_hour.credits == 9_999
        magic_hour.rules.add(job="no_source_face")
        magic_hour.webhooks.add("http://127.0.0.1:9/")
        magic_hour.clock.freeze()
        tokens.add(magic_hour.token)
        assert len(tokens) == time
    """
    run(suite, code).assert_outcomes(passed=2)


def test_a_job_takes_a_moment_so_that_a_client_can_be_seen_polling(suite: pytest.Pytester) -> None:
    code = """
    @pytest.mark.magic_hour(frozen=True)
    def test_soon(magic_hour, smile, status):
        project = smile()
        assert status(project) == "queued"
        magic_hour.clock.advance(0.02)
        assert status(project) == "rendering"
        magic_hour.clock.advance(0.02)
        assert status(project) == "complete"

    @pytest.mark.magic_hour(time_scale=0)
    def test_at_once(smile, status):
        assert status(smile()) == "complete"
    """
    run(suite, code).assert_outcomes(passed=2)


def test_the_marker_sets_the_account_the_rules_and_the_clock(suite: pytest.Pytester) -> None:
    code = """
    @pytest.mark.magic_hour(credits=1, plan="free")
    def test_account(magic_hour, smile):
        assert magic_hour.accounts.get(magic_hour.account).plan == "free"
        smile()
        assert smile()["code"] == "insufficient_credits"

    @pytest.mark.magic_hour(rules=[{"answer": {"status": 503}, "times": 1}, {"job": "no_source_face"}])
    def test_rules(magic_hour, smile):
        smile()
        smile()
        answers = [entry.response.status for entry in magic_hour.journal.entries()]
        assert answers == [503, 200]

    @pytest.mark.magic_hour(frozen=True, time_scale=1)
    def test_clock(magic_hour, smile, status):
        project = smile()
        assert [status(project), status(project)] == ["queued", "queued"]
        magic_hour.clock.advance(3)
        assert status(project) == "complete"

    @pytest.mark.magic_hour(frozen="2026-01-24T09:00:00Z")
    def test_time(magic_hour):
        assert magic_hour.clock.now.isoformat() == "2026-01-24T09:00:00+00:00"
    """
    run(suite, code).assert_outcomes(passed=4)


def test_the_nearest_marker_decides_each_argument(suite: pytest.Pytester) -> None:
    code = """
    pytestmark = pytest.mark.magic_hour(credits=3, plan="free")

    @pytest.mark.magic_hour(credits=4)
    class TestIt:
        @pytest.mark.magic_hour(frozen=True)
        def test_it(self, magic_hour):
            account = magic_hour.accounts.get(magic_hour.account)
            assert (account.credits, account.plan) == (4, "free")
            assert magic_hour.clock.state().frozen
    """
    run(suite, code).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("credit=5", "there is no credit; there are credits, frozen, legal, plan, rules, time_scale"),
        ("5", "say what 5 is, as in credits=5"),
        ("credits=-1", "there can be no account with credits=-1, plan=None: *credits must be at least 0"),
        ("plan='gold'", "there can be no account with credits=None, plan='gold': *"),
        ("rules={'job': 'complete'}", "rules is a list of rules, not {'job': 'complete'}"),
        ("rules=[{'jb': 'complete'}]", "rule 1 of rules, {'jb': 'complete'}, can't be: *jb*"),
        ("rules=[7]", "rule 1 of rules, 7, can't be: *"),
        ("frozen='noon'", "frozen='noon' can't be: *"),
        ("legal='no'", "legal is True or False, not 'no'"),
        ("time_scale=-1", "time_scale is a number from 0, not -1"),
    ],
)
def test_a_wrong_argument_of_the_marker_is_an_error_of_the_test(
    suite: pytest.Pytester, arguments: str, message: str
) -> None:
    result = run(suite, f"@pytest.mark.magic_hour({arguments})\ndef test_it(magic_hour): pass")
    result.assert_outcomes(errors=1)
    escaped = message.replace("[", "[[]")
    result.stdout.fnmatch_lines([f"*@pytest.mark.magic_hour: {escaped}"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_an_illegal_request_is_an_error_of_its_test_with_a_diff(suite: pytest.Pytester) -> None:
    result = run(suite, "def test_it(smile): smile(7)")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_it*",
            "A request breaks the contract: style.mouth_smile must be a multiple of 5",
            "POST /v1/ai-face-editor, answered 400",
            "  style.mouth_smile must be a multiple of 5",
            '  -     "mouth_smile": 7',
            '  [+]     "mouth_smile": 5  (a multiple of 5, from -100 to 100)',
            "*legal=False*",
        ]
    )


@pytest.mark.parametrize(
    ("marker", "ini", "arguments", "errors"),
    [
        ("", "true", (), 1),
        ("", "false", (), 0),
        ("", "true", ("--magic-hour-legal=off",), 0),
        ("", "false", ("--magic-hour-legal=on",), 1),
        ("@pytest.mark.magic_hour(legal=False)", "true", ("--magic-hour-legal=on",), 0),
        ("@pytest.mark.magic_hour(legal=True)", "false", ("--magic-hour-legal=off",), 1),
    ],
)
def test_the_marker_then_the_command_line_then_the_ini_file_says_whether_requests_are_judged(
    suite: pytest.Pytester, marker: str, ini: str, arguments: tuple[str, ...], errors: int
) -> None:
    suite.makeini(f"[pytest]\nmagic_hour_legal = {ini}")
    result = run(suite, f"{marker}\ndef test_it(smile): smile(7)", *arguments)
    result.assert_outcomes(passed=1, errors=errors)


def test_a_failed_test_shows_what_it_sent(suite: pytest.Pytester) -> None:
    code = """
    @pytest.mark.magic_hour(credits=1)
    def test_it(smile):
        smile()
        smile()
        assert False

    def test_another(smile):
        smile()
    """
    result = run(suite, code)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*magic hour journal*",
            "POST /v1/ai-face-editor  200  -1 credit",
            "POST /v1/ai-face-editor  402  Insufficient credits: *",
        ]
    )
    assert result.stdout.str().count("magic hour journal") == 1


def test_the_receiver_collects_verified_events(suite: pytest.Pytester) -> None:
    code = """
    @pytest.mark.magic_hour(frozen=True)
    def test_it(magic_hour, magic_hour_receiver, smile):
        project = smile()
        magic_hour.clock.advance(10)
        magic_hour.webhooks.settle()
        completed = magic_hour_receiver.events[-1]
        assert (completed["type"], completed["payload"]["id"]) == ("image.completed", project["id"])
        assert magic_hour_receiver.deliveries[-1].answered == 200
    """
    run(suite, code).assert_outcomes(passed=1)


def test_the_receiver_answers_what_it_is_told(suite: pytest.Pytester) -> None:
    code = """
    @pytest.mark.magic_hour(frozen=True, time_scale=0)
    def test_it(magic_hour, magic_hour_receiver, smile):
        magic_hour_receiver.answer = 503
        smile()
        magic_hour.webhooks.settle()
        assert magic_hour_receiver.events == []
        assert {delivery.state for delivery in magic_hour.webhooks.deliveries()} == {"pending"}
        magic_hour_receiver.answer = 204
        magic_hour.clock.advance(60)
        magic_hour.webhooks.settle()
        assert "image.completed" in {event["type"] for event in magic_hour_receiver.events}
        assert {delivery.state for delivery in magic_hour.webhooks.deliveries()} == {"delivered"}
    """
    run(suite, code).assert_outcomes(passed=1)


def test_the_receiver_refuses_what_another_secret_signed(suite: pytest.Pytester) -> None:
    code = """
    @pytest.mark.magic_hour(frozen=True, time_scale=0)
    def test_it(magic_hour, magic_hour_receiver, smile):
        magic_hour.webhooks.add(magic_hour_receiver.url, secret="another", events=["image.completed"])
        smile()
        magic_hour.webhooks.settle()
        refused = [got for got in magic_hour_receiver.deliveries if got.problem]
        assert [(got.answered, got.event) for got in refused] == [(401, None)]
        assert len(magic_hour_receiver.events) == len(magic_hour_receiver.deliveries) - 1
    """
    run(suite, code).assert_outcomes(passed=1)


def test_the_contract_is_at_hand(suite: pytest.Pytester) -> None:
    code = """
    def test_it(magic_hour_contract):
        assert magic_hour_contract.operation("aiFaceEditor.editImage").node["x-credits"] == 1
    """
    run(suite, code).assert_outcomes(passed=1)


def test_the_vendors_sdk_polls_quickly_and_asks_no_proxy(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAGIC_HOUR_POLL_INTERVAL", raising=False)
    monkeypatch.setenv("NO_PROXY", "example.org")
    code = """
    import os

    def test_it(magic_hour):
        assert os.environ["NO_PROXY"] == "example.org,127.0.0.1"
        assert float(os.environ["MAGIC_HOUR_POLL_INTERVAL"]) < 0.1

    def test_afterwards():
        assert os.environ["NO_PROXY"] == "example.org"
        assert "MAGIC_HOUR_POLL_INTERVAL" not in os.environ
    """
    run(suite, code).assert_outcomes(passed=2)


def test_workers_of_xdist_have_a_mock_each(suite: pytest.Pytester) -> None:
    suite.makepyfile("""
    from pathlib import Path

    def test_it(magic_hour, smile, worker_id):
        Path(__file__).with_name(worker_id).write_text(magic_hour.url)
        smile()
        assert len(magic_hour.journal.entries()) == 1
    """)
    quick = ("-p", "no:schemathesis", "-p", "no:hypothesispytest")
    result = suite.runpytest_subprocess("--dist=each", "--tx=2*popen", *quick)
    result.assert_outcomes(passed=2)
    urls = {(suite.path / worker).read_text() for worker in ("gw0", "gw1")}
    assert len(urls) == 2


def test_a_start_of_pytest_imports_nothing_of_the_server() -> None:
    code = """if True:
        import sys, pytest
        before = set(sys.modules)
        import bluehour.contracts.pytest_plugin
        loaded = sorted(set(sys.modules) - before)
        ours = ("bluehour.contracts", "bluehour.contracts.")
        sys.exit(" ".join(name for name in loaded if name != "bluehour" and not name.startswith(ours)))
    """
    done = subprocess.run([sys.executable, "-c", code], check=False, stderr=subprocess.PIPE, text=True)
    assert done.stderr.strip() == ""


def test_the_marker_is_documented(suite: pytest.Pytester) -> None:
    result = suite.runpytest_inprocess("--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.magic_hour(credits=None, plan=None, rules=[[]*"])


# --- another API's ------------------------------------------------------------------------------------------

SCRIBE = Path(__file__).parents[1] / "openapi" / "specs" / "scribe-3.1.yaml"

OF_ANOTHER_API = """
    import json
    import urllib.request

    import pytest

    def ask(api_mock, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Scribe-Key": api_mock.token, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{api_mock.url}/v2{path}", data, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    @pytest.mark.api_mock(frozen=True)
    def test_a_job_is_done_in_time(api_mock):
        job = ask(api_mock, "POST", "/transcriptions", {"audio_url": "http://a/b", "language": "de"})
        path = f"/transcriptions/{job['transcription_id']}"
        assert ask(api_mock, "GET", path)["state"] == "QUEUED"
        api_mock.clock.advance(60)
        assert ask(api_mock, "GET", path)["state"] == "DONE"

    def test_nothing_of_another_test_is_there(api_mock):
        ask(api_mock, "POST", "/transcriptions", {"audio_url": "http://a/b", "language": "de"})
        assert ask(api_mock, "GET", "/transcriptions")["total"] == 1

    def test_what_is_sent_has_to_be_legal(api_mock):
        with pytest.raises(urllib.error.HTTPError):
            ask(api_mock, "POST", "/transcriptions", {"audio_url": "http://a/b", "language": "german"})
"""


def test_the_mock_of_a_suite_is_of_the_file_that_its_ini_file_names(pytester: pytest.Pytester) -> None:
    pytester.makeini(f"[pytest]\nbluehour_spec = {SCRIBE}\n")
    pytester.makepyfile(OF_ANOTHER_API)
    ran = pytester.runpytest()
    ran.assert_outcomes(passed=3, errors=1)
    ran.stdout.fnmatch_lines(["*A request breaks the contract: Invalid value for language*"])


def test_a_file_that_is_none_is_told_in_a_line(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nbluehour_spec = none.yaml\n")
    pytester.makepyfile("def test_it(api_mock): pass")
    ran = pytester.runpytest()
    ran.stdout.fnmatch_lines(["*bluehour_spec: *none.yaml: No such file or directory*"])
