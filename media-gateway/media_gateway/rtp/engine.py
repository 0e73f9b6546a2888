"""The media engine: one process's RTP ports, and the one ticker that paces what they send."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import math
import socket
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Final, NamedTuple

from media_gateway.rtp.clip import AudioClip
from media_gateway.rtp.errors import LegAlreadyOpen, NoPortsLeft
from media_gateway.rtp.model import LegKind, MediaListener, MediaStats
from media_gateway.rtp.pacer import Pacer
from media_gateway.rtp.packet import MAX_DATAGRAM_BYTES
from media_gateway.rtp.port import MEDIA_TIMEOUT_MS, MediaPort
from media_gateway.rtp.port_pool import PortPool
from media_gateway.rtp.sounds import system_sounds

MAX_BIND_ATTEMPTS: Final = 64
"""How many port pairs that another process holds are passed over before giving up."""
WATCH_FRAMES: Final = 12
"""Reports and silent far ends are looked after every 240 ms."""
_EXPEDITED: Final = 46 << 2
"""DSCP EF: voice (RFC 4594)."""

_Sockets = tuple[asyncio.DatagramTransport, asyncio.DatagramTransport]


class Traffic(NamedTuple):
    """Packets of many legs."""

    received: int
    """RTP, accepted from the far ends."""
    sent: int
    """RTP, to the far ends."""
    strangers: int
    """From addresses that nobody negotiated; dropped."""
    malformed: int
    """Neither RTP nor RTCP; dropped."""


NOTHING: Final = Traffic(0, 0, 0, 0)


class MediaEngine:
    """Opens a media port for each leg.

    `clock_ms` never goes back; if it is UTC, sender reports carry true time. `random_bits(n)`
    gives n unpredictable bits. `strict` refuses media from any but the negotiated address.
    `sounds` are what `sounds` offers by name; the built-in ones if none are given. `on_closed` is
    told the last numbers of each leg, and what carried it.
    """

    def __init__(
        self,
        *,
        loop: asyncio.AbstractEventLoop,
        host: str,
        ports: PortPool,
        clock_ms: Callable[[], float],
        random_bits: Callable[[int], int],
        sounds: Mapping[str, AudioClip] | None = None,
        strict: bool = False,
        media_timeout_ms: int = MEDIA_TIMEOUT_MS,
        on_closed: Callable[[MediaStats, LegKind], None] | None = None,
    ) -> None:
        self._loop = loop
        self._on_closed = on_closed
        self._host = str(ipaddress.ip_address(host))
        self._pool = ports
        self._clock_ms, self._random_bits = clock_ms, random_bits
        self.sounds: Mapping[str, AudioClip] = system_sounds() if sounds is None else sounds
        self._strict, self._media_timeout_ms = strict, media_timeout_ms
        self._ports: dict[str, MediaPort] = {}
        self._sockets: dict[int, _Sockets] = {}
        self._opening: set[asyncio.Task[MediaPort]] = set()
        self._pacer = Pacer(clock_ms())
        self._timer: asyncio.TimerHandle | None = None
        self._frames = 0
        self._closed_traffic = NOTHING

    def __len__(self) -> int:
        """How many legs have a port."""
        return len(self._ports)

    @property
    def frames_skipped(self) -> int:
        """Frames left out because this process was too late to send them."""
        return self._pacer.skipped

    @property
    def browsers(self) -> int:
        """How many legs have a port that another transport carries."""
        return sum(not port.rtp_port for port in self._ports.values())

    @property
    def traffic(self) -> Traffic:
        """What all legs together have received and sent since the start, the closed ones too."""
        return reduce(_added, self._ports.values(), self._closed_traffic)

    @property
    def ticking(self) -> bool:
        """Whether the ticker runs: from the first leg opened until the last port has drained."""
        return self._timer is not None

    async def open(self, leg_id: str, listener: MediaListener) -> MediaPort:
        """Bind a pair of ports for a leg; raises NoPortsLeft, LegAlreadyOpen."""
        if leg_id in self._ports:
            raise LegAlreadyOpen(f"leg {leg_id} has a port")
        opening = self._loop.create_task(self._open(leg_id, listener))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # uvloop leaks a socket whose set-up is cancelled: let it finish, then close it.
            opening.add_done_callback(_close_unclaimed)
            raise

    def open_without_sockets(self, leg_id: str, listener: MediaListener) -> MediaPort:
        """A port for a leg that another transport carries, which is attached when it is there.

        Raises LegAlreadyOpen.
        """
        if leg_id in self._ports:
            raise LegAlreadyOpen(f"leg {leg_id} has a port")
        port = self._new_port(leg_id, 0, listener, self._forget)
        self._ports[leg_id] = port
        self._start_ticking()
        return port

    def lend(self) -> int:
        """An RTP port of the range for another transport to bind; raises NoPortsLeft."""
        return self._pool.take()

    def give_back(self, rtp_port: int) -> None:
        """Take back a lent port: it drains before it is used again."""
        self._pool.retire(rtp_port, self._clock_ms())
        self._start_ticking()

    async def close(self) -> None:
        """Close every port at once, without drain, and stop."""
        await asyncio.gather(*self._opening, return_exceptions=True)
        for port in list(self._ports.values()):
            port.close()
        for rtp_port in list(self._sockets):
            self._close_sockets(rtp_port)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        # Transports close their sockets in the loop's next round.
        await asyncio.sleep(0)

    async def _open(self, leg_id: str, listener: MediaListener) -> MediaPort:
        rtp_socket, rtcp_socket = self._bind()
        rtp_port = rtp_socket.getsockname()[1]
        port = self._new_port(leg_id, rtp_port, listener, self._retire)
        self._ports[leg_id] = port
        with contextlib.ExitStack() as undo:
            undo.callback(self._pool.put_back, rtp_port)
            undo.callback(self._ports.pop, leg_id)
            undo.callback(rtp_socket.close)
            undo.callback(rtcp_socket.close)
            rtp = await self._listen(port.ingress, rtp_socket)
            undo.callback(rtp.close)
            rtcp = await self._listen(port.control, rtcp_socket)
            undo.pop_all()
        self._sockets[rtp_port] = (rtp, rtcp)
        port.attach(rtp.sendto, rtcp.sendto)
        self._start_ticking()
        return port

    def _new_port(
        self,
        leg_id: str,
        rtp_port: int,
        listener: MediaListener,
        on_closed: Callable[[MediaPort], None],
    ) -> MediaPort:
        return MediaPort(
            leg_id=leg_id,
            host=self._host if rtp_port else None,
            rtp_port=rtp_port,
            listener=listener,
            clock_ms=self._clock_ms,
            random_bits=self._random_bits,
            notify=self._loop.call_soon,
            on_closed=on_closed,
            strict=self._strict,
            media_timeout_ms=self._media_timeout_ms,
        )

    def _bind(self) -> tuple[socket.socket, socket.socket]:
        """Bind an RTP port that nobody else on this host holds, and the RTCP port above it."""
        for _ in range(min(MAX_BIND_ATTEMPTS, max(len(self._pool), 1))):
            rtp_port = self._pool.take()
            with contextlib.ExitStack() as bound:
                try:
                    rtp = bound.enter_context(_bound_socket(self._host, rtp_port))
                    rtcp = bound.enter_context(_bound_socket(self._host, rtp_port + 1))
                except OSError:
                    self._pool.put_back(rtp_port)
                    continue
                bound.pop_all()
                return rtp, rtcp
        raise NoPortsLeft(f"other processes hold the ports of {self._host}")

    async def _listen(
        self, protocol: asyncio.DatagramProtocol, bound: socket.socket
    ) -> asyncio.DatagramTransport:
        transport, _ = await self._loop.create_datagram_endpoint(lambda: protocol, sock=bound)
        # The standard loop sets 256 KiB aside for each packet unless told; uvloop does not.
        if hasattr(transport, "max_size"):
            transport.max_size = MAX_DATAGRAM_BYTES
        return transport

    def _forget(self, port: MediaPort) -> None:
        self._closed_traffic = _added(self._closed_traffic, port)
        del self._ports[port.leg_id]
        if self._on_closed is not None:
            self._on_closed(port.report(), "sip" if port.rtp_port else "webrtc")

    def _retire(self, port: MediaPort) -> None:
        self._forget(port)
        self._pool.retire(port.rtp_port, self._clock_ms())

    def _close_drained(self, now_ms: float) -> None:
        for rtp_port in self._pool.drained(now_ms):
            self._close_sockets(rtp_port)

    def _close_sockets(self, rtp_port: int) -> None:
        for transport in self._sockets.pop(rtp_port, ()):  # a lent port's are another's
            transport.close()

    def _start_ticking(self) -> None:
        if self._timer is None:
            self._pacer.restart(self._clock_ms())
            self._wait()

    def _wait(self) -> None:
        # uvloop counts whole milliseconds: a fraction would come back at once, again and again.
        delay_ms = math.ceil(self._pacer.deadline_ms - self._clock_ms())
        self._timer = self._loop.call_later(max(delay_ms, 0) / 1_000, self._tick)

    def _tick(self) -> None:
        """Send what is due; the next call is arranged first, so that no failure ends the music."""
        self._timer = None
        if not self._ports and not self._pool.draining:
            return
        now_ms = self._clock_ms()
        frames, after_gap = self._pacer.due(now_ms)
        self._wait()
        for _ in range(frames):
            self._send_frames(now_ms, after_gap=after_gap)

    def _send_frames(self, now_ms: float, *, after_gap: bool) -> None:
        self._frames += 1
        watches = self._frames % WATCH_FRAMES == 0
        for port in self._ports.values():
            try:
                if port.paced:
                    port.tick(now_ms, after_gap=after_gap)
                if watches:
                    port.watch(now_ms)
            except Exception as error:  # noqa: BLE001 - told; one leg's fault silences no other
                what = f"the media of leg {port.leg_id} cannot be sent"
                self._loop.call_exception_handler({"message": what, "exception": error})
        if watches:
            self._close_drained(now_ms)


def _added(traffic: Traffic, port: MediaPort) -> Traffic:
    numbers = port.report()
    return Traffic(
        received=traffic.received + numbers.packets_received,
        sent=traffic.sent + numbers.packets_sent,
        strangers=traffic.strangers + numbers.strangers,
        malformed=traffic.malformed + numbers.malformed,
    )


def _close_unclaimed(opening: asyncio.Task[MediaPort]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _bound_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_DGRAM)
    try:
        bound.settimeout(0)
        if family == socket.AF_INET:
            bound.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _EXPEDITED)
        else:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _EXPEDITED)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound
