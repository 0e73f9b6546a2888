"""analytics in a simulated world, and the mornings that pass there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from protos.acd.v1 import config_pb2, events_pb2, state_pb2
from protos.analytics.v1 import analytics_pb2 as pb
from protos.analytics.v1.analytics_pb2_grpc import AnalyticsStub
from protos.common.v1 import common_pb2
from protos.gateway.v1 import events_pb2 as gateway_pb2
from services.analytics.main import build
from services.chassis.envelope import enveloped
from services.chassis.errors import RemoteError
from services.chassis.ids import TenantId
from services.chassis.rpc import metadata, remote_errors
from services.chassis.simulated import START_MS, SimulatedWorld, simulate

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from protos.analytics.v1.analytics_pb2_grpc import AnalyticsAsyncStub

DEMO = metadata(tenant_id="demo")
HOUR_MS = 3_600_000
S = 1_000
SPAN: dict[str, Any] = {"from_ms": START_MS, "to_ms": START_MS + HOUR_MS}


class Scene:
    """analytics in a simulated world, and what happens there."""

    def __init__(self, world: SimulatedWorld) -> None:
        self.world = world
        self.stub: AnalyticsAsyncStub = AnalyticsStub(world.dial("analytics"))
        self._seq = 0

    @property
    def now_ms(self) -> int:
        return self.world.clock.now_ms()

    async def happen(self, *messages: Any, tenant_id: str = "demo") -> None:
        """Events of routing, published and taken in."""
        events = []
        for message in messages:
            self._seq += 1
            event = enveloped(
                message,
                event_id=f"{tenant_id}:{self._seq}:0",
                tenant_id=TenantId(tenant_id),
                at_ms=self.now_ms,
                key=tenant_id,
                seq=self._seq,
            )
            events.append(event)
        await self.world.bus.publish("acd.events.v1", events)
        await asyncio.sleep(0.001)

    async def staff(self, tenant_id: str = "demo") -> None:
        """Queues sales and support; anna serves sales, and is ready."""
        queues = [
            events_pb2.QueuePut(queue=config_pb2.QueueConfig(queue_id=queue_id, name=name))
            for queue_id, name in (("sales", "Sales"), ("support", "Support"))
        ]
        served = [config_pb2.QueueMembership(queue_id="sales")]
        anna = config_pb2.AgentConfig(agent_id="anna", name="Anna", queues=served)
        await self.happen(
            *queues, events_pb2.AgentPut(agent=anna, at_ms=self.now_ms), self.state("ready")
        )

    def state(self, state: str) -> events_pb2.AgentStateChanged:
        return events_pb2.AgentStateChanged(agent_id="anna", state=state, at_ms=self.now_ms)

    def enqueued(self, entry_id: str, queue_id: str = "sales") -> events_pb2.ContactEnqueued:
        contact = state_pb2.Contact(
            entry_id=entry_id,
            contact_id=f"call-{entry_id}",
            queue_id=queue_id,
            channel="voice",
            attributes=[config_pb2.Attribute(name="from", value="+491")],
            external_ref="crm-7",
        )
        return events_pb2.ContactEnqueued(contact=contact, at_ms=self.now_ms)

    def exited(self, entry_id: str, way: str, wait_ms: int) -> events_pb2.ContactExited:
        agent_id = "anna" if way == "answered" else None
        return events_pb2.ContactExited(
            entry_id=entry_id, exit=way, wait_ms=wait_ms, agent_id=agent_id, at_ms=self.now_ms
        )

    async def a_morning(self) -> None:
        """Two answered, one of them late; one abandoned, one turned away, one still waiting."""
        await self.staff()
        await self.happen(self.enqueued("e1"), self.exited("e1", "answered", 10 * S))
        await self.happen(self.state("talking"))
        await asyncio.sleep(60)
        await self.happen(
            events_pb2.ContactCompleted(entry_id="e1", talk_ms=60 * S, hold_ms=0),
            events_pb2.WrapUpEnded(entry_id="e1", code="sold", wrap_up_ms=0),
            self.state("ready"),
        )
        await asyncio.sleep(60)
        await self.happen(self.enqueued("e2"), self.exited("e2", "answered", 30 * S))
        await self.happen(self.enqueued("e3"), self.exited("e3", "abandoned", 40 * S))
        await self.happen(self.enqueued("e4", "support"), self.exited("e4", "refused_full", 0))
        await self.happen(self.enqueued("e5", "support"))

    async def report(self, **more: Any) -> dict[str, dict[str, float | None]]:
        """A report's values, by row and figure."""
        request = pb.GetReportRequest(**(SPAN | more))
        found = await self.stub.GetReport(request, metadata=DEMO)
        return {row.key: values(row.figures) for row in found.rows}

    async def entries(self, **more: Any) -> list[str]:
        return [each.entry_id for each in (await self.entry_page(**more)).entries]

    async def entry_page(self, **more: Any) -> pb.ListEntriesResponse:
        request = pb.ListEntriesRequest(**(SPAN | more))
        return await self.stub.ListEntries(request, metadata=DEMO)


def values(figures: Any) -> dict[str, float | None]:
    return {
        f"{each.kpi}:{each.variant}" if each.variant else each.kpi: each.value
        if each.HasField("value")
        else None
        for each in figures
    }


async def call_facts(scene: Scene) -> None:
    """One call that was queued and answered, one that was neither."""
    ended = gateway_pb2.CallEnded(
        termination=common_pb2.Termination(
            termination_class=common_pb2.TERMINATION_CLASS_SUCCESS, reason="caller-hung-up"
        ),
        duration_ms=S,
    )
    facts = [
        gateway_pb2.CallFact(
            call_id=call_id, seq=9, at_ms=START_MS + 2 * S + number, call_ended=ended
        )
        for number, call_id in enumerate(("call-e1", "call-lost"))
    ]
    await scene.world.bus.publish(
        "gateway.events.v1",
        [
            enveloped(
                fact,
                event_id=f"fact-{fact.call_id}",
                tenant_id=TenantId("demo"),
                at_ms=fact.at_ms,
                key=fact.call_id,
                seq=9,
            )
            for fact in facts
        ],
    )
    await asyncio.sleep(0.001)


Story = Callable[[Scene], Awaitable[None]]
Play = Callable[[Story], None]


async def refused(call: Awaitable[Any]) -> RemoteError:
    with pytest.raises(RemoteError) as caught, remote_errors():
        await call
    return caught.value


def play_in(folder: Path, story: Story) -> None:
    """Plays a story in a world where analytics runs."""

    async def in_world(world: SimulatedWorld) -> None:
        service = build(world)
        await service.start()
        world.exchange.serve(service.name, service.faces())
        await story(Scene(world))
        await service.drain()
        await service.stop()

    simulate(in_world, seed=1, folder=folder)
