"""What happens in calls, written down before anybody is told, and published when that is possible.

The gateway has no database: its facts go to files beside the recordings' spool, made durable a
few times a second off the event loop, and are published from there. A bus that is away costs
nothing but time. After a crash the next incarnation publishes what is left and ends the calls
that were found open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from media_gateway.facts.files import JournalReader, JournalWriter, Kept, Position
from media_gateway.facts.open_calls import OpenCall, lost
from protos.gateway.v1.events_pb2 import CallFact
from services.chassis.log import get_logger

log = get_logger("facts")

GATHER_S = 0.05
"""How long facts are gathered before they are written together."""
HEARTBEAT_S = 1.0
"""How often the file that tells the hour of death is touched."""
RETRY_S = 1.0
MAX_WAITING = 100_000
"""Facts in memory while the disk takes none."""
MAX_AT_ONCE = 5_000


class FactJournal:
    """Takes every fact of a gateway."""

    def __init__(self, folder: Path, *, incarnation: str, new_id: Callable[[], str]) -> None:
        """`folder` is this gateway's alone."""
        self._folder = folder
        self._incarnation = incarnation
        self._new_id = new_id
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="facts")
        self._waiting: list[CallFact] = []
        self._news = asyncio.Event()
        self._writer: JournalWriter | None = None
        self._writing: asyncio.Task[bool] | None = None
        self.end = Position()
        """Up to here everything is durable."""
        self.reader = JournalReader(folder)
        """For the publisher."""
        self.grown = asyncio.Event()
        """Set when there is more to publish."""
        self.died_at_ms = 0
        """When the process before was last alive; UTC milliseconds, 0: there was none."""
        self.written = 0
        """Facts that this process has made durable."""
        self.written_bytes = 0
        """What they take."""
        self.dropped = 0
        """Facts that were lost because the disk took none for too long."""

    @property
    def waiting(self) -> int:
        """Facts that are not durable yet."""
        return len(self._waiting)

    def is_own(self, kept: Kept) -> bool:
        """Whether this process wrote it, and none before it."""
        return kept.begin.file.startswith(f"{self._incarnation}.")

    async def start(self) -> list[OpenCall]:
        """Ends what a lost incarnation left open; those calls."""
        return await asyncio.get_running_loop().run_in_executor(self._disk, self._take_over)

    def publish(self, fact: CallFact) -> None:
        """Takes a fact; it is durable within 200 ms, unless the disk is full."""
        if len(self._waiting) >= MAX_WAITING:
            if not self.dropped:
                log.error("facts are lost: the disk takes none", waiting=MAX_WAITING)
            self.dropped += 1
            return
        self._waiting.append(fact)
        self._news.set()

    async def run(self) -> None:
        """Writes for ever."""
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    await self._news.wait()
                await asyncio.sleep(GATHER_S)
            except TimeoutError:
                pass  # nothing happened: the heartbeat goes on
            if not await self._write():
                await asyncio.sleep(RETRY_S)
                self._news.set()

    async def write_rest(self) -> None:
        """Writes what was taken so far, if the disk takes it."""
        for _ in range(MAX_WAITING // MAX_AT_ONCE + 1):
            if not self._waiting or not await self._write():
                return

    async def close(self) -> None:
        """Writes what is left."""
        await self.write_rest()
        loop = asyncio.get_running_loop()
        if self._writer is not None:
            await loop.run_in_executor(self._disk, self._writer.close)
        self._disk.shutdown(wait=False)

    async def _write(self) -> bool:
        """Whether the disk took what waits.

        One write at a time: who comes meanwhile waits for it, and who gives up does not end it. So
        no fact is written twice, nor taken for written because another was.
        """
        if self._writing is None or self._writing.done():
            self._writing = asyncio.ensure_future(self._write_batch())
        return await asyncio.shield(self._writing)

    async def _write_batch(self) -> bool:
        self._news.clear()
        batch = self._waiting[:MAX_AT_ONCE]
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._disk, self._append, batch)
        except OSError as error:
            log.error("facts wait: the disk takes none", reason=str(error), facts=len(batch))
            return False
        del self._waiting[: len(batch)]
        if self._waiting:
            self._news.set()
        if batch:
            self.grown.set()
        return True

    def _append(self, batch: list[CallFact]) -> None:
        self._alive.touch(mode=0o600)
        if batch:
            self._keep(batch)

    def _keep(self, batch: list[CallFact]) -> None:
        assert self._writer is not None, "nothing is written before the start"
        self._writer.append(batch)
        self.end = self._writer.end
        self.written += len(batch)
        self.written_bytes += sum(fact.ByteSize() for fact in batch)

    @property
    def _alive(self) -> Path:
        return self._folder / "alive"

    def _take_over(self) -> list[OpenCall]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self.reader.open_calls()
        self.died_at_ms = self._last_alive_ms()
        self._alive.touch(mode=0o600)
        left = list(found)
        self._incarnation = self.reader.last_in_line(self._incarnation)
        self._writer = JournalWriter(self._folder, incarnation=self._incarnation, open_calls=found)
        if left:
            log.error("calls of a lost gateway are ended", calls=len(left))
        ends = [lost(call, at_ms=self.died_at_ms, new_id=self._new_id) for call in left]
        try:
            self._keep(ends)
        except OSError as error:
            log.error("facts wait: the disk takes none", reason=str(error), facts=len(ends))
            self._waiting[:0] = ends
        return left

    def _last_alive_ms(self) -> int:
        try:
            return int(self._alive.stat().st_mtime * 1_000)
        except FileNotFoundError:
            return 0
