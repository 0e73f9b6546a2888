"""Two replicas of portal over one real PostgreSQL: one softphone for each agent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.chassis.database import Database, DatabaseAddress
from services.chassis.postgres.server import PostgresServer
from services.portal import feed_softphones
from services.portal.feed_words import Close
from tests.unit.portal_edges.desk_stage import desk_staged
from tests.unit.portal_edges.feed_stage import FeedStage

DATABASE_S = 15.0


@pytest.fixture
async def replicas(
    database_address: DatabaseAddress, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[FeedStage, FeedStage]]:
    """Both over the same routing."""
    monkeypatch.setattr(feed_softphones, "LISTEN_AGAIN_S", 0.05)
    databases = [Database(database_address, schema="portal") for _ in range(2)]
    async with desk_staged() as desk:
        one, other = (FeedStage(desk, database=database) for database in databases)
        await heard(one, other)
        yield one, other
        for stage in (one, other):
            await stage.close()
    for database in databases:
        await database.close()


async def heard(*stages: FeedStage) -> None:
    """Until each hears the others."""
    async with asyncio.timeout(DATABASE_S):
        for stage in stages:
            await stage.softphones.listens.wait()


async def links(stage: FeedStage, count: int) -> None:
    """Until a replica tells of so many softphones."""
    async with asyncio.timeout(DATABASE_S):
        while len(stage.links) != count:  # noqa: ASYNC110 (a task that has ended tells nobody)
            await asyncio.sleep(0.01)


async def test_the_newest_softphone_of_all_replicas_wins(
    replicas: tuple[FeedStage, FeedStage],
) -> None:
    one, other = replicas
    async with (
        one.page(token="ada", device_check="passed") as older,
        one.page(token="ada") as reader,
    ):
        await older.until("snapshot", "desk")
        await reader.until("snapshot", "desk")
        async with other.page(token="ada-2", device_check="passed") as newer:
            assert (await older.until("replaced"))["type"] == "replaced"
            assert (await older.closed())[0] == Close.REPLACED
            await reader.say(type="heartbeat")
            await reader.until("heartbeat")
            await newer.say(type="heartbeat")
            await newer.until("heartbeat")
            # And back: the page that is opened next wins where the first one was.
            async with one.page(token="ada", device_check="passed") as newest:
                assert (await newer.closed())[0] == Close.REPLACED
                await newest.say(type="heartbeat")
                await newest.until("heartbeat")


async def test_a_softphone_that_moves_is_not_told_to_be_gone(
    replicas: tuple[FeedStage, FeedStage],
) -> None:
    one, other = replicas
    async with one.page(token="ada", device_check="passed") as page:
        await page.until("welcome")
        await links(one, 1)
    async with other.page(token="ada", device_check="passed") as page:
        await page.until("welcome")
        await links(one, 0)
        await links(other, 1)
        # The first replica has not heard of it for longer than its grace.
        one.desk.clock.at_ms += 10_000
        await page.say(type="heartbeat")
        await page.until("heartbeat")
    assert {link for _, link, _ in one.desk.acd.links} == {"reachable"}


async def test_replicas_that_did_not_hear_each_other_agree_afterwards(
    replicas: tuple[FeedStage, FeedStage], postgres_server: PostgresServer
) -> None:
    one, other = replicas
    admin = await asyncpg.connect(postgres_server.admin_dsn())
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'carillon_portal'"
    try:
        async with one.page(token="ada", device_check="passed") as older:
            await older.until("welcome")
            await admin.execute(cut)
            async with other.page(token="ada-2", device_check="passed") as newer:
                await newer.until("welcome")
                assert (await older.closed())[0] == Close.REPLACED
                await newer.say(type="heartbeat")
                await newer.until("heartbeat")
                await admin.execute(cut)
                # Said again, in whatever order: the newest stays.
                await heard(one, other)
                await newer.say(type="heartbeat")
                await newer.until("heartbeat")
    finally:
        await admin.close()


async def test_what_is_no_softphone_is_passed_over(
    replicas: tuple[FeedStage, FeedStage],
    postgres_server: PostgresServer,
    database_address: DatabaseAddress,
) -> None:
    one, other = replicas
    admin = await asyncpg.connect(postgres_server.admin_dsn(database_address.name))
    async with one.page(token="ada", device_check="passed") as older:
        await older.until("welcome")
        for text in ("", "{}", '{"tenant": "demo", "agent": "ada", "page": "x", "at": "soon"}'):
            await admin.execute("SELECT pg_notify($1, $2)", feed_softphones.CHANNEL, text)
        async with other.page(token="ada-2", device_check="passed") as newer:
            await newer.until("welcome")
            assert (await older.closed())[0] == Close.REPLACED
    await admin.close()
