"""The face towards gateways: one stream per call."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from grpc import aio

from protos.ivr.v1 import ivr_pb2
from services.chassis import spans
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import TenantId
from services.chassis.log import concerns, get_logger
from services.ivr.core import interpreter
from services.ivr.core.codec import decode
from services.ivr.core.resuming import resume
from services.ivr.core.turn import Outcome
from services.ivr.destinations import Destination, Destinations
from services.ivr.flows import Flows
from services.ivr.mailbox import Item
from services.ivr.model.actions import HangUpCall, TerminationClass
from services.ivr.model.errors import BadFlow
from services.ivr.session import Parts, Position, Session
from services.ivr.store import LOCAL_TRUNK, NoSuchFlow, NoSuchNumber
from services.ivr.tenants import Tenants
from services.ivr.wire import command_message, event_of, invited_of, leg_of

log = get_logger("ivr.calls")

FIRST_EVENT_LIMIT_S = 5.0
MIN_INTERNATIONAL_DIGITS = 7
"""Shorter numbers without a plus sign are short service numbers, and only those."""

Context = aio.ServicerContext[Any, Any]
Events = AsyncIterator[ivr_pb2.CallEvent]
Begun = tuple[Session, Outcome, tuple[Item, ...]]


class Leaving(CarillonError):
    """This replica is going away; another one takes the call."""

    code: ClassVar[str] = "leaving"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class BadBeginning(CarillonError):
    """A stream begins with `invited` or `resumed`, within five seconds."""

    code: ClassVar[str] = "bad-beginning"
    kind: ClassVar[Kind] = Kind.INVALID


class NotFoundInTime(CarillonError):
    """Where a number leads cannot be told now: the gateway tries again, then says 503."""

    code: ClassVar[str] = "numbers-unavailable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class CallRefused(Exception):
    """The call gets no flow; the gateway is told how to end it."""

    def __init__(self, hangup: HangUpCall, tenant_id: str = "") -> None:
        """`tenant_id` is empty when the number is nobody's."""
        super().__init__(hangup.reason)
        self.hangup = hangup
        self.tenant_id = tenant_id


class CallCalls:
    """The half of the face that gateways call."""

    _flows: Flows
    _destinations: Destinations
    _tenants: Tenants
    _parts: Parts
    _sessions: set[Session]
    _untold: set[Session]
    _leaving: bool

    async def Handle(self, requests: Events, _context: Context) -> AsyncIterator[ivr_pb2.Step]:
        """Interprets a call's flow, from its invitation or from where another stream broke."""
        if self._leaving:
            raise Leaving("ask another replica")
        first = await _first(requests)
        try:
            session, begin, pending = await self._begin(first)
        except CallRefused as refused:
            log.info("call refused", call=first.call_id, reason=refused.hangup.reason)
            yield _refusal(first, refused)
            return
        self._sessions.add(session)
        self._untold.add(session)
        self._parts.figures.calls += 1
        try:
            steps = session.steps(begin, _items(pending, requests))
            with self._tenants.counted(session.tenant_id):
                async with contextlib.aclosing(steps):
                    async for step in steps:
                        yield step
        finally:
            self._sessions.discard(session)
            self._parts.tasks.start(self._forget(session), f"forget {first.call_id}")

    async def hand_over(self) -> None:
        """Takes no more calls, ends the streams of those that are here, tells acd the last."""
        self._leaving = True
        await asyncio.gather(*(session.leave() for session in tuple(self._sessions)))
        # A call whose stream has ended may still have something to tell.
        await asyncio.gather(*(session.told.wait() for session in tuple(self._untold)))

    async def _forget(self, session: Session) -> None:
        await session.told.wait()
        self._untold.discard(session)

    async def _begin(self, first: ivr_pb2.CallEvent) -> Begun:
        if first.HasField("invited"):
            return await self._start(first, first.epoch, ())
        resumed = first.resumed
        if resumed.step:
            return await self._resume(first)
        if not resumed.events or not resumed.events[0].HasField("invited"):
            raise BadBeginning("a call without a step is resumed from its invitation")
        return await self._start(resumed.events[0], first.epoch, tuple(resumed.events[1:]))

    async def _start(
        self, first: ivr_pb2.CallEvent, epoch: int, later: tuple[ivr_pb2.CallEvent, ...]
    ) -> Begun:
        invited = invited_of(first.call_id, first.invited)
        with spans.span("ivr", "find flow", call_id=first.call_id):
            found = await self._destination(first.call_id, invited.trunk, invited.called)
        route = found.route
        concerns((route.tenant_id, first.call_id))
        refusal = await self._tenants.refusal(route.tenant_id)
        if refusal is not None:
            raise CallRefused(refusal, route.tenant_id)
        begin = interpreter.start(
            found.flow,
            flow_id=route.flow_id,
            version=found.version,
            invited=invited,
            now_ms=self._parts.clock.now_ms(),
        )
        log.info("call begun", call=first.call_id, tenant=route.tenant_id, flow=route.flow_id)
        session = Session(
            parts=self._parts,
            tenant_id=route.tenant_id,
            flow=found.flow,
            position=Position(epoch=epoch, step=0, seq=first.seq),
        )
        return session, begin, tuple(_item(event) for event in later)

    async def _resume(self, first: ivr_pb2.CallEvent) -> Begun:
        message = first.resumed
        at = decode(message.checkpoint)
        tenant_id = TenantId(message.tenant_id)
        concerns((tenant_id, first.call_id))
        flow = await self._flows.pinned(tenant_id, at.flow_id, at.version)
        items = [_item(event) for event in message.events if event.seq > at.consumed_seq]
        begin = resume(
            flow,
            at,
            legs=tuple(leg_of(leg) for leg in message.legs),
            events=tuple(item.event for item in items if item.event is not None),
            operation=message.operation,
            now_ms=self._parts.clock.now_ms(),
        )
        log.info("call resumed", call=first.call_id, epoch=first.epoch, events=len(items))
        seq = max((item.seq for item in items), default=at.consumed_seq)
        session = Session(
            parts=self._parts,
            tenant_id=tenant_id,
            flow=flow,
            position=Position(epoch=first.epoch, step=message.step, seq=seq),
        )
        return session, begin, ()

    async def _destination(self, call_id: str, trunk: str, called: str) -> Destination:
        try:
            return await self._destinations.find(trunk or LOCAL_TRUNK, *spellings(called))
        except NoSuchNumber:
            hangup = HangUpCall(TerminationClass.CALLER_ERROR, "no-such-number", 404)
            raise CallRefused(hangup) from None
        except (NoSuchFlow, BadFlow) as error:
            log.error("no flow for a call", call=call_id, reason=str(error))
            raise CallRefused(HangUpCall(TerminationClass.SERVER_ERROR, error.code, 500)) from error
        except TimeoutError:
            raise NotFoundInTime(f"{called} could not be looked up") from None


def spellings(called: str) -> tuple[str, ...]:
    """How a number may be stored: as it came, and in E.164 when it came without its plus sign."""
    digits = called.removeprefix("00")
    if digits.isdecimal() and digits.isascii() and len(digits) >= MIN_INTERNATIONAL_DIGITS:
        return (called, f"+{digits}")
    return (called,)


async def _first(requests: Events) -> ivr_pb2.CallEvent:
    try:
        async with asyncio.timeout(FIRST_EVENT_LIMIT_S):
            first = await anext(aiter(requests))
    except (TimeoutError, StopAsyncIteration):
        raise BadBeginning("no first event came") from None
    if first.WhichOneof("body") not in {"invited", "resumed"}:
        raise BadBeginning("the first event is neither `invited` nor `resumed`")
    return first


async def _items(pending: tuple[Item, ...], requests: Events) -> AsyncIterator[Item]:
    for item in pending:
        yield item
    async for message in requests:
        yield _item(message)


def _item(message: ivr_pb2.CallEvent) -> Item:
    return Item(event_of(message), message.seq)


def _refusal(first: ivr_pb2.CallEvent, refused: CallRefused) -> ivr_pb2.Step:
    return ivr_pb2.Step(
        epoch=first.epoch,
        step=first.resumed.step + 1,
        consumed_seq=first.seq,
        commands=[command_message(refused.hangup, {})],
        tenant_id=refused.tenant_id,
    )
