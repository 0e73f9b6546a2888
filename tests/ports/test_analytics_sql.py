"""What only PostgreSQL can be asked of the store of records: its policies, and what it reads."""

from __future__ import annotations

import asyncpg

from services.analytics.model.questions import CallQuery, EntryQuery, IntervalQuery
from services.analytics.model.records import Agent, Call, Queue, Records
from services.analytics.model.story import Ladder
from services.analytics.store import PAGE
from services.analytics.store_sql import SqlStore
from services.chassis.database import Database, DatabaseAddress
from services.chassis.postgres.server import PostgresServer
from tests.ports.analytics_records import FIRST, OTHER, START, T, an_entry, an_interval, write
from tests.ports.analytics_story import a_step

RECORDS = ("progress", "zone", "queue", "agent", "entry", "agent_interval", "call")
TABLES = (*RECORDS, "story_steps", "story_ladder")


async def test_without_its_policy_a_table_would_show_other_tenants_rows(
    postgres_server: PostgresServer, database_address: DatabaseAddress
) -> None:
    """That the rows of others are hidden is the policies' work, and these can be seen to work."""
    database = Database(database_address, schema="analytics")
    store = SqlStore(database)
    for tenant_id in (T, OTHER):
        await write(
            store,
            Records(
                queues=(Queue("q", ""),),
                agents=(Agent("a", ""),),
                entries=(an_entry(1),),
                intervals=(an_interval(1, 1, None),),
            ),
            tenant_id,
        )
        ladder = Ladder("c1", ())
        await store.put_calls(tenant_id, [Call("c1", 10, 1)], steps=[a_step(1)], ladders=[ladder])
        await store.put_zone(tenant_id, "UTC")

    async def rows(table: str) -> int:
        async with database.transaction(T) as connection:
            found: int = await connection.fetchval(f"SELECT count(*) FROM {table}")
            return found

    assert [await rows(table) for table in TABLES] == [1] * len(TABLES)
    admin = await asyncpg.connect(postgres_server.admin_dsn(database_address.name))
    for table in TABLES:
        await admin.execute(f"ALTER TABLE analytics.{table} DISABLE ROW LEVEL SECURITY")
    await admin.close()
    assert [await rows(table) for table in TABLES] == [2] * len(TABLES)
    await database.close()


LONG = 20_000
"""Records of a kind in a past that is long enough for reading all of it to be the dearer way."""
FEW = 2_000
"""Rows that a question about a hundred moments of it may look at, in all tables together."""


async def test_no_question_reads_a_tenants_whole_past(
    postgres_server: PostgresServer, database_address: DatabaseAddress
) -> None:
    """Under row-level security an index serves only what cannot leak, in the index's collation."""
    admin = await asyncpg.connect(postgres_server.admin_dsn(database_address.name))
    await admin.execute(f"""
        SET search_path = analytics, chassis;
        INSERT INTO call SELECT 'one', 'c' || n, n, 1, n, '' FROM generate_series(1, {LONG}) n;
        INSERT INTO entry SELECT 'one', 'e' || n, 'c' || n, 'q', '', 'voice', n, 'answered', n, 0,
          'a' || n % 200, '', NULL, 0, 0, 0, 0, 0, true, true, '', '{{}}', '', n
          FROM generate_series(1, {LONG}) n;
        INSERT INTO agent SELECT 'one', 'a' || n, '', '{{}}', 1, false, 1
          FROM generate_series(0, 9) n;
        INSERT INTO agent_interval SELECT 'one', 'a' || n % 10, n, '', '{{q}}', 'ready', '', n,
          CASE WHEN n <= {LONG} - 10 THEN n + 10 END, n FROM generate_series(1, {LONG}) n;
        INSERT INTO story_steps SELECT 'one', 'c' || n, n, 1, n, '[]'
          FROM generate_series(1, {LONG}) n;
        ANALYZE;""")
    database = Database(database_address, schema="analytics", max_connections=1)
    store = SqlStore(database)

    async def rows_read() -> int:
        async with database.untenanted() as connection:
            await connection.execute("SELECT pg_stat_force_next_flush()")
        found: int = await admin.fetchval(
            "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint"
            " FROM pg_stat_user_tables WHERE schemaname = 'analytics'"
        )
        return found

    pages: list[Records] = []
    middle = (LONG // 2, LONG // 2 + 100)
    for question, rows in (
        (store.calls(T, CallQuery(*middle), after=START, limit=PAGE), 100),
        (store.entries(T, EntryQuery(*middle), after=START, limit=PAGE), 100),
        (
            store.entries(T, EntryQuery(0, LONG + 1, agent_ids=("a7",)), after=START, limit=PAGE),
            100,
        ),
        (store.intervals(T, IntervalQuery(*middle), after=FIRST, limit=PAGE), 109),
        (store.load(T, from_ms=LONG - 100, after_revision=0, take=pages.append), 0),
        (store.story(T, f"c{LONG // 2}"), 0),
        (store.put_calls(T, [], steps=[a_step(n, f"c{n}") for n in range(200)]), 0),
    ):
        before = await rows_read()
        found = await question
        assert await rows_read() - before <= FEW
        assert not rows or (isinstance(found, list) and len(found) == rows)
    assert sum(len(page.intervals) for page in pages) == 111
    await database.close()
    await admin.close()
