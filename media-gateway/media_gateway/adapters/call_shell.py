"""One call's shell: what its core decides is done here, and what happened is told to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from grpc import aio

from media_gateway.adapters.browser_media import BrowserMedia
from media_gateway.adapters.call_signalling import CallSignalling, Trunk
from media_gateway.adapters.fact_stream import FactStream
from media_gateway.adapters.fact_wire import fact_message
from media_gateway.adapters.flow_link import FlowLink
from media_gateway.adapters.leg_media import LegMedia, PortListener, port_name, press_keys
from media_gateway.adapters.prompts import PromptShelf
from media_gateway.adapters.sip_endpoint import SipEndpoint
from media_gateway.core import events as e
from media_gateway.core import facts
from media_gateway.core import happenings as h
from media_gateway.core.call import CallCore
from media_gateway.core.handing import hearer_of
from media_gateway.core.leg import GONE
from media_gateway.core.state import Call
from media_gateway.core.termination import EndCause
from media_gateway.model import CallState, NoSuchReservation
from media_gateway.recording.recorder import Recorder
from media_gateway.rtp.engine import MediaEngine
from media_gateway.rtp.errors import MediaError
from media_gateway.rtp.model import MediaStats
from media_gateway.sip import events as sip
from media_gateway.sip.address import HostPort
from media_gateway.sip.events import SessionId
from media_gateway.webrtc.connector import Connector
from media_gateway.webrtc.sdp import BrowserOffer
from services.chassis.clock import Clock
from services.chassis.errors import CarillonError
from services.chassis.ids import LegId
from services.chassis.log import about, get_logger, hidden
from services.chassis.tasks import Tasks

log = get_logger("call")

SDP_ID_BITS = 62


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every call of a gateway works with."""

    clock: Clock
    """What time it is."""
    new_id: Callable[[], str]
    """A new UUIDv7."""
    random_bits: Callable[[int], int]
    """That many random bits."""
    endpoint: SipEndpoint
    """Where signalling goes."""
    trunk: Trunk
    """How the gateway signs on where it calls."""
    way_out: Callable[[], HostPort | None]
    """The edge that the next call outside goes by; None: there is none."""
    engine: MediaEngine
    """Where audio goes."""
    connector: Connector
    """How browsers are reached."""
    media_host: str
    """The address written into SDP."""
    shelf: PromptShelf
    """Where prompts come from."""
    facts: FactStream
    """Where the record goes."""
    recorder: Recorder
    """Where what is said is kept."""
    dial: Callable[[str], aio.Channel]
    """The channel to a service."""
    gateway_address: str
    """Where this gateway's own face is."""
    tasks: Tasks
    """Who runs what takes time."""


class CallShell:
    """Runs one call. All its methods are called from the event loop and return at once."""

    def __init__(
        self,
        core: CallCore,
        invite: sip.InviteReceived,
        *,
        around: Surroundings,
        claim: Callable[[SessionId], None],
        on_browser_rung: Callable[[str], None],
        on_ended: Callable[[CallShell], None],
    ) -> None:
        self.source = invite.source
        """Where its first INVITE came from."""
        self._core = core
        self._around = around
        self._on_browser_rung = on_browser_rung
        self._on_ended = on_ended
        self._media: dict[LegId, LegMedia] = {}
        self._browsers: dict[LegId, BrowserMedia] = {}
        self._last_numbers: dict[LegId, MediaStats] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at_ms: int | None = None
        self._link: FlowLink | None = None
        self._recording = around.recorder.follow(self._recording_trouble)
        self._doing = False
        # At most one for each thing that a decision does, and a decision does few.
        self._pending: deque[h.Happening] = deque()
        self._signalling = CallSignalling(
            core.call.call_id,
            invite,
            endpoint=around.endpoint,
            trunk=around.trunk,
            way_out=around.way_out,
            media=self._media,
            happen=self.happen,
            claim=claim,
        )

    @property
    def call(self) -> Call:
        """The call as it is."""
        return self._core.call

    def subject(self) -> tuple[str, str]:
        """What lines of the log name: the tenant, once ivr has told it, and the call."""
        call = self._core.call
        return call.flow.tenant_id, call.call_id

    def media_numbers(self, leg_id: LegId) -> MediaStats | None:
        """A leg's media in numbers; None while it has none."""
        media = self._browsers.get(leg_id) or self._media.get(leg_id)
        return media.port.report() if media else None

    def handle(self, happening: h.Happening) -> None:
        """Takes a happening; its named error comes back, and then nothing has changed."""
        assert not self._doing, "a decision is done whole before the next is taken"
        with about(self.subject):
            self._take(self._core.handle(happening, self._around.clock.now_ms()))

    def happen(self, happening: h.Happening) -> None:
        """Takes a happening that may come too late: one that fits no more is of no account.

        What the doing of a decision brings about waits until the decision is done.
        """
        if self._doing:
            self._pending.append(happening)
            return
        try:
            self.handle(happening)
        except CarillonError as error:
            # Not in full: it may be a key that the caller pressed.
            what = type(happening).__name__
            log.debug("of no account", call=self.call.call_id, code=error.code, what=what)

    async def connect_browser(self, leg_id: LegId, offer: BrowserOffer) -> str:
        """The sdp_answer to the browser of an agent who is rung or talks; NoSuchReservation."""
        media = self._browsers.get(leg_id)
        if media is None:
            raise NoSuchReservation("the ring is over")
        caller = self.call.caller
        with about(self.subject):
            return await media.connect(offer, offer.choose_codec(caller.codec if caller else ""))

    def send_keys(self, leg_id: LegId, keys: str) -> None:
        """Presses keys for whom an agent speaks with; LegNotBridged, KeysNotHeard or BadKeys."""
        press_keys(self._audio(hearer_of(self.call, leg_id)).port, keys)
        self.handle(h.KeysSent(leg_id, len(keys)))

    def receive(self, event: sip.SipEvent) -> None:
        """Takes an event of one of the call's sessions."""
        with about(self.subject):
            self._signalling.receive(event)

    # What media tells (see BrowserEvents)

    def browser_connected(self, leg_id: LegId, codec: str, took_ms: float) -> None:
        """Audio can flow to and from a browser."""
        self.happen(h.LegConnects(leg_id, codec, took_ms))

    def browser_lost(self, leg_id: LegId) -> None:
        """A browser is connected no more."""
        self.happen(h.LegDisconnects(leg_id))

    def key_pressed(self, leg_id: LegId, key: str, how: str) -> None:
        """A key was pressed."""
        self.happen(h.KeyPressed(leg_id, key, how))

    def sound_ended(self, leg_id: LegId, sound: str, *, failed: bool) -> None:
        """What played came to its end."""
        self.happen(h.SoundEnded(leg_id, sound, failed))

    def media_heard(self, leg_id: LegId) -> None:
        """The first packet came."""
        self.happen(h.MediaHeard(leg_id))

    def media_lost(self, leg_id: LegId) -> None:
        """None came for too long."""
        self.happen(h.MediaLost(leg_id))

    # What the recorder tells

    def _recording_trouble(self, reason: str | None) -> None:
        self.happen(h.RecordingFails(reason) if reason else h.RecordingRecovers())

    # Deciding and doing

    def _take(self, events: list[e.Event]) -> None:
        """Applies a whole decision, then does it: what is done may bring about the next one."""
        before = self._core.call
        for event in events:
            self._core.apply(event)
        self._doing = True
        for event in events:
            self._attempt(self._observe, event)
            self._attempt(self._do, event)
        self._doing = False
        self._arm()
        ended = self._core.call.state is CallState.ENDED and before.state is not CallState.ENDED
        if ended:
            self._finish()
        while self._pending:
            self.happen(self._pending.popleft())
        self._around.endpoint.flush()

    def _attempt(self, do: Callable[[e.Event], None], event: e.Event) -> None:
        """Does one thing. A fault of the gateway's own ends this call, and no other."""
        try:
            do(event)
        except Exception as error:
            what = type(event).__name__
            log.error("fault", call=self.call.call_id, what=what, exc_info=error)
            self._pending.append(h.EndCall(EndCause.GATEWAY_FAULT))

    def _observe(self, event: e.Event) -> None:
        self._recording.observe(event, self.call)

    def _do(self, event: e.Event) -> None:
        match event:
            case e.PublishFact():
                self._publish(event)
            case e.OpenFlow():
                self._open_flow()
            case e.ReportToFlow(report=report):
                if self._link is not None:
                    self._link.tell(report)
            case e.BreakFlow(epoch=epoch):
                if self._link is not None:
                    self._link.give_up(epoch)
            case e.LegGone(leg_id=leg_id):
                self._signalling.forget(leg_id)
            case _:
                self._do_signalling(event)

    def _do_signalling(self, event: e.Event) -> None:
        match event:
            case e.SendProgress():
                self._signalling.progress()
            case e.SendAnswer():
                self._signalling.answer()
            case e.SendRefusal(sip_status=status, reason=reason):
                self._signalling.refuse(status, reason)
            case e.SendInvite():
                self._signalling.invite(event)
            case (
                e.SendCancel(leg_id=leg_id, reason=reason) | e.SendBye(leg_id=leg_id, reason=reason)
            ):
                self._signalling.hang_up(leg_id, reason)
            case e.SendHold(leg_id=leg_id, held=held):
                self._signalling.hold(leg_id, held=held)
            case _:
                self._do_media(event)

    def _do_media(self, event: e.Event) -> None:
        match event:
            case e.OpenMedia(leg_id=leg_id) if self.call.leg(leg_id).webrtc:
                self._open_browser(leg_id)
            case e.OpenMedia(leg_id=leg_id):
                name = f"open-media {self.call.call_id}.{leg_id}"
                self._around.tasks.start(self._open_media(leg_id), name)
            case e.CloseMedia(leg_id=leg_id):
                media = self._browsers.pop(leg_id, None) or self._media.pop(leg_id, None)
                if media:
                    self._last_numbers[leg_id] = media.close()
            case e.ConnectMedia(leg_id=leg_id, peer_leg_id=peer_leg_id):
                self._audio(leg_id).port.connect(self._audio(peer_leg_id).port)
            case e.DisconnectMedia(leg_id=leg_id):
                self._audio(leg_id).port.disconnect()
            case e.StartSound(leg_id=leg_id):
                self._audio(leg_id).start(event)
            case e.StopSound(leg_id=leg_id):
                self._audio(leg_id).stop()
            case _:
                self._adjust(event)

    def _adjust(self, event: e.Event) -> None:
        match event:
            case e.SetHold(leg_id=leg_id, held=held):
                self._audio(leg_id).port.set_hold(held)
            case e.SetMute(leg_id=leg_id, muted=muted):
                self._audio(leg_id).port.set_mute(muted)
            case e.TapLeg(leg_id=leg_id):
                self._audio(leg_id).port.set_tap(self._recording.tap(leg_id))
            case e.UntapLeg(leg_id=leg_id):
                self._audio(leg_id).port.set_tap(None)
            case _:
                pass  # what became of the call's parts was applied

    def _audio(self, leg_id: LegId) -> LegMedia | BrowserMedia:
        return self._browsers.get(leg_id) or self._media[leg_id]

    def _open_browser(self, leg_id: LegId) -> None:
        """A port without sockets: the browser brings its own path, when it comes."""
        around = self._around
        port = around.engine.open_without_sockets(
            port_name(self.call.call_id, leg_id), PortListener(self)
        )
        self._browsers[leg_id] = BrowserMedia(
            leg_id,
            port,
            connector=around.connector,
            clock_ms=around.clock.monotonic_ms,
            random_bits=around.random_bits,
            shelf=around.shelf,
            events=self,
            tasks=around.tasks,
        )
        self._on_browser_rung(self.call.leg(leg_id).ring_id)

    async def _open_media(self, leg_id: LegId) -> None:
        around = self._around
        try:
            port = await around.engine.open(
                port_name(self.call.call_id, leg_id), PortListener(self)
            )
        except MediaError as error:
            log.warning("no media", call=self.call.call_id, leg=leg_id, code=error.code)
            self.happen(h.MediaRefused(leg_id))
            return
        if all(leg.leg_id != leg_id or leg.state in GONE for leg in self.call.legs):
            port.close()
            return
        self._media[leg_id] = LegMedia(
            leg_id,
            port,
            local_host=around.media_host,
            sdp_session_id=around.random_bits(SDP_ID_BITS),
            shelf=around.shelf,
            events=self,
            tasks=around.tasks,
        )
        self.happen(h.MediaOpened(leg_id))

    def _open_flow(self) -> None:
        around = self._around
        self._link = FlowLink(
            self, dial=around.dial, clock=around.clock, gateway_address=around.gateway_address
        )
        around.tasks.start(self._run_flow(self._link), f"flow {self.call.call_id}")

    async def _run_flow(self, link: FlowLink) -> None:
        try:
            await link.run()
        finally:
            # A link that failed leaves a call without interpreter, and the call knows what to do.
            self.happen(h.DetachFlow(self.call.flow.epoch, "given up"))

    def _publish(self, event: e.PublishFact) -> None:
        body = event.body
        numbers = (
            self._last_numbers.pop(body.leg_id, None) if isinstance(body, facts.LegEnded) else None
        )
        self._around.facts.publish(
            fact_message(
                event_id=self._around.new_id(),
                call_id=self.call.call_id,
                tenant_id=self.call.flow.tenant_id,
                seq=event.seq,
                at_ms=event.at_ms,
                body=body,
                media=numbers,
                ladder=self._signalling.ladder,
            )
        )
        self._log_fact(body)

    def _log_fact(self, body: facts.FactBody) -> None:
        call_id = self.call.call_id
        match body:
            case facts.CallStarted(caller=caller, called=called, trunk=trunk):
                log.info(
                    "call started",
                    call=call_id,
                    caller=hidden(caller),
                    called=hidden(called),
                    trunk=trunk,
                )
            case facts.LegsBridged(took_ms=took_ms, silent_leg_ids=silent):
                log.info("legs bridged", call=call_id, took_ms=took_ms, silent=list(silent))
            case facts.LegEnded(leg_id=leg_id, reason=reason, sip_status=status):
                log.info("leg ended", call=call_id, leg=leg_id, reason=reason.value, status=status)
            case facts.CallEnded(termination=termination, duration_ms=duration_ms):
                log.info(
                    "call ended",
                    call=call_id,
                    termination=termination.termination_class.value,
                    reason=termination.reason,
                    duration_ms=duration_ms,
                )
            case _:
                log.debug("fact", call=call_id, fact=type(body).__name__)

    def _arm(self) -> None:
        deadline_ms = self._core.deadline_ms()
        if deadline_ms == self._timer_at_ms:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_at_ms = deadline_ms
        if deadline_ms is not None:
            delay_s = max(0, deadline_ms - self._around.clock.now_ms()) / 1_000
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._wake)

    def _wake(self) -> None:
        self._timer, self._timer_at_ms = None, None
        with about(self.subject):
            self._take(self._core.tick(self._around.clock.now_ms()))

    def _finish(self) -> None:
        if self._link is not None:
            self._link.finish()
        left: list[LegMedia | BrowserMedia] = [*self._media.values(), *self._browsers.values()]
        for media in left:
            with contextlib.suppress(MediaError):
                media.close()
        self._media.clear()
        self._browsers.clear()
        self._signalling.close()
        self._on_ended(self)
