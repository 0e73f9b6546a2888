"""One leg's media: a pair of sockets, what comes in, what goes out, and who hears whom."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import Any, Final

from media_gateway.rtp.clip import AudioClip
from media_gateway.rtp.control import Control
from media_gateway.rtp.egress import Egress, Send
from media_gateway.rtp.errors import BadPeer, BadRemote, PortClosed
from media_gateway.rtp.ingress import Ingress
from media_gateway.rtp.latch import Latch
from media_gateway.rtp.model import Address, MediaListener, MediaStats, RemoteMedia, Tap
from media_gateway.rtp.outbound import OutboundStream
from media_gateway.rtp.rtcp_session import RtcpSession

MEDIA_TIMEOUT_MS: Final = 30_000

Notify = Callable[..., Any]
"""Calls a listener soon, from the event loop: `loop.call_soon`."""


class MediaPort:
    """Made by `MediaEngine.open`; all methods are called from the event loop and return at once.

    Until the first `negotiate` nothing is sent or heard. From then on the far end always hears
    something while it wants to: keys, a play, its peer, or silence, as one RTP stream.
    """

    def __init__(
        self,
        *,
        leg_id: str,
        host: str | None,
        rtp_port: int,
        listener: MediaListener,
        clock_ms: Callable[[], float],
        random_bits: Callable[[int], int],
        notify: Notify,
        on_closed: Callable[[MediaPort], None],
        strict: bool = False,
        media_timeout_ms: int = MEDIA_TIMEOUT_MS,
    ) -> None:
        self.leg_id = leg_id
        self.rtp_port, self.rtcp_port = rtp_port, rtp_port + 1
        self._version = ipaddress.ip_address(host).version if host else None
        self._listener, self._notify = listener, notify
        self._on_closed = on_closed
        self._clock_ms = clock_ms
        self._media_timeout_ms = media_timeout_ms
        self._remote: RemoteMedia | None = None
        self._first_negotiated_ms: float | None = None
        self._first_packet_ms: float | None = None
        self._peer: MediaPort | None = None
        self._held = self._closed = self._timed_out = False
        self._paced = False
        now_ms = clock_ms()
        self.ingress = Ingress(
            latch=Latch(strict=strict),
            clock_ms=clock_ms,
            on_key=self._report_key,
            on_started=self._report_started,
        )
        outbound = _new_stream(random_bits, now_ms)
        self.egress = Egress(outbound)
        session = RtcpSession(
            inbound=self.ingress.stream, outbound=outbound, random_bits=random_bits, now_ms=now_ms
        )
        self.control = Control(
            session=session,
            latch=Latch(strict=strict),
            media=self.ingress.latch,
            clock_ms=clock_ms,
        )

    @property
    def ssrc(self) -> int:
        """The one source that the far end hears, whatever feeds it."""
        return self.egress.stream.ssrc

    @property
    def cname(self) -> str:
        """What its reports call it."""
        return self.control.session.cname

    def attach(self, send_rtp: Send, send_rtcp: Send) -> None:
        """Send by these; what they send on stays its owner's."""
        self.egress.send = send_rtp
        self.control.send = send_rtcp

    def detach(self) -> None:
        """Send and hear nothing until the next `attach` and `negotiate`; the numbers go on.

        Peer, plays, hold and mute stay as they are.
        """
        self._remote = None
        self.egress.target = None
        self.ingress.shut()
        self.control.shut()
        self._route()

    def negotiate(self, remote: RemoteMedia) -> None:
        """Take what a completed SDP negotiation says; latching is armed again. Raises BadRemote."""
        self._require_open()
        rtp, rtcp = _addresses(remote, self._version)
        now_ms = self._clock_ms()
        if self._first_negotiated_ms is None:
            self._first_negotiated_ms = now_ms
        self._remote, self._timed_out = remote, False
        self.ingress.latch.arm(rtp, now_ms)
        self.control.arm(rtcp, now_ms)
        self.ingress.negotiate(remote)
        self.egress.negotiate(remote)
        self.egress.target = self.ingress.latch.target
        self._route()

    def play(
        self,
        operation: str,
        prompts: Sequence[AudioClip],
        *,
        loop: bool,
        resume_key: str | None = None,
    ) -> None:
        """Play instead of what plays now; a peer is not heard meanwhile.

        It runs on while the far end is on hold. What is replaced by a later play with the same
        `resume_key`, or stopped before it, goes on where it was interrupted.
        """
        self._require_open()
        self.egress.start(operation, prompts, loop=loop, resume_key=resume_key)
        self._route()

    def stop_play(self) -> str | None:
        """Stop what plays; the operation that was stopped, of which no end is told any more."""
        operation = self.egress.stop()
        self._route()
        return operation

    def connect(self, peer: MediaPort) -> None:
        """Let the two legs hear each other; earlier peers of either are left. Raises BadPeer."""
        self._require_open()
        peer._require_open()
        if peer is self:
            raise BadPeer(f"leg {self.leg_id} cannot hear itself")
        if self._peer is peer:
            return
        self.disconnect()
        peer.disconnect()
        self._peer, peer._peer = peer, self
        self._route()

    def disconnect(self) -> None:
        """Part from the peer, if there is one; plays go on."""
        if self._peer is not None:
            self._part(self._peer)

    def set_hold(self, held: bool) -> None:  # noqa: FBT001 - it reads as a sentence
        """Hold: the leg neither hears its peer nor is heard by it; plays go on."""
        self._held = held
        self._route()

    def set_mute(self, muted: bool) -> None:  # noqa: FBT001 - it reads as a sentence
        """Mute: the peer hears silence in place of this leg's voice; its keys still pass."""
        self.ingress.muted = muted

    def set_tap(self, tap: Tap | None) -> None:
        """Hand over what the far end says, as received, from now on; None: to nobody any more."""
        self.ingress.tap = tap

    def send_digits(self, digits: str) -> None:
        """Press keys (RFC 4733), 200 ms each; what else goes out waits or is dropped meanwhile.

        Raises BadDigits, NoTelephoneEvent.
        """
        self._require_open()
        self.egress.queue_digits(digits)
        self._route()

    def report(self) -> MediaStats:
        """The leg's numbers so far."""
        ingress, inbound = self.ingress, self.ingress.stream
        outbound, session = self.egress.stream, self.control.session
        return MediaStats(
            packets_received=inbound.received,
            packets_expected=inbound.expected,
            packets_lost=inbound.expected - inbound.received,
            duplicates=inbound.duplicates,
            late=inbound.late,
            gaps=inbound.gaps,
            longest_gap=inbound.longest_gap,
            jitter_ms=inbound.jitter_ms,
            source_changes=inbound.source_changes,
            strangers=ingress.latch.strangers + self.control.latch.strangers,
            malformed=ingress.malformed + self.control.malformed,
            unknown_payload=ingress.unknown_payload,
            comfort_noise=ingress.comfort_noise,
            first_packet_ms=self._first_packet_ms,
            remote=ingress.latch.target,
            packets_sent=outbound.packets,
            octets_sent=outbound.octets,
            send_errors=ingress.send_errors,
            far_lost=session.far_lost,
            far_loss=session.far_loss,
            far_jitter_ms=session.far_jitter_ms,
            rtt_ms=session.rtt_ms,
        )

    def close(self) -> MediaStats:
        """Say goodbye and be silent for good; the leg's last numbers. Closing twice is closing."""
        if not self._closed:
            self.egress.stop()
            self.disconnect()
            self._closed = True
            if self._remote is not None:
                self.control.report(self._clock_ms(), goodbye=True)
            self.ingress.shut()
            self.control.shut()
            self._paced = False
            self._on_closed(self)
        return self.report()

    @property
    def paced(self) -> bool:
        """Whether the engine's ticker has to send for this leg now."""
        return self._paced

    def tick(self, now_ms: float, *, after_gap: bool) -> None:
        """Send a frame of what is paced here; called by the engine every 20 ms."""
        sent_keys = self.egress.sends_keys
        ended = self.egress.tick(now_ms, after_gap=after_gap)
        if ended is not None:
            self._notify(self._listener.play_ended, self.leg_id, ended, "complete")
        if ended is not None or (sent_keys and not self.egress.sends_keys):
            self._route()

    def watch(self, now_ms: float) -> None:
        """Report by RTCP when it is time, and notice a far end gone silent; called by the engine.

        A far end that negotiated not to send is not missed.
        """
        if self._remote is None:
            return
        if now_ms >= self.control.session.due_ms:
            self.control.report(now_ms, goodbye=False)
        silent_ms = now_ms - max(self.ingress.heard_ms, self.control.heard_ms)
        silent = silent_ms >= self._media_timeout_ms and self._remote.sends
        if silent and not self._timed_out:
            self._notify(self._listener.media_timed_out, self.leg_id)
        self._timed_out = silent

    def _route(self) -> None:
        """Decide anew who hears whom, after anything that bears on it changed."""
        if self._peer is not None:
            self._route_both_ways(self._peer)
        else:
            self.ingress.hear(None)
            self._paced = self._remote is not None

    def _route_both_ways(self, peer: MediaPort) -> None:
        self._hear(peer)
        peer._hear(self)

    def _hear(self, peer: MediaPort) -> None:
        """Direct the peer's ingress here, or nowhere and then let the ticker feed this leg."""
        heard = self._can_hear(peer)
        peer.ingress.hear(self.egress if heard else None)
        self._paced = self._remote is not None and not heard

    def _part(self, peer: MediaPort) -> None:
        self._peer = peer._peer = None
        self._route()
        peer._route()

    def _can_hear(self, peer: MediaPort) -> bool:
        if self._held or peer._held or self._remote is None or peer._remote is None:
            return False
        return peer._remote.sends and self.egress.hears_peer

    def _require_open(self) -> None:
        if self._closed:
            raise PortClosed(f"the media of leg {self.leg_id} is over")

    def _report_key(self, key: str) -> None:
        self._notify(self._listener.digit, self.leg_id, key, "rfc4733")

    def _report_started(self) -> None:
        self.egress.target = self.ingress.latch.target
        if self._first_packet_ms is None and self._first_negotiated_ms is not None:
            self._first_packet_ms = self._clock_ms() - self._first_negotiated_ms
        self._notify(self._listener.media_started, self.leg_id)


def _new_stream(random_bits: Callable[[int], int], now_ms: float) -> OutboundStream:
    """All three numbers begin at random, so that they cannot be guessed (RFC 3550, 5.1)."""
    return OutboundStream(
        ssrc=random_bits(32),
        sequence=random_bits(16),
        timestamp=random_bits(32),
        now_ms=now_ms,
    )


def _addresses(remote: RemoteMedia, version: int | None) -> tuple[Address | None, Address | None]:
    """Where RTP and RTCP go; None where the far end named no address. Raises BadRemote.

    `version` is that of the leg's own sockets, if it has any.
    """
    try:
        host = ipaddress.ip_address(remote.host)
    except ValueError as error:
        raise BadRemote(f"{remote.host!r} is not a numeric address") from error
    if "%" in remote.host:
        # Sending there may raise, out of the ticker that all legs share.
        raise BadRemote(f"{remote.host!r} names a zone, which means nothing here")
    types = (remote.payload_type, remote.event_payload_type or 0)
    if any(not 0 <= number < 128 for number in types):
        raise BadRemote(f"payload types {types} do not fit in seven bits")
    if host.is_unspecified:
        return None, None
    if version is not None and host.version != version:
        raise BadRemote(f"{host} cannot be reached over IPv{version}")
    if host.is_multicast or str(host) == "255.255.255.255":
        raise BadRemote(f"{host} is not one far end's address")
    if not (0 < remote.port < 65_536 and 0 < remote.rtcp_port < 65_536):
        raise BadRemote(f"ports {remote.port} and {remote.rtcp_port} cannot be sent to")
    return (str(host), remote.port), (str(host), remote.rtcp_port)
