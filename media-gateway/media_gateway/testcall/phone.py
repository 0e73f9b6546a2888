"""The test caller's telephone: a SIP user agent with a socket of its own, and its audio."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Literal
from urllib.parse import quote

from media_gateway.adapters.call_shell import Surroundings
from media_gateway.adapters.leg_media import LegMedia
from media_gateway.adapters.sip_endpoint import SipEndpoint
from media_gateway.model import CALLER_LEG
from media_gateway.rtp.clip import AudioClip
from media_gateway.rtp.errors import MediaError
from media_gateway.rtp.model import Tap
from media_gateway.rtp.port import MediaPort
from media_gateway.sip import events as sip
from media_gateway.sip.address import URI, HostPort, NameAddr
from media_gateway.sip.events import SessionId
from media_gateway.sip.limits import Limits
from media_gateway.sip.offer_answer import NoCommonCodec
from media_gateway.sip.sdp import MalformedSDP
from media_gateway.sip.session import NoSuchSession, WrongState
from media_gateway.testcall.order import Order
from services.chassis.ids import LegId
from services.chassis.log import get_logger

log = get_logger("test call")

PRODUCT = "Carillon test call"
DISPLAY = "Test call"
SDP_ID_BITS = 62
DECLINE = 603
MAX_SESSIONS = 8
"""Its one call, and strangers who ring it before they are declined."""


class Phone:
    """Places one call. It says what it is told to say, and hears by a tap."""

    def __init__(self, around: Surroundings, *, sip_host: str, media_host: str) -> None:
        """The hosts are those that the gateway itself is bound to, as reached on this machine."""
        self._around = around
        self._sip_host, self._media_host = sip_host, media_host
        self._endpoint = SipEndpoint(
            clock=around.clock,
            random_bits=around.random_bits,
            on_event=self._receive,
            user_agent=PRODUCT,
        )
        self._media: LegMedia | None = None
        self._session_id: SessionId | None = None
        self.answered = asyncio.Event()
        """The gateway has answered, and audio flows."""
        self.ended = asyncio.Event()
        """The call is over, whoever ended it."""

    @property
    def address(self) -> HostPort:
        """Where it calls from: the gateway knows its call by that."""
        return self._endpoint.local

    async def open(self, name: str) -> None:
        """Binds its sockets; SipPortTaken, MediaError."""
        around = self._around
        await self._endpoint.open(
            host=self._sip_host, port=0, advertised="", limits=Limits(sessions=MAX_SESSIONS)
        )
        self._media = LegMedia(
            CALLER_LEG,
            await around.engine.open(name, _Deaf()),
            local_host=self._media_host,
            sdp_session_id=around.random_bits(SDP_ID_BITS),
            shelf=around.shelf,
            events=_Indifferent(),
            tasks=around.tasks,
        )

    def call(self, order: Order) -> None:
        """Sends the INVITE to the gateway's own address."""
        assert self._media is not None, "it is open before it calls"
        gateway = HostPort(self._sip_host, self._around.endpoint.local.port)
        called = f"sip:{quote(order.called, safe='+*')}@{gateway}"
        self._session_id = self._endpoint.stack.invite(
            called,
            from_=NameAddr(URI.parse(f"sip:{order.caller}@{self.address}"), display=DISPLAY),
            to=NameAddr(URI.parse(called)),
            sdp=self._media.offer(),
            destination=gateway,
            now_ms=self._endpoint.now_ms(),
        )
        self._endpoint.flush()

    def listen(self, tap: Tap) -> None:
        """Hands over what it hears."""
        self._port.set_tap(tap)

    def press(self, key: str) -> None:
        """Presses a key; where the gateway takes none, nothing happens."""
        try:
            self._port.send_digits(key)
        except MediaError as error:
            log.warning("key not sent", code=error.code)

    def say(self, clip: AudioClip) -> None:
        """Says something again and again."""
        self._port.play("test-call", [clip], loop=True)

    def hang_up(self) -> None:
        """Ends the call wherever it stands; once it has ended, nothing happens."""
        if self._session_id is not None and not self.ended.is_set():
            self._verb(self._endpoint.stack.hang_up)
            self._endpoint.flush()

    async def close(self) -> None:
        """Releases the sockets."""
        if self._media is not None:
            self._media.close()
        await self._endpoint.close()

    @property
    def _port(self) -> MediaPort:
        assert self._media is not None, "it is open before it speaks"
        return self._media.port

    def _receive(self, event: sip.SipEvent) -> None:
        if isinstance(event, sip.InviteReceived):
            # Nobody has its number: whoever found the port by chance is declined.
            self._endpoint.stack.refuse(event.session_id, DECLINE, "", self._endpoint.now_ms())
            return
        if event.session_id != self._session_id or self._media is None:
            return
        match event:
            case sip.InviteAccepted(sdp=sdp):
                self._accepted(self._media, sdp)
            case sip.ReinviteReceived(sdp=sdp):
                self._reinvited(self._media, sdp)
            case sip.SessionEnded(cause=cause, status=status):
                log.debug("test call released", cause=cause.value, status=status)
                self.ended.set()
            case _:
                pass  # it rings, or early media: there is nobody to tell

    def _accepted(self, media: LegMedia, sdp: bytes | None) -> None:
        try:
            media.complete(self._nearby(sdp))
        except (MalformedSDP, NoCommonCodec) as error:
            log.warning("answer unusable", reason=str(error))
            self.hang_up()
            return
        media.begin()
        self.answered.set()

    def _reinvited(self, media: LegMedia, sdp: bytes | None) -> None:
        """The gateway puts it on hold, or takes it back."""
        stack = self._endpoint.stack
        try:
            answer = media.offer() if sdp is None else media.answer(self._nearby(sdp) or b"")[1]
        except (MalformedSDP, NoCommonCodec):
            self._verb(lambda at, now_ms: stack.refuse_reinvite(at, 488, "", now_ms))
            return
        self._verb(lambda at, now_ms: stack.answer_reinvite(at, answer, now_ms))

    def _verb(self, verb: Callable[[SessionId, int], None]) -> None:
        assert self._session_id is not None, "it has called"
        # The gateway may be faster: then the session's end is among the next events.
        with contextlib.suppress(NoSuchSession, WrongState):
            verb(self._session_id, self._endpoint.now_ms())

    def _nearby(self, sdp: bytes | None) -> bytes | None:
        """The same, with the gateway's own address: what others are told may lead around a NAT."""
        told = self._around.media_host
        return sdp and sdp.replace(f" {told}\r\n".encode(), f" {self._media_host}\r\n".encode())


class _Deaf:
    """Is told nothing of its port: what it hears, it hears by a tap."""

    def digit(self, leg_id: str, digit: str, how: Literal["rfc4733"]) -> None:
        """The agent pressed a key."""

    def play_ended(self, leg_id: str, operation: str, reason: Literal["complete"]) -> None:
        """Its sentence has no end."""

    def media_started(self, leg_id: str) -> None:
        """The first packet came."""

    def media_timed_out(self, leg_id: str) -> None:
        """The call has a limit of its own."""


class _Indifferent:
    """Is told nothing of its leg either."""

    def key_pressed(self, leg_id: LegId, key: str, how: str) -> None:
        """The agent pressed a key."""

    def sound_ended(self, leg_id: LegId, sound: str, *, failed: bool) -> None:
        """It plays none by name."""

    def media_heard(self, leg_id: LegId) -> None:
        """The first packet came."""

    def media_lost(self, leg_id: LegId) -> None:
        """None came for too long."""
