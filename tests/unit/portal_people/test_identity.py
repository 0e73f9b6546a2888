"""Who asks, and whether it was asked before."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from protos.portal.v1 import portal_pb2
from services.chassis.database import DatabaseUnavailable
from services.chassis.ids import TenantId
from services.chassis.request import enter
from services.portal.core.replaying import MAX_BODY_BYTES, TAKE_OVER_MS
from services.portal.identity import (
    ADDRESS_KEY,
    FRESH_MS,
    MAX_CACHED,
    RETRY_MS,
    SESSION_KEY,
    STALE_MS,
    Principal,
    ReplayState,
    caller_metadata,
)
from services.portal.model.errors import (
    BadIdempotencyKey,
    KeyReused,
    NotAuthenticated,
    TokenExpired,
)
from tests.unit.portal_people.stage import HOME, MINUTE_MS, Stage

ANA = Principal(
    id="u-1",
    name="Ana Ü",
    roles=frozenset({"agent"}),
    tenant_id=TenantId("t-1"),
    tenant_name="acme",
    kind="user",
    session_id="s-1",
    time_zone="UTC",
)


async def api_key(stage: Stage, **parts: int) -> portal_pb2.CreateApiKeyResponse:
    request = portal_pb2.CreateApiKeyRequest(name="crm", roles=["agent"], **parts)
    return await stage.portal.CreateApiKey(request, metadata=await stage.root())


# ---- credentials ----


@pytest.mark.parametrize(
    "bearer",
    [
        "",
        "x",
        "cra_",
        "cra_" + "A" * 43,
        "cra_" + "A" * 44,
        "crl_" + "A" * 43,
        "crl_01234567-89ab-7def-8123-456789abcdef_" + "A" * 43,
        "crl_01234567-89ab-7def-8123-456789abcdef_" + "A" * 42,
        "\0",
        "ü" * 1_000,
    ],
)
async def test_what_is_no_credential_is_refused(stage: Stage, bearer: str) -> None:
    with pytest.raises(NotAuthenticated):
        await stage.who(bearer)


async def test_a_refresh_token_is_no_access_token(stage: Stage) -> None:
    session = await stage.sign_in()
    for shown in (session.refresh_token, "cra_" + session.refresh_token[4:]):
        with pytest.raises(NotAuthenticated):
            await stage.who(shown)


async def test_an_access_token_lasts_ten_minutes(stage: Stage) -> None:
    session = await stage.sign_in()
    stage.clock.at_ms += 10 * MINUTE_MS - 1
    assert (await stage.who(session.access_token)).id == session.me.id
    stage.clock.at_ms += 1
    # From memory, and then from the store.
    for _ in range(2):
        with pytest.raises(TokenExpired):
            await stage.who(session.access_token)
        stage.clock.at_ms += FRESH_MS


async def test_an_api_key_is_a_principal_of_its_tenant(stage: Stage) -> None:
    made = await api_key(stage)
    principal = await stage.who(made.secret)
    assert (principal.id, principal.name, principal.kind, principal.session_id) == (
        made.key.key_id,
        "crm",
        "api-key",
        "",
    )
    assert principal.roles == frozenset({"agent"})
    assert principal.tenant_id == stage.tenants["acme"]


async def test_an_api_key_with_another_secret_is_refused(stage: Stage) -> None:
    secret = (await api_key(stage)).secret
    wrong = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    with pytest.raises(NotAuthenticated):
        await stage.who(wrong)


async def test_an_api_key_ends_when_it_is_to(stage: Stage) -> None:
    made = await api_key(stage, expires_at_ms=stage.clock.at_ms + MINUTE_MS)
    stage.clock.at_ms += MINUTE_MS - 1
    assert await stage.who(made.secret)
    stage.clock.at_ms += 1
    for _ in range(2):
        with pytest.raises(NotAuthenticated):
            await stage.who(made.secret)
        stage.clock.at_ms += FRESH_MS


# ---- from memory ----


async def test_credentials_are_looked_up_once_in_five_seconds(stage: Stage) -> None:
    session, made = await stage.sign_in(), await api_key(stage)
    for shown in (session.access_token, made.secret):
        await stage.who(shown)
        stage.store.asked.clear()
        stage.clock.at_ms += FRESH_MS - 1
        await stage.who(shown)
        assert stage.store.asked == []
        stage.clock.at_ms += 1
        await stage.who(shown)
        assert stage.store.asked != []


async def test_a_revocation_elsewhere_is_honoured_within_five_seconds(stage: Stage) -> None:
    session, made = await stage.sign_in(), await api_key(stage)
    principal = await stage.who(session.access_token)
    await stage.who(made.secret)
    # Another replica's doing: nothing here is told of it.
    tenant, now_ms = principal.tenant_id, stage.clock.at_ms
    await stage.store.end_session(tenant, principal.session_id, now_ms)
    await stage.store.revoke_key(tenant, made.key.key_id, now_ms)
    stage.clock.at_ms += FRESH_MS
    for shown in (session.access_token, made.secret):
        with pytest.raises(NotAuthenticated):
            await stage.who(shown)


async def test_a_revocation_here_is_honoured_at_once(stage: Stage) -> None:
    made = await api_key(stage)
    await stage.who(made.secret)
    await stage.portal.RevokeApiKey(
        portal_pb2.RevokeApiKeyRequest(key_id=made.key.key_id), metadata=await stage.root()
    )
    with pytest.raises(NotAuthenticated):
        await stage.who(made.secret)


async def test_what_was_read_before_a_revocation_is_not_believed_after_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await stage.sign_in()
    principal = await stage.who(session.access_token)
    stage.clock.at_ms += FRESH_MS
    holder_of = stage.store.holder_of
    read, go_on = asyncio.Event(), asyncio.Event()

    async def slow(sha256: bytes) -> object:
        holder = await holder_of(sha256)
        read.set()
        await go_on.wait()
        return holder

    monkeypatch.setattr(stage.store, "holder_of", slow)
    asking = asyncio.ensure_future(stage.who(session.access_token))
    await read.wait()
    await stage.parts.sign_in.end(principal.tenant_id, principal.session_id)
    go_on.set()
    await asking
    with pytest.raises(NotAuthenticated):
        await stage.who(session.access_token)


async def test_a_database_that_is_away_signs_nobody_out_for_a_minute(stage: Stage) -> None:
    session = await stage.sign_in()
    await stage.who(session.access_token)
    stage.store.is_away = True
    stage.clock.at_ms += STALE_MS - 1
    assert (await stage.who(session.access_token)).id == session.me.id
    stage.clock.at_ms += RETRY_MS
    with pytest.raises(DatabaseUnavailable):
        await stage.who(session.access_token)
    with pytest.raises(DatabaseUnavailable):
        await stage.who("cra_" + "A" * 43)
    stage.store.is_away = False
    assert (await stage.who(session.access_token)).id == session.me.id


async def test_while_the_database_is_away_nobody_waits_for_it_more_than_once_a_second(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await stage.sign_in()
    await stage.who(session.access_token)
    tried: list[int] = []

    async def away(_sha256: bytes) -> None:
        tried.append(stage.clock.at_ms)
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(stage.store, "holder_of", away)
    stage.clock.at_ms += FRESH_MS
    for _ in range(20):
        await stage.who(session.access_token)
        stage.clock.at_ms += RETRY_MS // 10
    assert len(tried) == 2


async def test_memory_is_bounded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_CACHED <= 100_000
    monkeypatch.setattr("services.portal.identity.MAX_CACHED", 2)
    sessions = [await stage.sign_in() for _ in range(3)]
    for session in sessions:
        await stage.who(session.access_token)
    stage.store.asked.clear()
    await stage.who(sessions[2].access_token)
    assert stage.store.asked == []
    await stage.who(sessions[0].access_token)
    assert stage.store.asked != []


async def test_last_seen_is_exact_to_the_minute(stage: Stage) -> None:
    session, made = await stage.sign_in(), await api_key(stage)
    signed_in_ms = stage.clock.at_ms
    tenant = stage.tenants["acme"]

    async def seen() -> tuple[int, int]:
        account = await stage.store.get_account(tenant, session.me.id)
        keys = await stage.store.list_keys(tenant, "", 9)
        return account.user.last_seen_at_ms, keys[0].last_used_at_ms

    for wait_ms, at_ms in ((0, 0), (MINUTE_MS - FRESH_MS, 0), (FRESH_MS, MINUTE_MS)):
        stage.clock.at_ms += wait_ms
        await stage.who(session.access_token)
        await stage.who(made.secret)
        assert await seen() == (signed_in_ms + at_ms, signed_in_ms + at_ms)


# ---- what travels beside a request ----


def test_a_callers_metadata_says_who_they_are_and_where_from() -> None:
    metadata = caller_metadata(principal=ANA, address=HOME)
    context = enter(metadata)
    assert (context.tenant_id, context.user_id, context.user_name) == ("t-1", "u-1", "Ana Ü")
    assert dict(metadata)[SESSION_KEY] == "s-1"
    assert dict(metadata)[ADDRESS_KEY] == HOME


def test_of_nobody_only_the_address_is_known() -> None:
    assert caller_metadata(principal=None, address=HOME) == ((ADDRESS_KEY, HOME),)
    assert caller_metadata(principal=None, address="") == ()


# ---- repeated requests ----


def asked(stage: Stage) -> dict[str, Any]:
    """What names a request."""
    return {
        "tenant_id": stage.tenants["acme"],
        "principal_id": "u-1",
        "key": "order-7",
        "request_hash": "hash",
    }


async def test_a_repeated_request_is_answered_as_before(stage: Stage) -> None:
    whose = asked(stage)
    assert (await stage.identity.replay(**whose)).state is ReplayState.NEW
    assert (await stage.identity.replay(**whose)).state is ReplayState.IN_PROGRESS
    await stage.identity.remember(**whose, status=201, body=b"{}")
    replay = await stage.identity.replay(**whose)
    assert (replay.state, replay.status, replay.content_type, replay.body) == (
        ReplayState.STORED,
        201,
        "application/json",
        b"{}",
    )
    with pytest.raises(KeyReused):
        await stage.identity.replay(**(whose | {"request_hash": "else"}))
    with pytest.raises(BadIdempotencyKey):
        await stage.identity.replay(**(whose | {"key": "a b"}))
    stage.clock.at_ms += 24 * 60 * MINUTE_MS
    again = await stage.identity.replay(**(whose | {"request_hash": "else"}))
    assert again.state is ReplayState.NEW


async def test_a_request_without_an_answer_may_come_again(stage: Stage) -> None:
    whose = asked(stage)
    await stage.identity.replay(**whose)
    await stage.identity.abandon(**whose)
    assert (await stage.identity.replay(**whose)).state is ReplayState.NEW
    await stage.identity.remember(**whose, status=200, body=b"x" * (MAX_BODY_BYTES + 1))
    assert (await stage.identity.replay(**whose)).state is ReplayState.NEW
    stage.clock.at_ms += TAKE_OVER_MS
    assert (await stage.identity.replay(**whose)).state is ReplayState.NEW


async def test_an_answer_that_cannot_be_kept_is_sent_all_the_same(stage: Stage) -> None:
    whose = asked(stage)
    await stage.identity.replay(**whose)
    stage.store.is_away = True
    await stage.identity.remember(**whose, status=200, body=b"{}")
    await stage.identity.abandon(**whose)
    with pytest.raises(DatabaseUnavailable):
        await stage.identity.replay(**whose)
