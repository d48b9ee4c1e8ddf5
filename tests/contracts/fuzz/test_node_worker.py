"""The ready Node worker, spoken to over pipes as `bluehour fuzz` does, with small clients."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from .speaking import TASK, WANTED, WORKERS, Message, Start, Worker, close, spawn, starting

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node on this machine")

WORKER = WORKERS / "node_worker.cjs"
NAP = "const nap = (ms) => new Promise((resolve) => setTimeout(resolve, ms));\n"
HTTP = """
const http = require("node:http");
const get = (url, options = {}) => new Promise((resolve, reject) => {
  http.get(url, options, (response) => {
    let body = "";
    response.on("data", (chunk) => (body += chunk));
    response.on("end", () => resolve(body));
    response.on("error", reject);
  }).on("error", reject);
});
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a worker on a client's source; its function is the source's `edit`."""
    with starting(run, tmp_path, "client.cjs") as start:
        yield start


def run(*arguments: str) -> subprocess.Popen[str]:
    return spawn("node", str(WORKER), *arguments)


SILENCE = 30.0
"""Seconds after which a silent answer is given up by the server, so that no test hangs."""


class Handler(BaseHTTPRequestHandler):
    """Answers `/SECONDS/BYTES`, and `/silent` never."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        if self.path == "/silent":
            time.sleep(SILENCE)
            return
        _, seconds, size = self.path.split("/")
        time.sleep(float(seconds))
        self.send_response(200)
        self.send_header("Content-Length", size)
        self.end_headers()
        self.wfile.write(b"x" * int(size))

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that has left


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def client(body: str) -> str:
    return f"{NAP}{HTTP}exports.edit = async (task) => {{ {body} }};"


# The clock.


def test_an_hour_takes_no_time(start: Start) -> None:
    worker = start(
        client("""
            const clocks = () =>
              [Date.now(), new Date().getTime(), performance.now(), process.hrtime()[0] * 1000];
            const began = clocks();
            await nap(3600e3);
            const now = clocks();
            console.log(JSON.stringify(now.map((each, index) => Math.round((each - began[index]) / 60e3))));
        """)
    )
    reply, sleeps = worker.play()
    assert sleeps == [3600]
    assert json.loads(reply["said"]) == [60, 60, 60, 60]


def test_a_client_gets_all_that_a_task_has(start: Start) -> None:
    worker = start("exports.edit = async (task) => ({ status: JSON.stringify(task) });")
    asked = {**TASK, **WANTED}
    assert json.loads(worker.play(**WANTED)[0]["status"]) == {
        name: value for name, value in asked.items() if name != "task"
    }


def test_each_task_begins_today_and_what_measures_time_goes_on(start: Start) -> None:
    worker = start(
        client("const told = [Date.now(), performance.now()]; await nap(3600e3); console.log(...told);")
    )
    first, second = (worker.play()[0]["said"].split() for _ in range(2))
    assert float(second[0]) - float(first[0]) < 1800e3
    assert float(second[1]) - float(first[1]) >= 3600e3


def test_dates_that_are_given_stay_dates(start: Start) -> None:
    worker = start(
        client("""
            class Mine extends Date {}
            const { mtime } = require("node:fs").statSync(".");
            const made = [new Date(5), new Date(2024, 0), new Mine(5), mtime];
            console.log(made.every((each) => each instanceof Date), new Date(5).constructor === Date,
              new Mine(5) instanceof Mine, new Date(5).getTime(), typeof Date());
        """)
    )
    assert worker.play()[0]["said"] == "true true true 5 string\n"


@pytest.mark.parametrize(
    "source",
    [
        'const { setTimeout } = require("node:timers/promises");'
        "exports.edit = async () => console.log(await setTimeout(2500, 7));",
        'const { setTimeout } = require("node:timers");'
        "exports.edit = () => new Promise((done) => setTimeout(done, 2500)).then(() => console.log(7));",
        'const nap = require("node:util").promisify(setTimeout);'
        "exports.edit = async () => console.log(await nap(2500, 7));",
        'const { scheduler } = require("node:timers/promises");'
        "exports.edit = async () => { await scheduler.wait(2500); console.log(7); };",
    ],
    ids=["promises", "timers", "promisify", "scheduler"],
)
def test_every_way_to_sleep_is_virtual(start: Start, source: str) -> None:
    reply, sleeps = start(source).play()
    assert (reply["outcome"], reply["said"], sleeps) == ("done", "7\n", [2.5])


def test_a_module_may_import_its_timers(start: Start) -> None:
    source = """
        import { setTimeout as nap } from "node:timers/promises";
        import { setTimeout } from "node:timers";
        export async function edit() {
          await nap(2000);
          await new Promise((resolve) => setTimeout(resolve, 500));
          return { status: "complete" };
        }
    """
    reply, sleeps = start(source, "client.mjs").play()
    assert (reply["status"], sleeps) == ("complete", [2, 0.5])


def test_timers_fire_in_their_order(start: Start) -> None:
    worker = start(
        client("""
            const order = [];
            const cleared = setTimeout(() => order.push("cleared"), 100);
            setTimeout(() => order.push("c"), 3000);
            setTimeout((name) => order.push(name), 1000, "a");
            setTimeout(() => {
              order.push("b");
              Promise.resolve().then(() => order.push("b's promise"));
            }, 2000);
            setTimeout(() => order.push("b2"), 2000);
            setTimeout(() => order.push("unref"), 2500).unref();
            clearTimeout(cleared);
            clearTimeout(Number(setTimeout(() => order.push("cleared by its number"), 50)));
            await nap(4000);
            console.log(order.join());
        """)
    )
    reply, sleeps = worker.play()
    assert reply["said"] == "a,b,b's promise,b2,unref,c\n"
    assert sum(sleeps) == pytest.approx(4, abs=0.2)


def test_an_interval_polls_till_it_is_cleared(start: Start) -> None:
    worker = start(
        client("""
            let left = 3;
            await new Promise((resolve) => {
              const poll = setInterval(() => { if (!--left) resolve(clearInterval(poll)); }, 2000);
            });
        """)
    )
    reply, sleeps = worker.play()
    assert reply["outcome"] == "done"
    assert sleeps == pytest.approx([2, 2, 2], abs=0.05)


def test_an_interval_can_be_iterated(start: Start) -> None:
    worker = start(
        'const { setInterval } = require("node:timers/promises");'
        "exports.edit = async () => { let n = 0;"
        "for await (const _ of setInterval(2000)) if (++n === 3) return { credits_charged: n }; };"
    )
    reply, sleeps = worker.play()
    assert (reply["credits"], len(sleeps)) == (3, 3)


def test_a_sleep_can_be_aborted(start: Start) -> None:
    worker = start(
        'const { setTimeout: nap } = require("node:timers/promises");'
        "exports.edit = () => nap(60e3, null, { signal: AbortSignal.timeout(5000) });"
    )
    reply, sleeps = worker.play()
    assert (reply["outcome"], reply["type"], sleeps) == ("refused", "AbortError", [5])


def test_a_deadline_ends_a_client_that_sleeps(start: Start) -> None:
    worker = start(
        client("""
            const signal = AbortSignal.timeout(10e3);
            let naps = 0;
            while (!signal.aborted) naps += (await nap(2000)) ?? 1;
            return { credits_charged: naps };
        """)
    )
    reply, sleeps = worker.play()
    assert reply["credits"] == 5
    assert sum(sleeps) == pytest.approx(10, abs=0.1)


def test_timers_keep_the_callers_context(start: Start) -> None:
    worker = start(
        'const { AsyncLocalStorage } = require("node:async_hooks"); const store = new AsyncLocalStorage();'
        "exports.edit = () => store.run(5, () => new Promise((done) => setTimeout(done, 100)"
        ").then(() => ({ credits_charged: store.getStore() })));"
    )
    assert worker.play()[0]["credits"] == 5


def test_a_timer_that_only_yields_is_not_told(start: Start) -> None:
    _, sleeps = start(client("for (let i = 0; i < 5; i++) await nap(0);")).play()
    assert sleeps == []


def test_a_client_that_waits_for_nothing_sleeps_for_ever(start: Start) -> None:
    reply, sleeps = start(client("await new Promise(() => {});")).play(stop_after=0)
    assert (reply["outcome"], sleeps) == ("stopped", [3600])


def test_a_client_whose_answers_have_all_come_is_found_out_soon(start: Start, server: Server) -> None:
    worker = start(client("await get(task.url); await new Promise(() => {});"))
    reply, sleeps = worker.play(f"{server.url}/0/10", stop_after=0)
    assert (reply["outcome"], sleeps) == ("stopped", [3600])


# Guards around what is in flight.

GUARDED = {
    "http": "const c = new AbortController(); setTimeout(() => c.abort(), 5000);"
    "return { status: await get(task.url, { signal: c.signal }) };",
    "fetch": "const c = new AbortController(); const guard = setTimeout(() => c.abort(), 5000);"
    "const r = await fetch(task.url, { signal: c.signal }); return { status: await r.text() };",
    "fetch, its own": "const r = await fetch(task.url, { signal: AbortSignal.timeout(5000) });"
    "return { status: await r.text() };",
    "race": 'const late = nap(5000).then(() => { throw new Error("late"); });'
    "return { status: await Promise.race([get(task.url), late]) };",
}


@pytest.mark.parametrize("body", GUARDED.values(), ids=GUARDED)
def test_a_guard_does_not_fire_before_a_slow_answer(start: Start, server: Server, body: str) -> None:
    reply, sleeps = start(client(body)).play(f"{server.url}/0.4/2")
    assert (reply["outcome"], reply.get("status"), sleeps) == ("done", "xx", [])


@pytest.mark.parametrize("body", GUARDED.values(), ids=GUARDED)
def test_a_guard_fires_at_its_time(start: Start, server: Server, body: str) -> None:
    worker = start(client(body.replace("5000", "300")))
    began = time.monotonic()
    reply, sleeps = worker.play(f"{server.url}/silent")
    assert 0.3 <= time.monotonic() - began < SILENCE
    assert reply["outcome"] == "refused"
    assert sleeps == []


def test_a_long_guard_is_not_waited_for_when_the_server_is_silent(start: Start, server: Server) -> None:
    worker = start(client(GUARDED["http"].replace("5000", "60e3")))
    reply, sleeps = worker.play(f"{server.url}/silent")
    assert reply["type"] == "AbortError"
    assert 30 < sum(sleeps) < 60, "most of the minute is slept, not waited for"


def test_guards_that_are_left_over_hinder_no_sleep(start: Start, server: Server) -> None:
    worker = start(
        client("""
            const began = performance.now();
            for (let polls = 0; polls < 5; polls++) {
              await (await fetch(task.url, { signal: AbortSignal.timeout(300) })).text();
              await nap(2000);
            }
            return { credits_charged: Math.round((performance.now() - began) / 1000) };
        """)
    )
    reply, sleeps = worker.play(f"{server.url}/0/10")
    assert reply["credits"] >= 10
    assert sum(sleeps) == pytest.approx(10, abs=0.5)


def test_a_deadline_of_all_does_not_fire_while_files_are_written(
    start: Start, server: Server, tmp_path: Path
) -> None:
    worker = start(
        client(f"""
            const {{ writeFile, readFile }} = require("node:fs/promises");
            const c = new AbortController();
            setTimeout(() => c.abort(), 60e3);
            for (let i = 0; i < 20; i++) {{
              await writeFile({json.dumps(str(tmp_path / "x"))}, Buffer.alloc(2e6));
              await readFile({json.dumps(str(tmp_path / "x"))});
              await get(task.url, {{ signal: c.signal }});
              c.signal.throwIfAborted();
            }}
        """)
    )
    reply, sleeps = worker.play(f"{server.url}/0/10")
    assert (reply["outcome"], sleeps) == ("done", [])


@pytest.mark.parametrize("size", [10, 1_000_000])
def test_an_answer_that_nobody_reads_does_not_stop_the_clock(start: Start, server: Server, size: int) -> None:
    worker = start(
        client("""
            await new Promise((resolve) => http.get(task.url, resolve));
            await nap(2000);
        """)
    )
    reply, sleeps = worker.play(f"{server.url}/0/{size}")
    assert reply["outcome"] == "done"
    assert sleeps == pytest.approx([2], abs=0.01)


def test_polls_are_told_with_the_pause_that_was_meant(start: Start, server: Server) -> None:
    worker = start(
        client("for (let polls = 0; polls < 4; polls++) { await get(task.url); await nap(2000); }")
    )
    _, sleeps = worker.play(f"{server.url}/0/10")
    assert sleeps == pytest.approx([2, 2, 2, 2], abs=0.01)


# How a task ends.


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("undefined", {}),
        ("null", {}),
        (
            '{ status: "complete", downloadedPaths: ["/out/a.png"], creditsCharged: 3 }',
            {"status": "complete", "files": ["/out/a.png"], "credits": 3},
        ),
        (
            '{ status: "error", downloaded_paths: null, credits_charged: 0 }',
            {"status": "error", "credits": 0},
        ),
        ('{ files: ["/out/a.png", "/out/b.png"] }', {"files": ["/out/a.png", "/out/b.png"]}),
        ('"/out/a.png"', {"files": ["/out/a.png"]}),
        ('["/out/a.png"]', {"files": ["/out/a.png"]}),
        ('Buffer.from("xyz").subarray(1)', {"digests": [hashlib.sha256(b"yz").hexdigest()]}),
        ("new Uint8Array([120]).buffer", {"digests": [hashlib.sha256(b"x").hexdigest()]}),
    ],
)
def test_what_is_returned_is_told(start: Start, result: str, expected: Message) -> None:
    reply, _ = start(client(f"return {result};")).play()
    nothing: Message = {
        "outcome": "done",
        "status": None,
        "files": [],
        "digests": [],
        "credits": None,
        "said": "",
    }
    assert reply == nothing | expected


def test_the_task_is_as_it_was_told(start: Start) -> None:
    reply, _ = start(client("console.log(JSON.stringify(task));")).play("http://127.0.0.1:1")
    expected = {name: value for name, value in TASK.items() if name != "task"} | {"url": "http://127.0.0.1:1"}
    assert json.loads(reply["said"]) == expected


@pytest.mark.parametrize(
    ("thrown", "outcome", "kind"),
    [
        ('new Error("no")', "refused", "Error"),
        ('Object.assign(new Error("402"), { name: "ApiError" })', "refused", "ApiError"),
        ('Object.assign(new Error("no"), { name: "TypeError" })', "crashed", "TypeError"),
        ('require("node:vm").runInNewContext("new Error(1)")', "refused", "Error"),
        ('require("node:vm").runInNewContext("try { null.x } catch (e) { e }")', "crashed", "TypeError"),
        ('new AggregateError([new Error("no"), new Error("nor this")])', "refused", "AggregateError"),
        ('new AggregateError([new Error("no"), new TypeError("x")])', "crashed", "AggregateError"),
        (
            'Object.assign(new Error("write after end"), { code: "ERR_STREAM_WRITE_AFTER_END" })',
            "crashed",
            "Error",
        ),
        ('require("node:fs").readFileSync("/no/such/file")', "refused", "Error"),
        ("{ status: 402 }", "refused", "Object"),
        ("null.x", "crashed", "TypeError"),
        ('JSON.parse("{")', "crashed", "SyntaxError"),
        ('"no"', "refused", "String"),
        ("undefined", "crashed", "undefined"),
        ('new URL("no")', "crashed", "TypeError"),
        ('http.get("http://127.0.0.1:1", { path: "/\\u0001" })', "crashed", "TypeError"),
        ('require("node:assert")(false)', "crashed", "AssertionError"),
        ('new (class ApiError extends Error {})("402")', "refused", "ApiError"),
        ('Object.assign(new Error("no"), { code: "ECONNRESET" })', "refused", "Error"),
        ('new TypeError("fetch failed", { cause: { code: 1 } })', "crashed", "TypeError"),
        (
            'new TypeError("fetch failed", { cause: new Error("unexpected redirect") })',
            "refused",
            "TypeError",
        ),
        ("await get('http://127.0.0.1:1')", "refused", "Error"),
        ("await fetch('http://127.0.0.1:2')", "refused", "TypeError"),
        ("await fetch('http://127.0.0.1:2', { signal: AbortSignal.abort() })", "refused", "AbortError"),
    ],
)
def test_what_is_thrown_is_a_refusal_or_a_crash(start: Start, thrown: str, outcome: str, kind: str) -> None:
    reply, _ = start(client(f"throw {thrown};")).play()
    assert (reply["outcome"], reply["type"]) == (outcome, kind)
    assert reply["error"].startswith(f"{kind}: ")


def test_a_module_says_what_its_refusals_are(start: Start) -> None:
    source = """
        class ApiError extends Error {}
        class OtherError extends Error {}
        export const REFUSES = [ApiError];
        export const edit = async (task) => { throw new (task.url ? ApiError : OtherError)("402 pay"); };
    """
    worker = start(source, "client.mjs")
    assert worker.play("x")[0]["outcome"] == "refused"
    assert worker.play("")[0] == {
        "outcome": "crashed",
        "error": "OtherError: 402 pay",
        "type": "OtherError",
        "where": f"{worker_folder(worker)}/client.mjs:5 in edit",
        "said": "",
    }


def worker_folder(worker: Worker) -> str:
    assert isinstance(worker.process.args, list)
    return Path(str(worker.process.args[2])).parent.name


@pytest.mark.parametrize(
    "body",
    [
        'Promise.reject(new RangeError("lost")); await nap(5000);',
        'Promise.reject(new RangeError("lost"));',
        'setTimeout(() => { throw new RangeError("lost"); }, 10); await nap(5000);',
        'process.nextTick(() => { throw new RangeError("lost"); }); await new Promise(() => {});',
    ],
)
def test_what_nobody_catches_is_a_crash(start: Start, body: str) -> None:
    worker = start(client(f"if (task.url) return; {body}"))
    reply, _ = worker.play()
    assert (reply["outcome"], reply["error"]) == ("crashed", "RangeError: lost")
    assert "client.cjs:" in reply["where"]
    assert worker.play("again")[0]["outcome"] == "done"


def test_a_client_that_ends_the_process_has_crashed(start: Start) -> None:
    worker = start(client("if (!task.url) process.exit(1);"))
    reply, _ = worker.play()
    assert (reply["outcome"], reply["error"]) == ("crashed", "Error: process.exit(1) was called")
    assert worker.play("again")[0]["outcome"] == "done"


def test_what_is_written_is_said_and_kept_out_of_the_protocol(start: Start) -> None:
    worker = start(
        'console.log("at import");'
        + client("""
            console.log("a", { b: 1 });
            console.error("c");
            process.stdout.write("d\\n", () => process.stderr.write(Buffer.from("e\\n")));
            require("node:fs").writeSync(1, "f\\n");
            await nap(10);
        """)
    )
    assert worker.play()[0]["said"] == "a { b: 1 }\nc\nd\nf\ne\n"
    assert worker.play()[0]["said"] == "a { b: 1 }\nc\nd\nf\ne\n"
    assert worker.end() == (0, "")


def test_only_so_much_is_kept_of_what_is_said(start: Start) -> None:
    reply, _ = start(client('for (let i = 0; i < 1000; i++) console.log("x".repeat(1000));')).play()
    assert len(reply["said"]) == 64 * 2**10


# One task after the other.


def test_a_client_that_has_had_its_time_is_stopped_for_good(start: Start) -> None:
    worker = start(client('for (;;) { await nap(2000); console.log("awake", task.url); }'))
    first, sleeps = worker.play("first", stop_after=2)
    assert (first["outcome"], sleeps) == ("stopped", [2, 2, 2])
    second, _ = worker.play("second", stop_after=1)
    assert second == {"outcome": "stopped", "said": "awake second\n"}


def test_a_client_can_be_stopped_while_it_waits_for_an_answer(start: Start, server: Server) -> None:
    body = (
        'if (task.url) { await get(task.url); console.log("left over"); await nap(9000); }; await nap(500);'
    )
    worker = start(client(body))
    worker.tell({**TASK, "url": f"{server.url}/0.5/2"})
    assert worker.is_quiet(0.2)
    worker.tell({"stop": True})
    assert worker.hear() == {"outcome": "stopped", "said": ""}
    assert worker.is_quiet(0.5)
    reply, sleeps = worker.play()
    assert (reply["outcome"], reply["said"], sleeps) == ("done", "", [0.5])


def test_timers_that_are_left_over_do_not_fire_in_the_next_task(start: Start) -> None:
    worker = start(
        client("""
            const { url } = task;
            setTimeout(() => console.log("left over", url), 1000);
            setInterval(() => console.log("left over", url), 1000);
            if (url) await nap(500);
        """)
    )
    assert worker.play()[0]["said"] == ""
    reply, sleeps = worker.play("second")
    assert (reply["said"], sleeps) == ("", [0.5])


def test_a_late_stop_is_of_no_matter(start: Start) -> None:
    worker = start(client(""))
    worker.play()
    worker.tell({"stop": True})
    assert worker.play()[0]["outcome"] == "done"


def test_the_end_of_the_input_ends_it_whatever_the_client_does(start: Start) -> None:
    worker = start(client("setInterval(() => {}, 1000); await new Promise(() => {});"))
    worker.tell(TASK)
    worker.hear()
    assert worker.end() == (0, "")


# Wrong use.


@pytest.mark.parametrize("line", ["no json", "[]", '{"task": 1}', '{"slept": 1}', "{}"])
def test_a_wrong_line_ends_it_with_a_reason(start: Start, line: str) -> None:
    worker = start(client(""))
    worker.write(f"{line}\n")
    code, why = worker.end()
    assert (code, why.count("\n")) == (2, 1)


def test_it_must_be_told_what_to_run() -> None:
    assert refused() == "say which client to run: node_worker.cjs client.mjs:function\n"
    assert refused("a.cjs", "b.cjs") == "say which client to run: node_worker.cjs client.mjs:function\n"
    assert refused("nowhere.cjs:edit") == "there is no file nowhere.cjs\n"


@pytest.mark.parametrize(
    ("name", "source", "why"),
    [
        ("client.cjs", "exports.other = () => {};", "has no function edit"),
        ("client.mjs", "export default 5;", "has no function edit"),
        (
            "client.cjs",
            'console.log("hm"); null.x;',
            "can't be loaded: TypeError: Cannot read properties of null",
        ),
        ("client.mjs", "import 'nothing-like-it';", "can't be loaded: Error: Cannot find package"),
        ("client.cjs", "exports.edit = (", "can't be loaded: SyntaxError: "),
        ("client.cjs", "process.exit(0);", "can't be loaded: Error: process.exit(0) was called"),
    ],
)
def test_a_file_without_a_client_is_refused(tmp_path: Path, name: str, source: str, why: str) -> None:
    (tmp_path / name).write_text(source)
    assert why in refused(str(tmp_path / name))


def refused(*arguments: str) -> str:
    process = run(*arguments)
    try:
        output, why = process.communicate(timeout=60)
    finally:
        close(process)
    assert (process.returncode, output, why.count("\n")) == (2, "", 1)
    return why
