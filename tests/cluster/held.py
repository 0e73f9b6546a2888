"""Tables that nobody can write to for a while, so that a process is caught in mid-transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from services.chassis.database import role_of
from services.launcher.cluster import DATABASE
from services.launcher.database import OwnDatabase
from tests.stage.asking import eventually

WITHIN_S = 40.0
# Who has waited for longer will soon give up, and begin anew.
_WAITING = """
SELECT DISTINCT usename FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND clock_timestamp() - query_start < interval '2 seconds'
"""


@dataclass(slots=True)
class Held:
    """Tables by service, which can be read and not written."""

    tables: Mapping[str, Sequence[str]]
    """Qualified names."""
    locker: asyncpg.Connection[asyncpg.Record]
    """Its transaction holds them."""
    observer: asyncpg.Connection[asyncpg.Record]

    async def until_waiting(self) -> None:
        """Until each of the services is about to write, and cannot."""
        roles = {role_of(service) for service in self.tables}
        await eventually(self._waiting, lambda now: now >= roles, WITHIN_S, "all in mid-batch")

    async def release(self) -> None:
        """Lets them be written, and waits until whoever waited for that has done it."""
        before = {service: await self._contents(service) for service in self.tables}
        await self.locker.execute("ROLLBACK")
        for service, contents in before.items():

            async def changed(service: str = service, contents: str = contents) -> bool:
                return await self._contents(service) != contents

            await eventually(changed, bool, WITHIN_S, f"what {service} was about to write")

    async def _waiting(self) -> set[str]:
        return {row["usename"] for row in await self.observer.fetch(_WAITING)}

    async def _contents(self, service: str) -> str:
        """A hash of all that is in its tables."""
        found = [
            await self.observer.fetchval(
                f"SELECT md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM {name} t"
            )
            for name in self.tables[service]
        ]
        return "".join(found)


@asynccontextmanager
async def held(postgres: OwnDatabase, tables: Mapping[str, Sequence[str]]) -> AsyncIterator[Held]:
    """Holds tables until the block ends, unless they are released before."""
    dsn = postgres.admin_dsn(DATABASE)
    locker, observer = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    try:
        names = ", ".join(name for names in tables.values() for name in names)
        await locker.execute("BEGIN")
        await locker.execute(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")
        yield Held(tables, locker, observer)
    finally:
        locker.terminate()
        observer.terminate()
