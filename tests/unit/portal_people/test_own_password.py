"""One's own password: changing it, and what becomes of its hash at sign-ins."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from protos.portal.v1 import portal_pb2
from services.chassis.errors import Kind
from services.portal.model.errors import NotAuthenticated, SignInBusy
from services.portal.model.people import Account
from services.portal.sign_in import MAX_OF_ONE_NAME
from tests.unit.portal_people.stage import (
    MINUTE_MS,
    OTHER_PASSWORD,
    PASSWORD,
    Stage,
    refused,
)

DAY_MS = 24 * 60 * MINUTE_MS


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
