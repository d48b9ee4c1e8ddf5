"""A server in a thread of this process: for tests, up in hundredths of a second."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from threading import Thread

import uvloop

from ..api.application import Application
from .connection import Limits
from .listening import served

_PATIENCE = 10.0
"""Seconds in which it starts, and in which it ends."""


@contextmanager
def served_in_thread(
    application: Application, listener: socket.socket, limits: Limits | None = None
) -> Iterator[None]:
    """Serve an application as long as the context lasts, as `served` does."""
    up: Future[Callable[[], object]] = Future()

    async def serve() -> None:
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        async with served(application, listener, limits):
            up.set_result(partial(loop.call_soon_threadsafe, stopped.set))
            await stopped.wait()

    def run() -> None:
        try:
            uvloop.run(serve())
        except Exception as error:
            if up.done():
                raise
            up.set_exception(error)  # for the thread that waits

    thread = Thread(target=run, name="bluehour-server", daemon=True)
    thread.start()
    stop = up.result(_PATIENCE)
    try:
        yield
    finally:
        stop()
        thread.join(_PATIENCE)
