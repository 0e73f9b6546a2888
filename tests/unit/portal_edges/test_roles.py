"""Every RPC for outside against every role, over REST and over gRPC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc
import pytest
from grpc import aio

from services.chassis.request import OWN_KEY
from services.portal.access import Binding, Exposed
from services.portal.grpc_edge import GrpcEdge
from tests.unit.portal_edges.stage import REGISTRY, ROLES, Stage, problem

WHO: Sequence[str] = ("", *ROLES, "nobody", "both")
REST = [(exposed, binding) for exposed in REGISTRY for binding in exposed.bindings]


def may(exposed: Exposed, who: str) -> bool:
    rule = exposed.rule
    if rule.anonymous:
        return True
    if not who:
        return False
    return not rule.roles or bool(rule.roles & roles_of(who))


def own(exposed: Exposed, who: str) -> str | None:
    """Whose things alone they may see."""
    return who if exposed.rule.roles & roles_of(who) == {"agent"} else None


def roles_of(who: str) -> set[str]:
    return {"both": {"agent", "supervisor"}, "nobody": set[str]()}.get(who, {who})


def filled(exposed: Exposed, binding: Binding, who: str) -> str:
    """The path, about the one who asks."""
    path = binding.template
    for field in binding.path_fields:
        path = path.replace(f"{{{field}}}", who or "somebody")
    return path


@pytest.mark.parametrize("who", WHO, ids=lambda who: who or "anonymous")
@pytest.mark.parametrize(
    ("exposed", "binding"), REST, ids=[f"{b.verb} {b.template}" for _, b in REST]
)
async def test_rest(stage: Stage, exposed: Exposed, binding: Binding, who: str) -> None:
    body: Any = {} if binding.body else None
    answer = await stage.ask(binding.verb, filled(exposed, binding, who), token=who, json=body)
    if may(exposed, who):
        assert answer.status_code == 200, answer.text
        (call,) = stage.backend.calls
        assert call.path == exposed.path
        assert call.tenant == ("demo" if not exposed.rule.anonymous else None)
        assert call.metadata.get(OWN_KEY) == own(exposed, who)
        return
    assert not stage.backend.calls
    expected = (401, "not-authenticated") if not who else (403, "not-allowed")
    assert (answer.status_code, problem(answer)["code"]) == expected
    (entry,) = stage.people.entries
    assert (entry.who, entry.action, entry.outcome) == (who, exposed.action, expected[1])
    assert entry.tenant == ("demo" if who else "platform")
    assert entry.address == "192.0.2.7"


async def test_grpc(stage: Stage) -> None:
    server = GrpcEdge(edge=stage.edge, registry=REGISTRY)
    port = await server.start("127.0.0.1:0")
    try:
        async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            for exposed in REGISTRY:
                for who in WHO:
                    await try_one(stage, channel, exposed, who)
    finally:
        await server.stop()


async def try_one(stage: Stage, channel: aio.Channel, exposed: Exposed, who: str) -> None:
    stage.backend.calls.clear()
    stage.people.entries.clear()
    stage.clock.at_ms += 1_000
    request = exposed.request()
    if exposed.rule.own_agent_field:
        setattr(request, exposed.rule.own_agent_field, who)
    outcome = await asked(channel, exposed, request, who)
    if may(exposed, who):
        assert outcome is None
        (call,) = stage.backend.calls
        assert call.path == exposed.path
        assert call.tenant == ("demo" if not exposed.rule.anonymous else None)
        assert call.metadata.get(OWN_KEY) == own(exposed, who)
    else:
        assert not stage.backend.calls
        expected = grpc.StatusCode.PERMISSION_DENIED
        assert outcome is (expected if who else grpc.StatusCode.UNAUTHENTICATED)
        assert [entry.who for entry in stage.people.entries] == [who]


async def asked(
    channel: aio.Channel, exposed: Exposed, request: Any, who: str
) -> grpc.StatusCode | None:
    metadata = (("authorization", f"Bearer {who}"),) if who else ()
    make: Any = channel.unary_stream if exposed.streams else channel.unary_unary
    method = make(
        exposed.path,
        request_serializer=exposed.request.SerializeToString,
        response_deserializer=exposed.response.FromString,
    )
    try:
        call = method(request, metadata=metadata, timeout=5)
        if exposed.streams:
            assert [each async for each in call]
        else:
            await call
    except aio.AioRpcError as error:
        return error.code()
    return None
