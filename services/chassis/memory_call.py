"""One call without a network: what its two ends share."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from grpc import StatusCode, aio

from services.chassis.rpc import MAX_MESSAGE_BYTES

MAX_IN_FLIGHT = 64
"""Messages one way that the other end has not read; a writer waits for room."""

Pairs: TypeAlias = Sequence[tuple[str, str | bytes]]


class PipeClosed(Exception):
    """Nobody reads there any more."""


class Pipe:
    """Messages of one direction, as bytes, in order."""

    def __init__(self, drained: Callable[[], None]) -> None:
        """`drained` is called once: closed, and all read."""
        self._kept: deque[bytes] = deque()
        self._closed = False
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._drained = drained

    def put_only(self, data: bytes) -> None:
        """Adds the only message there will be."""
        self._kept.append(data)
        self.close()

    async def put(self, data: bytes) -> None:
        """Adds a message, when there is room; PipeClosed."""
        while len(self._kept) >= MAX_IN_FLIGHT and not self._closed:
            self._room.clear()
            await self._room.wait()
        if self._closed:
            raise PipeClosed
        self._kept.append(data)
        self._filled.set()

    async def get(self) -> bytes | None:
        """The next message; None after the last."""
        while not self._kept:
            if self._closed:
                return None
            self._filled.clear()
            await self._filled.wait()
        data = self._kept.popleft()
        self._room.set()
        if self._closed and not self._kept:
            self._drained()
        return data

    def close(self, *, drop: bool = False) -> None:
        """Ends it after what is in it, or at once."""
        if drop:
            self._kept.clear()
        already, self._closed = self._closed, True
        self._filled.set()
        self._room.set()
        if not self._kept and (drop or not already):
            self._drained()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended."""

    code: StatusCode
    """Its status."""
    details: str = ""
    """In words."""
    trailing: aio.Metadata = field(default_factory=aio.Metadata)
    """What the server sent with it."""
    by_caller: bool = False
    """The caller cancelled it."""


class Call:
    """What the two ends of a call share. The first end wins; nothing follows it."""

    def __init__(self, *, method: str, metadata: Pairs, timeout_s: float | None) -> None:
        """`timeout_s` counts from now."""
        self.requests_end_first = False
        """Whether a server whose caller is gone sees the requests end before it is cancelled."""
        loop = asyncio.get_running_loop()
        self.method = method
        self.metadata = aio.Metadata(*metadata)
        self.deadline_s = None if timeout_s is None else loop.time() + timeout_s
        self.ended: Ended | None = None
        self.told: asyncio.Future[Ended] = loop.create_future()
        """The end as the caller learns it: after the answers before it."""
        self.initial: asyncio.Future[aio.Metadata] = loop.create_future()
        self.over: asyncio.Future[None] = loop.create_future()
        """The end as the server learns it."""
        self.answer: bytes | None = None
        """The one answer of a method that does not stream."""
        self.requests = Pipe(drained=_nothing)
        self.answers = Pipe(drained=self._tell)
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        if timeout_s is not None:
            late = Ended(StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
            self._timer = loop.call_later(max(0.0, timeout_s), self.cut, late)

    def time_remaining(self) -> float | None:
        """Seconds until the deadline, at least 0; None without one."""
        if self.deadline_s is None:
            return None
        return max(0.0, self.deadline_s - asyncio.get_running_loop().time())

    def serve_by(self, task: asyncio.Task[None]) -> None:
        """Names the server's end, which ends with the call."""
        self._task = task

    def finish(self, ended: Ended) -> None:
        """The server ends the call; the caller reads the answers first."""
        if self._end(ended):
            self.answers.close()

    def cut(self, ended: Ended) -> bool:
        """Ends the call at once: cancelled, late, or the connection is lost."""
        if not self._end(ended):
            return False
        self.answers.close(drop=True)
        if self._task is not None and self.requests_end_first:
            # Who waits for requests has been woken, so it runs before this callback does.
            asyncio.get_running_loop().call_soon(self._task.cancel)
        elif self._task is not None:
            self._task.cancel()
        return True

    def _end(self, ended: Ended) -> bool:
        if self.told.done() or (self.ended is not None and not ended.by_caller):
            return False
        self.ended = ended
        if self._timer is not None:
            self._timer.cancel()
        if not self.initial.done():
            self.initial.set_result(aio.Metadata())
        if not self.over.done():
            self.over.set_result(None)
        self.requests.close(drop=True)
        return True

    def _tell(self) -> None:
        if self.ended is not None and not self.told.done():
            self.told.set_result(self.ended)


def _nothing() -> None:
    """The server learns of the end of requests by reading."""


def too_large(data: bytes) -> str:
    """What is said about a message beyond the limit."""
    return f"Sent message larger than max ({len(data)} vs. {MAX_MESSAGE_BYTES})"
