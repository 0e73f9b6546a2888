"""acd's face towards the floor: configuration as it was put, many agents at once, who waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING

import pytest
from google.protobuf.message import Message

from protos.acd.v1 import acd_pb2, config_pb2
from services.acd import wire
from services.chassis.errors import Kind, RemoteError
from services.chassis.rpc import metadata, remote_errors
from tests.unit.acd.replicas import DEMO, enqueue, following, ready

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from protos.acd.v1.acd_pb2_grpc import AcdAsyncStub

OTHER = metadata(tenant_id="other")
SALES = acd_pb2.QueueRequest(queue_id="sales")
ANNA = acd_pb2.AgentRequest(agent_id="anna")
SUPPORT = config_pb2.QueueMembership(queue_id="support", weight=250, position=2)
MOVE = acd_pb2.MoveAgentsRequest(agent_ids=["anna"], from_queue_ids=["sales"], to=[SUPPORT])

ANYBODY = config_pb2.SkillExpr(kind="any", comparison="ge", level=1)
STEP = config_pb2.PlanStep(expr=ANYBODY, for_s=5, skip_if="never")


async def refused(call: Awaitable[object]) -> RemoteError:
    with pytest.raises(RemoteError) as caught, remote_errors():
        await call
    return caught.value


async def put_queue(acd: AcdAsyncStub, queue: config_pb2.QueueConfig) -> None:
    await acd.PutQueue(acd_pb2.PutQueueRequest(queue=queue), metadata=DEMO)


@pytest.mark.parametrize(
    "queue",
    [
        config_pb2.QueueConfig(queue_id="bare"),
        config_pb2.QueueConfig(
            queue_id="full",
            name="Full",
            open=False,
            max_waiting=5,
            max_wait_ms=60_000,
            ring_timeout_ms=10_000,
            strategies=["most_skilled", "random"],
            scoring=config_pb2.Scoring(
                priority_weight=1, accel=2, wait_cap_ms=3_000, return_credit=4
            ),
            plan=config_pb2.Plan(steps=[STEP], end="stay"),
            wrap_up=config_pb2.WrapUpPolicy(mode="forced", max_ms=5_000),
            ring_rules=[config_pb2.RingRule(outcome="busy", rest_ms=1)],
            assumed_handle_s=9,
            min_sample=3,
            announce_rise_s=7,
            service_level_percent=95,
        ),
    ],
    ids=lambda queue: queue.queue_id,
)
async def test_a_queues_settings_are_read_as_they_were_put(
    acd: AcdAsyncStub, queue: config_pb2.QueueConfig
) -> None:
    await put_queue(acd, queue)
    request = acd_pb2.QueueRequest(queue_id=queue.queue_id)
    said = await acd.GetQueueConfig(request, metadata=DEMO)
    assert said == queue
    # What a queue leaves to others is not set, and putting it back changes nothing.
    await put_queue(acd, said)
    assert await acd.GetQueueConfig(request, metadata=DEMO) == said


async def test_a_policy_of_the_queues_own_is_shown_whole(acd: AcdAsyncStub) -> None:
    queue = config_pb2.QueueConfig(queue_id="own", wrap_up=config_pb2.WrapUpPolicy(max_ms=9_000))
    await put_queue(acd, queue)
    said = await acd.GetQueueConfig(acd_pb2.QueueRequest(queue_id="own"), metadata=DEMO)
    assert (said.wrap_up.mode, said.wrap_up.max_ms) == ("timed", 9_000)


async def test_tenant_defaults_are_read_as_they_were_put(acd: AcdAsyncStub) -> None:
    request = acd_pb2.GetTenantDefaultsRequest()
    platform = await acd.GetTenantDefaults(request, metadata=DEMO)
    assert not platform.HasField("wrap_up")
    assert not platform.HasField("delivery_ms")
    platform.connect_ms = 5_000
    await acd.PutTenantDefaults(acd_pb2.PutTenantDefaultsRequest(defaults=platform), metadata=DEMO)
    assert await acd.GetTenantDefaults(request, metadata=DEMO) == platform


async def test_the_service_level_that_is_good_is_the_queues_the_tenants_or_the_platforms(
    acd: AcdAsyncStub,
) -> None:
    async def good() -> int:
        said = await acd.GetQueue(acd_pb2.QueueRequest(queue_id="sales"), metadata=DEMO)
        return said.service_level_percent

    assert await good() == 80
    tenant = config_pb2.TenantDefaults(service_level_percent=70)
    await acd.PutTenantDefaults(acd_pb2.PutTenantDefaultsRequest(defaults=tenant), metadata=DEMO)
    assert await good() == 70
    await put_queue(acd, config_pb2.QueueConfig(queue_id="sales", service_level_percent=95))
    assert await good() == 95


async def test_an_agents_configuration_is_read(acd: AcdAsyncStub) -> None:
    said = await acd.GetAgentConfig(ANNA, metadata=DEMO)
    assert (said.name, said.endpoint) == ("Anna", "sip:anna@127.0.0.1:5070")
    assert [(q.queue_id, q.weight) for q in said.queues] == [("sales", 100)]
    assert [(c.channel, c.limit) for c in said.capacities] == [("voice", 1)]
    for call in (
        acd.GetAgentConfig(ANNA, metadata=OTHER),
        acd.GetQueueConfig(SALES, metadata=OTHER),
    ):
        assert (await refused(call)).kind is Kind.NOT_FOUND


async def test_configurations_are_listed_by_the_page(
    acd: AcdAsyncStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in range(3):
        await put_queue(acd, config_pb2.QueueConfig(queue_id=f"q{index}"))
        agent = config_pb2.AgentConfig(agent_id=f"a{index}")
        await acd.PutAgent(acd_pb2.PutAgentRequest(agent=agent), metadata=DEMO)
        stream = enqueue(acd, f"e{index}")
        await following(stream, "position")

    async def read() -> tuple[list[str], list[str], list[str]]:
        queues, agents, waiting = (
            acd_pb2.ListQueueConfigsRequest(),
            acd_pb2.ListAgentConfigsRequest(),
            acd_pb2.ListWaitingRequest(),
        )
        seen: tuple[list[str], list[str], list[str]] = ([], [], [])
        for request in (queues, agents, waiting):
            request.page.size = 3
        for _ in range(4):
            if not seen[0] or queues.page.token:
                some = await acd.ListQueueConfigs(queues, metadata=DEMO)
                seen[0].extend(queue.queue_id for queue in some.queues)
                queues.page.token = some.page.next_token
            if not seen[1] or agents.page.token:
                more = await acd.ListAgentConfigs(agents, metadata=DEMO)
                seen[1].extend(agent.agent_id for agent in more.agents)
                agents.page.token = more.page.next_token
            if not seen[2] or waiting.page.token:
                rest = await acd.ListWaiting(waiting, metadata=DEMO)
                seen[2].extend(entry.entry_id for entry in rest.entries)
                waiting.page.token = rest.page.next_token
        return seen

    everything = (["q0", "q1", "q2", "sales"], ["a0", "a1", "a2", "anna"], ["e0", "e1", "e2"])
    assert await read() == everything
    # Rows too large for one answer come on further pages.
    monkeypatch.setattr(wire, "MAX_ANSWER_BYTES", 1)
    assert await read() == everything


async def test_agents_are_moved_and_moved_back(acd: AcdAsyncStub) -> None:
    await put_queue(acd, config_pb2.QueueConfig(queue_id="support"))
    config = await acd.GetAgentConfig(ANNA, metadata=DEMO)
    moved = await acd.MoveAgents(MOVE, metadata=DEMO)
    assert [(m.agent_id, list(m.queues)) for m in moved.before] == [("anna", list(config.queues))]
    assert [(m.agent_id, list(m.queues)) for m in moved.after] == [("anna", [SUPPORT])]
    view = await acd.GetAgent(ANNA, metadata=DEMO)
    assert list(view.queue_ids) == ["support"]
    undo = acd_pb2.SetMembershipsRequest(agents=moved.before)
    restored = await acd.SetMemberships(undo, metadata=DEMO)
    assert (restored.before, restored.after) == (moved.after, moved.before)
    assert await acd.GetAgentConfig(ANNA, metadata=DEMO) == config
    # What changes nothing is told alike.
    again = await acd.SetMemberships(undo, metadata=DEMO)
    assert again.before == again.after == moved.before


async def test_skills_are_given(acd: AcdAsyncStub) -> None:
    skills = config_pb2.Skills(agent_id="anna", skills=[config_pb2.SkillLevel(name="de", level=4)])
    said = await acd.SetSkills(acd_pb2.SetSkillsRequest(agents=[skills]), metadata=DEMO)
    assert list(said.agents) == [skills]
    config = await acd.GetAgentConfig(ANNA, metadata=DEMO)
    assert list(config.skills) == list(skills.skills)


async def test_what_cannot_be_is_refused(acd: AcdAsyncStub) -> None:
    nobody = config_pb2.Skills(agent_id="nobody")
    calls: list[tuple[Awaitable[Message], str]] = [
        (acd.MoveAgents(MOVE, metadata=DEMO), "no-such-queue"),
        (acd.MoveAgents(MOVE, metadata=OTHER), "no-such-agent"),
        (acd.MoveAgents(acd_pb2.MoveAgentsRequest(), metadata=DEMO), "invalid-configuration"),
        (
            acd.SetSkills(acd_pb2.SetSkillsRequest(agents=[nobody]), metadata=DEMO),
            "no-such-agent",
        ),
        (
            acd.ListWaiting(acd_pb2.ListWaitingRequest(queue_id="sales"), metadata=OTHER),
            "no-such-queue",
        ),
    ]
    assert [(await refused(call)).code for call, _ in calls] == [code for _, code in calls]
    for names, code in ((["sales"], "no-such-queue"), (["x", "x"], "invalid-configuration")):
        request = acd_pb2.WatchWaitingRequest(queue_ids=names)
        stream = acd.WatchWaiting(request, metadata=OTHER)
        assert (await refused(anext(aiter(stream)))).code == code


async def test_those_who_wait_are_listed_the_longest_first(acd: AcdAsyncStub) -> None:
    await ready(acd)
    first = enqueue(acd, "z-first")
    await following(first, "reserved")
    second = enqueue(acd, "a-second")
    await following(second, "position")
    request = acd_pb2.ListWaitingRequest(queue_id="sales")
    said = await acd.ListWaiting(request, metadata=DEMO)
    assert [(e.entry_id, e.stage, e.position) for e in said.entries] == [
        ("z-first", "reserved", 0),
        ("a-second", "waiting", 1),
    ]


async def test_who_waits_is_followed(acd: AcdAsyncStub, monkeypatch: pytest.MonkeyPatch) -> None:
    for entry_id in ("e1", "e2"):
        await following(enqueue(acd, entry_id), "position")
    monkeypatch.setattr(wire, "MAX_ANSWER_BYTES", 1)
    stream = acd.WatchWaiting(acd_pb2.WatchWaitingRequest(), metadata=DEMO)
    changes = aiter(stream)
    async with asyncio.timeout(5):
        first, rest = await anext(changes), await anext(changes)
        # A beginning too large for one message goes on in others.
        assert (first.all, [row.entry_id for row in first.rows], first.waiting) == (True, ["e1"], 2)
        assert (rest.all, [row.entry_id for row in rest.rows], rest.waiting) == (False, ["e2"], 2)
        assert first.rows[0].contact.queue_id == "sales"
        door = acd_pb2.QueueDoor(queue_id="sales", open=True)
        assert (list(first.queues), list(rest.queues)) == ([door], [])
        await ready(acd)
        row = (await anext(changes)).rows[0]
        assert (row.entry_id, row.stage, row.agent_id) == ("e1", "reserved", "anna")
        leave = acd_pb2.LeaveRequest(entry_id="e2", exit="abandoned")
        await acd.Leave(leave, metadata=DEMO)
        assert list((await anext(changes)).gone_entry_ids) == ["e2"]
        closing = acd_pb2.SetEmergencyRequest(queue_id="sales", active=True)
        await acd.SetEmergency(closing, metadata=DEMO)
        (door,) = (await anext(changes)).queues
        assert (door.queue_id, door.open, door.emergency) == ("sales", False, True)
    stream.cancel()


async def test_an_agent_who_is_edited_or_removed_is_told(acd: AcdAsyncStub) -> None:
    await put_queue(acd, config_pb2.QueueConfig(queue_id="support"))
    one = acd.WatchAgents(acd_pb2.WatchAgentsRequest(agent_ids=["anna"]), metadata=DEMO)
    every = acd.WatchAgents(acd_pb2.WatchAgentsRequest(), metadata=DEMO)
    for stream in (one, every):
        views = aiter(stream)
        async with asyncio.timeout(5):
            assert list((await anext(views)).queue_ids) == ["sales"]
    await acd.MoveAgents(MOVE, metadata=DEMO)
    await acd.RemoveAgent(ANNA, metadata=DEMO)
    for stream in (one, every):
        views = aiter(stream)
        async with asyncio.timeout(5):
            assert list((await anext(views)).queue_ids) == ["support"]
            last = await anext(views)
        assert (last.agent_id, last.removed, last.state) == ("anna", True, "signed_out")
        stream.cancel()
