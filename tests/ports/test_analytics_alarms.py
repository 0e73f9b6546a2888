"""What every adapter of the store of alarms keeps to, and how replicas share the watch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from services.analytics.alarms import Alarms
from services.analytics.core.alarms import MAX_THRESHOLDS
from services.analytics.core.measures import Terms
from services.analytics.floors import Floors
from services.analytics.model.alarms import Acknowledgement, Alarm, AlarmQuery, Threshold, Watched
from services.analytics.model.errors import NoSuchAlarm, NoSuchThreshold, TooManyThresholds
from services.analytics.model.words import Direction, Measure, Severity
from services.analytics.store import MemoryStore
from services.analytics.store_alarms import MAX_UNSEEN, AlarmStore, MemoryAlarms, StaleAlarms
from services.analytics.store_sql_alarms import SqlAlarms
from services.chassis.clock import SystemClock
from services.chassis.database import Database, DatabaseAddress
from services.chassis.ids import TenantId
from services.chassis.postgres.server import PostgresServer

T, OTHER = TenantId("one"), TenantId("two")
EVER = AlarmQuery(0, 10**15)
NEWEST = (10**15, "")
SEEN = Acknowledgement(99, "u", "Ünal", "on it ✓")
NOBODY_READY = Threshold(
    threshold_id="nobody",
    name="Nobody is ready ✓",
    measure=Measure.AGENTS_READY,
    queue_id="",
    direction=Direction.BELOW,
    raise_at=1.5,
    clear_at=2.25,
    for_s=0,
    severity=Severity.WARNING,
    active=True,
)


@pytest.fixture(params=["memory", "postgres"])
async def store(
    request: pytest.FixtureRequest, database_address: DatabaseAddress
) -> AsyncIterator[AlarmStore]:
    if request.param == "memory":
        yield MemoryAlarms()
        return
    database = Database(database_address, schema="analytics")
    yield SqlAlarms(database)
    await database.close()


def an_alarm(at_ms: int, threshold: Threshold = NOBODY_READY, **more: object) -> Alarm:
    kept: dict[str, object] = {
        "alarm_id": f"{threshold.threshold_id}.{at_ms}",
        "threshold": threshold,
        "queue_name": "Verkäufe",
        "raised_at_ms": at_ms,
        "value": 1.25,
        "worst": 0.5,
    }
    return Alarm(**(kept | more))  # type: ignore[arg-type]  # any field


async def put(store: AlarmStore, *thresholds: Threshold, tenant_id: TenantId = T) -> None:
    for threshold in thresholds:
        await store.put_threshold(tenant_id, threshold, now_ms=50)


async def keep(store: AlarmStore, *alarms: Alarm, tenant_id: TenantId = T) -> None:
    revision = (await store.watched(tenant_id)).revision
    await store.change(tenant_id, before=revision, alarms=alarms)


async def listed(store: AlarmStore, query: AlarmQuery = EVER) -> list[Alarm]:
    return await store.alarms(T, query, before=NEWEST, limit=100)


async def test_a_tenant_begins_with_nothing(store: AlarmStore) -> None:
    assert await store.watched(T) == Watched()
    assert await store.revisions() == {}
    assert await listed(store) == []
    assert await store.named(T, {"a"}) == []
    assert await store.acknowledge(T, "a", SEEN) is None
    assert not await store.remove_threshold(T, "t", now_ms=1)


async def test_thresholds_and_alarms_come_back_as_they_were(store: AlarmStore) -> None:
    other = replace(NOBODY_READY, threshold_id="another", queue_id="q", active=False)
    await put(store, NOBODY_READY, other)
    await keep(store, an_alarm(7))
    watched = await store.watched(T)
    assert watched.thresholds == (other, NOBODY_READY)
    assert watched.alarms == (an_alarm(7),)
    assert await store.revisions() == {T: watched.revision}
    assert await listed(store) == [an_alarm(7)]
    assert await store.named(T, {an_alarm(7).alarm_id, "?"}) == [an_alarm(7)]


async def test_what_was_judged_by_what_is_no_more_is_not_kept(store: AlarmStore) -> None:
    await put(store, NOBODY_READY)
    before = (await store.watched(T)).revision
    await put(store, replace(NOBODY_READY, raise_at=1))
    with pytest.raises(StaleAlarms):
        await store.change(T, before=before, alarms=[an_alarm(7)])
    assert await listed(store) == []
    assert (await store.watched(T)).revision > before


async def test_an_alarm_becomes_worse_is_seen_and_ends(store: AlarmStore) -> None:
    await put(store, NOBODY_READY)
    await keep(store, an_alarm(7))
    seen = await store.acknowledge(T, "nobody.7", SEEN)
    assert seen == an_alarm(
        7, acknowledged_at_ms=99, acknowledged_by="u", acknowledged_by_name="Ünal", note="on it ✓"
    )
    assert await store.acknowledge(T, "nobody.7", replace(SEEN, by="v", note="me, too")) == seen
    await keep(store, replace(seen, worst=0.1))
    assert (await store.watched(T)).alarms == (replace(seen, worst=0.1),)
    over = replace(seen, worst=0.1, cleared_at_ms=100)
    await keep(store, over)
    assert (await store.watched(T)).alarms == ()
    assert await listed(store) == [over]
    assert await listed(store, replace(EVER, open_only=True)) == []


async def test_a_threshold_that_watches_something_else_or_nothing_ends_its_alarm(
    store: AlarmStore,
) -> None:
    changes: tuple[dict[str, Any], ...] = ({"raise_at": 1.0}, {"queue_id": "q"}, {"active": False})
    for number, change in enumerate(changes):
        threshold = replace(NOBODY_READY, threshold_id=f"t{number}")
        await put(store, threshold)
        await keep(store, an_alarm(number, threshold))
        await put(store, replace(threshold, **change))
    gone = replace(NOBODY_READY, threshold_id="t3")
    await put(store, gone)
    await keep(store, an_alarm(3, gone))
    assert await store.remove_threshold(T, "t3", now_ms=60)
    assert [each.cleared_at_ms for each in await listed(store)] == [60, 50, 50, None]
    assert len((await store.watched(T)).thresholds) == 3


async def test_alarms_are_found_by_when_they_were_raised(store: AlarmStore) -> None:
    thresholds = [replace(NOBODY_READY, threshold_id=f"t{number}") for number in range(4)]
    await put(store, *thresholds)
    moments = (5, 6, 6, 7)
    alarms = [an_alarm(at, each) for at, each in zip(moments, thresholds, strict=True)]
    await keep(store, *alarms)
    newest = alarms[::-1]
    assert await listed(store) == newest
    assert await listed(store, AlarmQuery(6, 7)) == newest[1:3]
    assert await store.alarms(T, EVER, before=(6, "t2.6"), limit=1) == [alarms[1]]


async def test_a_tenant_has_so_many_thresholds(store: AlarmStore) -> None:
    many = [replace(NOBODY_READY, threshold_id=f"t{n}") for n in range(MAX_THRESHOLDS)]
    await put(store, *many)
    await put(store, replace(many[0], name="again"))
    with pytest.raises(TooManyThresholds):
        await put(store, replace(many[0], threshold_id="one-more"))
    assert len((await store.watched(T)).thresholds) == MAX_THRESHOLDS


async def test_of_what_nobody_has_seen_the_newest_are_watched_on(store: AlarmStore) -> None:
    await put(store, NOBODY_READY)
    over = [an_alarm(at_ms, cleared_at_ms=at_ms + 1) for at_ms in range(10, MAX_UNSEEN + 20)]
    await keep(store, an_alarm(5), *over)
    watched = (await store.watched(T)).alarms
    assert watched == (*over[: -MAX_UNSEEN - 1 : -1], an_alarm(5))


async def test_tenants_with_the_same_names_never_see_each_other(store: AlarmStore) -> None:
    await put(store, NOBODY_READY)
    await keep(store, an_alarm(7))
    assert await store.watched(OTHER) == Watched()
    assert await store.named(OTHER, {"nobody.7"}) == []
    assert await store.acknowledge(OTHER, "nobody.7", SEEN) is None
    assert not await store.remove_threshold(OTHER, "nobody", now_ms=9)
    await put(store, replace(NOBODY_READY, name="theirs"), tenant_id=OTHER)
    await keep(store, an_alarm(7, value=9), tenant_id=OTHER)
    assert (await store.watched(T)).thresholds == (NOBODY_READY,)
    assert await listed(store) == [an_alarm(7)]
    assert set(await store.revisions()) == {T, OTHER}


async def test_one_replica_judges_until_it_leaves(store: AlarmStore) -> None:
    assert await store.lead("one", lease_ms=60_000)
    assert not await store.lead("two", lease_ms=60_000)
    assert await store.lead("one", lease_ms=60_000)
    await store.leave("two")
    assert not await store.lead("two", lease_ms=60_000)
    await store.leave("one")
    assert await store.lead("two", lease_ms=60_000)
    assert not await store.lead("one", lease_ms=60_000)


async def test_a_lease_runs_out(database_address: DatabaseAddress) -> None:
    database = Database(database_address, schema="analytics")
    store = SqlAlarms(database)
    assert await store.lead("one", lease_ms=0)
    assert await store.lead("two", lease_ms=60_000)
    await database.close()


def a_replica(store: AlarmStore, holder: str) -> Alarms:
    """One that sees a tenant without anybody, where nobody is ready."""
    clock = SystemClock()
    floors = Floors(store=MemoryStore(), clock=clock, terms=Terms())
    return Alarms(store=store, floors=floors, clock=clock, holder=holder)


async def until_known(replica: Alarms, number: int) -> list[Alarm]:
    """What a replica knows once it knows of so many alarms."""
    async with asyncio.timeout(20):
        while True:
            changed = replica.next_change(T)
            known = await replica.open(T)
            if len(known) >= number:
                return list(known.values())
            await changed.wait()


def by_id(alarms: list[Alarm]) -> dict[str, Alarm]:
    return {each.alarm_id: each for each in alarms}


async def test_replicas_raise_an_alarm_once_and_all_know_it(store: AlarmStore) -> None:
    """Also the one that takes over from another that went without a word about it."""
    one, two = a_replica(store, "one"), a_replica(store, "two")
    await one.put_threshold(T, NOBODY_READY)
    async with asyncio.TaskGroup() as running:
        first = running.create_task(one.run())
        (raised,) = await until_known(one, 1)
        second = running.create_task(two.run())
        assert await until_known(two, 1) == [raised]
        assert (one.leads, two.leads) == (True, False)
        assert (one.standing, two.standing) == (1, 1)
        first.cancel()
        await one.leave()
        await two.put_threshold(T, replace(NOBODY_READY, threshold_id="again"))
        (other,) = [each for each in await until_known(two, 2) if each != raised]
        assert two.leads
        seen = await two.acknowledge(T, raised.alarm_id, by="u", by_name="U", note="")
        assert (await two.open(T))[raised.alarm_id] == seen
        assert by_id(await listed(store)) == by_id([other, seen])  # maybe of one millisecond
        second.cancel()
    with pytest.raises(NoSuchAlarm):
        await two.acknowledge(T, "?", by="u", by_name="U", note="")
    with pytest.raises(NoSuchThreshold):
        await two.remove_threshold(T, "?")
    await two.remove_threshold(T, "nobody")
    stands = {each.alarm_id: each.stands for each in await listed(store)}
    assert stands == {other.alarm_id: True, raised.alarm_id: False}


TABLES = ("alarm_progress", "threshold", "alarm")


async def test_without_its_policy_a_table_would_show_other_tenants_rows(
    postgres_server: PostgresServer, database_address: DatabaseAddress
) -> None:
    database = Database(database_address, schema="analytics")
    store = SqlAlarms(database)
    for tenant_id in (T, OTHER):
        await put(store, NOBODY_READY, tenant_id=tenant_id)
        await keep(store, an_alarm(7), tenant_id=tenant_id)

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
