"""What every store of tenants, users and sessions must do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from services.chassis.bus import Bus
from services.chassis.database import Database
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId
from services.portal import store_memory, store_sql_people
from services.portal.model.errors import (
    NoSuchTenant,
    NoSuchUser,
    TenantExists,
    TooManyUsers,
    UserExists,
    WrongCredentials,
)
from services.portal.model.people import Account, Caps, Role, Tenant, User, UserQuery
from services.portal.model.sessions import Session, Tally, Verdict
from services.portal.store import PortalStore
from services.portal.store_sql import SqlPortalStore
from tests.ports.portal_stage import (
    ACME,
    ADMIN,
    HASH,
    NOBODY,
    OTHER,
    account,
    address,
    began,
    bus,
    database,
    event,
    published,
    settled,
    store,
    tenant,
    tokens,
)

__all__ = ["address", "bus", "database", "store"]  # fixtures are found by their names here

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
    caps = Caps(max_users=5, max_calls=2, suspended=False)
    changed = Tenant(ACME, "ignored", "Acme AG", "Europe/Berlin", "DE", 99, "zh-CN", caps)
    await store.change_tenant(ACME, lambda _: changed, lambda _: [event("e2")], 8)
    assert await store.get_tenant(ACME) == replace(changed, name="acme", created_at_ms=7)
    assert await store.get_tenant(OTHER) == tenant(OTHER, "other")
    assert await published(bus, database) == ["e1", "e2"]
    with pytest.raises(NoSuchTenant):
        await store.change_tenant(NOBODY, lambda each: each, lambda _: [], 8)


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
        store.change_account(ACME, "o-1", lambda known, _: known, lambda _: (), 8),
        store.change_account(NOBODY, "o-1", lambda known, _: known, lambda _: (), 8),
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

    changed = await store.change_account(ACME, "u-1", change, tell, 8)
    assert await store.get_account(ACME, "u-1") == changed
    assert (changed.user.email, changed.password_hash) == ("a@b", "new")
    await store.change_account(ACME, "u-2", change, tell, 8)
    assert seen == [1, 0]
    assert await published(bus, database) == ["e1", "Ana B", "Ana B"]


async def test_others_count_who_rule_in_every_way_that_one_does(store: PortalStore) -> None:
    seen: dict[str, int] = {}

    async def ask(user_id: str) -> None:
        def look(known: Account, others: int) -> Account:
            seen[user_id] = others
            return known

        await store.change_account(ACME, user_id, look, lambda _: (), 8)

    both = ADMIN | {Role.PLATFORM}
    for user_id, roles in (("u-2", both), ("u-3", both | {Role.AGENT}), ("u-4", both)):
        await store.add_user(ACME, account(user_id, user_id, roles), [])
    await store.change_account(ACME, "u-4", barred, lambda _: (), 8)
    for user_id in ("u-1", "u-2", "u-3"):
        await ask(user_id)
    assert seen == {"u-1": 2, "u-2": 1, "u-3": 1}


async def test_a_password_that_is_set_during_another_change_holds(database: Database) -> None:
    store = SqlPortalStore(database)
    await settled(store)

    def rename(known: Account, _others: int) -> Account:
        return replace(known, user=replace(known.user, display_name="Ana B"))

    async with asyncio.timeout(20):
        async with database.transaction(ACME) as setting:
            await setting.execute("UPDATE account SET password_hash = 'new' WHERE user_id = 'u-1'")
            renaming = asyncio.ensure_future(
                store.change_account(ACME, "u-1", rename, lambda _: (), 8)
            )
            waits = "SELECT FROM pg_locks WHERE NOT granted"
            while not await setting.fetch(f"{waits} AND transactionid = pg_current_xact_id()::xid"):
                await setting.execute("SELECT pg_sleep(0.01)")
        await renaming
    known = await store.get_account(ACME, "u-1")
    assert (known.user.display_name, known.password_hash) == ("Ana B", "new")


async def test_a_change_that_is_refused_changes_nothing(
    store: PortalStore, bus: Bus, database: Database
) -> None:
    def refuse(_known: Account, _others: int) -> Account:
        raise UserExists("no")

    with pytest.raises(UserExists):
        await store.change_account(ACME, "u-1", refuse, lambda _: [event("e2")], 8)
    assert await store.get_account(ACME, "u-1") == account("u-1", "Ana", ADMIN)
    assert await published(bus, database) == ["e1"]


async def test_two_who_change_each_other_at_once_take_turns(store: PortalStore) -> None:
    await store.add_user(ACME, account("u-2", "bob", ADMIN), [])
    seen: list[int] = []

    def demote(known: Account, others: int) -> Account:
        seen.append(others)
        return replace(known, user=replace(known.user, roles=frozenset({Role.AGENT})))

    await asyncio.gather(
        *(store.change_account(ACME, each, demote, lambda _: (), 8) for each in ("u-1", "u-2"))
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


def barred(known: Account, _others: int) -> Account:
    """One who may not sign in any more."""
    return replace(known, user=replace(known.user, active=False))


async def test_sessions_end_with_the_leave_to_sign_in(store: PortalStore) -> None:
    await store.add_user(ACME, account("u-2", "bob"), [])
    for session_id in ("s-1", "s-2"):
        await began(store, session_id)
    await began(store, "s-3", user_id="u-2")
    await store.change_account(ACME, "u-1", barred, lambda _: (), 200)
    assert [await has_ended(store, f"s-{each}") for each in (1, 2, 3)] == [True, True, False]


async def test_a_new_password_ends_every_session_but_one(store: PortalStore) -> None:
    for session_id in ("s-1", "s-2"):
        await began(store, session_id)
    await store.set_password(ACME, "u-1", "new", 200, but="s-2")
    assert [await has_ended(store, f"s-{each}") for each in (1, 2)] == [True, False]
    assert (await store.get_account(ACME, "u-1")).password_hash == "new"
    await store.set_password(ACME, "u-1", "newer", 300)
    assert await has_ended(store, "s-2")


async def test_a_password_is_replaced_only_if_it_is_still_the_one_that_was_shown(
    store: PortalStore,
) -> None:
    await began(store)
    with pytest.raises(WrongCredentials):
        await store.set_password(ACME, "u-1", "mine", 200, instead_of="another")
    assert (await store.get_account(ACME, "u-1")).password_hash == HASH
    assert not await has_ended(store, "s-1")
    await store.set_password(ACME, "u-1", "mine", 200, instead_of=HASH)
    assert (await store.get_account(ACME, "u-1")).password_hash == "mine"


async def test_nobody_begins_a_session_with_what_was_the_password(store: PortalStore) -> None:
    await store.set_password(ACME, "u-1", "new", 200)
    assert not await began(store)
    assert await store.holder_of(b"s-1-a1") is None


async def test_nobody_inactive_begins_a_session(store: PortalStore) -> None:
    await store.change_account(ACME, "u-1", barred, lambda _: (), 8)
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
