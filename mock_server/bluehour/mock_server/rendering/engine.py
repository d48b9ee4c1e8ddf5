"""Renders what servers have left to workers: Procrastinate's worker takes jobs, the render queue does them.

A job goes to the queue, which batches those that wait here, and is over when the queue is done with it. What
becomes of its project is stored by the queue, as in a server; a job that is done twice, because its worker
was taken for dead, finds its project ended.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import DeleteJobCondition, Job

from ..core.projects import Project, ProjectEnded
from ..core.stores.postgresql.addresses import address_of
from ..core.stores.postgresql.jobs import ARGUMENT, QUEUE, TASK
from ..core.world import World
from .queue import RenderQueue

log = logging.getLogger("bluehour")

LOST_AFTER = 30.0
"""Seconds without a word from a worker after which its jobs are others', where nobody says otherwise."""

MOST_ATTEMPTS = 10
"""Workers that may die of a job, or be stopped in it, before it ends in an error."""

_PATIENCE = 10.0
"""Seconds that jobs under way have to end in when the worker is stopped; then they are others'."""

_LOOKS_EVERY = 1.0
"""Seconds between two looks for jobs: PostgreSQL tells of new ones, but not of those that are put back."""

_PAUSE = 1.0
"""Seconds until a database that was away is tried again."""

_LATER = 10
"""Seconds until a job is tried again that can't be begun here."""

_BEATS = 3
"""Words of a worker in the time after which it is taken for dead."""

_MOST_CONNECTIONS = 4

_FAILED = "unknown_error"


def app_of(store: str) -> App:
    """Return the application that a store's jobs belong to, as Procrastinate has it.

    Raises:
        StoreError: that is no URL of a PostgreSQL database.
    """
    parameters = address_of(store).parameters
    return App(connector=PsycopgConnector(kwargs=parameters, min_size=1, max_size=_MOST_CONNECTIONS))


class Engine:
    """Takes jobs of a world's store and has them rendered, in an event loop.

    Args:
        world: whose store it is; in PostgreSQL.
        queue: what renders.
        at_once: how many jobs are taken at a time, waiting ones included.
        lost_after: seconds, see `LOST_AFTER`.
    """

    def __init__(
        self, world: World, queue: RenderQueue, at_once: int, lost_after: float = LOST_AFTER
    ) -> None:
        self._world = world
        self._queue = queue
        self._at_once = at_once
        self._lost_after = lost_after
        self._app = app_of(world.settings.store)
        self._app.task(name=TASK, queue=QUEUE, pass_context=True, retry=_Again())(self._render)

    async def run(self) -> None:
        """Work until cancelled; what is under way then has a moment to end in.

        Raises:
            ConnectorException: the database can't be reached at first.
        """
        asyncio.get_running_loop().set_exception_handler(_tell)
        async with self._app.open_async():
            sweeping = asyncio.create_task(self._sweep())
            try:
                while True:
                    await _unless_away(self._work)
                    await asyncio.sleep(_PAUSE)
            finally:
                sweeping.cancel()

    async def _work(self) -> None:
        await self._app.run_worker_async(
            queues=[QUEUE],
            concurrency=self._at_once,
            fetch_job_polling_interval=_LOOKS_EVERY,
            shutdown_graceful_timeout=_PATIENCE,
            delete_jobs=DeleteJobCondition.ALWAYS,
            install_signal_handlers=False,
            update_heartbeat_interval=self._lost_after / _BEATS,
            stalled_worker_timeout=self._lost_after,
        )

    async def _sweep(self) -> None:
        """Put back the jobs of workers that nobody has heard of for too long, until cancelled."""
        while True:
            await _unless_away(self._put_back)
            await asyncio.sleep(self._lost_after / _BEATS)

    async def _put_back(self) -> None:
        manager = self._app.job_manager
        for job in await manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=self._lost_after):
            with suppress(ConnectorException):  # another worker was quicker
                await manager.retry_job(job)
        await manager.prune_stalled_workers(self._lost_after)  # so that nobody takes them for alive

    async def _render(self, context: JobContext, /, **given: str) -> None:
        """The task: have a project rendered, and wait for the end of it."""
        project_id = given[ARGUMENT]
        if context.job.attempts >= MOST_ATTEMPTS:
            log.error("%s was begun %d times, and ends in an error", project_id, context.job.attempts)
            await asyncio.to_thread(self._give_up, project_id)
            return
        project = await asyncio.to_thread(self._wanted, project_id)
        if project is None:
            return
        loop, is_over = asyncio.get_running_loop(), asyncio.Event()
        self._queue.add(project, lambda: loop.call_soon_threadsafe(is_over.set))
        try:
            await is_over.wait()
        except asyncio.CancelledError:  # the worker is stopped, and it has taken too long
            self._queue.drop(project_id)
            raise

    def _wanted(self, project_id: str) -> Project | None:
        """Return a project that is to be rendered; None where it is gone, or has ended."""
        self._world.board.ensure_fresh()
        project = self._world.store.project(project_id)
        return project if project is not None and project.is_pending else None

    def _give_up(self, project_id: str) -> None:
        self._world.board.ensure_fresh()
        with self._world.gate, suppress(KeyError, ProjectEnded):
            self._world.end_project(project_id, _FAILED)


class _Again(BaseRetryStrategy):
    """A job that was not done is done again: by others at once, if this worker is stopped."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        if isinstance(exception, asyncio.CancelledError):
            return RetryDecision()
        reason = f"{exception}".partition("\n")[0]
        log.warning("job %s can't be begun, and is tried again: %s", job.id, reason)
        return RetryDecision(retry_in={"seconds": _LATER})


async def _unless_away(work: Callable[[], Any]) -> None:
    """Do something with the database; where that is away, say so in a line."""
    try:
        await work()
    except (ConnectorException, OSError) as error:
        reason = error.__cause__ or error
        log.warning("the store's jobs can't be reached: %s", f"{reason}".partition("\n")[0])


def _tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Be short on the end of a job that can't be told, as it is another worker's by now, or is forgotten."""
    error = context.get("exception")
    if isinstance(error, ConnectorException):
        log.info("the end of a job can't be told: %s", error.__cause__ or error)
    else:
        loop.default_exception_handler(context)
