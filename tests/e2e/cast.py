"""Callers and agents of an end-to-end test, and the installation they play on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from protos.acd.v1 import acd_pb2, state_pb2
from protos.gateway.v1 import gateway_pb2
from services.chassis.postgres.server import PostgresServer
from services.chassis.rpc import PLATFORM, metadata
from tests.softphone import SoftPhone
from tests.softphone.incoming import IncomingCall, Policy
from tests.softphone.outgoing import OutgoingCall
from tests.stage.asking import eventually
from tests.stage.installation import Installation
from tests.stage.seed import (
    META,
    NUMBER,
    SeedAgent,
    seed_agent,
    seed_number,
    seed_queues,
    set_presence,
)
from tests.stage.watching import Agents, Facts, NotTold, watching

CLEAN_WAIT_S = 10.0


@dataclass(slots=True)
class Cast:
    """Who plays, and on what."""

    carillon: Installation
    facts: Facts
    agents: Agents
    phones: AsyncExitStack
    hired: list[str] = field(default_factory=list)
    everyone: list[SoftPhone] = field(default_factory=list)
    dialled: int = 0
    """Calls to the installation so far."""

    async def phone(self, user: str, auto: Policy | None = None) -> SoftPhone:
        """A phone that is closed when the test ends."""
        phone = await self.phones.enter_async_context(SoftPhone(user=user, auto=auto))
        self.everyone.append(phone)
        return phone

    async def agent(
        self, agent_id: str, auto: Policy | None = None, *, ready: bool = True
    ) -> SoftPhone:
        """An agent of queue sales with a phone."""
        desk = await self.phone(agent_id, auto)
        await seed_agent(self.carillon, SeedAgent(agent_id, agent_id.capitalize(), desk.uri))
        self.hired.append(agent_id)
        if ready:
            await set_presence(self.carillon, agent_id, "ready")
            # Not the state: whoever is ready while callers wait is reserved at once.
            await self.until_agent(agent_id, lambda view: view.presence == "ready")
        return desk

    async def until_agent(
        self, agent_id: str, wanted: Callable[[state_pb2.AgentView], bool]
    ) -> state_pb2.AgentView:
        """An agent, once they are as wanted."""
        try:
            async with asyncio.timeout(CLEAN_WAIT_S):
                while not wanted(self.agents.now(agent_id)):
                    await self.agents.changed()
        except TimeoutError:
            raise NotTold(f"at last {agent_id} was: {self.agents.now(agent_id)}") from None
        return self.agents.now(agent_id)

    async def dial(
        self,
        phone: SoftPhone | None = None,
        *,
        number: str = NUMBER,
        headers: dict[str, str] | None = None,
        sdp: bytes | None = None,
    ) -> OutgoingCall:
        """A call to the installation, just sent."""
        phone = phone or await self.phone("+12025550147")
        uri = f"sip:{number}@127.0.0.1:{self.carillon.sip_port}"
        self.dialled += 1
        return await phone.call(uri, headers=headers, sdp=sdp)

    async def in_menu(self, phone: SoftPhone | None = None) -> OutgoingCall:
        """A caller who hears the menu."""
        call = await self.dial(phone)
        await call.answered(5)
        await call.hears_audio(5)
        return call

    async def in_queue(self, phone: SoftPhone | None = None) -> OutgoingCall:
        """A caller who waits, or is being connected, in queue sales."""
        call = await self.in_menu(phone)
        before = (await self.queue()).tally.offered
        await call.send_dtmf("1")
        # Not those who wait: an agent who is free may have this caller before that is looked at.
        await eventually(
            self.queue, lambda q: q.tally.offered > before, CLEAN_WAIT_S, "the caller in the queue"
        )
        return call

    async def put_through(self, desk: SoftPhone) -> tuple[OutgoingCall, IncomingCall]:
        """A caller who pressed the key for sales, and the leg that an agent has answered."""
        call = await self.in_menu()
        await call.send_dtmf("1")
        leg = await desk.incoming(10)
        await leg.answered(5)
        return call, leg

    async def call_id(self) -> str:
        """The id of the call that was dialled last."""
        started = await self.facts.some(
            self.dialled, lambda f: f.HasField("call_started"), 5, "call_started"
        )
        return started[-1].call_id

    async def queue(self, queue_id: str = "sales") -> state_pb2.QueueView:
        """A queue as routing sees it."""
        return await self.carillon.acd.GetQueue(
            acd_pb2.QueueRequest(queue_id=queue_id), metadata=META
        )

    async def until_waiting(self, count: int, within_s: float = 10.0) -> None:
        """Until so many wait or are being connected; the queue's own count is the judge."""
        await eventually(
            self.queue, lambda q: q.waiting + q.reserved == count, within_s, f"{count} waiting"
        )

    async def live_calls(self) -> list[gateway_pb2.Call]:
        """The calls that the gateway still carries."""
        answer = await self.carillon.gateway.ListCalls(
            gateway_pb2.ListCallsRequest(), metadata=metadata(tenant_id=PLATFORM)
        )
        return list(answer.calls)

    async def until_quiet(self) -> None:
        """Until no call, no waiting contact and no busy agent is left."""
        await eventually(self.live_calls, lambda calls: not calls, CLEAN_WAIT_S, "the last end")
        await self.until_waiting(0)

    async def close(self) -> None:
        """Everyone goes home; whatever is left behind fails the test."""
        await self.until_quiet()
        for agent_id in self.hired:
            await set_presence(self.carillon, agent_id, "signed_out")
        for agent_id in self.hired:
            await self.agents.becomes(agent_id, "signed_out", CLEAN_WAIT_S)
        faults = [fault for phone in self.everyone for fault in phone.faults]
        assert faults == []


@asynccontextmanager
async def staged(
    var: Path,
    *,
    together: bool = True,
    ring_timeout_ms: int = 3_000,
    postgres: PostgresServer | None = None,
) -> AsyncIterator[Installation]:
    """An installation with the demo's tenant on it."""
    async with Installation(var=var, together=together, postgres=postgres) as carillon:
        await seed_queues(carillon, wrap_up_ms=1_000, ring_timeout_ms=ring_timeout_ms)
        await seed_number(carillon)
        yield carillon


@asynccontextmanager
async def playing(carillon: Installation) -> AsyncIterator[Cast]:
    """A cast on an installation; at the end nothing may be left of it."""
    async with watching(carillon) as (facts, agents), AsyncExitStack() as phones:
        cast = Cast(carillon, facts, agents, phones)
        try:
            yield cast
            await cast.close()
        except BaseException as error:
            error.add_note(carillon.logs())
            raise
        finally:
            # Also after a failure, so that the next test meets nobody from this one.
            for agent_id in cast.hired:
                await set_presence(carillon, agent_id, "signed_out")
