"""Services as processes run them, with everything in memory that can be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from services.chassis.bus import MemoryBus
from services.chassis.lifecycle import Running, Service
from services.chassis.world import World, local_world


@asynccontextmanager
async def started(build: Callable[[World], Service], folder: Path) -> AsyncIterator[Running]:
    """A service that runs without a database."""
    world = replace(local_world(var_dir=folder), bus=MemoryBus(), database=lambda _schema: None)
    running = Running([build(world)], world)
    await running.start()
    try:
        yield running
    finally:
        await running.drain(5)
        await running.stop()
