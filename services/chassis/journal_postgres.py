"""The journal in PostgreSQL: a lease row for each shard, and rows that only its owner can add.

Ownership is a row with the owner's address, an epoch, and an end by PostgreSQL's clock. Every
append is one statement that checks epoch and sequence, writes the rows and renews the lease, so a
writer that has lost its shard can never write, however late it learns of that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import Any
from zlib import crc32

import asyncpg

from services.chassis.database import (
    COMMAND_TIMEOUT_S,
    Database,
    DatabaseUnavailable,
    translated,
)
from services.chassis.ids import TenantId
from services.chassis.journal import (
    LEASE_MS,
    SNAPSHOTS_KEPT,
    Fenced,
    JournalRow,
    JournalUnavailable,
    Opened,
    OwnedElsewhere,
    SavedState,
    checked_shard,
)

LINES = 4
"""Connections that append; a shard always uses the same one."""
PAGE = 500
"""Rows read at once."""

_FREE = """
SELECT owner, epoch, last_seq, expires_at < clock_timestamp() AS is_free,
       (extract(epoch FROM clock_timestamp() - alive_at) * 1000)::bigint AS silent_ms,
       (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms
FROM shard_lease WHERE tenant_id = $1 FOR UPDATE
"""
_TAKE = """
UPDATE shard_lease SET owner = $2, epoch = epoch + 1, alive_at = clock_timestamp(),
  expires_at = clock_timestamp() + $3 * interval '1 millisecond'
WHERE tenant_id = $1
"""
_FIRST = """
INSERT INTO shard_lease (tenant_id, owner, epoch, alive_at, expires_at)
VALUES ($1, $2, 0, clock_timestamp(), '-infinity') ON CONFLICT DO NOTHING
"""
_RELEASE = """
UPDATE shard_lease SET expires_at = '-infinity', alive_at = clock_timestamp()
WHERE tenant_id = $1 AND epoch = $2
"""
_READ = """
SELECT seq, epoch, at_ms, config_version, input, events FROM journal
WHERE tenant_id = $1 AND seq > $2 ORDER BY seq LIMIT $3
"""
_KEEP = """
INSERT INTO snapshot (tenant_id, seq, at_ms, state) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
"""
_FORGET = """
DELETE FROM snapshot WHERE tenant_id = $1 AND seq NOT IN (
  SELECT seq FROM snapshot WHERE tenant_id = $1 ORDER BY seq DESC LIMIT $2)
"""
_PUBLISHED = """
INSERT INTO journal_published AS p (tenant_id, seq) VALUES ($1, $2)
ON CONFLICT (tenant_id) DO UPDATE SET seq = greatest(p.seq, excluded.seq)
"""


class PostgresJournal:
    """A journal whose rows are rows."""

    def __init__(self, database: Database, *, lease_ms: int = LEASE_MS) -> None:
        """`database` is acd's."""
        self.lease_ms: int | None = lease_ms
        self._lease_ms = lease_ms
        self._database = database
        self._lines = [_Line(database) for _ in range(LINES)]

    async def open(self, shard: str, owner: str) -> Opened:
        """Takes the shard over; see `Journal.open`."""
        with _unavailable():
            async with self._database.transaction(TenantId(shard)) as connection:
                await connection.execute(_FIRST, shard, owner)
                known = await connection.fetchrow(_FREE, shard)
                assert known is not None, "the row was just made sure of"
                if not known["is_free"] and known["owner"] != owner:
                    raise OwnedElsewhere(known["owner"])
                await connection.execute(_TAKE, shard, owner, self._lease_ms)
        silent_ms = max(0, known["silent_ms"]) if known["epoch"] else 0
        return Opened(known["epoch"] + 1, known["last_seq"], silent_ms, known["now_ms"])

    async def renew(self, shard: str, epoch: int) -> None:
        """A sign of life; see `Journal.renew`."""
        if not await self._line(shard).value(
            "SELECT renew_shard($1, $2, $3)", shard, epoch, self._lease_ms
        ):
            raise Fenced(f"shard {shard}: epoch {epoch} is over")

    async def release(self, shard: str, epoch: int) -> None:
        """Lets the shard go; see `Journal.release`."""
        with _unavailable():
            async with self._database.transaction(TenantId(shard)) as connection:
                await connection.execute(_RELEASE, shard, epoch)

    async def append(self, rows: Sequence[JournalRow]) -> None:
        """Writes rows in one round trip; see `Journal.append`."""
        if not rows:
            return
        shard, epoch = checked_shard(rows), rows[0].epoch
        entries = [
            (row.seq, row.at_ms, row.config_version, row.input, list(row.events)) for row in rows
        ]
        if not await self._line(shard).value(
            "SELECT append_journal($1, $2, $3, $4)", shard, epoch, self._lease_ms, entries
        ):
            raise Fenced(f"shard {shard}: epoch {epoch}, seq {rows[0].seq}")

    async def read(
        self, shard: str, after_seq: int = 0, *, limit: int | None = None
    ) -> AsyncGenerator[JournalRow, None]:
        """Rows in order, a page at a time; see `Journal.read`."""
        left = limit
        while True:
            size = PAGE if left is None else min(PAGE, left)
            with _unavailable():
                async with self._database.transaction(TenantId(shard)) as connection:
                    page = await connection.fetch(_READ, shard, after_seq, size)
            for found in page:
                yield JournalRow(
                    shard=shard,
                    seq=found["seq"],
                    epoch=found["epoch"],
                    at_ms=found["at_ms"],
                    input=found["input"],
                    events=tuple(found["events"]),
                    config_version=found["config_version"],
                )
            left = None if left is None else left - len(page)
            if len(page) < PAGE or left == 0:
                return
            after_seq = page[-1]["seq"]

    async def save_snapshot(
        self, shard: str, seq: int, at_ms: int, encode: Callable[[], bytes]
    ) -> None:
        """Keeps a snapshot, encoded in a thread; see `Journal.save_snapshot`."""
        state = await asyncio.to_thread(encode)
        with _unavailable():
            async with self._database.transaction(TenantId(shard)) as connection:
                await connection.execute(_KEEP, shard, seq, at_ms, state)
                await connection.execute(_FORGET, shard, SNAPSHOTS_KEPT)

    async def load_snapshot(self, shard: str) -> SavedState | None:
        """The newest snapshot."""
        with _unavailable():
            async with self._database.transaction(TenantId(shard)) as connection:
                found = await connection.fetchrow(
                    "SELECT seq, at_ms, state FROM snapshot WHERE tenant_id = $1"
                    " ORDER BY seq DESC LIMIT 1",
                    shard,
                )
        if found is None:
            return None
        return SavedState(shard, found["seq"], found["at_ms"], found["state"])

    async def published(self, shard: str) -> int:
        """The last row on the bus; see `Journal.published`."""
        with _unavailable():
            async with self._database.transaction(TenantId(shard)) as connection:
                seq: int | None = await connection.fetchval(
                    "SELECT seq FROM journal_published WHERE tenant_id = $1", shard
                )
        return seq or 0

    async def set_published(self, shard: str, seq: int) -> None:
        """Remembers it; see `Journal.set_published`."""
        with _unavailable():
            async with self._database.transaction(TenantId(shard)) as connection:
                await connection.execute(_PUBLISHED, shard, seq)

    async def unowned(self, limit: int) -> list[str]:
        """Shards without an owner; see `Journal.unowned`."""
        with _unavailable():
            async with self._database.untenanted() as connection:
                found = await connection.fetch("SELECT unowned_shards($1) AS shard", limit)
        return [row["shard"] for row in found]

    async def close(self) -> None:
        """Closes its own connections; the database's pool is its owner's to close."""
        for line in self._lines:
            await line.close()

    def _line(self, shard: str) -> _Line:
        return self._lines[crc32(shard.encode()) % LINES]


class _Line:
    """A connection for single statements, each a transaction of its own: one round trip."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = asyncio.Lock()
        self._held: AsyncExitStack | None = None
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def value(self, statement: str, *arguments: object) -> Any:
        """The only value of a statement's answer; JournalUnavailable."""
        async with self._turn:
            try:
                with _unavailable():
                    async with asyncio.timeout(COMMAND_TIMEOUT_S):
                        connection = await self._opened()
                        return await connection.fetchval(statement, *arguments)
            except BaseException:
                # Whatever happened, a connection in an unknown state is not used again.
                await self.close()
                raise

    async def close(self) -> None:
        """Ends the connection; the next statement makes another."""
        held, self._held, self._connection = self._held, None, None
        if held is not None:
            await held.aclose()

    async def _opened(self) -> asyncpg.Connection[asyncpg.Record]:
        if self._connection is None:
            self._held = AsyncExitStack()
            self._connection = await self._held.enter_async_context(self._database.listening())
        return self._connection


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        with translated():
            yield
    except DatabaseUnavailable as error:
        raise JournalUnavailable(str(error)) from error
