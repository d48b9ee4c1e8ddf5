"""Log lines: all of them, in order, however many threads write."""

from __future__ import annotations

import asyncio
import io
import re

from bluehour.mock_server.server.requestlog import LoopWriter, text_line


def test_every_line_of_every_thread_is_written() -> None:
    async def write() -> str:
        stream = io.StringIO()
        log = LoopWriter(stream)

        def say(name: int) -> None:
            for number in range(500):
                log.write(f"{name} {number}\n")

        await asyncio.gather(*(asyncio.to_thread(say, name) for name in range(8)))
        log.write("last\n")
        await asyncio.sleep(0)  # a turn of the loop, not a wait
        await asyncio.sleep(0)
        return stream.getvalue()

    lines = asyncio.run(write()).splitlines()
    assert lines[-1] == "last"
    for name in range(8):
        own = [line for line in lines if line.startswith(f"{name} ")]
        assert own == [f"{name} {number}" for number in range(500)]


def test_a_colour_goes_by_the_status() -> None:
    facts = {"at": 7, "status": 404, "method": "GET", "path": "/ä\n", "ms": 0.1}
    time, rest = text_line(facts).split("  ", 1)
    assert re.fullmatch(r"\d\d:\d\d:07", time)
    assert rest == "404 GET /ä\\n  0.1 ms"
    assert text_line(facts, colour=True).startswith(f"{time}  \x1b[33m404\x1b[0m GET")
