"""What outlives a gateway's process: its facts and its recordings, in one folder of its own."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterable
from pathlib import Path

from media_gateway.facts.journal import FactJournal
from media_gateway.facts.open_calls import OpenCall
from media_gateway.facts.publisher import FactPublisher
from media_gateway.recording.recorder import Recorder
from media_gateway.recording.spool import Room
from services.chassis.metrics import Reading
from services.chassis.rpc import AlreadyRunning
from services.chassis.tasks import Tasks
from services.chassis.world import World

CATCH_UP_S = 3.0
"""For the last facts to reach the bus when the gateway ends; what does not, the next one brings."""


class Keeping:
    """The folder's owner: a second process on the same folder is refused."""

    def __init__(self, world: World, *, folder: Path, room: Room) -> None:
        self._folder = folder
        self._lock: int | None = None
        self._tasks = Tasks()
        self.incarnation = world.new_id()
        """This process, among those that had the folder before it."""
        self.journal = FactJournal(
            folder / "facts", incarnation=self.incarnation, new_id=world.new_id
        )
        """Takes every fact."""
        self.recorder = Recorder(
            folder=folder,
            room=room,
            dial=world.dial,
            clock=world.clock,
            incarnation=self.incarnation,
        )
        """Takes what is said in calls that may be recorded."""
        self._publisher = FactPublisher(self.journal, world.bus)
        self._clock = world.clock

    async def start(self) -> list[OpenCall]:
        """Takes over what the process before left; the calls that were lost with it."""
        self._lock = _lock(self._folder)
        lost = await self.journal.start()
        await self.recorder.start(died_at_ms=self.journal.died_at_ms)
        self._tasks.start(self.journal.run(), "facts journal")
        self._tasks.start(self._publisher.run(), "facts publisher")
        self._tasks.start(self.recorder.run(), "recorder")
        return lost

    async def close(self) -> None:
        """Keeps what is left; what nobody takes in time is the next process's."""
        if self._lock is None:
            return
        await self.journal.write_rest()
        await self._publisher.catch_up(CATCH_UP_S)
        await self._tasks.close()
        await self.journal.close()
        await self.recorder.close()
        os.close(self._lock)
        self._lock = None

    def readings(self) -> Iterable[Reading]:
        """How they fare."""
        yield Reading(
            "carillon_gateway_facts_published_total",
            "Facts brought to the bus.",
            self._publisher.published,
            kind="counter",
        )
        yield Reading(
            "carillon_gateway_facts_dropped_total",
            "Facts lost because the disk took none for too long.",
            self.journal.dropped,
            kind="counter",
        )
        yield Reading(
            "carillon_gateway_bus_away",
            "Whether facts wait for the bus.",
            float(self._publisher.waiting),
        )
        yield Reading(
            "carillon_gateway_facts_unwritten",
            "Facts that are not on the disk yet.",
            self.journal.waiting,
        )
        yield Reading(
            "carillon_gateway_facts_unpublished",
            "Facts of this process that are on the disk and not on the bus yet.",
            self._publisher.unpublished,
        )
        yield Reading(
            "carillon_gateway_facts_age_seconds",
            "How long the oldest fact has waited that is being brought to the bus.",
            self._publisher.age_s(self._clock.now_ms()),
        )
        yield Reading(
            "carillon_gateway_facts_bytes_total",
            "What this process has written to the journal of facts.",
            self.journal.written_bytes,
            kind="counter",
        )
        yield from self.recorder.readings()


def _lock(folder: Path) -> int:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with contextlib.suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return handle
    os.close(handle)
    raise AlreadyRunning(f"another gateway keeps its facts and recordings in {folder}")
