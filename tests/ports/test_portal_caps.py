"""What every store must do about caps, suspension, people who leave, and dispositions."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from services.chassis.bus import Bus
from services.chassis.database import Database
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId
from services.portal.model.dispositions import Disposition
from services.portal.model.errors import (
    LastAdministrator,
    NoSuchDisposition,
    NoSuchUser,
    TooManyDispositions,
    TooManyUsers,
)
from services.portal.model.people import Account, Caps, Headcount, Tenant, UserQuery
from services.portal.store import PortalStore
from tests.ports.portal_stage import (
    ACME,
    NOBODY,
    OTHER,
    account,
    address,
    began,
    bus,
    database,
    event,
    published,
    store,
    tenant,
    tokens,
)

THIRD = TenantId("third-id")

__all__ = ["address", "bus", "database", "store"]  # fixtures are found by their names here


async def test_a_change_of_a_tenant_knows_what_is_there_and_tells_it(
    store: PortalStore, bus: Bus, database: Database
) -> None:
    seen: list[Tenant] = []

    def change(present: Tenant) -> Tenant:
        seen.append(present)
        return replace(present, language="en")

    def tell(after: Tenant) -> list[Envelope]:
        seen.append(after)
        return [event("e2")]

    after = await store.change_tenant(ACME, change, tell, 8)
    assert seen == [tenant(ACME, "acme"), after]
    assert after == await store.get_tenant(ACME)


async def test_a_tenant_that_is_suspended_loses_its_sessions_and_no_other_does(
    store: PortalStore,
) -> None:
    assert await began(store)
    token = tokens("s-1")[0]
    caps = Caps(suspended=True)
    await store.change_tenant(OTHER, lambda each: replace(each, caps=caps), lambda _: [], 900)
    assert (holder := await store.holder_of(token.sha256))
    assert not holder.session.ended_at_ms
    await store.change_tenant(ACME, lambda each: replace(each, caps=caps), lambda _: [], 901)
    assert (holder := await store.holder_of(token.sha256))
    assert (holder.session.ended_at_ms, holder.tenant.caps) == (901, caps)


async def test_a_tenant_is_kept_with_the_caps_that_it_is_made_with(store: PortalStore) -> None:
    made = replace(tenant(THIRD, "third"), caps=Caps(max_users=3, max_calls=20, suspended=True))
    await store.add_tenant(made, account("t-1", "root"), [])
    assert await store.get_tenant(THIRD) == made


async def test_no_more_may_sign_in_than_the_cap_says(store: PortalStore) -> None:
    caps = Caps(max_users=3)
    await store.change_tenant(ACME, lambda each: replace(each, caps=caps), lambda _: [], 8)
    present = (await store.headcount(ACME)).users
    for number in range(3 - present):
        await store.add_user(ACME, account(f"n-{number}", f"new-{number}"), [])
    with pytest.raises(TooManyUsers):
        await store.add_user(ACME, account("n-9", "late"), [])
    last = (await store.list_users(ACME, UserQuery()))[-1]

    def active(now: Account, _others: int, *, may: bool) -> Account:
        return replace(now, user=replace(now.user, active=may))

    await store.change_account(ACME, last.user_id, partial(active, may=False), lambda _: [], 8)
    assert (await store.headcount(ACME)).users == 2
    await store.add_user(ACME, account("n-9", "late"), [])
    # Who may sign in already stays whatever the cap; one more would be too many.
    with pytest.raises(TooManyUsers):
        await store.change_account(ACME, last.user_id, partial(active, may=True), lambda _: [], 8)
    await store.change_account(ACME, "n-9", partial(active, may=True), lambda _: [], 8)


async def test_a_user_who_is_removed_leaves_nothing_to_sign_in_with(
    store: PortalStore, bus: Bus, database: Database
) -> None:
    assert await began(store)
    token = tokens("s-1")[0]
    holder = await store.holder_of(token.sha256)
    assert holder is not None
    user = holder.user
    seen: list[tuple[str, int]] = []

    def refuse(account: Account, others: int) -> None:
        seen.append((account.user.user_id, others))
        raise LastAdministrator("no")

    with pytest.raises(LastAdministrator):
        await store.remove_user(ACME, user.user_id, refuse, [event("e8")])
    assert await store.holder_of(token.sha256) is not None
    await store.remove_user(ACME, user.user_id, lambda *_: None, [event("e9")])
    assert [each for each, _ in seen] == [user.user_id]
    assert await store.holder_of(token.sha256) is None
    assert await store.names_in_use(ACME, [user.username]) == set()
    assert (await published(bus, database))[-1] == "e9"
    for tenant_id in (ACME, NOBODY):
        with pytest.raises(NoSuchUser):
            await store.remove_user(tenant_id, user.user_id, lambda *_: None, [])
    await store.add_user(ACME, account("again", user.username), [])


async def test_names_in_use_are_found_in_any_case_and_in_their_tenant_only(
    store: PortalStore,
) -> None:
    await store.add_user(ACME, account("n-1", "Anna.B"), [])
    assert await store.names_in_use(ACME, ["ANNA.b", "nobody"]) == {"anna.b"}
    assert await store.names_in_use(OTHER, ["anna.b"]) == set()
    assert await store.headcount(NOBODY) == Headcount(0, 0)


async def test_dispositions_are_kept_replaced_and_removed(store: PortalStore) -> None:
    sold = Disposition("sold", "Sold", ("sales", "vip"), 2, active=True)
    other = Disposition("other", "Something else", (), -1, active=False)
    for each in (sold, other):
        await store.put_disposition(ACME, each, most=2)
    with pytest.raises(TooManyDispositions):
        await store.put_disposition(ACME, replace(sold, code="third"), most=2)
    sold = replace(sold, label="Bought", queue_ids=())
    await store.put_disposition(ACME, sold, most=2)
    assert sorted(await store.dispositions(ACME), key=lambda each: each.code) == [other, sold]
    assert await store.dispositions(OTHER) == []
    with pytest.raises(NoSuchDisposition):
        await store.remove_disposition(OTHER, "sold")
    await store.remove_disposition(ACME, "sold")
    with pytest.raises(NoSuchDisposition):
        await store.remove_disposition(ACME, "sold")
    assert await store.dispositions(ACME) == [other]
