"""Agents' desks: what each agent's page shows, kept current as long as somebody looks at it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from grpc import aio

from protos.acd.v1 import acd_pb2, acd_pb2_grpc, state_pb2
from protos.crm.v1 import crm_pb2
from protos.gateway.v1 import gateway_pb2
from protos.portal.v1 import desk_pb2
from services.chassis.errors import CarillonError
from services.chassis.ids import AgentId, TenantId
from services.chassis.log import get_logger
from services.chassis.request import TENANT_KEY
from services.chassis.tasks import Tasks
from services.portal.desk_customers import Customers, unknown
from services.portal.desk_gateways import GONE, Audio, Gateways
from services.portal.desk_policy import DeskPolicy
from services.portal.desk_queues import QueueNames
from services.portal.desk_view import desk_view
from services.portal.feed_topic import Topic, shown

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from protos.acd.v1.acd_pb2_grpc import AcdAsyncStub

log = get_logger("portal.desk")

RETRY_S = (0.1, 0.5, 1.0, 2.0)
"""How long a lost stream waits before it is opened again, the last for ever after."""
CARD_RETRY_S = (1.0, 2.0, 4.0)
"""When a card that did not come in time is asked for again; then it stays unknown."""
CARD_PATIENCE_S = 0.4
"""How long a ring is held back for its card: a little more than the look-up may take."""

_ON_A_GATEWAY = frozenset({"reserved", "ringing", "connecting", "bridged"})


class Desks:
    """The desks that somebody looks at in this process."""

    def __init__(
        self,
        *,
        dial: Callable[[str], aio.Channel],
        customers: Customers,
        gateways: Gateways,
        queues: QueueNames,
        policy: DeskPolicy,
    ) -> None:
        self._dial = dial
        self._customers = customers
        self._gateways = gateways
        self._queues = queues
        self._policy = policy
        self._open: dict[tuple[TenantId, AgentId], tuple[Desk, int]] = {}

    @contextlib.asynccontextmanager
    async def held(self, tenant_id: TenantId, agent_id: AgentId) -> AsyncIterator[Desk]:
        """An agent's desk, kept current at least as long as the context lasts."""
        key = tenant_id, agent_id
        desk, users = self._open.get(key) or (self._new(tenant_id, agent_id), 0)
        self._open[key] = desk, users + 1
        if not users:
            desk.start()
        try:
            yield desk
        finally:
            desk, users = self._open[key]
            if users > 1:
                self._open[key] = desk, users - 1
            else:
                del self._open[key]
                await desk.close()

    def find(self, tenant_id: TenantId, agent_id: AgentId) -> Desk | None:
        """An agent's desk, if somebody looks at it."""
        found = self._open.get((tenant_id, agent_id))
        return found[0] if found else None

    def _new(self, tenant_id: TenantId, agent_id: AgentId) -> Desk:
        return Desk(
            tenant_id=tenant_id,
            agent_id=agent_id,
            acd=acd_pb2_grpc.AcdStub(self._dial("acd")),
            customers=self._customers,
            gateways=self._gateways,
            queues=self._queues,
            policy=self._policy,
        )


class Desk:
    """One agent's desk: follows routing, and for each contact the customer's card and the call."""

    def __init__(
        self,
        *,
        tenant_id: TenantId,
        agent_id: AgentId,
        acd: AcdAsyncStub,
        customers: Customers,
        gateways: Gateways,
        queues: QueueNames,
        policy: DeskPolicy,
    ) -> None:
        self._tenant_id = tenant_id
        self._agent_id = agent_id
        self._metadata = ((TENANT_KEY, str(tenant_id)),)
        self._acd = acd
        self._customers = customers
        self._gateways = gateways
        self._queues = queues
        self._policy = policy
        self._tasks = Tasks(limit=1_000)
        self._news = asyncio.Event()
        self._agent: state_pb2.AgentView | None = None
        self._cards: dict[str, crm_pb2.CustomerCard] = {}
        self._looking: dict[str, asyncio.Event] = {}
        self._audios: dict[str, Audio] = {}
        self._following: dict[str, asyncio.Task[None]] = {}
        self._shown: desk_pb2.DeskView | None = None
        self.topic = Topic("desk", state=self._state)

    def start(self) -> None:
        """Begins to follow."""
        whose = (self._tenant_id, "")
        self._tasks.start(self._watch(), f"desk of {self._agent_id}", about=whose)
        self._tasks.start(self._publish(), f"view of {self._agent_id}", about=whose)

    async def close(self) -> None:
        """Ends it."""
        await self._tasks.close()

    @property
    def cards(self) -> dict[str, crm_pb2.CustomerCard]:
        """The cards found so far, by contact."""
        return self._cards

    def audio_is(self, reservation_id: str, audio: Audio) -> None:
        """The agent's own command has just told what the leg is like."""
        if self._audios.get(reservation_id) != audio:
            self._audios[reservation_id] = audio
            self._news.set()

    def _state(self) -> dict[str, object] | None:
        return None if self._shown is None else {"desk": shown(self._shown)}

    async def _watch(self) -> None:
        failures = 0
        while True:
            before = self._agent
            try:
                await self._follow_agent()
            except aio.AioRpcError as error:
                log.info("routing is not followed", agent=self._agent_id, why=error.details())
            except Exception as error:  # or the agent's page would never change again
                log.error("routing is not followed", agent=self._agent_id, exc_info=error)
            failures = 0 if self._agent is not before else failures + 1
            await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])

    async def _follow_agent(self) -> None:
        request = acd_pb2.WatchAgentsRequest(agent_ids=[self._agent_id])
        stream = self._acd.WatchAgents(request, metadata=self._metadata)
        try:
            async for view in stream:
                self._take(view)
        finally:
            stream.cancel()

    def _take(self, view: state_pb2.AgentView) -> None:
        self._agent = view
        works = {row.reservation_id: row for row in view.work}
        contacts = {row.contact_id for row in view.work}
        for gone in self._following.keys() - works.keys():
            self._following.pop(gone).cancel()
        for gone in self._audios.keys() - works.keys():
            del self._audios[gone]
        for gone in self._cards.keys() - contacts:
            del self._cards[gone]
        for row in view.work:
            if row.contact_id not in self._cards and row.contact_id not in self._looking:
                self._looking[row.contact_id] = asyncio.Event()
                self._tasks.start(
                    self._look_up(row.contact),
                    f"card for {row.contact_id}",
                    about=(self._tenant_id, row.contact_id),
                )
            if row.stage in _ON_A_GATEWAY and row.contact.gateway:
                self._follow(row)
        self._news.set()

    def _follow(self, row: state_pb2.ReservationRow) -> None:
        if row.reservation_id not in self._following:
            self._following[row.reservation_id] = self._tasks.start(
                self._follow_call(row),
                f"call of {row.reservation_id}",
                about=(self._tenant_id, row.contact_id),
            )

    async def _look_up(self, contact: state_pb2.Contact) -> None:
        tried = self._looking[contact.contact_id]
        try:
            for pause_s in (*CARD_RETRY_S, None):
                card = await self._card(contact)
                if card is None and pause_s is None:
                    card = unknown(contact)
                if card is not None and self._has(contact):
                    self._cards[contact.contact_id] = card
                    self._news.set()
                tried.set()
                if card is not None or pause_s is None or not self._has(contact):
                    return
                await asyncio.sleep(pause_s)
        finally:
            tried.set()
            del self._looking[contact.contact_id]

    def _has(self, contact: state_pb2.Contact) -> bool:
        work = self._agent.work if self._agent is not None else ()
        return any(row.contact_id == contact.contact_id for row in work)

    async def _card(self, contact: state_pb2.Contact) -> crm_pb2.CustomerCard | None:
        try:
            return await self._customers.card(self._tenant_id, contact)
        except (aio.AioRpcError, TimeoutError) as error:
            log.info("no card in time", call=contact.contact_id, why=type(error).__name__)
            return None

    async def _follow_call(self, row: state_pb2.ReservationRow) -> None:
        failures = 0
        while True:
            try:
                await self._follow_facts(row)
            except aio.AioRpcError as error:
                if error.code() in GONE:
                    return
                log.info("a call is not followed", call=row.contact_id, why=error.details())
            except CarillonError as error:
                log.info("a call is on no gateway", call=row.contact_id, why=str(error))
                return
            except Exception as error:  # or its leg would never change again
                log.error("a call is not followed", call=row.contact_id, exc_info=error)
            await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
            failures += 1

    async def _follow_facts(self, row: state_pb2.ReservationRow) -> None:
        """Reads the leg whenever something has happened in its call."""
        stub = self._gateways.stub(row.contact)
        request = gateway_pb2.WatchCallsRequest(call_id=row.contact_id)
        facts = stub.WatchCalls(request, metadata=self._metadata)
        try:
            await facts.initial_metadata()  # from here on nothing is missed
            await self._read_leg(row)
            async for _fact in facts:
                await self._read_leg(row)
        finally:
            facts.cancel()

    async def _read_leg(self, row: state_pb2.ReservationRow) -> None:
        self.audio_is(row.reservation_id, await self._gateways.audio(self._tenant_id, row))

    async def _publish(self) -> None:
        """Tells what changed; a new ring waits for its card as long as that may take."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self._patience()
            try:
                await self._tell()
            except Exception as error:  # or the agent's page would never change again
                log.error("a desk could not be told", agent=self._agent_id, exc_info=error)

    async def _tell(self) -> None:
        agent = self._agent
        if agent is None:
            return
        queue_ids = {row.queue_id for row in agent.work}
        names = await self._queues.names(self._tenant_id, queue_ids)
        dispositions = await self._policy.dispositions(self._tenant_id, queue_ids)
        view = desk_view(
            agent=agent,
            queue_names=names,
            cards=self._cards,
            audios=self._audios,
            dispositions=dispositions,
            number=self.topic.number,
        )
        if self._shown is not None and view == self._shown:
            return
        view.number = self.topic.number + 1
        self._shown = view
        self.topic.change({"desk": shown(view)})

    async def _patience(self) -> None:
        waiting = [event.wait() for event in self._looking.values() if not event.is_set()]
        if waiting:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CARD_PATIENCE_S):
                    await asyncio.gather(*waiting)
