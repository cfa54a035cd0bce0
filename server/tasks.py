"""Background work: each task every so often, in a thread, never twice at once.

A failure is logged by class and tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event

from server.metrics import Metrics
from server.observation import log, place_of


class Wake:
    """Makes a task run now instead of when its time comes; called from any thread, also before the tasks run."""

    def __init__(self) -> None:
        self._called = Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._awake: asyncio.Event | None = None

    def __call__(self) -> None:
        self._called.set()
        loop, awake = self._loop, self._awake
        if loop is not None and awake is not None:
            with suppress(RuntimeError):  # the server has stopped: nothing runs any more
                loop.call_soon_threadsafe(awake.set)

    async def within(self, seconds: float) -> None:
        """Return when called, at the latest after `seconds`. Calls that came meanwhile count as one."""
        self._loop, self._awake = asyncio.get_running_loop(), asyncio.Event()
        if not self._called.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._awake.wait()
        self._called.clear()


@dataclass(frozen=True, slots=True)
class Task:
    """`run` every `seconds`, first after as long; and whenever `wake` is called."""

    name: str
    seconds: float
    run: Callable[[], object]
    wake: Wake = field(default_factory=Wake)


async def run_forever(tasks: Sequence[Task], metrics: Metrics) -> None:
    """Run the tasks until cancelled."""
    async with asyncio.TaskGroup() as group:
        for task in tasks:
            group.create_task(_repeat(task, metrics), name=task.name)


async def _repeat(task: Task, metrics: Metrics) -> None:
    while True:
        await task.wake.within(task.seconds)
        try:
            await asyncio.to_thread(task.run)
        except Exception as err:  # whatever it was, the next round may succeed
            metrics.task(task.name, "failed")
            log.warning("task failed", task=task.name, error=type(err).__name__, place=place_of(err))
        else:
            metrics.task(task.name, "ok")
