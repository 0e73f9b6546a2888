"""A server that is not ours, kept as a child process: Kafka, an S3 server, Kamailio."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from types import TracebackType
from typing import ClassVar, Self

from services.chassis.errors import CarillonError, Kind
from services.launcher.process import Child

LOOK_EACH_S = 0.05


class PartMissing(CarillonError):
    """A program is neither here nor can it be installed; the text says what to do."""

    code: ClassVar[str] = "part-missing"
    kind: ClassVar[Kind] = Kind.INVALID


class PartFailed(CarillonError):
    """A server did not come up; the text has the end of its log."""

    code: ClassVar[str] = "part-failed"
    kind: ClassVar[Kind] = Kind.INTERNAL


class Daemon(ABC):
    """A server with its data in a folder: it keeps ports and data when started again.

    As an async context manager it runs inside the `with`.
    """

    ready_within_s: ClassVar[float] = 60.0
    """For it to answer after its start."""

    @property
    @abstractmethod
    def child(self) -> Child:
        """Its process."""

    @abstractmethod
    async def answers(self) -> bool:
        """Whether it serves now; asked again and again after the start, must not raise."""

    @abstractmethod
    def prepare(self) -> None:
        """Writes what it reads at its start; called in a thread before each start."""

    async def start(self) -> None:
        """Starts it and waits until it answers; PartFailed."""
        await asyncio.to_thread(self.prepare)
        await self.child.start()
        try:
            async with asyncio.timeout(self.ready_within_s):
                while self.child.is_running and not await self.answers():  # noqa: ASYNC110 (a server is asked)
                    await asyncio.sleep(LOOK_EACH_S)
        except TimeoutError:
            raise await self._failed("does not answer") from None
        except asyncio.CancelledError:
            await self.child.kill()
            raise
        if not self.child.is_running:
            raise await self._failed("ended")

    async def _failed(self, how: str) -> PartFailed:
        await self.child.kill()
        return PartFailed(f"{self.child.name} {how}:\n{self.child.tail(30)}")

    async def stop(self) -> None:
        """Ends it in good order."""
        await self.child.stop()

    async def kill(self) -> None:
        """Ends it at once, as a failing machine would."""
        await self.child.kill()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()
