"""Every call of this gateway: the way in, the way to find one, and the way out when it drains."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from media_gateway.adapters.call_shell import CallShell, Surroundings
from media_gateway.adapters.leg_media import common_codec
from media_gateway.adapters.sip_words import invitation_of
from media_gateway.core import happenings as h
from media_gateway.core.call import CallCore
from media_gateway.core.state import Call
from media_gateway.core.termination import EndCause
from media_gateway.core.turn import Rules
from media_gateway.model import NoSuchCall, NoSuchReservation, NotYourReservation
from media_gateway.sip import events as sip
from media_gateway.sip.address import HostPort
from media_gateway.sip.events import SessionId
from media_gateway.sip.offer_answer import NoCommonCodec
from media_gateway.sip.sdp import MalformedSDP
from media_gateway.sip.stack import Health
from media_gateway.webrtc.sdp import parse_offer
from services.chassis.ids import CallId, LegId, TenantId
from services.chassis.log import get_logger
from services.chassis.request import PLATFORM

log = get_logger("gateway")

EARLY_OFFER_S = 2.0
"""For a flow to ring the agent whose browser was faster."""
MAX_EARLY_OFFERS = 1_024
"""Offers that wait for it at once."""
GOODBYE_S = 5.0
"""For the far ends to confirm their releases when a drain has taken too long."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Who gets in."""

    max_calls: int
    """Calls at once."""
    retry_after_s: int
    """What a 503 asks the other side to wait."""
    is_trusted: Callable[[HostPort], bool]
    """Whether what somebody asserts about callers is believed."""


class Switchboard:
    """Owns the calls. Everything here runs in the event loop, one thing at a time."""

    def __init__(self, *, rules: Rules, admission: Admission) -> None:
        self._rules = rules
        self._admission = admission
        self._around: Surroundings | None = None
        self._calls: dict[CallId, CallShell] = {}
        self._by_session: dict[SessionId, CallShell] = {}
        # In the order of their coming, so that of two offers for one ring the newer wins.
        self._early_offers: dict[asyncio.Event, str] = {}
        self._empty = asyncio.Event()
        self._empty.set()
        self.draining = False
        """Whether new calls are refused because the process is to end."""

    def open(self, around: Surroundings) -> None:
        """Begins to take calls."""
        self._around = around

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def limit(self) -> int:
        """Calls at once; further ones are refused."""
        return self._admission.max_calls

    def receive(self, event: sip.SipEvent) -> None:
        """Takes an event of the stack, to the call whose session it is."""
        if isinstance(event, sip.InviteReceived):
            self._invite(event)
            return
        shell = self._by_session.get(event.session_id)
        if isinstance(event, sip.SessionEnded):
            self._by_session.pop(event.session_id, None)
        if shell is not None:
            shell.receive(event)

    def calls(self, scope: TenantId) -> list[CallShell]:
        """The calls in progress that a tenant, or the platform, may see; oldest first."""
        return [shell for shell in self._calls.values() if _may_see(shell.call, scope)]

    def find(self, scope: TenantId, call_id: str) -> CallShell:
        """One of them; NoSuchCall, which also another tenant's call is."""
        shell = self._calls.get(CallId(call_id))
        if shell is None or not _may_see(shell.call, scope):
            raise NoSuchCall(f"no call {call_id[:128]} is in progress here")
        return shell

    async def connect_agent(
        self, scope: TenantId, *, reservation_id: str, agent_id: str, sdp_offer: str
    ) -> tuple[CallShell, LegId, str]:
        """Connects an agent's browser to the call that rings it: the call, the leg, the answer.

        Raises BadSdpOffer, NoSuchReservation, NotYourReservation.
        """
        offer = parse_offer(sdp_offer)
        found = self._rung_browser(scope, reservation_id)
        if found is None:
            found = await self._await_ring(scope, reservation_id)
        shell, leg_id = found
        if shell.call.leg(leg_id).agent_id != agent_id:
            raise NotYourReservation(f"{reservation_id[:128]} rings another agent")
        return shell, leg_id, await shell.connect_browser(leg_id, offer)

    def drain(self) -> None:
        """Refuses new calls from now on. Idempotent."""
        if not self.draining:
            self.draining = True
            log.info("gateway drains", calls=len(self._calls))
        self._tell_health()

    async def finish(self, limit_s: float) -> None:
        """Waits until the live calls are over; those that outlast the limit are ended."""
        try:
            async with asyncio.timeout(limit_s):
                await self._empty.wait()
        except TimeoutError:
            log.warning("calls outlast the drain", calls=len(self._calls), limit_s=limit_s)
            await self.end_all()

    async def end_all(self) -> None:
        """Ends every call that is left, and waits a little for the far ends to know."""
        for shell in list(self._calls.values()):
            shell.happen(h.EndCall(EndCause.DRAINING))
            shell.happen(h.CloseFlow())
        try:
            async with asyncio.timeout(GOODBYE_S):
                await self._empty.wait()
        except TimeoutError:
            log.warning("calls did not end", calls=len(self._calls))

    def _rung_browser(self, scope: TenantId, reservation_id: str) -> tuple[CallShell, LegId] | None:
        for shell in self.calls(scope):
            leg = shell.call.rung_by(reservation_id)
            if leg is not None and leg.webrtc:
                return shell, leg.leg_id
        return None

    async def _await_ring(self, scope: TenantId, reservation_id: str) -> tuple[CallShell, LegId]:
        """Holds an offer that came before its ring."""
        if len(self._early_offers) < MAX_EARLY_OFFERS:
            rung = asyncio.Event()
            self._early_offers[rung] = reservation_id
            try:
                async with asyncio.timeout(EARLY_OFFER_S):
                    while True:
                        await rung.wait()
                        rung.clear()
                        if found := self._rung_browser(scope, reservation_id):
                            return found
            except TimeoutError:
                pass
            finally:
                del self._early_offers[rung]
        raise NoSuchReservation(f"no call here rings a browser for {reservation_id[:128]}")

    def _browser_rung(self, reservation_id: str) -> None:
        for rung, awaited in self._early_offers.items():
            if awaited == reservation_id:
                rung.set()

    def _invite(self, event: sip.InviteReceived) -> None:
        around = self._around
        assert around is not None, "the switchboard opens before its endpoint"
        trusted = self._admission.is_trusted(event.source)
        call = Call(
            call_id=CallId(around.new_id()),
            invitation=invitation_of(event, trusted=trusted),
            invited_at_ms=around.clock.now_ms(),
        )
        cause = self._refusal_cause()
        codec = ""
        if cause is None and event.sdp is not None:
            try:
                codec = common_codec(event.sdp, around.media_host)
            except (MalformedSDP, NoCommonCodec) as error:
                log.info("no audio in common", call=call.call_id, reason=str(error))
                cause = EndCause.NO_COMMON_CODEC
        shell = CallShell(
            CallCore(call, self._rules),
            event,
            around=around,
            claim=lambda session_id: self._claim(session_id, shell),
            on_browser_rung=self._browser_rung,
            on_ended=self._ended,
        )
        self._calls[call.call_id] = shell
        self._empty.clear()
        self._claim(event.session_id, shell)
        if cause is None:
            shell.happen(h.OpenCall(codec))
        else:
            shell.happen(h.RefuseCall(cause))
        self._tell_health()

    @property
    def state(self) -> str:
        """What becomes of new calls, as an edge is told: taking, full or draining."""
        match self._refusal_cause():
            case None:
                return "taking"
            case EndCause.DRAINING:
                return "draining"
            case _:
                return "full"

    def _refusal_cause(self) -> EndCause | None:
        if self.draining:
            return EndCause.DRAINING
        if len(self._calls) >= self._admission.max_calls:
            return EndCause.OVERLOADED
        return None

    def _claim(self, session_id: SessionId, shell: CallShell) -> None:
        self._by_session[session_id] = shell

    def _ended(self, shell: CallShell) -> None:
        self._calls.pop(shell.call.call_id, None)
        if not self._calls:
            self._empty.set()
        self._tell_health()

    def _tell_health(self) -> None:
        """What OPTIONS is told: an edge sends new calls elsewhere while this says 503."""
        if self._around is None:
            return
        accepting = self._refusal_cause() is None
        self._around.endpoint.stack.health = Health(
            accepting=accepting, retry_after_s=0 if accepting else self._admission.retry_after_s
        )


def _may_see(call: Call, scope: TenantId) -> bool:
    return scope in {PLATFORM, call.flow.tenant_id}
