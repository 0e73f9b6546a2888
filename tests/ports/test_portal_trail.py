"""What every store of API keys, the audit trail and answers must do."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from services.chassis.bus import Bus
from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.portal import store_sql_trail
from services.portal.core.lockout import WINDOW_MS
from services.portal.core.replaying import KEEP_MS, TAKE_OVER_MS
from services.portal.core.sessions import KEEP_EXPIRED_MS
from services.portal.model.errors import (
    NoSuchApiKey,
    TooManyApiKeys,
)
from services.portal.model.sessions import Session, Tally, Verdict
from services.portal.model.trail import Answer, AnswerKey, AuditQuery
from services.portal.store import PortalStore
from services.portal.store_sql import SqlPortalStore
from tests.ports.portal_stage import (
    ACME,
    HASH,
    NAME,
    NOBODY,
    OTHER,
    address,
    began,
    bus,
    database,
    entry,
    event,
    key,
    published,
    settled,
    store,
    tenant,
    tokens,
)

__all__ = ["address", "bus", "database", "store"]  # fixtures are found by their names here

# ---- keys ----


async def test_a_key_leads_to_its_tenant(store: PortalStore) -> None:
    await store.add_key(ACME, key(1), most=9)
    holder = await store.key_holder("k-1")
    assert holder is not None
    assert (holder.tenant, holder.key) == (tenant(ACME, "acme"), key(1))
    assert await store.key_holder("k-2") is None


async def test_a_key_is_revoked_once_and_by_its_own_tenant(store: PortalStore) -> None:
    await store.add_key(ACME, key(1), most=9)
    for name, tenant_id in (("k-1", OTHER), ("k-2", ACME)):
        with pytest.raises(NoSuchApiKey):
            await store.revoke_key(tenant_id, name, 50)
    assert (await store.revoke_key(ACME, "k-1", 60)).revoked_at_ms == 60
    assert (await store.revoke_key(ACME, "k-1", 70)).revoked_at_ms == 60
    holder = await store.key_holder("k-1")
    assert holder is not None
    assert holder.key.revoked_at_ms == 60


async def test_keys_are_listed_by_age_in_pages(store: PortalStore) -> None:
    for number in (3, 1, 2):
        await store.add_key(ACME, key(number), most=9)
    await store.add_key(OTHER, key(0), most=9)
    await store.touch_key(ACME, "k-1", 44)
    await store.touch_key(ACME, "k-0", 44)
    first = await store.list_keys(ACME, "", 2)
    assert first == [replace(key(1), last_used_at_ms=44), key(2)]
    assert await store.list_keys(ACME, "k-2", 2) == [key(3)]
    assert await store.list_keys(OTHER, "", 9) == [key(0)]
    assert await store.list_keys(NOBODY, "", 9) == []


async def test_a_tenant_has_only_so_many_keys_that_work(store: PortalStore) -> None:
    await store.add_key(ACME, key(1, expires_at_ms=6), most=1)
    await store.add_key(ACME, key(2, expires_at_ms=8), most=1)
    with pytest.raises(TooManyApiKeys):
        await store.add_key(ACME, key(3), most=1)
    await store.revoke_key(ACME, "k-2", 50)
    await store.add_key(ACME, key(3), most=1)


# ---- the trail ----

HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (AuditQuery(), [4, 3, 2, 1]),
        (AuditQuery(size=2), [4, 3]),
        (AuditQuery(size=2, before=entry(3).audit_id), [2, 1]),
        (AuditQuery(from_ms=20, to_ms=40), [3, 2]),
        (AuditQuery(from_ms=20, to_ms=1_767_225_600_000), [4, 3, 2]),
        (AuditQuery(actor_id="u-2"), [2]),
        (AuditQuery(action="carillon.acd"), [4, 2, 1]),
        (AuditQuery(action="carillon%"), []),
        (AuditQuery(refused=True), [4]),
    ],
)
async def test_the_trail_is_read_newest_first(
    store: PortalStore, query: AuditQuery, found: list[int]
) -> None:
    entries = [
        entry(1),
        entry(2, actor_id="u-2"),
        entry(3, action="sign-in"),
        entry(4, outcome="no-such-queue"),
    ]
    await store.add_audit(ACME, entries[:3], [])
    await store.add_audit(ACME, entries[2:], [])
    await store.add_audit(OTHER, [entry(5)], [])
    told = await store.list_audit(ACME, query)
    assert told == [entries[number - 1] for number in found]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (AuditQuery(from_ms=2 * HOUR_MS), [3, 2]),
        (AuditQuery(to_ms=2 * HOUR_MS), [1]),
        (AuditQuery(from_ms=HOUR_MS + 1, to_ms=3 * HOUR_MS), [2]),
        (AuditQuery(from_ms=-1, to_ms=2**62), [3, 2, 1]),
        (AuditQuery(from_ms=2**62), []),
        (AuditQuery(to_ms=-1), []),
        (AuditQuery(to_ms=3 * HOUR_MS, before=uuid7(2 * HOUR_MS - 500, 2)), [1]),
    ],
)
async def test_a_window_of_the_trail_is_that_of_its_times(
    store: PortalStore, query: AuditQuery, found: list[int]
) -> None:
    # An entry's id is made a moment before its time is taken.
    entries = [
        entry(number, audit_id=uuid7(number * HOUR_MS - 500, number), at_ms=number * HOUR_MS)
        for number in (1, 2, 3)
    ]
    await store.add_audit(ACME, entries, [])
    assert await store.list_audit(ACME, query) == [entries[number - 1] for number in found]


async def test_the_trail_is_told_and_needs_no_tenant(
    store: PortalStore, bus: Bus, database: Database
) -> None:
    await store.add_audit(NOBODY, [entry(1)], [event("a-1", NOBODY)])
    assert await store.list_audit(NOBODY, AuditQuery()) == [entry(1)]
    assert set(await published(bus, database)) == {"e1", "a-1"}


# ---- answers to repeated requests ----

DONE = Answer("hash", 1_000, 201, "application/json", b"\x00{}")


async def test_a_request_that_comes_twice_finds_its_answer(store: PortalStore) -> None:
    assert await store.reserve_answer(ACME, NAME, "hash", 1_000) is None
    assert await store.reserve_answer(ACME, NAME, "hash", 1_001) == Answer("hash", 1_000)
    await store.keep_answer(ACME, NAME, DONE)
    assert await store.reserve_answer(ACME, NAME, "hash", 1_002) == DONE
    assert await store.reserve_answer(ACME, NAME, "else", 1_002) == DONE


async def test_answers_are_apart_by_tenant_and_by_who_asked(store: PortalStore) -> None:
    assert await store.reserve_answer(ACME, NAME, "hash", 1_000) is None
    await store.keep_answer(OTHER, NAME, replace(DONE, body=b"theirs"))
    assert await store.reserve_answer(OTHER, NAME, "hash", 1_000) is None
    assert await store.reserve_answer(ACME, AnswerKey("u-2", "order-7"), "hash", 1_000) is None


async def test_of_many_at_once_one_takes_the_key(store: PortalStore) -> None:
    taken = await asyncio.gather(
        *(store.reserve_answer(ACME, NAME, "hash", 1_000) for _ in range(10))
    )
    assert taken.count(None) == 1


@pytest.mark.parametrize(
    ("request_hash", "now_ms", "is_free"),
    [
        ("hash", 1_000 + TAKE_OVER_MS - 1, False),
        ("hash", 1_000 + TAKE_OVER_MS, True),
        ("else", 1_000 + TAKE_OVER_MS, False),
        ("else", 1_000 + KEEP_MS, True),
    ],
)
async def test_a_key_whose_holder_died_is_free_again(
    store: PortalStore, request_hash: str, now_ms: int, *, is_free: bool
) -> None:
    await store.reserve_answer(ACME, NAME, "hash", 1_000)
    assert (await store.reserve_answer(ACME, NAME, request_hash, now_ms) is None) is is_free


async def test_a_key_is_dropped_only_while_it_is_not_answered(store: PortalStore) -> None:
    await store.reserve_answer(ACME, NAME, "hash", 1_000)
    await store.drop_answer(ACME, NAME, "else")
    assert await store.reserve_answer(ACME, NAME, "hash", 1_001) is not None
    await store.drop_answer(ACME, NAME, "hash")
    assert await store.reserve_answer(ACME, NAME, "hash", 1_002) is None
    await store.keep_answer(ACME, NAME, DONE)
    await store.drop_answer(ACME, NAME, "hash")
    assert await store.reserve_answer(ACME, NAME, "hash", 1_003) == DONE
    await store.keep_answer(ACME, NAME, replace(DONE, request_hash="else", body=b"no"))
    assert await store.reserve_answer(ACME, NAME, "hash", 1_003) == DONE


# ---- what has run out ----


async def test_what_has_run_out_is_swept_and_nothing_else(store: PortalStore) -> None:
    await began(store, "s-1")
    later = tokens("s-2", expires_at_ms=50_000)
    await store.add_session(
        ACME, Session("s-2", "u-1", 100), (tokens("s-2")[0], later[1]), password_hash=HASH, most=9
    )
    await store.reserve_answer(ACME, NAME, "hash", 1_000)
    await store.change_tally("k", lambda _: Tally((1_000,)))
    assert await store.sweep(10_000) == 0
    now_ms = 10_000 + max(KEEP_EXPIRED_MS, KEEP_MS, WINDOW_MS)
    assert await store.sweep(now_ms) >= 5
    assert await store.sweep(now_ms) == 0
    assert await store.holder_of(b"s-1-a1") is None
    assert await store.holder_of(b"s-2-a1") is None
    assert await store.holder_of(b"s-2-r1") is not None
    assert await store.tallies(["k"]) == {}
    assert await store.reserve_answer(ACME, NAME, "else", 2_000) is None


async def test_a_session_goes_with_its_last_token(database: Database) -> None:
    store = SqlPortalStore(database)
    await settled(store)
    for session_id, expires_at_ms in (("s-1", 10_000), ("s-2", 10_000), ("s-3", 50_000)):
        session = Session(session_id, "u-1", 100)
        made = tokens(session_id, expires_at_ms=expires_at_ms)
        await store.add_session(ACME, session, made, password_hash=HASH, most=9)
    later = tokens("s-2", 2, expires_at_ms=50_000)
    assert await store.renew(ACME, b"s-2-r1", later, 200) is Verdict.GRANTED
    await store.sweep(10_000 + KEEP_EXPIRED_MS)
    async with database.transaction(ACME) as connection:
        left = await connection.fetch("SELECT session_id FROM session ORDER BY session_id")
    assert [row["session_id"] for row in left] == ["s-2", "s-3"]


async def test_a_lock_outlives_its_wrong_passwords(store: PortalStore) -> None:
    await store.change_tally("k", lambda _: Tally((1_000,), 99_000_000))
    assert await store.sweep(98_999_999) == 0
    assert await store.sweep(99_000_000) == 1


async def test_a_sweep_takes_a_little_at_a_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqlPortalStore(database)
    await settled(store)
    monkeypatch.setattr(store_sql_trail, "SWEEP_ROWS", 2)
    for number in range(5):
        await store.change_tally(f"k{number}", lambda _: Tally((1,)))
    counts = [await store.sweep(WINDOW_MS * 2) for _ in range(4)]
    assert counts == [2, 2, 1, 0]
