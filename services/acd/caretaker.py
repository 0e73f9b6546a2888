"""What time leads to around a shard: links that run out, gateways that fall silent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeVar

from services.acd.core.gateway_reports import End, GatewayReports
from services.acd.core.link_leases import LinkLeases
from services.acd.core.shard import ShardCore
from services.acd.model import (
    AgentId,
    Command,
    ContactEnqueued,
    ContactId,
    Event,
    Link,
    ReportLink,
    ReservationId,
    RoutingError,
)
from services.chassis.clock import Clock
from services.chassis.errors import CarillonError
from services.chassis.log import get_logger
from services.chassis.shell import ShardClosed

log = get_logger("acd.caretaker")

T = TypeVar("T")

AGAIN_S = 1.0
"""After what could not be asked for: more wait to be decided than there is room for."""


class Decider(Protocol):
    """What decides: the shard's shell."""

    async def submit(self, command: Command, *, patient: bool = False) -> list[Event]:
        """Decides a command."""

    async def propose(self, make: Callable[[int], Command | None]) -> list[Event]:
        """Decides what is asked for at the moment of the decision."""

    async def query(self, read: Callable[[int], T], *, patient: bool = False) -> T:
        """Reads the state."""


class Caretaker:
    """Watches over one shard's links and gateways.

    It only ever asks for commands, and at the moment of the decision looks once more: whoever
    could not be heard while nothing could be decided is not blamed for it.
    """

    def __init__(self, *, core: ShardCore, decider: Decider, clock: Clock) -> None:
        self._core = core
        self._decider = decider
        self._clock = clock
        self._leases = LinkLeases()
        self._reports = GatewayReports()
        self._changed = asyncio.Event()

    def fresh(self) -> None:
        """Nobody could be heard until now: all that runs begins anew."""
        now_ms = self._clock.now_ms()
        self._leases.fresh(self._core.leased_links(), now_ms)
        self._reports.fresh(now_ms)
        self._changed.set()

    def react(self, events: Sequence[Event]) -> None:
        """Takes note of contacts that a gateway has to report from now on."""
        for event in events:
            if isinstance(event, ContactEnqueued) and event.contact.gateway:
                self._reports.expect(self._clock.now_ms())
                self._changed.set()

    async def link_said(self, command: ReportLink) -> None:
        """An agent's link was measured."""
        if command.link is not Link.UNREACHABLE:
            # It does not run out while it waits to be decided that it holds.
            self._leases.heard(command.agent_id, self._clock.now_ms())
        await self._decider.submit(command)
        # A lease is made by what was decided: a link that nobody knows has none.
        valid_ms = 0 if command.link is Link.UNREACHABLE else command.valid_ms
        self._leases.said(command.agent_id, valid_ms, self._clock.now_ms())
        self._changed.set()

    async def calls_said(
        self, gateway: str, incarnation: str, calls: Mapping[ContactId, frozenset[ReservationId]]
    ) -> None:
        """A gateway told which calls it carries: what is no longer there has ended."""
        # It lives, whether or not what it says can be compared in time.
        self._reports.heard(gateway, incarnation, self._clock.now_ms())

        def compare(now_ms: int) -> list[End]:
            return self._reports.report(
                gateway=gateway,
                incarnation=incarnation,
                calls=calls,
                held=self._core.held_by_gateways(),
                now_ms=now_ms,
            )

        await self._end(await self._decider.query(compare))
        self._changed.set()

    async def run(self) -> None:
        """Acts when time has come, until the shard is closed."""
        while True:
            try:
                await self._watch()
            except ShardClosed:
                log.debug("no longer ours to watch")
                return
            except CarillonError as error:
                # What is due stays due: a link by its lease, a gateway by another look.
                self._reports.expect(self._clock.now_ms())
                log.warning("nothing can be asked for", code=error.code, reason=str(error))
                await asyncio.sleep(AGAIN_S)

    async def _watch(self) -> None:
        """Waits until something is due, and acts."""
        self._changed.clear()
        next_ms = [at for at in (self._leases.next_ms(), self._reports.next_ms()) if at]
        wait_s = max(0, min(next_ms) - self._clock.now_ms()) / 1_000 if next_ms else None
        try:
            async with asyncio.timeout(wait_s):
                await self._changed.wait()
        except TimeoutError:
            await self._act()

    async def _act(self) -> None:
        now_ms = self._clock.now_ms()
        for agent_id in self._leases.over(now_ms):
            await self._attempt(partial(self._lose, agent_id))
        look_at_ms = self._reports.next_ms()
        if look_at_ms is not None and look_at_ms <= now_ms:
            ends = await self._decider.query(
                lambda at_ms: self._reports.overdue(self._core.held_by_gateways(), at_ms),
                patient=True,
            )
            await self._end(ends)

    def _lose(self, agent_id: AgentId, now_ms: int) -> Command | None:
        if not self._leases.is_over(agent_id, now_ms):
            return None
        self._leases.forget(agent_id)
        log.info("link ran out", agent=agent_id)
        return ReportLink(agent_id=agent_id, link=Link.UNREACHABLE)

    async def _end(self, ends: Sequence[End]) -> None:
        for end in ends:
            log.warning("ended by report", command=type(end).__name__, reason=end.reason)
            await self._attempt(partial(_always, end))

    async def _attempt(self, make: Callable[[int], Command | None]) -> None:
        try:
            await self._decider.propose(make)
        except RoutingError as error:
            # Somebody else has ended it meanwhile.
            log.debug("came too late", reason=str(error))


def _always(command: Command, _now_ms: int) -> Command:
    return command
