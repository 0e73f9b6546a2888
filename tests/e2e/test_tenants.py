"""Two tenants with the same names for everything never see each other, by any way in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
import pytest_asyncio
from grpc import aio
from websockets.asyncio.client import connect

from protos.acd.v1 import acd_pb2
from protos.acd.v1.acd_pb2_grpc import AcdStub
from protos.recording.v1 import recording_pb2
from protos.recording.v1.recording_pb2_grpc import RecordingStub
from services.chassis.postgres.server import PostgresServer
from tests.agent.desk import Desk
from tests.agent.portal import Problem, Session, feed_of
from tests.softphone import SoftPhone
from tests.stage.asking import eventually
from tests.stage.installation import Installation
from tests.stage.tenants import FLOW, Tenant, tenant_of, today

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tenants, alike but for what happened to them."""

    carillon: Installation
    a: Tenant
    b: Tenant
    call_a: str
    """The one call there was: tenant a's."""
    entry_a: str
    """Its stay in a queue."""
    alarm_a: str
    """The one alarm there was: tenant a's."""
    key_a: str
    """An API key of tenant a's."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> AsyncIterator[Pair]:
    var = tmp_path_factory.mktemp("tenants")
    async with AsyncExitStack() as stack:
        carillon = await stage(stack, var, postgres_server)
        a = await stack.enter_async_context(tenant_of(carillon, "alpha", number="+12025550101"))
        b = await stack.enter_async_context(tenant_of(carillon, "beta", number="+12025550102"))
        for tenant in (a, b):
            await tenant.agent("anna")
            await tenant.person("sara", "supervisor")
            await tenant.admin.put(
                "/v1/customers/carol",
                {"customer_id": "carol", "name": tenant.name, "numbers": ["+12025550147"]},
            )
        await furnish_alone(a)
        desk = await a.desk("anna")
        await desk.ready()
        call_a = await one_call(carillon, a, desk)
        await recorded(a, call_a)
        robot = await a.admin.post("/v1/api-keys", {"name": "alpha", "roles": ["supervisor"]})
        yield Pair(
            carillon,
            a,
            b,
            call_a=call_a,
            entry_a=await first_of(a, f"/v1/entries?{span()}", "entries", "entry_id"),
            alarm_a=await first_of(a, "/v1/alarms", "alarms", "alarm_id"),
            key_a=robot["key"]["key_id"],
        )


ONLY: dict[str, dict[str, Any]] = {
    "/v1/dispositions/alpha-only": {"code": "alpha-only", "label": "alpha", "active": True},
    "/v1/queues/alpha-only": {"queue_id": "alpha-only", "name": "alpha"},
    "/v1/customers/alpha-only": {"customer_id": "alpha-only", "name": "alpha"},
    "/v1/prompts/alpha-only": {"prompt_id": "alpha-only", "name": "alpha", "text": "alpha"},
    "/v1/calendars/alpha-only": {"calendar_id": "alpha-only", "name": "alpha"},
    "/v1/thresholds/alpha-only": {
        "threshold_id": "alpha-only",
        "name": "alpha",
        "measure": "agents_ready",
        "direction": "below",
        "raise_at": 100,
        "clear_at": 100,
        "severity": "warning",
        "active": True,
    },
}
"""What is put into one tenant alone; the threshold is passed at once."""


async def furnish_alone(tenant: Tenant) -> None:
    for path, thing in ONLY.items():
        await tenant.admin.put(path, thing)
    flow = {"definition_json": FLOW.read_text()}
    await tenant.admin.post("/v1/flows/alpha-only/versions", flow)


def span() -> str:
    from_ms, to_ms = today()
    return f"from_ms={from_ms}&to_ms={to_ms}"


async def first_of(tenant: Tenant, path: str, rows: str, key: str) -> str:
    """The id of the first thing in a list, once there is one."""

    async def ids() -> list[str]:
        return [str(each[key]) for each in (await tenant.admin.get(path)).get(rows, [])]

    found: list[str] = await eventually(ids, bool, 20, f"something in {path}")
    return found[0]


async def stage(stack: AsyncExitStack, var: Any, server: PostgresServer) -> Installation:
    return await stack.enter_async_context(Installation(var=var, postgres=server))


async def one_call(carillon: Installation, tenant: Tenant, desk: Desk) -> str:
    """Carol calls and is answered; the call's id."""
    async with SoftPhone(user="+12025550147") as phone:
        call = await phone.call(f"sip:{tenant.number}@127.0.0.1:{carillon.sip_port}")
        await call.answered(10)
        await call.hears_audio(10)
        await call.send_dtmf("1")
        work = await desk.rings(15)
        assert work["card"]["customer"]["name"] == tenant.name
        await desk.confirm(work)
        await desk.connect(work)
        await desk.accept(work)
        call.play_tone(440)
        assert desk.peer is not None
        await desk.peer.hears_tone(440, 5)
        await call.hangup()
        await desk.becomes("ready", 15)
    contact_id: str = work["reservation"]["contact_id"]
    return contact_id


async def recorded(tenant: Tenant, call_id: str) -> None:
    async def state() -> str:
        found = await tenant.admin.get("/v1/recordings")
        states = {r["recording_id"]: r["state"] for r in found.get("recordings", [])}
        return str(states.get(call_id, "none"))

    await eventually(state, lambda now: now == "complete", 20, "the recording")


LISTS = (
    "/v1/users",
    "/v1/customers",
    "/v1/recordings",
    "/v1/queues",
    "/v1/agents",
    "/v1/waiting",
    "/v1/agent-configs",
    "/v1/queue-configs",
    "/v1/tenant-defaults",
    "/v1/flows",
    "/v1/numbers",
    "/v1/audit",
    "/v1/api-keys",
    "/v1/calls",
    "/v1/live",
    "/v1/reports?{day}",
    "/v1/entries?{day}",
    "/v1/agent-intervals?{day}",
    "/v1/numbers/%2B12025550147/contacts",
    "/v1/recordings:reconcile",
    "/v1/recording-policy",
    "/v1/dispositions",
    "/v1/alarms",
    "/v1/thresholds",
    "/v1/prompts",
    "/v1/calendars",
    "/v1/call-records?{day}",
    "/v1/tenant",
)


@pytest.mark.parametrize("path", LISTS)
async def test_no_list_names_anything_of_the_other(pair: Pair, path: str) -> None:
    path = path.format(day=span())
    answer = json.dumps(await pair.b.admin.get(path))
    ids = (pair.a.tenant_id, pair.call_a, pair.entry_a, pair.alarm_a, pair.key_a)
    secrets = (*ids, *pair.a.users.values(), "alpha", pair.a.number)
    assert [secret for secret in secrets if secret in answer] == []


def reads(path: str, method: str) -> bool:
    """Whether there is such a request: some things are only listed."""
    listed = ("/v1/dispositions", "/v1/calendars", "/v1/thresholds")
    return method == "DELETE" or not path.startswith(listed)


def things(pair: Pair) -> list[tuple[str, str, dict[str, Any] | None]]:
    """What only tenant a has, and how one would ask for it."""
    anna = pair.a.users["anna"]
    return [
        ("GET", f"/v1/users/{anna}", None),
        ("PATCH", f"/v1/users/{anna}", {"user_id": anna, "roles": ["administrator"]}),
        ("POST", f"/v1/users/{anna}:set-password", {"password": "a new long password"}),
        ("GET", f"/v1/agents/{anna}", None),
        ("POST", f"/v1/agents/{anna}:set-presence", {"presence": "ready"}),
        ("DELETE", f"/v1/agents/{anna}", None),
        ("GET", f"/v1/agents/{anna}/config", None),
        ("POST", "/v1/agents:move", {"agent_ids": [anna]}),
        ("POST", "/v1/agents:set-memberships", {"agents": [{"agent_id": anna}]}),
        ("POST", "/v1/agents:set-skills", {"agents": [{"agent_id": anna}]}),
        ("GET", f"/v1/recordings/{pair.call_a}", None),
        ("GET", f"/v1/recordings/{pair.call_a}:verify", None),
        ("GET", f"/v1/recordings/{pair.call_a}/audio.wav", None),
        ("GET", f"/v1/recordings/{pair.call_a}/listenings", None),
        ("GET", f"/v1/recordings/{pair.call_a}/waveform", None),
        ("DELETE", f"/v1/users/{anna}", None),
        ("GET", f"/v1/stories/{pair.call_a}", None),
        ("GET", f"/v1/calls/{pair.call_a}", None),
        ("GET", f"/v1/entries/{pair.entry_a}", None),
        ("GET", f"/v1/entries/{pair.entry_a}:explain", None),
        ("POST", f"/v1/entries/{pair.entry_a}:change-priority", {"priority": 1}),
        ("POST", f"/v1/alarms/{pair.alarm_a}:acknowledge", {"note": "mine now"}),
        ("DELETE", f"/v1/api-keys/{pair.key_a}", None),
        *(
            (method, path, None)
            for path in ONLY
            for method in ("GET", "DELETE")
            if reads(path, method)
        ),
        ("GET", "/v1/queues/alpha-only/config", None),
        ("POST", "/v1/queues/alpha-only:set-emergency", {"active": True}),
        ("GET", "/v1/customers/alpha-only/contacts", None),
        ("POST", "/v1/prompts/alpha-only:synthesise", {}),
        ("GET", "/v1/flows/alpha-only", None),
        ("GET", "/v1/flows/alpha-only/versions", None),
        ("POST", "/v1/flows/alpha-only:publish", {}),
        ("DELETE", "/v1/flows/alpha-only", None),
        ("GET", f"/v1/contacts/{pair.call_a}", None),
        ("POST", f"/v1/contacts/{pair.call_a}/notes", {"text": "mine now"}),
    ]


async def test_nothing_of_the_other_can_be_named(pair: Pair) -> None:
    for method, path, body in things(pair):
        with pytest.raises(Problem) as refused:
            await pair.b.admin.call(method, path, body)
        assert refused.value.status == 404, (method, path, refused.value)
    # It is all still as it was, and its owner sees it.
    user = await pair.a.admin.get(f"/v1/users/{pair.a.users['anna']}")
    assert user["roles"] == ["agent"]
    assert (await pair.a.admin.get(f"/v1/recordings/{pair.call_a}"))["recording_id"] == pair.call_a


async def test_what_was_refused_is_on_the_trail_of_who_tried(pair: Pair) -> None:
    with pytest.raises(Problem):
        await pair.b.admin.call("DELETE", f"/v1/agents/{pair.a.users['anna']}")
    with pytest.raises(Problem):
        await pair.b.admin.get(f"/v1/recordings/{pair.call_a}")

    async def tried() -> set[tuple[str, str]]:
        trail = await pair.b.admin.get("/v1/audit", refused="true")
        return {(e["action"], e["outcome"]) for e in trail.get("entries", [])}

    wanted = {
        ("carillon.acd.v1.Acd/RemoveAgent", "no-such-agent"),
        ("carillon.recording.v1.Recording/GetRecording", "no-such-recording"),
    }
    await eventually(tried, lambda now: wanted <= now, 10, "the refusals on the trail")


async def test_a_tenant_that_a_request_brings_is_not_believed(pair: Pair) -> None:
    for header in ("carillon-tenant", "Carillon-Tenant", "X-Tenant"):
        answer = await pair.b.admin.http.get(
            "/v1/users",
            headers={"Authorization": f"Bearer {pair.b.admin.token}", header: pair.a.tenant_id},
        )
        assert pair.a.users["anna"] not in answer.text
    with pytest.raises(Problem):
        await pair.b.admin.get("/v1/users", tenant_id=pair.a.tenant_id)


def edge(pair: Pair) -> str:
    return f"127.0.0.1:{pair.carillon.machine.told('portal')['grpc']}"


async def test_grpc_forwards_only_ones_own(pair: Pair) -> None:
    meta = (
        ("authorization", f"Bearer {pair.b.admin.token}"),
        ("carillon-tenant", pair.a.tenant_id),
    )
    async with aio.insecure_channel(edge(pair)) as channel:
        agents = await AcdStub(channel).ListAgents(acd_pb2.ListAgentsRequest(), metadata=meta)
        assert {a.agent_id for a in agents.agents} == {pair.b.users["anna"]}
        with pytest.raises(aio.AioRpcError) as refused:
            await RecordingStub(channel).GetRecording(
                recording_pb2.GetRecordingRequest(recording_id=pair.call_a), metadata=meta
            )
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND


async def test_grpc_without_or_with_wrong_credentials_is_refused(pair: Pair) -> None:
    async with aio.insecure_channel(edge(pair)) as channel:
        for meta in ((), (("authorization", "Bearer nobody"),), (("carillon-tenant", "*"),)):
            with pytest.raises(aio.AioRpcError) as refused:
                await AcdStub(channel).ListAgents(acd_pb2.ListAgentsRequest(), metadata=meta)
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        with pytest.raises(aio.AioRpcError) as hidden:
            await AcdStub(channel).Accept(
                acd_pb2.ReservationRequest(),
                metadata=(("authorization", f"Bearer {pair.a.admin.token}"),),
            )
        assert hidden.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_the_feed_tells_only_ones_own(pair: Pair) -> None:
    supervisor = await pair.b.session("sara")
    async with feed_of(supervisor, pair.b.portal) as feed:
        await feed.subscribe("live", "agents", "waiting", "alarms")
        desk = await pair.a.desk("anna")
        await desk.ready()
        await one_call(pair.carillon, pair.a, desk)
        told = json.dumps(feed.history)
    assert feed.history
    assert [s for s in (pair.a.users["anna"], pair.a.tenant_id, "alpha") if s in told] == []


async def test_a_feed_without_a_session_is_closed(pair: Pair) -> None:
    url = pair.a.portal.replace("http", "ws", 1) + "/v1/feed"
    async with connect(url) as socket:
        await socket.send(json.dumps({"type": "hello", "token": "nobody"}))
        await socket.wait_closed()
        assert socket.close_code is not None
        assert socket.close_code >= 4000


async def test_wrong_expired_and_revoked_credentials_are_refused(pair: Pair) -> None:
    nobody = Session(pair.a.admin.http, "not-a-token", {})
    with pytest.raises(Problem) as wrong:
        await nobody.get("/v1/users")
    assert (wrong.value.status, wrong.value.code) == (401, "not-authenticated")
    session = await pair.a.session("sara")
    await session.post("/v1/sessions:end")
    with pytest.raises(Problem) as ended:
        await session.get("/v1/users")
    assert ended.value.status == 401
    key = await pair.a.admin.post("/v1/api-keys", {"name": "test", "roles": ["supervisor"]})
    robot = Session(pair.a.admin.http, key["secret"], {})
    assert (await robot.get("/v1/me"))["kind"] == "api-key"
    await pair.a.admin.call("DELETE", f"/v1/api-keys/{key['key']['key_id']}")
    with pytest.raises(Problem) as revoked:
        await robot.get("/v1/me")
    assert revoked.value.status == 401
