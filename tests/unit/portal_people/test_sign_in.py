"""Signing in, going on, and signing out, through the face."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from protos.portal.v1 import portal_pb2
from services.chassis.errors import Kind
from services.portal.core.sessions import MAX_SESSIONS
from services.portal.model.errors import NotAuthenticated, SignInBusy, TokenExpired
from services.portal.model.people import Account
from services.portal.sign_in import MAX_OF_ONE_NAME
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


# ---- one's own password ----


async def test_one_changes_ones_password_and_other_sessions_end(stage: Stage) -> None:
    mine, elsewhere = await stage.sign_in(), await stage.sign_in()
    await stage.who(elsewhere.access_token)
    request = portal_pb2.ChangePasswordRequest(old_password=PASSWORD, new_password=OTHER_PASSWORD)
    user = await stage.portal.ChangePassword(request, metadata=await stage.by(mine.access_token))
    assert user.user_id == mine.me.id
    assert (await stage.who(mine.access_token)).id == mine.me.id
    with pytest.raises(NotAuthenticated):
        await stage.who(elsewhere.access_token)
    assert (await refused(stage.sign_in())).code == "wrong-credentials"
    assert (await stage.sign_in(password=OTHER_PASSWORD)).access_token


async def test_a_password_that_an_administrator_sets_meanwhile_holds(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await stage.sign_in()
    metadata, make = await stage.by(session.access_token), stage.passwords.hash

    async def late(password: str) -> str:
        await stage.store.set_password(stage.tenants["acme"], session.me.id, "set", 1)
        return await make(password)

    monkeypatch.setattr(stage.passwords, "hash", late)
    request = portal_pb2.ChangePasswordRequest(old_password=PASSWORD, new_password=OTHER_PASSWORD)
    error = await refused(stage.portal.ChangePassword(request, metadata=metadata))
    assert error.code == "wrong-credentials"
    account = await stage.store.get_account(stage.tenants["acme"], session.me.id)
    assert account.password_hash == "set"


async def test_a_stolen_session_does_not_find_the_password_out(stage: Stage) -> None:
    session = await stage.sign_in()
    metadata = await stage.by(session.access_token)
    request = portal_pb2.ChangePasswordRequest(
        old_password="wrong horse battery", new_password=OTHER_PASSWORD
    )
    codes = [
        (await refused(stage.portal.ChangePassword(request, metadata=metadata))).code
        for _ in range(6)
    ]
    assert codes == ["wrong-credentials"] * 5 + ["locked-out"]
    told = await stage.audit(action="change-password")
    assert sorted((each.outcome, each.actor_name, each.subject) for each in told) == [
        (code, "root", "user root") for code in sorted(codes)
    ]


async def test_an_endless_old_password_is_refused_before_any_work(stage: Stage) -> None:
    metadata = await stage.root()
    stage.passwords.verified.clear()
    request = portal_pb2.ChangePasswordRequest(
        old_password="e\u0301\u0323" * 100, new_password=OTHER_PASSWORD
    )
    error = await refused(stage.portal.ChangePassword(request, metadata=metadata))
    assert (error.code, stage.passwords.verified) == ("wrong-credentials", [])


async def test_a_weak_new_password_is_refused(stage: Stage) -> None:
    metadata = await stage.root()
    request = portal_pb2.ChangePasswordRequest(old_password=PASSWORD, new_password="short")
    error = await refused(stage.portal.ChangePassword(request, metadata=metadata))
    assert (error.code, error.kind) == ("weak-password", Kind.INVALID)


async def aged(stage: Stage) -> tuple[str, str]:
    """A user whose password was hashed by older parameters, and that hash."""
    user_id = (await stage.sign_in()).me.id
    old = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)

    def age(known: Account, _others: int) -> Account:
        return replace(known, password_hash=old)

    await stage.store.change_account(stage.tenants["acme"], user_id, age, lambda _: (), 1)
    return user_id, old


async def test_a_hash_of_older_parameters_is_made_anew(stage: Stage) -> None:
    user_id, old = await aged(stage)
    session = await stage.sign_in()
    renewed = (await stage.store.get_account(stage.tenants["acme"], user_id)).password_hash
    assert renewed != old
    assert not stage.passwords.outdated(renewed)
    assert (await stage.who(session.access_token)).id == user_id
    assert (await stage.sign_in()).me.id == user_id


async def test_whoever_signs_in_while_a_hash_is_made_anew_gets_in(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await aged(stage)
    make, verify, hashing = stage.passwords.hash, stage.passwords.verify, asyncio.Event()

    async def slow(password: str) -> str:
        hashing.set()
        for _ in range(1_000):
            await asyncio.sleep(0)  # the second gets as far as it can
        return await make(password)

    async def late(password_hash: str | None, password: str) -> bool:
        await first
        return await verify(password_hash, password)

    monkeypatch.setattr(stage.passwords, "hash", slow)
    first = asyncio.ensure_future(stage.sign_in())
    await hashing.wait()
    monkeypatch.setattr(stage.passwords, "verify", late)
    second = await stage.sign_in()
    assert second.me == (await first).me


async def test_a_hash_that_cannot_be_made_anew_now_keeps_nobody_out(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id, old = await aged(stage)

    async def busy(_password: str) -> str:
        raise SignInBusy("too many")

    monkeypatch.setattr(stage.passwords, "hash", busy)
    assert (await stage.sign_in()).me.id == user_id
    assert (await stage.store.get_account(stage.tenants["acme"], user_id)).password_hash == old


async def test_a_password_that_was_changed_in_the_middle_lets_nobody_in(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = (await stage.sign_in()).me.id
    verify = stage.passwords.verify

    async def change_first(password_hash: str | None, password: str) -> bool:
        right = await verify(password_hash, password)
        await stage.store.set_password(stage.tenants["acme"], user_id, "another", 1)
        return right

    monkeypatch.setattr(stage.passwords, "verify", change_first)
    assert (await refused(stage.sign_in())).code == "wrong-credentials"


async def test_too_many_sign_ins_of_one_user_at_once_are_refused(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify, gate = stage.passwords.verify, asyncio.Event()

    async def slow(password_hash: str | None, password: str) -> bool:
        await gate.wait()
        return await verify(password_hash, password)

    monkeypatch.setattr(stage.passwords, "verify", slow)
    asked = [asyncio.ensure_future(stage.sign_in()) for _ in range(MAX_OF_ONE_NAME + 1)]
    done, others = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    error = await refused(done.pop())
    assert (error.code, error.kind) == ("sign-in-busy", Kind.UNAVAILABLE)
    gate.set()
    sessions = await asyncio.gather(*others)
    assert len({session.access_token for session in sessions}) == MAX_OF_ONE_NAME


async def test_what_was_not_looked_at_was_not_wrong(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(_password_hash: str | None, _password: str) -> bool:
        raise SignInBusy("too many")

    with monkeypatch.context() as patched:
        patched.setattr(stage.passwords, "verify", busy)
        codes = [(await refused(stage.sign_in())).code for _ in range(6)]
    assert codes == ["sign-in-busy"] * 6
    assert (await stage.sign_in()).access_token


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
