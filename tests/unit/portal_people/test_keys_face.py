"""API keys and the trail, as administrators see them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protos.common.v1 import common_pb2
from protos.portal.v1 import portal_pb2
from services.chassis.errors import Kind
from services.chassis.request import metadata
from services.portal.identity import caller_metadata
from tests.unit.portal_people.stage import (
    HOME,
    MINUTE_MS,
    OTHER_PASSWORD,
    START_MS,
    Stage,
    refused,
)

Page = common_pb2.PageRequest


# ---- API keys ----


async def test_a_keys_secret_is_told_once(stage: Stage) -> None:
    root = await stage.root()
    request = portal_pb2.CreateApiKeyRequest(name="crm", roles=["agent", "supervisor"])
    made = await stage.portal.CreateApiKey(request, metadata=root)
    assert made.secret.startswith(f"crl_{made.key.key_id}_")
    assert made.secret.partition(f"{made.key.key_id}_")[2].startswith(made.key.prefix)
    assert len(made.key.prefix) == 6
    listed = await stage.portal.ListApiKeys(portal_pb2.ListApiKeysRequest(), metadata=root)
    assert list(listed.keys) == [made.key]
    assert made.secret[-30:] not in str(listed)


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"roles": []},
        {"roles": ["king"]},
        {"roles": ["platform"]},
        {"expires_at_ms": START_MS},
    ],
)
async def test_a_key_is_refused_for_what_is_wrong_with_it(
    stage: Stage, change: dict[str, Any]
) -> None:
    parts: dict[str, Any] = {"name": "crm", "roles": ["agent"]}
    request = portal_pb2.CreateApiKeyRequest(**(parts | change))
    call = stage.portal.CreateApiKey(request, metadata=await stage.root())
    assert (await refused(call)).code == "bad-api-key"


async def test_a_tenant_has_only_so_many_keys(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.portal.rpc_people_keys.MAX_API_KEYS", 1)
    root = await stage.root()
    request = portal_pb2.CreateApiKeyRequest(name="crm", roles=["agent"])
    await stage.portal.CreateApiKey(request, metadata=root)
    error = await refused(stage.portal.CreateApiKey(request, metadata=root))
    assert (error.code, error.kind) == ("too-many-api-keys", Kind.EXHAUSTED)


async def test_keys_are_listed_in_pages_and_revoked_once(stage: Stage) -> None:
    root = await stage.root()
    ids = []
    for name in ("one", "two", "three"):
        stage.clock.at_ms += 1
        request = portal_pb2.CreateApiKeyRequest(name=name, roles=["agent"])
        made = await stage.portal.CreateApiKey(request, metadata=root)
        ids.append(made.key.key_id)
    first = await stage.portal.ListApiKeys(
        portal_pb2.ListApiKeysRequest(page=Page(size=2)), metadata=root
    )
    assert [key.key_id for key in first.keys] == ids[:2]
    page = Page(size=2, token=first.page.next_token)
    rest = await stage.portal.ListApiKeys(portal_pb2.ListApiKeysRequest(page=page), metadata=root)
    assert ([key.name for key in rest.keys], rest.page.next_token) == (["three"], "")
    revoke = portal_pb2.RevokeApiKeyRequest(key_id=ids[0])
    at_ms = stage.clock.at_ms
    for _ in range(2):
        revoked = await stage.portal.RevokeApiKey(revoke, metadata=root)
        assert revoked.revoked_at_ms == at_ms
        stage.clock.at_ms += MINUTE_MS


async def test_an_api_key_is_no_person(stage: Stage) -> None:
    root = await stage.root()
    request = portal_pb2.CreateApiKeyRequest(name="crm", roles=["administrator"])
    made = await stage.portal.CreateApiKey(request, metadata=root)
    program = await stage.by(made.secret)
    me = await stage.portal.GetMe(portal_pb2.GetMeRequest(), metadata=program)
    assert (me.id, me.name, me.kind, list(me.roles)) == (
        made.key.key_id,
        "crm",
        "api-key",
        ["administrator"],
    )
    change = portal_pb2.ChangePasswordRequest(old_password="x", new_password=OTHER_PASSWORD)
    for call in (
        stage.portal.ChangePassword(change, metadata=program),
        stage.portal.EndSession(portal_pb2.EndSessionRequest(), metadata=program),
    ):
        error = await refused(call)
        assert (error.code, error.kind) == ("users-only", Kind.DENIED)
    # What portal's edge leaves to this RPC is written down here, refusals of programs, too.
    (entry,) = await stage.audit(refused=True)
    assert (entry.action, entry.outcome, entry.actor_id, entry.subject) == (
        "change-password",
        "users-only",
        made.key.key_id,
        "",
    )


async def test_a_key_of_another_tenant_is_nobody_here(stage: Stage) -> None:
    request = portal_pb2.CreateApiKeyRequest(name="crm", roles=["agent"])
    key = (await stage.portal.CreateApiKey(request, metadata=await stage.root("other"))).key
    mixed = (
        *metadata(tenant_id=stage.tenants["acme"]),
        ("carillon-user", key.key_id),
    )
    error = await refused(stage.portal.GetMe(portal_pb2.GetMeRequest(), metadata=mixed))
    assert error.code == "not-authenticated"


# ---- the trail ----


async def test_the_trail_is_read_by_page_and_by_question(stage: Stage) -> None:
    root = await stage.sign_in()
    principal = await stage.who(root.access_token)
    for number in range(3):
        stage.clock.at_ms += 1_000
        await stage.identity.audit(
            principal=principal,
            action="carillon.acd.v1.Acd/PutQueue",
            subject=f"queue {number}",
            outcome="ok" if number else "bad-queue",
            address=HOME,
            detail_json=json.dumps({"queue": number, "password": "p"}),
        )
    entries = await stage.audit(action="carillon.acd")
    assert [each.subject for each in entries] == ["queue 2", "queue 1", "queue 0"]
    last = entries[0]
    assert (last.at_ms, last.actor_id, last.actor_name, last.actor_kind, last.address) == (
        START_MS + 3_000,
        principal.id,
        "root",
        "user",
        HOME,
    )
    assert json.loads(last.detail_json) == {"queue": 2, "password": "(hidden)"}
    assert [each.subject for each in await stage.audit(refused=True)] == ["queue 0"]
    window = await stage.audit(from_ms=START_MS + 2_000, to_ms=START_MS + 3_000)
    assert [each.subject for each in window] == ["queue 1"]
    assert await stage.audit(actor_id="nobody") == []
    assert [each.subject for each in await stage.audit(page=Page(size=1))] == ["queue 2"]
    page = Page(size=1, token=last.audit_id)
    assert [each.subject for each in await stage.audit(page=page)] == ["queue 1"]
    assert "Audited" in await stage.told()


async def test_trails_are_apart(stage: Stage) -> None:
    await stage.sign_in()
    await stage.sign_in(tenant="other")
    names = [{each.actor_id for each in await stage.audit(name)} for name in ("acme", "other")]
    assert all(len(each) == 1 for each in names)
    assert names[0].isdisjoint(names[1])


@pytest.mark.parametrize("ask", [{"action": "a\0"}, {"actor_id": "\0"}, {"page": Page(token="\0")}])
async def test_the_trail_is_not_asked_what_it_cannot_hold(
    stage: Stage, ask: dict[str, Any]
) -> None:
    call = stage.portal.ListAudit(portal_pb2.ListAuditRequest(**ask), metadata=await stage.root())
    assert (await refused(call)).code == "bad-query"


async def test_where_nobody_said_where_from_it_stays_empty(stage: Stage) -> None:
    session = await stage.sign_in(address="")
    principal = await stage.who(session.access_token)
    known = caller_metadata(principal=principal, address="")
    await stage.portal.EndSession(portal_pb2.EndSessionRequest(), metadata=known)
    assert [each.address for each in await stage.audit()] == [""]
