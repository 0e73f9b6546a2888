"""One tenant's callers and agents on a whole Carillon, and what of them is asked."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from math import isclose
from typing import Any, Generic, TypeVar

from protos.acd.v1 import acd_pb2, state_pb2
from protos.gateway.v1 import gateway_pb2
from services.chassis.rpc import PLATFORM, metadata
from tests.agent.desk import Desk
from tests.softphone import SoftPhone
from tests.softphone.incoming import Policy
from tests.softphone.outgoing import OutgoingCall
from tests.stage.asking import eventually
from tests.stage.house import House
from tests.stage.tenants import Tenant, today
from tests.stage.watching import Agents, Facts

MOVING = {"occupancy": 0.05}
"""By KPI that moves while agents are signed in, as time does: how far, relatively, live figures and
stored records may be apart, for they are asked one after the other."""

H = TypeVar("H", bound=House)


@dataclass(slots=True)
class Players(Generic[H]):
    """One tenant's callers and agents on an installation."""

    carillon: H
    tenant: Tenant
    facts: Facts
    agents: Agents
    stack: AsyncExitStack
    callers: int = 0
    phones: list[SoftPhone] = field(default_factory=list)

    async def phone(self, user: str, auto: Policy | None = None) -> SoftPhone:
        """A phone that is closed when the test ends."""
        phone = await self.stack.enter_async_context(SoftPhone(user=user, auto=auto))
        self.phones.append(phone)
        return phone

    async def phone_agent(self, username: str, auto: Policy | None = None) -> tuple[str, SoftPhone]:
        """An agent of sales with a desk phone, ready; id and phone."""
        phone = await self.phone(username, auto)
        agent_id = await self.tenant.agent(username, endpoint=phone.uri)
        meta = metadata(tenant_id=self.tenant.tenant_id)
        # What the edge will report of a registered phone.
        await self.carillon.acd.ReportLink(
            acd_pb2.ReportLinkRequest(agent_id=agent_id, link="reachable"), metadata=meta
        )
        await self.presence(agent_id, "ready")
        return agent_id, phone

    async def presence(self, agent_id: str, presence: str) -> None:
        """An agent's intent, as their administrator says it."""
        await self.tenant.admin.post(f"/v1/agents/{agent_id}:set-presence", {"presence": presence})

    async def dial(self, *, number: str = "", phone: SoftPhone | None = None) -> OutgoingCall:
        """Somebody calls, with a phone of their own unless one is given."""
        if phone is None:
            self.callers += 1
            phone = await self.phone(f"+1202555{self.callers:04d}")
        uri = f"sip:{number or self.tenant.number}@127.0.0.1:{self.carillon.sip_port}"
        return await phone.call(uri)

    async def in_queue(self, *, phone: SoftPhone | None = None) -> OutgoingCall:
        """A caller who waits, or is being connected, in queue sales."""
        call = await self.dial(phone=phone)
        await call.answered(10)
        await call.hears_audio(10)
        before = (await self.queue()).tally.offered
        await call.send_dtmf("1")
        # Not those who wait: an agent who is free may have this caller before that is looked at.
        await eventually(
            self.queue, lambda q: q.tally.offered > before, 15, "the caller in the queue"
        )
        return call

    async def talk(self, desk: Desk) -> tuple[OutgoingCall, dict[str, Any]]:
        """A caller (440 Hz) and an agent at a browser (660 Hz) who hear each other; the work."""
        call = await self.in_queue()
        work = await desk.rings(10)
        await desk.confirm(work)
        peer = await desk.connect(work)
        await desk.accept(work)
        call.play_tone(440)
        peer.play_tone(660)
        await peer.hears_tone(440, 5)
        await call.hears_tone(660, 5)
        return call, work

    async def queue(self) -> state_pb2.QueueView:
        """Queue sales as routing sees it."""
        meta = metadata(tenant_id=self.tenant.tenant_id)
        return await self.carillon.acd.GetQueue(
            acd_pb2.QueueRequest(queue_id="sales"), metadata=meta
        )

    async def present(self) -> int:
        """Contacts in queue sales, those that are being connected included."""
        queue = await self.queue()
        return queue.waiting + queue.reserved

    async def until_present(self, count: int, within_s: float = 15) -> None:
        """Until so many are in the queue."""
        await eventually(self.present, lambda now: now == count, within_s, f"{count} in the queue")

    async def until_quiet(self, within_s: float = 20) -> None:
        """Until no call and no waiting contact is left."""

        async def left() -> tuple[int, int]:
            return len(await self.live_calls()), await self.present()

        await eventually(left, lambda now: now == (0, 0), within_s, "the end of all calls")

    async def live_calls(self) -> list[gateway_pb2.Call]:
        """The calls that any gateway carries."""
        answers = [
            await gateway.ListCalls(
                gateway_pb2.ListCallsRequest(), metadata=metadata(tenant_id=PLATFORM)
            )
            for gateway in self.carillon.gateways
        ]
        return [call for answer in answers for call in answer.calls]

    async def figures(self) -> tuple[dict[str, float], dict[str, float]]:
        """Offered, answered, abandoned ... live, and from stored records, for today."""
        live = await self.tenant.admin.get("/v1/live")
        from_ms, to_ms = today()
        report = await self.tenant.admin.get("/v1/reports", from_ms=from_ms, to_ms=to_ms)
        return values(live["rows"][0]["today"]), values(report["rows"][0]["figures"])

    async def figures_agree(self, *, offered: int, answered: int) -> None:
        """Live figures come to what happened, and stored records say the same."""

        def agree(told: tuple[dict[str, float], dict[str, float]]) -> bool:
            live, stored = told
            shared = live.keys() & stored.keys()
            alike = all(
                isclose(live[kpi], stored[kpi], rel_tol=MOVING.get(kpi, 0.0)) for kpi in shared
            )
            return alike and live.get("answered") == answered and "average_handle_time" in shared

        live, stored = await eventually(self.figures, agree, 40, "the day's figures")
        assert (live["offered"], live.get("abandoned", 0)) == (offered, 0)
        assert {"offered", "answered", "service_level", "asa"} <= live.keys() & stored.keys()


def values(figures: list[dict[str, Any]]) -> dict[str, float]:
    """Value by KPI; of those with variants, the default one, which comes first."""
    found: dict[str, float] = {}
    for figure in figures:
        if "value" in figure:
            found.setdefault(figure["kpi"], figure["value"])
    return found
