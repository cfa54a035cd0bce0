"""Background work: each task every so often, in a thread, never twice at once.

A failure is logged by class and tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from server.metrics import Metrics
from server.observation import log, place_of


@dataclass(frozen=True, slots=True)
class Task:
    """`run` every `seconds`, first after as long."""

    name: str
    seconds: float
    run: Callable[[], object]


async def run_forever(tasks: Sequence[Task], metrics: Metrics) -> None:
    """Run the tasks until cancelled."""
    async with asyncio.TaskGroup() as group:
        for task in tasks:
            group.create_task(_repeat(task, metrics), name=task.name)


async def _repeat(task: Task, metrics: Metrics) -> None:
    while True:
        await asyncio.sleep(task.seconds)
        try:
            await asyncio.to_thread(task.run)
        except Exception as err:  # whatever it was, the next round may succeed
            metrics.task(task.name, "failed")
            log.warning("task failed", task=task.name, error=type(err).__name__, place=place_of(err))
        else:
            metrics.task(task.name, "ok")
