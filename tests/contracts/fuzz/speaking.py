"""Speaks the protocol to a ready worker over pipes, as `bluehour fuzz` does."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

WORKERS = Path(__file__).parents[3] / "contracts/bluehour/contracts/fuzz" / "workers"
Message = dict[str, Any]
TASK: Message = {
    "task": 1,
    "url": "",
    "token": "mhk_secret",
    "photo": "/p.jpg",
    "out": "/out",
    "patience": 0.3,
}

WANTED: Message = {
    "operation": "textToVideo.createVideo",
    "path": "/v1/text-to-video",
    "request": {"end_seconds": 5, "references": [{"file_path": "/p.jpg"}]},
    "video": "/v.mp4",
    "audio": "/a.mp3",
}
"""What a task has besides where something is asked for."""


class Worker:
    """A worker that runs; its lines can be waited for."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def tell(self, message: Message) -> None:
        self.write(json.dumps(message) + "\n")

    def write(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def hear(self, seconds: float = 20) -> Message:
        line = self._lines.get(timeout=seconds)
        assert line, "the worker has ended"
        message = json.loads(line)
        assert isinstance(message, dict)
        return message

    def is_quiet(self, seconds: float) -> bool:
        """Whether nothing is told for so long."""
        time.sleep(seconds)
        return self._lines.empty()

    def play(self, url: str = "", stop_after: int | None = None, **known: Any) -> tuple[Message, list[float]]:
        """Give it a task, let it sleep (so many times), and return its reply and its sleeps."""
        self.tell({**TASK, "url": url, **known})
        sleeps: list[float] = []
        while "outcome" not in (message := self.hear()):
            assert message.keys() == {"sleep"}
            sleeps.append(message["sleep"])
            is_over = stop_after is not None and len(sleeps) > stop_after
            self.tell({"stop": True} if is_over else {"slept": message["sleep"]})
        return message, sleeps

    def end(self) -> tuple[int, str]:
        """Close its input, and return its exit code and what it wrote on its error output."""
        assert self.process.stdin is not None
        assert self.process.stderr is not None
        self.process.stdin.close()
        return self.process.wait(timeout=60), self.process.stderr.read()


Start = Callable[..., Worker]


@contextmanager
def starting(run: Callable[..., subprocess.Popen[str]], folder: Path, usual_name: str) -> Iterator[Start]:
    """Give what starts a worker on a client's source, which is written into a folder."""
    with ExitStack() as stack:

        def start(source: str, name: str = usual_name, function: str = "") -> Worker:
            (folder / name).write_text(dedent(source))
            process = run(str(folder / name) + function)
            stack.callback(close, process)
            worker = Worker(process)
            assert worker.hear() == {"ready": 1, "clock": "virtual"}
            return worker

        yield start


def spawn(*command: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(list(command), stdin=pipe, stdout=pipe, stderr=pipe, text=True, bufsize=1)


def close(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        assert stream is not None
        stream.close()
