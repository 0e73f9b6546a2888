"""What an installation tells while a test looks on: facts of calls, states of agents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from protos.acd.v1 import acd_pb2, state_pb2
from protos.gateway.v1 import events_pb2, gateway_pb2
from services.chassis.rpc import PLATFORM, metadata
from tests.stage.house import House
from tests.stage.seed import TENANT


class NotTold(Exception):
    """What was waited for was not told in time; the text says what was."""


@dataclass(slots=True)
class Facts:
    """What the gateway told about calls."""

    seen: list[events_pb2.CallFact] = field(default_factory=list)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, stream: AsyncIterable[events_pb2.CallFact]) -> None:
        async for fact in stream:
            self.seen.append(fact)
            self._more.set()

    async def first(
        self, wanted: Callable[[events_pb2.CallFact], bool], within_s: float, what: str
    ) -> events_pb2.CallFact:
        """The first fact that is wanted, past or to come."""
        return (await self.some(1, wanted, within_s, what))[0]

    async def some(
        self, count: int, wanted: Callable[[events_pb2.CallFact], bool], within_s: float, what: str
    ) -> list[events_pb2.CallFact]:
        """That many facts that are wanted."""
        try:
            async with asyncio.timeout(within_s):
                while len(found := [fact for fact in self.seen if wanted(fact)]) < count:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            told = [fact.WhichOneof("body") for fact in self.seen[-12:]]
            raise NotTold(
                f"{count} of {what} did not come in {within_s} s; the last facts: {told}"
            ) from None
        return found

    async def ended(self, call_id: str, within_s: float = 10.0) -> events_pb2.CallEnded:
        """The end of a call."""
        fact = await self.first(
            lambda f: f.call_id == call_id and f.HasField("call_ended"), within_s, "call_ended"
        )
        return fact.call_ended


@dataclass(slots=True)
class Agents:
    """Every state of every agent, as routing tells it."""

    states: dict[str, list[state_pb2.AgentView]] = field(default_factory=dict)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, stream: AsyncIterable[state_pb2.AgentView]) -> None:
        async for view in stream:
            self.states.setdefault(view.agent_id, []).append(view)
            self._more.set()

    async def changed(self) -> None:
        """Waits for the next view of any agent."""
        self._more.clear()
        await self._more.wait()

    def now(self, agent_id: str) -> state_pb2.AgentView:
        """The agent as told last; an empty view of one of whom nothing was told."""
        return self.states.get(agent_id, [state_pb2.AgentView()])[-1]

    def words(self, agent_id: str) -> list[str]:
        """The agent's states so far, each change once."""
        words: list[str] = []
        for view in self.states.get(agent_id, []):
            if not words or words[-1] != view.state:
                words.append(view.state)
        return words

    async def becomes(self, agent_id: str, state: str, within_s: float) -> state_pb2.AgentView:
        """Waits until the agent is in a state."""
        try:
            async with asyncio.timeout(within_s):
                while not (views := self.states.get(agent_id)) or views[-1].state != state:
                    await self.changed()
        except TimeoutError:
            raise NotTold(f"{agent_id} was {self.words(agent_id)}, not {state}") from None
        return views[-1]


@asynccontextmanager
async def watching(carillon: House, tenant_id: str = TENANT) -> AsyncIterator[tuple[Facts, Agents]]:
    """Reads facts, and a tenant's agents' states, for as long as the block lasts."""
    facts, agents = Facts(), Agents()
    calls = [
        gateway.WatchCalls(gateway_pb2.WatchCallsRequest(), metadata=metadata(tenant_id=PLATFORM))
        for gateway in carillon.gateways
    ]
    states = carillon.acd.WatchAgents(
        acd_pb2.WatchAgentsRequest(), metadata=metadata(tenant_id=tenant_id)
    )
    readers = [asyncio.ensure_future(facts.read(each)) for each in calls]
    readers.append(asyncio.ensure_future(agents.read(states)))
    try:
        # A stream that is connected misses nothing from here on.
        for each in calls:
            await each.wait_for_connection()
        await states.wait_for_connection()
        yield facts, agents
    finally:
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
