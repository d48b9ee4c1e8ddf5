"""What is fuzzed: servers as people start them, which still work at the end, and tell of no bug."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bluehour.mock_server.control.contract import control_contract
from bluehour.openapi.contract import Contract, load

from ..contracts.proxy.test_cli import started
from ..mock_server.server.test_serving import Served, serving
from .generating import Generator
from .playing import play
from .verdicts import Verdicts

SPECS = Path(__file__).parents[1] / "openapi/specs"
SECRET = "mhk_test_pro_900000_fuzzing0123456789secret"
TOKENS = (SECRET, SECRET, SECRET, "mhk_test_free_3", "json")

_LONGEST_LINE = 1_200
"""Characters, in the log."""

_WORDS_OF_A_BUG = (" bug", "ERROR ", "Traceback ", "panicked at")

OTHERS = ((b"GET", b"/_mock"), (b"GET", b"/docs"), (b"HEAD", b"/_mock/state"), (b"GET", b"/openapi.json"))

_ROUNDS = 5
"""In which the control API and the API take turns."""

TARGETS = ("api", "control", "proxy", "library-3.1.json", "petstore-3.0.yaml")


def fuzzed(
    port: int, generator: Generator, number: int, seed: int, *, envelope: bool = True, forced: bool = False
) -> Verdicts:
    """Send so many requests and judge the answers."""
    verdicts = Verdicts(generator, envelope=envelope, forced=forced)
    play(port, generator.requests(number), verdicts.hear, may_drop=forced)
    faults = "\n".join(verdicts.faults[:5])
    assert not verdicts.faults, f"seed {seed}: {len(verdicts.faults)} of {number} requests\n{faults}"
    return verdicts


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def read(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            content: bytes = answer.read()
            return content
    except urllib.error.HTTPError as error:
        with error:
            raise AssertionError(f"{url} can't be read: {error.code} {error.read()!r}") from error


def assert_all_can_be_read(url: str) -> None:
    """Nothing of what was sent spoils what is shown, and the journal shows no token."""
    paths = ["state", "journal?limit=10000", "journal.har", "journal?faulty=true", "journal?warned=true"]
    is_mock = json.loads(read(f"{url}/_mock/state"))["mode"] == "mock"
    if is_mock:
        paths += ["rules", "webhooks", "deliveries", "accounts", "projects?limit=10000", "clock"]
    for path in paths:
        shown = read(f"{url}/_mock/{path}")
        json.loads(shown)
        if path.startswith("journal"):
            assert SECRET.encode() not in shown, f"{path} shows a token"
    entries = json.loads(read(f"{url}/_mock/journal"))["entries"]
    for entry in entries if is_mock else ():  # a proxy is still judging, and makes room for the next ones
        assert json.loads(read(f"{url}/_mock/journal/{entry['id']}"))["id"] == entry["id"]
    assert b"<html" in read(f"{url}/_mock")


def assert_log_is_calm(log: str) -> None:
    """No bug was told of, each line is short, and no token is in it."""
    lines = log.splitlines()
    assert not [line for line in lines if any(word in line for word in _WORDS_OF_A_BUG)]
    assert not [line[:300] for line in lines if len(line) > _LONGEST_LINE]
    assert SECRET not in log


@contextmanager
def served(*options: str) -> Iterator[Served]:
    """A server that is still there at the end, shows everything, and stops as it should."""
    with serving("--journal", "50", "--time-scale", "0.01", *options) as served:
        try:
            yield served
            assert served.process.poll() is None, "the server has died"
            assert_all_can_be_read(served.url)
        except AssertionError as error:
            served.process.kill()
            served.log.seek(0)
            error.add_note(f"The server's log ends with\n{served.log.read()[-4000:]}")
            raise
        code, _, log = served.stop()
        assert code == 0
        assert_log_is_calm(log)


def fuzz_api(number: int, seed: int) -> Verdicts:
    generator = Generator(load(), seed, TOKENS, ("", "", "", "/examples"), OTHERS)
    with served() as server:
        return fuzzed(port_of(server.url), generator, number, seed)


def fuzz_control(number: int, seed: int) -> Verdicts:
    """The control API; calls of the API between them give it something to show."""
    control = Generator(control_contract(), seed, TOKENS)
    api = Generator(load(), seed + 1, TOKENS)
    with served() as server:
        port = port_of(server.url)
        total = Verdicts(control, envelope=True)
        for _ in range(_ROUNDS):
            fuzzed(port, api, number // _ROUNDS // 4, seed, forced=True)
            total.statuses += fuzzed(port, control, number // _ROUNDS, seed, forced=True).statuses
        return total


def fuzz_spec(number: int, seed: int, spec: str) -> Verdicts:
    path = SPECS / spec
    contract: Contract = load(path)
    generator = Generator(contract, seed, TOKENS, ("", *contract.base_paths), OTHERS)
    with served("--spec", str(path)) as server:
        return fuzzed(port_of(server.url), generator, number, seed, envelope=False)


def fuzz_proxy(number: int, seed: int) -> Verdicts:
    generator = Generator(load(), seed, TOKENS, extra=OTHERS)
    with ExitStack() as stack:
        server = stack.enter_context(served())
        proxy = stack.enter_context(started(server.url, "--journal", "50"))
        console = proxy.console.removesuffix("/_mock")
        verdicts = fuzzed(proxy.port, generator, number, seed)
        fuzzed(port_of(console), Generator(control_contract(), seed, TOKENS), number // 4, seed)
        assert_all_can_be_read(console)
        code, _, log = proxy.stop()
        assert code == 1  # for the faults of requests
        assert_log_is_calm(log)
    return verdicts


def fuzz(what: str, number: int, seed: int) -> Verdicts:
    """Fuzz one of the targets."""
    target: Any = {"api": fuzz_api, "control": fuzz_control, "proxy": fuzz_proxy}.get(what)
    return fuzz_spec(number, seed, what) if target is None else target(number, seed)
