"""`bluehour fuzz` as a person uses it: run on clients of every kind, and told wrong things."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner

from bluehour.contracts.fuzz.cli import fuzz
from bluehour.contracts.fuzz.rules import RULES

from . import careful

ROOT = Path(__file__).parents[3]
TOKEN = re.compile(r"mhk_live_[0-9a-f]{8}")

BROKEN = """
    import careful


    class Client(careful.Client):
        def create(self, path):
            try:
                return super().create(path)
            except careful.Refused:
                return super().create(path)


    REFUSES = [careful.Refused]


    def edit(task):
        return Client(task).edit() | {"credits_charged": None}


    def leaky(task):
        print("my key is", task.token)
        return careful.edit(task)
"""
COMMAND = """
    import os
    import sys
    import time

    import careful

    url, token, photo, out = sys.argv[1:5]
    for name, value in zip(("URL", "TOKEN", "PHOTO", "OUT"), (url, token, photo, out)):
        assert os.environ[f"BLUEHOUR_{name}"] == value


    class Client(careful.Client):
        def pause(self, seconds):
            pass


    try:
        Client(careful.Task(url, token, photo, out, float(os.environ["BLUEHOUR_PATIENCE"]))).edit()
    except careful.Refused as error:
        REFUSES
"""
EMPTY = {
    "format": "bluehour fuzz script 1",
    "breaks": "pay.once",
    "script": {"answers": {"create": [{"fault": "empty"}]}},
}
REFUSED = {"format": "bluehour fuzz script 1", "script": {"answers": {"create": [{"status": 402}]}}}


@dataclass(frozen=True)
class Ran:
    """What a run of the command has left."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The one line that it says, where it can't run."""
        assert (self.code, self.out) == (2, ""), self
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("Error: ")
        return self.err


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with clients in it, in which the command runs."""
    (tmp_path / "careful.py").write_text(Path(careful.__file__).read_text())
    (tmp_path / "broken.py").write_text(dedent(BROKEN))
    (tmp_path / "empty.json").write_text(json.dumps(EMPTY))
    (tmp_path / "refused.json").write_text(json.dumps(REFUSED))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*arguments: str) -> Ran:
    """Run it in this process."""
    done = CliRunner().invoke(fuzz, arguments, prog_name="bluehour fuzz")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert not TOKEN.search(done.stdout + done.stderr)
    return Ran(done.exit_code, done.stdout, done.stderr)


def run(*arguments: str) -> Ran:
    """Run it as its own process."""
    command = [sys.executable, "-m", "bluehour", "fuzz", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    assert not TOKEN.search(done.stdout + done.stderr)
    return Ran(done.returncode, done.stdout, done.stderr)


# A client that is right, and one that is not.


def test_a_right_client_is_exit_code_0(folder: Path) -> None:
    ran = run("--examples", "20", "--profile", "legal", "--", "careful.py")
    assert (ran.code, ran.err) == (0, ""), ran
    assert ran.out.startswith("careful.py\nBluehour ")
    assert "legal profile, seed 0, " in ran.out
    assert "Met\n" in ran.out


def test_what_a_broken_client_is_told_can_be_saved_reported_and_replayed(folder: Path) -> None:
    ran = run(
        *("--examples", "200", "--only", "pay.once", "-x", "--profile", "realistic", "--seed", "36"),
        *("--save", "found", "--report", "report.html", "--json", "facts.json", "--", "broken.py:edit"),
    )
    assert ran.code == 1, ran
    assert "✗ pay.once  A job is paid for once" in ran.out
    saved = sorted(Path("found").iterdir())
    assert saved
    assert f"--replay {saved[0]}" in ran.out
    report = Path("report.html").read_text()
    facts = json.loads(Path("facts.json").read_text())
    assert "pay.once" in report
    assert [each["rule"] for each in facts["findings"]] == ["pay.once"]
    assert not TOKEN.search(report + Path("facts.json").read_text() + saved[0].read_text())
    again = invoke("--replay", "found", "--", "broken.py:edit")
    assert (again.code, "scripts from files" in again.out) == (1, True)
    assert "✗ pay.once" in again.out
    mended = invoke("--replay", str(saved[0]), "--", "careful.py:edit")
    assert mended.code == 0, mended


def test_a_token_that_a_client_prints_is_told_and_not_shown(folder: Path) -> None:
    ran = invoke("--replay", "refused.json", "--replay", "empty.json", "--", "broken.py:leaky")
    assert ran.code == 1
    assert "✗ token.output" in ran.out


def test_rules_are_judged_as_only_and_skip_say(folder: Path) -> None:
    assert invoke("--replay", "empty.json", "--only", "token", "--", "broken.py").code == 0
    assert invoke("--replay", "empty.json", "--skip", "pay.*", "--", "broken.py").code == 0
    assert invoke("--replay", "empty.json", "--only", "pay", "--", "broken.py").code == 1
    assert invoke("--replay", "empty.json", "--edits", "2", "--", "broken.py").code == 0


def test_what_has_failed_is_kept_in_a_folder_of_its_own(folder: Path) -> None:
    arguments = ("--examples", "1", "--database", "kept", "--", "broken.py:leaky")
    assert invoke(*arguments).code == 1
    assert any(Path("kept").rglob("*")), "nothing was kept"
    assert not Path(".hypothesis").exists()


def test_progress_is_told_on_the_error_output_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bluehour.contracts.display._SECONDS_BETWEEN_LINES", 0.0)
    ran = invoke("--examples", "5", "--profile", "legal", "--", "careful.py")
    assert ran.code == 0
    assert re.search(r"^\d+ scripts?  0 findings  \S", ran.err, re.MULTILINE)
    assert "  0 findings  " not in ran.out


# Commands.


def command(folder: Path, refuses: str) -> list[str]:
    """A command that refuses so."""
    (folder / "tool.py").write_text(dedent(COMMAND).replace("REFUSES", refuses))
    return ["--", sys.executable, "tool.py", "{url}", "{token}", "{photo}", "{out}"]


TRACE = 'raise KeyError("id") from error'


@pytest.mark.parametrize(
    ("refuses", "options", "broken"),
    [
        ("sys.exit('no: ' + str(error))", (), None),
        ("sys.exit(7)", (), None),
        ("sys.exit(7)", ("--clean-exit", "1,7"), None),
        ("sys.exit(7)", ("--clean-exit", "1,2"), "error.legal"),
        (TRACE, (), "error.legal"),
        (TRACE, ("--clean-exit", "1"), None),
        (TRACE, ("--crash", "my tool fell over"), None),
        ("sys.exit('my tool fell over')", (), None),
        ("sys.exit('my tool fell over')", ("--crash", "fell over$"), "error.legal"),
        ("os.abort()", ("--clean-exit", "1"), "error.legal"),
        ("sys.exit(0)", (), "result.true"),
        ("print(token, file=sys.stderr)", ("--only", "token"), "token.output"),
    ],
)
def test_a_commands_exit_code_and_output_tell_a_refusal_from_a_crash(
    folder: Path, refuses: str, options: Sequence[str], broken: str | None
) -> None:
    ran = invoke("--replay", "refused.json", *options, *command(folder, refuses))
    assert ran.code == (1 if broken else 0), ran
    assert broken is None or f"✗ {broken}" in ran.out
    assert broken or "✗" not in ran.out


def test_a_command_is_run_for_each_script(folder: Path) -> None:
    ran = invoke(
        *("--examples", "2", "--profile", "legal", "--timeout", "10"), *command(folder, "sys.exit('no')")
    )
    assert ran.code in (0, 1)
    assert ran.out.startswith(f"{sys.executable} tool.py")
    assert "poll.pace was not judged: the client's clock is real" in ran.out


def test_a_command_that_never_ends_is_late(folder: Path) -> None:
    ran = invoke("--replay", "refused.json", "--timeout", "1", *command(folder, "time.sleep(60)"))
    assert ran.code == 1
    assert "✗ end.in-time" in ran.out


# What is asked for.

MAKER = """
    import json
    import os
    import sys
    import urllib.request

    import careful


    class Client(careful.Client):
        projects = "/v1/audio-projects"

        def edit(self):
            made = self.api("POST", self.task.path, self.task.request, again=(429,))
            return {"files": self.download(self.wait_for(made["id"]))}

        def is_whole(self, sound):
            return len(sound) > 0


    REFUSES = [careful.Refused]


    def edit(task):
        return Client(task).edit()


    if __name__ == "__main__":
        names = ("url", "token", "out", "operation", "path")
        told = {name: os.environ[f"BLUEHOUR_{name.upper()}"] for name in names}
        assert sys.argv[1:] == [told["operation"], os.environ["BLUEHOUR_REQUEST"]]
        assert all(os.path.isfile(os.environ[f"BLUEHOUR_{name}"]) for name in ("PHOTO", "VIDEO", "AUDIO"))
        request = json.loads(os.environ["BLUEHOUR_REQUEST"])
        edit(careful.Task(**told, request=request, photo="", patience=2.0))
"""
SPEAK = ("--operation", "ai-voice-generator", "--request", '{"style": {"prompt": "Good evening"}}')


def test_a_client_is_told_what_is_asked_for(folder: Path) -> None:
    (folder / "maker.py").write_text(dedent(MAKER))
    ran = invoke(*SPEAK, "--examples", "2", "--profile", "legal", "--", "maker.py")
    assert ran.code == 0, ran
    assert "POST /v1/ai-voice-generator, legal profile" in ran.out
    (folder / "right.json").write_text(json.dumps({"format": "bluehour fuzz script 1", "script": {}}))
    command = (sys.executable, "maker.py", "{operation}", "{request}")
    ran = invoke(*SPEAK, "--replay", "right.json", "--", *command)
    assert ran.code == 0, ran


def test_what_plays_a_script_again_asks_for_the_same(folder: Path) -> None:
    (folder / "maker.py").write_text(dedent(MAKER).replace("self.wait_for(made", "self.read(made"))
    ran = invoke(*SPEAK, "--only", "error", "-x", "--save", "found", "--", "maker.py")
    assert ran.code == 1, ran
    replay = re.search(r"replay: bluehour (fuzz .*)", ran.out)
    assert replay
    again = invoke(*shlex.split(replay[1])[1:])
    assert (again.code, "✗ error.legal" in again.out) == (1, True)


# A worker of one's own.

WORKER = """
    import json
    import sys

    import careful


    def say(**message):
        print(json.dumps(message), flush=True)


    say(ready=1, clock="real")
    for line in sys.stdin:
        told = json.loads(line)
        task = careful.Task(*(told[name] for name in ("url", "token", "photo", "out", "patience")))
        try:
            careful.edit(task)
        except careful.Refused as error:
            REFUSES
        else:
            say(outcome="done")
"""


@pytest.mark.parametrize(
    ("refuses", "code", "says"),
    [
        ("say(outcome='refused', type='Refused', error=str(error))", 0, ""),
        ("say(outcome='crashed', type='Refused', error=str(error))", 1, "✗ error.legal"),
        ("sys.exit('I have died')", 1, "I have died"),
        ("say(outcome='fine')", 2, "does not speak the protocol: no outcome is 'fine'"),
        ("print('hello', flush=True)", 2, "does not speak the protocol"),
        ("print('[1]', flush=True)", 2, "is no JSON object"),
        ("say(sleep=None)", 2, "does not speak the protocol"),
        ("say(outcome='done', files=5)", 2, "does not speak the protocol"),
    ],
)
def test_a_worker_of_ones_own_is_heard(folder: Path, refuses: str, code: int, says: str) -> None:
    (folder / "worker.py").write_text(dedent(WORKER).replace("REFUSES", refuses))
    ran = invoke("--replay", "refused.json", "--worker", "--", sys.executable, "worker.py")
    assert ran.code == code, ran
    assert says in (ran.line if code == 2 else ran.out)


# Wrong usage.

OTHER_TOKEN = """
    import careful

    def edit(task):
        return careful.edit(careful.Task(**vars(task) | {"token": "of production"}))
"""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "say which client to run, as in bluehour fuzz -- client.py"),
        (("--", "none.py"), "there is no file none.py"),
        (("--", "none.py:edit"), "there is no file none.py"),
        (("--", "careful.py:smile"), "has no function smile"),
        (("--", "nofunction.py"), "has no function edit"),
        (("--", "syntax.py"), "can't be loaded: SyntaxError"),
        (("--", "./no-such-command", "{url}"), "./no-such-command can't be started: No such file"),
        (("--interpreter", "./no-python", "--", "careful.py"), "./no-python can't be started: No such file"),
        (("--worker", "--", "./no-such-worker"), "./no-such-worker can't be started"),
        (("--worker", "--", "false"), "did not say that it is ready"),
        (("--worker", "--", "echo", "{}"), "did not say that it is ready, but {}"),
        (("--worker", "--", "echo", "hello"), "did not say that it is ready"),
        (("--", "true"), "got no request, and it ended: done"),
        (("--", "echo", "{token}"), "it never called the API: the url that it is given"),
        (("--", "silent.py"), "got no request, and it ended: ValueError: no key"),
        (
            ("--", "othertoken.py"),
            "the client can't be run: its token was refused: Authorization is not Bearer",
        ),
        (
            ("--operation", "text-to-smell", "--", "true"),
            "--operation: there is no create 'text-to-smell'; there",
        ),
        (("--operation", "image-projects/{id}", "--", "true"), "there are /v1/ai-photo-editor, /v1/ai-face-"),
        (("--request", "{}", "--", "true"), "--request: say of which --operation"),
        (("--operation", "lip-sync", "--request", "[]", "--", "true"), "--request: [] is no JSON object"),
        (("--operation", "lip-sync", "--request", "{", "--", "true"), "--request: { is no JSON object"),
        (
            ("--operation", "lip-sync", "--request", '{"end_seconds": "x"}', "--", "true"),
            "--operation: /v1/lip-sync does not take this request: Invalid type for end_seconds",
        ),
        (
            ("--operation", "lip-sync", "--", "careful.py"),
            "it called /v1/ai-face-editor, and not /v1/lip-sync, which --operation names",
        ),
        (("--only", "pay.twice", "--", "careful.py"), "there is no rule pay.twice"),
        (("--skip", "nothing", "--", "careful.py"), "there is no rule nothing"),
        (("--only", "pay", "--skip", "pay", "--", "careful.py"), "no rule is left to judge"),
        (("--clean-exit", "1,two", "--", "true"), "--clean-exit: 1,two are no exit codes; they are as 1,2"),
        (("--crash", "(", "--", "true"), "--crash: ( is no regular expression"),
        (("--replay", "bad.json", "--", "careful.py"), "--replay: bad.json: it is no JSON"),
        (("--replay", "nothing", "--", "careful.py"), "--replay: nothing has no file *.json"),
        (("--replay", "empty.json", "--save", "careful.py/x", "--", "broken.py"), "--save: "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_can_not_run_says_why_in_a_line(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    (folder / "nofunction.py").write_text("x = 1\n")
    (folder / "syntax.py").write_text("def edit(task:\n")
    (folder / "silent.py").write_text("def edit(task):\n    raise ValueError('no key')\n")
    (folder / "othertoken.py").write_text(dedent(OTHER_TOKEN))
    (folder / "bad.json").write_text("{")
    (folder / "nothing").mkdir()
    assert says in invoke(*arguments).line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--examples", "0", "--", "true"), "--examples"),
        (("--profile", "wild", "--", "true"), "--profile"),
        (("--timeout", "0", "--", "true"), "--timeout"),
        (("--replay", "none.json", "--", "true"), "--replay"),
        (("--no-such-option", "--", "true"), "--no-such-option"),
        (("--photo", "none.jpg", "--", "true"), "--photo"),
        (("--video", "none.mp4", "--", "true"), "--video"),
    ],
)
def test_a_wrong_option_is_exit_code_2(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    ran = invoke(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err


def test_a_report_that_can_not_be_written_is_told_in_a_line_after_what_was_found(folder: Path) -> None:
    ran = invoke("--replay", "empty.json", "--report", "no/such/folder.html", "--", "broken.py")
    assert ran.code == 2
    assert "✗ pay.once" in ran.out
    assert ran.err == "Error: --report: no/such/folder.html can't be written: No such file or directory\n"


# What it tells of itself.


def test_help_tells_how_a_client_is_named_and_what_exit_codes_mean() -> None:
    ran = invoke("--help")
    assert (ran.code, ran.err) == (0, "")
    assert "client.py[:function]" in ran.out
    assert re.findall(r"^ +(\d)  \w", ran.out, re.MULTILINE) == ["0", "1", "2", "3"]


def test_rules_are_listed_all_or_those_that_are_chosen() -> None:
    ran = invoke("--rules")
    assert ran.code == 0
    assert re.findall(r"^\S+$", ran.out, re.MULTILINE) == [rule.id for rule in RULES]
    assert invoke("--rules", "--only", "token").out.count("says: ") == 2


def test_the_command_is_one_of_bluehours() -> None:
    ran = run("--rules", "--only", "pay.once")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("pay.once\n    A job is paid for once.\n    says: the contract: ")
