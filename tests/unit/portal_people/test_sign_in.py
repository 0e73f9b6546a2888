"""Signing in, going on, and signing out, through the face."""

from __future__ import annotations

import asyncio

import pytest

from protos.portal.v1 import portal_pb2
from services.chassis.errors import Kind
from services.portal.core.sessions import MAX_SESSIONS
from services.portal.model.errors import NotAuthenticated, TokenExpired
from tests.unit.portal_people.stage import (
    HOME,
    MINUTE_MS,
    OTHER_PASSWORD,
    PASSWORD,
    Stage,
    refused,
)

DAY_MS = 24 * 60 * MINUTE_MS


async def test_whoever_knows_the_password_gets_a_session(stage: Stage) -> None:
    session = await stage.sign_in()
    assert (session.expires_in_s, session.refresh_expires_in_s) == (600, 14 * 86_400)
    assert session.access_token.startswith("cra_")
    assert session.refresh_token.startswith("crr_")
    me = session.me
    assert (me.name, list(me.roles), me.tenant_name, me.kind, me.time_zone) == (
        "root",
        ["administrator"],
        "acme",
        "user",
        "Europe/Bucharest",
    )
    principal = await stage.who(session.access_token)
    assert (principal.id, principal.tenant_id) == (me.id, stage.tenants["acme"])
    assert await stage.portal.GetMe(
        portal_pb2.GetMeRequest(), metadata=await stage.by(session.access_token)
    ) == (me)


async def test_names_are_typed_in_any_case(stage: Stage) -> None:
    assert (await stage.sign_in("ROOT", "Acme")).me.name == "root"


async def test_the_same_name_in_two_tenants_is_two_people(stage: Stage) -> None:
    ours, theirs = await stage.sign_in(), await stage.sign_in(tenant="other")
    assert ours.me.id != theirs.me.id
    assert (await stage.who(theirs.access_token)).tenant_id == stage.tenants["other"]


WRONG = [
    {"password": "wrong horse battery"},
    {"username": "nobody"},
    {"tenant": "nobody"},
    {"username": "inactive", "password": OTHER_PASSWORD},
]


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_is_wrong_is_not_told_and_costs_the_same(
    stage: Stage, wrong: dict[str, str]
) -> None:
    user = await stage.create_user("inactive")
    user.active = False
    await stage.portal.UpdateUser(
        portal_pb2.UpdateUserRequest(user=user), metadata=await stage.root()
    )
    stage.store.asked.clear()
    stage.passwords.verified.clear()
    error = await refused(stage.sign_in(**wrong))
    assert (error.code, error.kind, error.message) == (
        "wrong-credentials",
        Kind.UNAUTHENTICATED,
        "tenant, username or password are wrong",
    )
    # The same is looked up and computed, so that a clock cannot tell either.
    assert stage.store.asked == [
        "tenant_named",
        "account_named",
        "tallies",
        "change_tally",
        "change_tally",
    ]
    assert len(stage.passwords.verified) == 1


@pytest.mark.parametrize(
    "form",
    [
        {"username": ""},
        {"tenant": ""},
        {"password": ""},
        {"username": "x" * 101},
        {"tenant": "x" * 41},
        {"password": "x" * 257},
        {"username": "a\0b"},
        {"tenant": "a\0b"},
    ],
)
async def test_what_nobody_can_have_is_refused_before_any_work(
    stage: Stage, form: dict[str, str]
) -> None:
    stage.passwords.verified.clear()
    assert (await refused(stage.sign_in(**form))).code == "wrong-credentials"
    assert stage.passwords.verified == []
    (entry,) = await stage.audit("platform")
    assert (entry.action, entry.outcome, entry.subject, entry.address) == (
        "sign-in",
        "wrong-credentials",
        "an unknown user",
        HOME,
    )


# ---- lock-out ----


async def fail(stage: Stage, times: int, username: str = "root") -> list[str]:
    return [
        (await refused(stage.sign_in(username, password="wrong horse battery"))).code
        for _ in range(times)
    ]


@pytest.mark.parametrize("username", ["root", "nobody"])
async def test_five_wrong_passwords_lock_for_a_quarter_of_an_hour(
    stage: Stage, username: str
) -> None:
    assert await fail(stage, 5, username) == ["wrong-credentials"] * 5
    stage.clock.at_ms += MINUTE_MS
    error = await refused(stage.sign_in(username))
    assert (error.code, error.kind) == ("locked-out", Kind.EXHAUSTED)
    assert "come back in 840 seconds" in error.message
    stage.clock.at_ms += 14 * MINUTE_MS - 1
    assert (await refused(stage.sign_in(username))).code == "locked-out"


async def test_a_lock_opens_by_itself_and_counts_anew(stage: Stage) -> None:
    await fail(stage, 5)
    stage.clock.at_ms += 15 * MINUTE_MS
    assert await fail(stage, 4) == ["wrong-credentials"] * 4
    assert (await stage.sign_in()).access_token


async def test_the_right_password_forgets_the_wrong_ones(stage: Stage) -> None:
    for _ in range(3):
        await fail(stage, 4)
        await stage.sign_in()


async def test_wrong_passwords_of_long_ago_do_not_count(stage: Stage) -> None:
    await fail(stage, 4)
    stage.clock.at_ms += 15 * MINUTE_MS
    assert await fail(stage, 4) == ["wrong-credentials"] * 4


async def test_a_lock_holds_for_one_name_of_one_tenant(stage: Stage) -> None:
    await fail(stage, 5)
    assert (await refused(stage.sign_in("ROOT"))).code == "locked-out"
    assert (await stage.sign_in(tenant="other")).me.tenant_name == "other"


async def test_an_administrator_sees_a_lock_and_opens_it_by_a_new_password(stage: Stage) -> None:
    user = await stage.create_user("ana")
    root = await stage.root()
    await fail(stage, 5, "ana")
    ask = portal_pb2.GetUserRequest(user_id=user.user_id)
    locked = await stage.portal.GetUser(ask, metadata=root)
    assert locked.locked_until_ms == stage.clock.at_ms + 15 * MINUTE_MS
    await stage.portal.SetPassword(
        portal_pb2.SetPasswordRequest(user_id=user.user_id, password="a fresh start 99"),
        metadata=root,
    )
    assert (await stage.sign_in("ana", password="a fresh start 99")).me.id == user.user_id
    assert (await stage.portal.GetUser(ask, metadata=root)).locked_until_ms == 0


async def test_a_lock_that_has_run_out_is_not_shown(stage: Stage) -> None:
    user = await stage.create_user("ana")
    root = await stage.root()
    await fail(stage, 5, "ana")
    stage.clock.at_ms += 15 * MINUTE_MS
    ask = portal_pb2.GetUserRequest(user_id=user.user_id)
    assert (await stage.portal.GetUser(ask, metadata=root)).locked_until_ms == 0


async def test_many_at_once_are_not_more_than_may_be_wrong(stage: Stage) -> None:
    stage.passwords.verified.clear()
    codes = await asyncio.gather(*(fail(stage, 1) for _ in range(20)))
    assert sorted(code for each in codes for code in each) == (
        ["locked-out"] * 15 + ["wrong-credentials"] * 5
    )
    assert len(stage.passwords.verified) == 5


async def test_one_user_may_sign_in_from_many_places_at_once(stage: Stage) -> None:
    sessions = await asyncio.gather(*(stage.sign_in() for _ in range(20)))
    assert len({session.access_token for session in sessions}) == 20


async def test_one_address_may_not_try_every_name(stage: Stage) -> None:
    for number in range(50):
        await fail(stage, 1, f"user-{number}")
    error = await refused(stage.sign_in())
    assert (error.code, error.kind) == ("too-many-attempts", Kind.EXHAUSTED)
    assert (await stage.sign_in(address="192.0.2.8")).access_token
    stage.clock.at_ms += 15 * MINUTE_MS
    assert (await stage.sign_in()).access_token


async def test_a_network_may_not_try_every_name_from_ever_new_addresses(stage: Stage) -> None:
    for number in range(50):
        call = stage.sign_in(f"user-{number}", address=f"2001:db8::{number:x}")
        assert (await refused(call)).code == "wrong-credentials"
    assert (await refused(stage.sign_in(address="2001:db8::ffff"))).code == "too-many-attempts"
    assert (await stage.sign_in(address="2001:db8:0:1::1")).access_token


# ---- going on and ending ----


async def test_a_refresh_token_is_changed_for_a_new_pair(stage: Stage) -> None:
    first = await stage.sign_in()
    stage.clock.at_ms += 9 * MINUTE_MS
    second = await stage.refresh(first.refresh_token)
    assert {second.access_token, second.refresh_token}.isdisjoint(
        {first.access_token, first.refresh_token}
    )
    assert second.me == first.me
    # What the first pair was used for goes on until it would have ended.
    assert (await stage.who(first.access_token)).id == first.me.id
    stage.clock.at_ms += MINUTE_MS
    with pytest.raises(TokenExpired):
        await stage.who(first.access_token)
    assert (await stage.who(second.access_token)).id == first.me.id


async def test_a_refresh_token_used_twice_ends_the_whole_session(stage: Stage) -> None:
    stolen = await stage.sign_in()
    thief = await stage.refresh(stolen.refresh_token)
    await stage.who(thief.access_token)
    error = await refused(stage.refresh(stolen.refresh_token))
    assert (error.code, error.kind) == ("token-reused", Kind.UNAUTHENTICATED)
    for token in (stolen.access_token, thief.access_token):
        with pytest.raises(NotAuthenticated):
            await stage.who(token)
    assert (await refused(stage.refresh(thief.refresh_token))).code == "not-authenticated"
    last = (await stage.audit(refused=True))[-1]
    assert (last.action, last.outcome, last.subject, last.actor_kind, last.address) == (
        "refresh-session",
        "token-reused",
        "user root",
        "anonymous",
        HOME,
    )


async def test_a_refresh_token_lasts_two_weeks(stage: Stage) -> None:
    session = await stage.sign_in()
    stage.clock.at_ms += 14 * DAY_MS
    assert (await refused(stage.refresh(session.refresh_token))).code == "token-expired"


async def test_after_ninety_days_one_signs_in_anew(stage: Stage) -> None:
    session = await stage.sign_in()
    for _ in range(6):
        stage.clock.at_ms += 13 * DAY_MS
        session = await stage.refresh(session.refresh_token)
    assert session.refresh_expires_in_s == 12 * 86_400
    stage.clock.at_ms += 12 * DAY_MS - MINUTE_MS
    session = await stage.refresh(session.refresh_token)
    assert (session.refresh_expires_in_s, session.expires_in_s) == (60, 60)


@pytest.mark.parametrize("token", ["", "x", "crr_" + "A" * 43, "access"])
async def test_what_is_no_refresh_token_is_refused(stage: Stage, token: str) -> None:
    session = await stage.sign_in()
    shown = session.access_token if token == "access" else token
    assert (await refused(stage.refresh(shown))).code == "not-authenticated"
    (entry,) = await stage.audit("platform", refused=True)
    assert (entry.action, entry.outcome, entry.subject, entry.address) == (
        "refresh-session",
        "not-authenticated",
        "an unknown token",
        HOME,
    )


async def test_a_session_of_somebody_who_may_not_sign_in_is_refused_on_the_trail(
    stage: Stage,
) -> None:
    user = await stage.create_user("ana")
    session = await stage.sign_in("ana", password=OTHER_PASSWORD)
    user.active = False
    await stage.portal.UpdateUser(
        portal_pb2.UpdateUserRequest(user=user), metadata=await stage.root()
    )
    assert (await refused(stage.refresh(session.refresh_token))).code == "not-authenticated"
    (entry,) = await stage.audit(refused=True)
    assert (entry.action, entry.subject) == ("refresh-session", "user ana")


async def test_signing_out_ends_both_tokens_at_once(stage: Stage) -> None:
    session = await stage.sign_in()
    another = await stage.sign_in()
    metadata = await stage.by(session.access_token)
    await stage.portal.EndSession(portal_pb2.EndSessionRequest(), metadata=metadata)
    with pytest.raises(NotAuthenticated):
        await stage.who(session.access_token)
    assert (await refused(stage.refresh(session.refresh_token))).code == "not-authenticated"
    assert (await stage.who(another.access_token)).id == another.me.id


async def test_a_user_has_only_so_many_sessions(stage: Stage) -> None:
    first = await stage.sign_in()
    for _ in range(MAX_SESSIONS):
        stage.clock.at_ms += 1
        await stage.sign_in()
    with pytest.raises(NotAuthenticated):
        await stage.who(first.access_token)


# ---- what is written down ----


async def test_signing_in_is_written_down_without_what_was_typed(stage: Stage) -> None:
    await stage.sign_in()
    await refused(stage.sign_in(password="my secret words"))
    await refused(stage.sign_in("my secret words"))
    await refused(stage.sign_in(tenant="nobody"))
    told = [
        (each.action, each.outcome, each.subject, each.actor_kind, each.address)
        for each in await stage.audit()
    ]
    assert sorted(told) == [
        ("sign-in", "ok", "user root", "user", HOME),
        ("sign-in", "wrong-credentials", "an unknown user", "anonymous", HOME),
        ("sign-in", "wrong-credentials", "user root", "anonymous", HOME),
    ]
    platform = await stage.audit("platform")
    assert [(each.action, each.outcome) for each in platform] == [("sign-in", "wrong-credentials")]
    everything = str([*await stage.audit(), *platform])
    assert "my secret words" not in everything
    assert PASSWORD not in everything


async def test_a_lock_out_is_written_down(stage: Stage) -> None:
    await fail(stage, 5)
    await refused(stage.sign_in())
    assert "locked-out" in {each.outcome for each in await stage.audit(refused=True)}
