"""ivr as acd's client: follows a contact's stay in a queue, and tells acd what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from grpc import aio

from protos.acd.v1 import acd_pb2, acd_pb2_grpc
from services.chassis.clock import Clock
from services.chassis.errors import Kind, RemoteError
from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.chassis.rpc import metadata, remote_error
from services.ivr.core.waiting import ACD_AWAY
from services.ivr.figures import Figures
from services.ivr.model import actions, call
from services.ivr.model.actions import Effect, JoinQueue
from services.ivr.model.call import Event
from services.ivr.settings import IvrSettings
from services.ivr.wire import enqueue_message, entry_event

log = get_logger("ivr.routing")

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 1.0
LEAST_PATIENCE_S = 0.1
SUPERSEDED_PAUSE_S = 2.0
"""After another stream took the contact over: if that one is right, this one will not live on."""
ACCEPT_LIMIT_S = 15.0
"""The agent has answered and waits; later it is too late."""
CALL_LIMIT_S = 2.0

_PASSING = frozenset({Kind.UNAVAILABLE, Kind.DEADLINE, Kind.ABORTED, Kind.EXHAUSTED, Kind.INTERNAL})
"""What may be over when asked again; everything else is acd's answer."""


class Routing:
    """acd, as the calls of all tenants need it."""

    def __init__(
        self,
        *,
        dial: Callable[[str], aio.Channel],
        clock: Clock,
        settings: IvrSettings,
        figures: Figures,
    ) -> None:
        self._dial = dial
        self._clock = clock
        self._settings = settings
        self._figures = figures

    async def follow(
        self,
        tenant_id: TenantId,
        request: JoinQueue,
        tell: Callable[[Event], Awaitable[None]],
    ) -> None:
        """Queues a contact and tells what becomes of it, until it left or acd refuses it.

        While acd is away it asks again and again, and after `queue_limit_s` says so, once for
        every such period: those who talk by then do not mind.
        """
        limit_ms = self._settings.queue_limit_s * 1_000
        asked_at_ms, pause_s = self._clock.monotonic_ms(), FIRST_PAUSE_S
        while True:
            told = [0]
            left_s = (asked_at_ms + limit_ms - self._clock.monotonic_ms()) / 1_000
            error: RemoteError | None = None
            try:
                if await self._follow_once(tenant_id, request, tell, told, left_s):
                    return
            except TimeoutError:
                pass  # it took the request and says nothing: to the caller it is away
            except aio.AioRpcError as failure:
                error = remote_error(failure)
            if error is not None and error.kind not in _PASSING:
                self._figures.queue_refusals += 1
                log.warning("queue refused", call=request.call_id, code=error.code)
                await tell(call.QueueUnavailable(request.entry_id, error.code))
                return
            if told[0]:
                asked_at_ms, pause_s = self._clock.monotonic_ms(), FIRST_PAUSE_S
            if error is not None and error.kind is Kind.ABORTED:
                pause_s = SUPERSEDED_PAUSE_S
            self._figures.queue_losses += 1
            log.info("queue lost", call=request.call_id, code=error.code if error else "ended")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            if self._clock.monotonic_ms() - asked_at_ms >= limit_ms:
                asked_at_ms = self._clock.monotonic_ms()
                await tell(call.QueueUnavailable(request.entry_id, ACD_AWAY))

    async def tell(self, tenant_id: TenantId, call_id: str, effect: Effect) -> Event | None:
        """Tells acd one thing, again and again while it is away, within the limit.

        Gives the event that follows when acd does not agree and the flow must know.
        """
        limit_s = self._limit_s(effect)
        began_ms, pause_s = self._clock.monotonic_ms(), FIRST_PAUSE_S
        while True:
            try:
                await self._tell_once(tenant_id, call_id, effect)
            except aio.AioRpcError as failure:
                error = remote_error(failure)
            else:
                return None
            over = self._clock.monotonic_ms() - began_ms >= limit_s * 1_000
            if over or error.kind not in _PASSING:
                break
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        self._figures.acd_disagreements += 1
        log.warning("acd did not agree", call=call_id, code=error.code, told=type(effect).__name__)
        if isinstance(effect, actions.AcceptReservation):
            return call.AcceptRefused(effect.reservation_id, error.code)
        return None

    def _limit_s(self, effect: Effect) -> float:
        match effect:
            case actions.AcceptReservation():
                return ACCEPT_LIMIT_S
            case actions.AnnounceWait():
                return 0.0  # said once; nothing that matters more waits behind it
            case _:
                return self._settings.effect_limit_s

    async def _follow_once(
        self,
        tenant_id: TenantId,
        request: JoinQueue,
        tell: Callable[[Event], Awaitable[None]],
        told: list[int],
        patience_s: float,
    ) -> bool:
        """One stream; True when the contact left. `told[0]` counts what was heard on it.

        TimeoutError when nothing at all is heard for so long.
        """
        stream = acd_pb2_grpc.AcdStub(self._dial("acd")).Enqueue(
            enqueue_message(request),
            metadata=metadata(tenant_id=tenant_id, call_id=request.call_id),
        )
        try:
            async with asyncio.timeout(max(patience_s, LEAST_PATIENCE_S)) as patience:
                async for update in stream:
                    patience.reschedule(None)
                    told[0] += 1
                    event = entry_event(update)
                    if event is not None:
                        await tell(event)
                    if update.HasField("left"):
                        return True
        finally:
            stream.cancel()
        return False

    async def _tell_once(self, tenant_id: TenantId, call_id: str, effect: Effect) -> None:
        stub = acd_pb2_grpc.AcdStub(self._dial("acd"))
        method, request = _request(stub, effect)
        await method(
            request,
            metadata=metadata(tenant_id=tenant_id, call_id=call_id),
            timeout=CALL_LIMIT_S,
        )


def _request(stub: Any, effect: Effect) -> tuple[Callable[..., Awaitable[object]], object]:
    match effect:
        case actions.LeaveQueue():
            return stub.Leave, acd_pb2.LeaveRequest(
                entry_id=effect.entry_id, exit=effect.exit, reason=effect.reason
            )
        case actions.AnnounceWait():
            return stub.AnnounceWait, acd_pb2.EntryRequest(entry_id=effect.entry_id)
        case actions.ConfirmRing():
            return stub.RingConfirmed, acd_pb2.ReservationRequest(
                reservation_id=effect.reservation_id, agent_id=effect.agent_id
            )
        case actions.AcceptReservation():
            return stub.Accept, acd_pb2.ReservationRequest(
                reservation_id=effect.reservation_id, agent_id=effect.agent_id
            )
        case actions.ConfirmBridged():
            return stub.Bridged, acd_pb2.ReservationRequest(reservation_id=effect.reservation_id)
        case actions.EndReservation():
            return stub.EndReservation, acd_pb2.EndReservationRequest(
                reservation_id=effect.reservation_id, outcome=effect.outcome
            )
        case actions.CompleteContact():
            return stub.Complete, acd_pb2.CompleteRequest(
                reservation_id=effect.reservation_id,
                ended_by=effect.ended_by,
                reason=effect.reason,
            )
        case actions.TellHold():
            return stub.SetHold, acd_pb2.SetHoldRequest(
                reservation_id=effect.reservation_id, held=effect.held
            )
        case _:
            raise AssertionError(f"{type(effect).__name__} is followed, not told")
