"""A way to a server that can be made slow, or dead without a word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from services.launcher.ports import LOOPBACK, free_port

PIECE_BYTES = 2_048


@dataclass
class Narrow:
    """Where clients come in, and how what they say goes on from there."""

    to_port: int
    port: int = field(default_factory=free_port)
    pause_s: float = 0.0
    """Before each 2 KiB, either way."""
    passable: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared: whoever comes is let in, and hears nothing."""
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._relay(reader, writer))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.passable.wait()
            with suppress(OSError):
                there, back = await asyncio.open_connection(LOOPBACK, self.to_port)
                try:
                    await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
                finally:
                    back.close()
        finally:
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(PIECE_BYTES):
            await self.passable.wait()
            if self.pause_s:
                await asyncio.sleep(self.pause_s)
            writer.write(piece)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def narrow_way(to_port: int) -> AsyncIterator[Narrow]:
    """A way that is wide and open until it is said otherwise."""
    way = Narrow(to_port)
    way.passable.set()
    server = await asyncio.start_server(way.come, LOOPBACK, way.port)
    try:
        yield way
    finally:
        server.close()
        await way.close()
