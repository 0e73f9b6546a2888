"""Who is taken away can not come back by any token, and is no agent any more."""

from __future__ import annotations

from typing import Any

import pytest

from protos.acd.v1 import config_pb2
from protos.portal.v1 import events_pb2, portal_pb2
from services.chassis.errors import Kind
from services.portal.model.errors import NotAuthenticated
from tests.unit.portal_people.others import Named
from tests.unit.portal_people.stage import OTHER_PASSWORD, Stage, refused


async def removed(stage: Stage, user_id: str, *, tenant: str = "acme") -> Any:
    request = portal_pb2.RemoveUserRequest(user_id=user_id)
    return await stage.portal.RemoveUser(request, metadata=await stage.root(tenant))


async def test_a_user_who_is_removed_is_gone_everywhere(stage: Stage) -> None:
    ann = await stage.create_user("ann")
    house = stage.others.house(stage.tenants["acme"])
    house.agents[ann.user_id] = config_pb2.AgentConfig(agent_id=ann.user_id)
    session = await stage.sign_in("ann", password=OTHER_PASSWORD)
    await removed(stage, ann.user_id)
    assert not house.agents
    with pytest.raises(NotAuthenticated):
        await stage.who(session.access_token)
    error = await refused(stage.sign_in("ann", password=OTHER_PASSWORD))
    assert error.code == "wrong-credentials"
    event = (await stage.events())[-1]
    assert event.type.endswith("UserRemoved")
    assert events_pb2.UserRemoved.FromString(event.payload).user_id == ann.user_id
    assert (await refused(removed(stage, ann.user_id))).code == "no-such-user"
    assert (await stage.create_user("ann")).user_id != ann.user_id


async def test_who_is_busy_or_can_not_be_asked_about_stays(stage: Stage) -> None:
    ann = await stage.create_user("ann")
    for refusal, code in (
        (Named("agent-busy", Kind.PRECONDITION), "agent-busy"),
        (Named("unavailable", Kind.UNAVAILABLE), "routing-away"),
        (Named("shard-lost", Kind.CONFLICT), "agent-refused"),
    ):
        stage.others.refusal = refusal
        assert (await refused(removed(stage, ann.user_id))).code == code
    await stage.sign_in("ann", password=OTHER_PASSWORD)


async def test_somebody_always_stays_who_can_administer(stage: Stage) -> None:
    request = portal_pb2.GetMeRequest()
    me = await stage.portal.GetMe(request, metadata=await stage.root())
    house = stage.others.house(stage.tenants["acme"])
    house.agents[me.id] = config_pb2.AgentConfig(agent_id=me.id)
    assert (await refused(removed(stage, me.id))).code == "not-yourself"
    key = await stage.portal.CreateApiKey(
        portal_pb2.CreateApiKeyRequest(name="hr", roles=["administrator"]),
        metadata=await stage.root(),
    )
    by_key = await stage.by(key.secret)
    call = stage.portal.RemoveUser(portal_pb2.RemoveUserRequest(user_id=me.id), metadata=by_key)
    assert (await refused(call)).code == "last-administrator"
    assert me.id in house.agents
    await stage.create_user("ann", "administrator")
    await stage.portal.RemoveUser(portal_pb2.RemoveUserRequest(user_id=me.id), metadata=by_key)


async def test_another_tenants_user_does_not_exist(stage: Stage) -> None:
    ann = await stage.create_user("ann")
    assert (await refused(removed(stage, ann.user_id, tenant="other"))).code == "no-such-user"
    await stage.sign_in("ann", password=OTHER_PASSWORD)
