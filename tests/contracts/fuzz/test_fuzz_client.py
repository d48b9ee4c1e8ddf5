"""`@contracts.fuzz_client`, as suites of other people's clients use it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from textwrap import dedent

import pytest

from bluehour.contracts.fuzz import testing

from . import careful

pytest_plugins = ["pytester"]

# Loaded here once: pytester forgets what an inner run imports, and some of it can't be loaded twice.
for name in (
    "bluehour.contracts.fuzz.engine",
    "bluehour.contracts.fuzz.testing",
    "bluehour.contracts.fuzz.report",
    "bluehour.contracts.fuzz.files",
):
    import_module(name)

EMPTY = {
    "format": "bluehour fuzz script 1",
    "script": {"answers": {"create": [{"fault": "empty"}]}},
}
BROKEN = """
    class Client(careful.Client):
        def create(self, path):
            try:
                return super().create(path)
            except careful.Refused:
                return super().create(path)

        def edit(self):
            return super().edit() | {"credits_charged": None}
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Iterator[pytest.Pytester]:
    """A suite with the careful client in it."""
    pytester.makepyfile(careful=Path(careful.__file__).read_text())
    (pytester.path / "empty.json").write_text(json.dumps(EMPTY))
    yield pytester
    testing.replayed.clear()


def run(suite: pytest.Pytester, code: str, *arguments: str) -> pytest.RunResult:
    head = "import asyncio\nimport time\n\nfrom bluehour import contracts\n\nimport careful\n\n"
    suite.makepyfile(head + dedent(code))
    return suite.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


def test_a_right_client_passes_sync_or_async_and_its_test_looks_as_written(suite: pytest.Pytester) -> None:
    code = """
    @contracts.fuzz_client(examples=6, profile="legal")
    def test_sync(task):
        "A docstring."
        return careful.edit(task)

    @contracts.fuzz_client(examples=3, refuses=[careful.Refused])
    async def test_async(task):
        await asyncio.sleep(5)
        return careful.edit(task)

    def test_what_it_gives():
        assert test_sync.__name__ == "test_sync"
        assert test_sync.__doc__ == "A docstring."
        assert test_sync.__module__ == __name__
        assert test_sync() is None
    """
    result = run(suite, code)
    result.assert_outcomes(passed=3)


def test_a_suite_in_which_warnings_are_errors_passes_too(suite: pytest.Pytester) -> None:
    code = """
    @contracts.fuzz_client(examples=1, profile="legal")
    def test_client(task):
        return careful.edit(task)
    """
    run(suite, code, "-W", "error").assert_outcomes(passed=1)


def test_a_broken_client_fails_with_a_report_that_a_person_reads(suite: pytest.Pytester) -> None:
    code = f"""
    {BROKEN}
    @contracts.fuzz_client(replay=["empty.json"])
    def test_client(task):
        return Client(task).edit()
    """
    result = run(suite, code)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*ClientBroken*",
            "*✗ pay.once  A job is paid for once",
            "*2 creates were charged for 1 job: 2 credits",
            "*shown by*",
            "*create answered with success, the body is empty",
            "*To do: Never send a create again*",
        ]
    )
    result.stdout.no_fnmatch_line("*in _run*")
    result.stdout.no_fnmatch_line("*mhk_live_*")
    result.stdout.no_fnmatch_line("*def fuzzed*")


def test_a_client_may_be_asked_for_anything_that_can_be_created(suite: pytest.Pytester) -> None:
    code = """
    class Client(careful.Client):
        projects = "/v1/video-projects"

        def create(self, path):
            assert (self.task.operation, self.task.path) == ("textToVideo.createVideo", "/v1/text-to-video")
            assert self.task.request["end_seconds"] == 3
            return self.api("POST", self.task.path, self.task.request, again=(429,))["id"]

        def upload(self):
            return ""

        def is_whole(self, video):
            return video[4:8] == b"ftyp"

    @contracts.fuzz_client(
        examples=4, profile="legal", operation="text-to-video", request={"end_seconds": 3}
    )
    def test_client(task):
        return Client(task).edit()
    """
    run(suite, code).assert_outcomes(passed=1)


def test_a_name_that_no_create_has_is_told(suite: pytest.Pytester) -> None:
    code = """
    @contracts.fuzz_client(operation="text-to-smell")
    def test_client(task):
        return careful.edit(task)
    """
    result = run(suite, code)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*there is no create 'text-to-smell'*"])


def test_without_refuses_errors_of_ones_own_are_clean_and_with_it_only_those(suite: pytest.Pytester) -> None:
    code = """
    class Mine(Exception):
        pass

    def edit(task):
        try:
            return careful.edit(task)
        except careful.Refused as error:
            raise Mine(str(error)) from error

    REFUSED = {"replay": ["refused.json"], "examples": 1, "profile": "legal", "only": ["error"]}

    @contracts.fuzz_client(**REFUSED)
    def test_by_itself(task):
        return edit(task)

    @contracts.fuzz_client(refuses=[Mine], **REFUSED)
    def test_mine(task):
        return edit(task)

    @contracts.fuzz_client(refuses=[careful.Refused], **REFUSED)
    def test_another(task):
        return edit(task)

    @contracts.fuzz_client(refuses=[], **REFUSED)
    def test_none(task):
        return edit(task)
    """
    refused = {"format": EMPTY["format"], "script": {"answers": {"create": [{"status": 402}]}}}
    (suite.path / "refused.json").write_text(json.dumps(refused))
    result = run(suite, code)
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["*FAILED *::test_another*", "*FAILED *::test_none*"])


def test_what_is_found_is_saved_beside_the_test_and_can_be_replayed(suite: pytest.Pytester) -> None:
    code = f"""
    {BROKEN}
    @contracts.fuzz_client(replay=["empty.json"], save="found")
    def test_client(task):
        return Client(task).edit()
    """
    run(suite, code).assert_outcomes(failed=1)
    saved = suite.path / "found" / "pay.once-empty.json"
    assert json.loads(saved.read_text())["breaks"] == "pay.once"
    elsewhere = suite.mkdir("elsewhere")
    (elsewhere / "broken.json").write_text(saved.read_text())
    again = f"""
    {BROKEN}
    @contracts.fuzz_client(examples=1, profile="legal", only=["pay"])
    def test_client(task):
        return Client(task).edit()

    @contracts.fuzz_client(examples=1, profile="legal")
    def test_mended(task):
        result = careful.edit(task)
        with open("runs", "a") as runs:
            runs.write("x")
        return result
    """
    result = run(suite, again, "--bluehour-replay", "elsewhere")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*scripts from files*", "*✗ pay.once*", "*FAILED *::test_client*"])
    assert (suite.path / "runs").read_text() == "x", (
        "it ends in the rehearsal alone: its one script is refused"
    )
    testing.replayed.clear()
    run(suite, again).assert_outcomes(passed=2)


def test_scripts_are_replayed_before_new_ones_are_drawn(suite: pytest.Pytester) -> None:
    code = """
    runs = []

    @contracts.fuzz_client(replay=["empty.json"], examples=3, profile="legal")
    def test_client(task):
        runs.append(task)
        return careful.edit(task)

    def test_both():
        test_client()
        assert len(runs) >= 1 + 1 + 3
    """
    run(suite, code).assert_outcomes(passed=2)


def test_options_are_those_of_the_command(suite: pytest.Pytester) -> None:
    code = f"""
    {BROKEN}
    @contracts.fuzz_client(replay=["empty.json"], skip=["pay", "retry"], examples=1, profile="legal")
    def test_skip(task):
        return Client(task).edit()

    @contracts.fuzz_client(replay=["empty.json"], edits=2, only=["pay"], examples=1, profile="legal")
    def test_edits(task):
        return Client(task).edit()

    @contracts.fuzz_client(examples=1, profile="legal", timeout=5.0)
    def test_timeout(task):
        began = time.monotonic()
        try:
            return careful.edit(task)
        finally:
            while time.monotonic() < began + 100:
                time.sleep(1)

    @contracts.fuzz_client(examples=1, profile="legal", patience=0.5)
    def test_patience(task):
        assert task.patience == 5.0
        return careful.edit(task)
    """
    result = run(suite, code)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*✗ end.in-time*"])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ('only=["pay.twice"]', "*there is no rule pay.twice*"),
        ('replay=["none.json"]', "*none.json can't be read*"),
        ('profile="wild"', "*'wild' is not a valid Profile*"),
        ('request={"name": "x"}', "*contracts.fuzz_client: request: say of which operation"),
        ('operation="lip-sync", request={"end_seconds": "x"}', "*does not take this request: Invalid type*"),
        ('spec="none.yaml"', "*contracts.fuzz_client: *none.yaml*No such file*"),
    ],
)
def test_a_wrong_option_is_an_error_of_the_test(suite: pytest.Pytester, options: str, says: str) -> None:
    code = f"""
    @contracts.fuzz_client({options})
    def test_client(task):
        return careful.edit(task)
    """
    result = run(suite, code)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([says])
    result.stdout.no_fnmatch_line("*in _*")


def test_without_its_extra_it_says_in_a_line_what_to_install(suite: pytest.Pytester) -> None:
    code = """
    import sys

    import pytest

    @pytest.fixture(autouse=True)
    def bare(monkeypatch):
        monkeypatch.setitem(sys.modules, "hypothesis", None)

    @contracts.fuzz_client()
    def test_client(task):
        return careful.edit(task)
    """
    result = run(suite, code, "-p", "no:hypothesispytest")
    result.assert_outcomes(failed=1)
    message = "contracts.fuzz_client needs more than the mock does: pip install *contracts]*"
    result.stdout.fnmatch_lines([f"E *{message}"])
    result.stdout.no_fnmatch_line("*No module named*")


def test_files_and_overlays_are_the_tests_own(suite: pytest.Pytester) -> None:
    code = """
    from pathlib import Path

    @contracts.fuzz_client(examples=1, profile="legal", edits=2, photo="mine.jpg", overlays=["own.json"])
    def test_client(task):
        assert Path(task.photo).read_bytes() == b"mine"
        careful.edit(task)
        return careful.edit(task)
    """
    (suite.path / "mine.jpg").write_bytes(b"mine")
    info = {"title": "Own", "version": "1"}
    actions = [{"target": "$.info", "update": info}]
    (suite.path / "own.json").write_text(json.dumps({"overlay": "1.0.0", "info": info, "actions": actions}))
    run(suite, code).assert_outcomes(passed=1)


def test_a_client_that_calls_nobody_is_told_so(suite: pytest.Pytester) -> None:
    code = """
    @contracts.fuzz_client()
    def test_client(task):
        raise RuntimeError("no key")
    """
    result = run(suite, code)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*got no request, and it ended: RuntimeError: no key"])


def test_one_run_of_pytest_does_not_replay_what_another_was_asked_to(suite: pytest.Pytester) -> None:
    code = f"""
    {BROKEN}
    @contracts.fuzz_client(examples=1, profile="legal", only=["pay"])
    def test_client(task):
        return Client(task).edit()
    """
    run(suite, code, "--bluehour-replay", "empty.json").assert_outcomes(failed=1)
    run(suite, code).assert_outcomes(passed=1)


def test_ctrl_c_ends_the_tests_and_lets_none_pass(suite: pytest.Pytester) -> None:
    code = """
    import signal

    @contracts.fuzz_client(examples=20)
    def test_client(task):
        signal.raise_signal(signal.SIGINT)
    """
    with pytest.raises(KeyboardInterrupt):
        run(suite, code)
