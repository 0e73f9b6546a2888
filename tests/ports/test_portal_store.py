"""What every store of people, sessions, keys and the trail must do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from protos.portal.v1 import portal_pb2, portal_pb2_grpc
from services.chassis.bus import Bus, MemoryBus
from services.chassis.database import Database, DatabaseAddress
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId
from services.chassis.outbox import OutboxPublisher
from services.chassis.postgres.server import PostgresServer
from services.chassis.settings import load
from services.chassis.simulated import MemoryExchange
from services.chassis.world import local_world
from services.portal import store_memory, store_sql_people, store_sql_trail
from services.portal.bootstrap import read_first_administrator
from services.portal.core.lockout import WINDOW_MS
from services.portal.core.replaying import KEEP_MS, TAKE_OVER_MS
from services.portal.core.sessions import KEEP_EXPIRED_MS
from services.portal.model.errors import (
    NoSuchApiKey,
    NoSuchTenant,
    NoSuchUser,
    NotAuthenticated,
    TenantExists,
    TooManyApiKeys,
    TooManyUsers,
    UserExists,
)
from services.portal.model.people import Account, ApiKey, Role, Tenant, User, UserQuery
from services.portal.model.sessions import Session, Tally, Token, TokenKind, Verdict
from services.portal.model.trail import Answer, AnswerKey, AuditEntry, AuditQuery
from services.portal.people import build_people
from services.portal.settings import PortalSettings
from services.portal.store import TOPIC, PortalStore
from services.portal.store_memory import MemoryPortalStore
from services.portal.store_sql import SqlPortalStore

ACME, OTHER, NOBODY = TenantId("t-acme"), TenantId("t-other"), TenantId("t-nobody")
ADMIN = frozenset({Role.ADMINISTRATOR})
HASH = "$argon2id$of-a-password"


def tenant(tenant_id: TenantId, name: str) -> Tenant:
    return Tenant(tenant_id, name, name.title(), "Europe/Bucharest", "RO", 7)


def account(
    user_id: str, username: str, roles: frozenset[Role] = frozenset({Role.AGENT})
) -> Account:
    return Account(
        User(user_id, username, f"{username} Müller", "", roles, active=True, created_at_ms=7), HASH
    )


def event(event_id: str, tenant_id: TenantId = ACME) -> Envelope:
    return Envelope(event_id, tenant_id, 7, tenant_id, "carillon.portal.v1.UserPut", b"x")


@pytest.fixture(scope="module")
def address(postgres_server: PostgresServer) -> DatabaseAddress:
    """One migrated database for all tests here: emptying it takes less than making it."""
    return asyncio.run(postgres_server.database("portal_people"))


@pytest.fixture
async def database(
    postgres_server: PostgresServer, address: DatabaseAddress
) -> AsyncIterator[Database]:
    admin = await asyncpg.connect(postgres_server.admin_dsn(address.name))
    await admin.execute(
        "TRUNCATE portal.tenant, portal.account, portal.session, portal.token, portal.api_key,"
        " portal.tally, portal.audit, portal.answer, portal.outbox"
    )
    await admin.close()
    made = Database(address, schema="portal")
    yield made
    await made.close()


@pytest.fixture
def bus() -> Bus:
    return MemoryBus()


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest, database: Database, bus: Bus) -> PortalStore:
    made: PortalStore = (
        MemoryPortalStore(bus=bus) if request.param == "memory" else SqlPortalStore(database)
    )
    await settled(made)
    return made


async def settled(store: PortalStore) -> None:
    """Two tenants whose people have the same names, as they may."""
    await store.add_tenant(tenant(ACME, "acme"), account("u-1", "Ana", ADMIN), [event("e1")])
    await store.add_tenant(tenant(OTHER, "other"), account("o-1", "Ana", ADMIN), [])


async def published(bus: Bus, database: Database) -> list[str]:
    """The ids of what was told, from wherever it waits."""
    await OutboxPublisher(database=database, bus=bus).publish_some()
    ids: list[str] = []
    async with bus.consumer(group="g", topics=(TOPIC,)) as consumer:
        while (batch := await consumer.fetch(wait_s=0)) is not None:
            ids += [each.event_id for each in batch.events]
    return ids


# ---- tenants and users ----


async def test_a_tenant_is_found_by_its_name_by_whoever_signs_in(store: PortalStore) -> None:
    assert await store.tenant_named("acme") == tenant(ACME, "acme")
    assert await store.tenant_named("nobody") is None
    assert await store.get_tenant(OTHER) == tenant(OTHER, "other")
    with pytest.raises(NoSuchTenant):
        await store.get_tenant(NOBODY)


@pytest.mark.parametrize("made", [tenant(NOBODY, "acme"), tenant(ACME, "third")])
async def test_a_tenants_name_and_id_are_its_own(
    store: PortalStore, bus: Bus, database: Database, made: Tenant
) -> None:
    with pytest.raises(TenantExists):
        await store.add_tenant(made, account("u-9", "root", ADMIN), [event("e9")])
    assert await published(bus, database) == ["e1"]
    assert [each.name for each in await store.list_tenants("", 9)] == ["acme", "other"]


async def test_a_tenant_is_changed_but_for_its_name(
    store: PortalStore, bus: Bus, database: Database
) -> None:
    changed = Tenant(ACME, "ignored", "Acme AG", "Europe/Berlin", "DE", 99)
    await store.put_tenant(changed, [event("e2")])
    assert await store.get_tenant(ACME) == replace(changed, name="acme", created_at_ms=7)
    assert await store.get_tenant(OTHER) == tenant(OTHER, "other")
    assert await published(bus, database) == ["e1", "e2"]
    with pytest.raises(NoSuchTenant):
        await store.put_tenant(tenant(NOBODY, "x"), [])


async def test_tenants_are_listed_by_name_in_pages(store: PortalStore) -> None:
    await store.add_tenant(tenant(NOBODY, "abc"), account("n-1", "root", ADMIN), [])
    assert [each.name for each in await store.list_tenants("", 2)] == ["abc", "acme"]
    assert [each.name for each in await store.list_tenants("acme", 2)] == ["other"]


async def test_a_user_is_found_by_name_in_any_case(store: PortalStore) -> None:
    await store.add_user(ACME, account("u-2", "Bob.K@x"), [])
    for name in ("bob.k@x", "BOB.K@X", "Bob.K@x"):
        found = await store.account_named(ACME, name)
        assert found == account("u-2", "Bob.K@x")
    assert await store.account_named(OTHER, "bob.k@x") is None
    assert await store.account_named(NOBODY, "ana") is None


async def test_a_username_is_unique_in_its_tenant_only(
    store: PortalStore, bus: Bus, database: Database
) -> None:
    with pytest.raises(UserExists):
        await store.add_user(ACME, account("u-2", "aNA"), [event("e2")])
    with pytest.raises(UserExists):
        await store.add_user(ACME, account("u-1", "another"), [])
    assert await published(bus, database) == ["e1"]
    assert (await store.get_account(OTHER, "o-1")).user.username == "Ana"
    with pytest.raises(NoSuchTenant):
        await store.add_user(NOBODY, account("u-3", "x"), [])


async def test_a_tenant_has_only_so_many_users(
    store: PortalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (store_memory, store_sql_people):
        monkeypatch.setattr(module, "MAX_USERS", 2)
    await store.add_user(ACME, account("u-2", "b"), [])
    with pytest.raises(TooManyUsers):
        await store.add_user(ACME, account("u-3", "c"), [])


async def test_a_user_of_another_tenant_does_not_exist(store: PortalStore) -> None:
    for ask in (
        store.get_account(ACME, "o-1"),
        store.get_account(NOBODY, "o-1"),
        store.change_account(ACME, "o-1", lambda known, _: known, lambda _: ()),
        store.change_account(NOBODY, "o-1", lambda known, _: known, lambda _: ()),
        store.set_password(ACME, "o-1", "other", 8),
    ):
        with pytest.raises(NoSuchUser):
            await ask
    assert [user.user_id for user in await store.list_users(ACME, UserQuery())] == ["u-1"]
    assert await store.list_users(NOBODY, UserQuery()) == []
    assert (await store.get_account(OTHER, "o-1")).password_hash == HASH


async def test_an_account_is_changed_knowing_the_other_administrators(
    store: PortalStore, bus: Bus, database: Database
) -> None:
    await store.add_user(ACME, account("u-2", "bob", ADMIN), [])
    seen: list[int] = []

    def change(known: Account, others: int) -> Account:
        seen.append(others)
        user = replace(known.user, display_name="Ana B", roles=frozenset({Role.AGENT}))
        return replace(known, user=replace(user, email="a@b"), password_hash="new")

    def tell(user: User) -> Sequence[Envelope]:
        return [event(f"{user.display_name}")]

    changed = await store.change_account(ACME, "u-1", change, tell)
    assert await store.get_account(ACME, "u-1") == changed
    assert (changed.user.email, changed.password_hash) == ("a@b", "new")
    await store.change_account(ACME, "u-2", change, tell)
    assert seen == [1, 0]
    assert await published(bus, database) == ["e1", "Ana B", "Ana B"]


async def test_a_change_that_is_refused_changes_nothing(
    store: PortalStore, bus: Bus, database: Database
) -> None:
    def refuse(_known: Account, _others: int) -> Account:
        raise UserExists("no")

    with pytest.raises(UserExists):
        await store.change_account(ACME, "u-1", refuse, lambda _: [event("e2")])
    assert await store.get_account(ACME, "u-1") == account("u-1", "Ana", ADMIN)
    assert await published(bus, database) == ["e1"]


async def test_two_who_change_each_other_at_once_take_turns(store: PortalStore) -> None:
    await store.add_user(ACME, account("u-2", "bob", ADMIN), [])
    seen: list[int] = []

    def demote(known: Account, others: int) -> Account:
        seen.append(others)
        return replace(known, user=replace(known.user, roles=frozenset({Role.AGENT})))

    await asyncio.gather(
        *(store.change_account(ACME, each, demote, lambda _: ()) for each in ("u-1", "u-2"))
    )
    assert sorted(seen) == [0, 1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (UserQuery(), ["aa", "Ana", "bob", "Zoe"]),
        (UserQuery(size=2), ["aa", "Ana"]),
        (UserQuery(size=2, after="ana"), ["bob", "Zoe"]),
        (UserQuery(search="O"), ["bob", "Zoe"]),
        (UserQuery(search="ZOE MÜL"), ["Zoe"]),
        (UserQuery(search="%"), []),
        (UserQuery(role="agent"), ["aa", "Zoe"]),
        (UserQuery(role="administrator", search="a"), ["Ana"]),
    ],
)
async def test_users_are_listed_by_name_and_looked_for(
    store: PortalStore, query: UserQuery, found: list[str]
) -> None:
    await store.add_user(ACME, account("u-4", "Zoe"), [])
    await store.add_user(ACME, account("u-2", "bob", frozenset({Role.SUPERVISOR})), [])
    await store.add_user(ACME, account("u-3", "aa"), [])
    assert [user.username for user in await store.list_users(ACME, query)] == found


async def test_who_was_seen_is_remembered(store: PortalStore) -> None:
    await store.touch_user(ACME, "u-1", 99)
    await store.touch_user(ACME, "o-1", 99)
    assert (await store.get_account(ACME, "u-1")).user.last_seen_at_ms == 99
    assert (await store.get_account(OTHER, "o-1")).user.last_seen_at_ms == 0


# ---- sessions ----


def tokens(session_id: str, number: int = 1, expires_at_ms: int = 10_000) -> tuple[Token, Token]:
    return (
        Token(f"{session_id}-a{number}".encode(), TokenKind.ACCESS, session_id, expires_at_ms),
        Token(f"{session_id}-r{number}".encode(), TokenKind.REFRESH, session_id, expires_at_ms),
    )


async def began(
    store: PortalStore,
    session_id: str = "s-1",
    *,
    user_id: str = "u-1",
    at_ms: int = 100,
    most: int = 9,
) -> bool:
    session = Session(session_id, user_id, at_ms)
    return await store.add_session(ACME, session, tokens(session_id), password_hash=HASH, most=most)


async def has_ended(store: PortalStore, session_id: str) -> bool:
    holder = await store.holder_of(f"{session_id}-a1".encode())
    assert holder is not None
    return holder.session.ended_at_ms != 0


async def test_a_token_leads_to_whoever_holds_it(store: PortalStore) -> None:
    await store.touch_user(ACME, "u-1", 99)
    assert await began(store)
    holder = await store.holder_of(b"s-1-a1")
    assert holder is not None
    assert holder.tenant == tenant(ACME, "acme")
    assert holder.user == replace(account("u-1", "Ana", ADMIN).user, last_seen_at_ms=99)
    assert holder.session == Session("s-1", "u-1", 100)
    assert holder.token == tokens("s-1")[0]
    assert await store.holder_of(b"unknown") is None


async def test_a_refresh_token_works_once_and_the_second_time_ends_the_session(
    store: PortalStore,
) -> None:
    await began(store)
    assert await store.renew(ACME, b"s-1-r1", tokens("s-1", 2), 200) is Verdict.GRANTED
    fresh = await store.holder_of(b"s-1-r2")
    assert fresh is not None
    assert (fresh.token.used_at_ms, fresh.session.ended_at_ms) == (0, 0)
    assert await store.renew(ACME, b"s-1-r1", tokens("s-1", 3), 300) is Verdict.REUSED
    ended = await store.holder_of(b"s-1-a2")
    assert ended is not None
    assert ended.session.ended_at_ms == 300
    assert await store.holder_of(b"s-1-a3") is None
    assert await store.renew(ACME, b"s-1-r2", tokens("s-1", 4), 400) is Verdict.REFUSED


async def test_of_two_who_refresh_at_once_one_is_a_thief(store: PortalStore) -> None:
    await began(store)
    verdicts = await asyncio.gather(
        *(store.renew(ACME, b"s-1-r1", tokens("s-1", 2 + each), 200) for each in range(2))
    )
    assert sorted(verdicts) == [Verdict.GRANTED, Verdict.REUSED]
    assert await has_ended(store, "s-1")


@pytest.mark.parametrize(
    ("tenant_id", "sha256", "now_ms", "verdict"),
    [
        (ACME, b"s-1-r1", 9_999, Verdict.GRANTED),
        (ACME, b"s-1-r1", 10_000, Verdict.EXPIRED),
        (ACME, b"s-1-a1", 200, Verdict.REFUSED),
        (ACME, b"unknown", 200, Verdict.REFUSED),
        (OTHER, b"s-1-r1", 200, Verdict.REFUSED),
        (NOBODY, b"s-1-r1", 200, Verdict.REFUSED),
    ],
)
async def test_a_refresh_token_is_good_for_its_own_session_in_its_own_time(
    store: PortalStore, tenant_id: TenantId, sha256: bytes, now_ms: int, verdict: Verdict
) -> None:
    await began(store)
    assert await store.renew(tenant_id, sha256, tokens("s-1", 2), now_ms) is verdict
    assert not await has_ended(store, "s-1")


async def test_a_session_ends_once_and_only_its_own_tenant_ends_it(store: PortalStore) -> None:
    await began(store)
    await store.end_session(OTHER, "s-1", 150)
    assert not await has_ended(store, "s-1")
    await store.end_session(ACME, "s-1", 200)
    await store.end_session(ACME, "s-1", 300)
    await store.end_session(ACME, "unknown", 300)
    holder = await store.holder_of(b"s-1-r1")
    assert holder is not None
    assert holder.session.ended_at_ms == 200


async def test_all_sessions_of_one_user_end_together(store: PortalStore) -> None:
    await store.add_user(ACME, account("u-2", "bob"), [])
    for session_id in ("s-1", "s-2"):
        await began(store, session_id)
    await began(store, "s-3", user_id="u-2")
    await store.end_sessions(ACME, "u-1", 200)
    assert [await has_ended(store, f"s-{each}") for each in (1, 2, 3)] == [True, True, False]


async def test_a_new_password_ends_every_session_but_one(store: PortalStore) -> None:
    for session_id in ("s-1", "s-2"):
        await began(store, session_id)
    await store.set_password(ACME, "u-1", "new", 200, but="s-2")
    assert [await has_ended(store, f"s-{each}") for each in (1, 2)] == [True, False]
    assert (await store.get_account(ACME, "u-1")).password_hash == "new"
    await store.set_password(ACME, "u-1", "newer", 300)
    assert await has_ended(store, "s-2")


async def test_nobody_begins_a_session_with_what_was_the_password(store: PortalStore) -> None:
    await store.set_password(ACME, "u-1", "new", 200)
    assert not await began(store)
    assert await store.holder_of(b"s-1-a1") is None


async def test_nobody_inactive_begins_a_session(store: PortalStore) -> None:
    def end(known: Account, _others: int) -> Account:
        return replace(known, user=replace(known.user, active=False))

    await store.change_account(ACME, "u-1", end, lambda _: ())
    assert not await began(store)


async def test_the_oldest_sessions_end_when_there_are_too_many(store: PortalStore) -> None:
    await store.add_user(ACME, account("u-2", "bob"), [])
    await began(store, "s-0", user_id="u-2", at_ms=1)
    for number in (1, 2, 3, 4):
        await began(store, f"s-{number}", at_ms=100 + number, most=2)
    ended = [await has_ended(store, f"s-{each}") for each in range(5)]
    assert ended == [False, True, True, False, False]


async def test_tallies_are_kept_changed_and_forgotten(store: PortalStore) -> None:
    tally = Tally((5, 9), 77)
    assert await store.change_tally("k", lambda _: tally) == tally
    assert await store.tallies(["k", "unknown"]) == {"k": tally}

    def refuse(_: Tally) -> Tally:
        raise UserExists("no")

    with pytest.raises(UserExists):
        await store.change_tally("k", refuse)
    assert await store.tallies(["k"]) == {"k": tally}
    await store.change_tally("k", lambda _: Tally())
    assert await store.tallies(["k"]) == {}


async def test_no_wrong_password_is_lost_among_many_at_once(store: PortalStore) -> None:
    def more(known: Tally) -> Tally:
        return Tally((*known.failed_at_ms, 1))

    await asyncio.gather(*(store.change_tally("k", more) for _ in range(20)))
    assert len((await store.tallies(["k"]))["k"].failed_at_ms) == 20


# ---- keys ----


def key(number: int, expires_at_ms: int = 0) -> ApiKey:
    return ApiKey(f"k-{number}", "crm", ADMIN, 7, expires_at_ms, "abc", f"h{number}".encode())


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


def entry(number: int, **parts: Any) -> AuditEntry:
    known = AuditEntry(
        audit_id=f"a-{number}",
        at_ms=number * 10,
        actor_id="u-1",
        actor_name="Ana",
        actor_kind="user",
        action="carillon.acd.v1.Acd/PutQueue",
        subject="queue sales",
        outcome="ok",
        address="127.0.0.1",
        detail_json='{"queue":"ü"}',
    )
    return replace(known, **parts)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (AuditQuery(), [4, 3, 2, 1]),
        (AuditQuery(size=2), [4, 3]),
        (AuditQuery(size=2, before="a-3"), [2, 1]),
        (AuditQuery(from_ms=20, to_ms=40), [3, 2]),
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


async def test_the_trail_is_told_and_needs_no_tenant(
    store: PortalStore, bus: Bus, database: Database
) -> None:
    await store.add_audit(NOBODY, [entry(1)], [event("a-1", NOBODY)])
    assert await store.list_audit(NOBODY, AuditQuery()) == [entry(1)]
    assert set(await published(bus, database)) == {"e1", "a-1"}


# ---- answers to repeated requests ----

NAME = AnswerKey("u-1", "order-7")
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


# ---- people on PostgreSQL, as a process has them ----


async def test_people_live_on_postgresql(
    postgres_server: PostgresServer, database_address: DatabaseAddress, tmp_path: Path
) -> None:
    database_address.write(tmp_path / "database.json")
    world = local_world(var_dir=tmp_path, run_dir=tmp_path / "run")
    people = build_people(world, load(PortalSettings))
    exchange = MemoryExchange(coin=lambda: False)
    await people.start()
    exchange.serve("portal", people.faces())
    portal = portal_pb2_grpc.PortalStub(exchange.channel("portal"))
    first = read_first_administrator(tmp_path / "bootstrap.json")
    assert first is not None
    try:
        session = await portal.SignIn(
            portal_pb2.SignInRequest(
                tenant=first.tenant, username=first.username, password=first.password
            )
        )
        principal = await people.identity.authenticate(session.access_token)
        assert principal.roles == frozenset({"administrator", "platform"})
        with pytest.raises(NotAuthenticated):
            await people.identity.authenticate("cra_" + "A" * 43)
        async with (
            asyncio.timeout(20),
            world.bus.consumer(group="test", topics=(TOPIC,)) as consumer,
        ):
            types: list[str] = []
            while "Audited" not in types:
                batch = await consumer.fetch(wait_s=1)
                types += [each.type.rpartition(".")[2] for each in batch.events] if batch else []
        assert types == ["TenantPut", "UserPut", "Audited"]
    finally:
        await people.stop()
        await world.close()


# ---- what the database itself holds to ----


async def test_only_the_databases_own_rule_keeps_tenants_apart(
    postgres_server: PostgresServer, database_address: DatabaseAddress
) -> None:
    database = Database(database_address, schema="portal")
    store = SqlPortalStore(database)
    await settled(store)
    await store.add_key(OTHER, key(1), most=9)
    await store.add_audit(OTHER, [entry(1)], [])
    admin = await asyncpg.connect(postgres_server.admin_dsn(database_address.name))

    async def seen() -> tuple[int, int, int]:
        return (
            len(await store.list_users(ACME, UserQuery())),
            len(await store.list_keys(ACME, "", 9)),
            len(await store.list_audit(ACME, AuditQuery())),
        )

    try:
        assert await seen() == (1, 0, 0)
        for table in ("account", "api_key", "audit"):
            await admin.execute(f"ALTER TABLE portal.{table} DISABLE ROW LEVEL SECURITY")
        assert await seen() == (2, 1, 1), "the leak is seen when the protection is off"
        assert (await store.get_account(ACME, "o-1")).user.username == "Ana"
    finally:
        await admin.close()
        await database.close()


async def test_every_table_of_a_tenant_is_protected_even_from_its_owner(
    postgres_server: PostgresServer, address: DatabaseAddress
) -> None:
    admin = await asyncpg.connect(postgres_server.admin_dsn(address.name))
    try:
        rows = await admin.fetch(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS is_protected"
            " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relnamespace = 'portal'::regnamespace AND c.relkind = 'r'"
            " AND a.attname = 'tenant_id'"
        )
    finally:
        await admin.close()
    tables = {row["relname"]: row["is_protected"] for row in rows}
    # The outbox is the publisher's, which brings everybody's events to the bus.
    assert tables.pop("outbox") is False
    assert set(tables) == {"tenant", "account", "session", "token", "api_key", "audit", "answer"}
    assert all(tables.values()), tables


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET outcome = 'ok'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "ALTER TABLE audit DISABLE ROW LEVEL SECURITY",
        "SELECT * FROM chassis.bus_log",
    ],
)
async def test_the_services_role_cannot(database: Database, statement: str) -> None:
    await SqlPortalStore(database).add_audit(ACME, [entry(1)], [])
    with pytest.raises(asyncpg.PostgresError):
        async with database.transaction(ACME) as connection:
            await connection.execute(statement)
    assert await SqlPortalStore(database).list_audit(ACME, AuditQuery()) == [entry(1)]


@pytest.mark.parametrize(
    "ask",
    [
        "SELECT portal.tenant_named('acme')",
        "SELECT portal.tenant_of_token('x')",
        "SELECT portal.tenant_of_key('x')",
        "SELECT * FROM portal.tenants_after('', 9)",
        "SELECT portal.tenants_to_sweep(1, 1, 1)",
    ],
)
async def test_no_other_service_looks_across_tenants(address: DatabaseAddress, ask: str) -> None:
    others = Database(address, schema="bus")
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with others.untenanted() as connection:
                await connection.execute(ask)
    finally:
        await others.close()
