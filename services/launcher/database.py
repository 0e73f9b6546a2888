"""The PostgreSQL of an installation on this machine, whose starting may be given up half-way."""

from __future__ import annotations

import asyncio
from pathlib import Path

from services.chassis.database import DatabaseAddress
from services.chassis.postgres.server import PostgresServer


class OwnDatabase:
    """A server with its data in a folder."""

    def __init__(self, folder: Path) -> None:
        """It is started by `start`, with the ports and data that it had."""
        self._server = PostgresServer(folder)
        self._starting: asyncio.Future[None] | None = None

    @property
    def pid(self) -> int | None:
        """Of its first process; None when it does not run."""
        return self._server.pid

    async def start(self) -> None:
        """Starts it and waits until it answers."""
        # A thread cannot be cancelled: whoever is told to stop meanwhile waits for its end.
        self._starting = asyncio.ensure_future(asyncio.to_thread(self._server.start))
        await asyncio.shield(self._starting)

    async def stop(self) -> None:
        """Ends it in good order, once a start that is under way is over."""
        if self._starting is not None:
            await asyncio.wait((self._starting,))
        await asyncio.to_thread(self._server.stop)

    async def ended(self) -> object:
        """Waits until it has ended by itself."""
        return await asyncio.to_thread(self._server.wait)

    def admin_dsn(self, name: str) -> str:
        """The way in for whoever may do everything, to the named database."""
        return self._server.admin_dsn(name)

    async def database(self, name: str) -> DatabaseAddress:
        """The named database, made and brought up to date if need be."""
        return await self._server.database(name)
