"""ICE towards one browser, on addresses and ports of our choosing, with media past the queue.

aioice finds the path. What differs here: it binds one ephemeral port on each address of the
machine but loopback, where a gateway offers what it is told to, from its own range of ports; it
parses every datagram as STUN and hands the rest on through a queue, which costs more than the
relaying of a packet; and it gives a silent browser half a minute, where a caller is waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aioice import Candidate, Connection
from aioice.candidate import candidate_foundation
from aioice.ice import CandidatePair, StunProtocol, get_host_addresses
from aioice.stun import Message, TransactionError
from typing_extensions import override

from media_gateway.webrtc.errors import NoBrowserPort
from media_gateway.webrtc.model import MAX_ADDRESSES, Address, BrowserAddress, PortLender

MAX_BIND_ATTEMPTS: Final = 16
"""How many ports that another process holds are passed over before giving up."""
MAX_DATAGRAM_BYTES: Final = 1_500
MAX_WAITING: Final = 64
"""Datagrams of the handshake that may wait; what comes beyond is dropped, and sent again."""
MAX_PROVED: Final = 64
"""Addresses of one browser; it gets in here only by our password."""
CONSENT_MS: Final = 30_000
"""Nobody is sent audio who has not agreed for so long (RFC 7675, 5.1)."""
CONSENT_INTERVAL_MS: Final = 5_000
LOOKS: Final = 5
"""How often silence is looked for within its limit; the first goes by without a question."""
_EXPEDITED: Final = 46 << 2
"""DSCP EF: voice (RFC 4594)."""
_HOST_PREFERENCE: Final = 126
_OF_STRANGERS: Final = frozenset({400, 401})
"""Errors of a check that was not proved to be the browser's."""
_FIRST_MEDIA, _AFTER_MEDIA = 128, 192
_FIRST_DTLS, _AFTER_DTLS = 20, 64


@dataclass(frozen=True, slots=True)
class IceSettings:
    """What every connection of a gateway is opened with."""

    addresses: Sequence[BrowserAddress]
    """Where browsers may reach this gateway, the best first."""
    ports: PortLender
    """Whence the ports come."""
    silence_ms: int
    """Nothing at all from a browser for so long: its connection is lost."""
    clock_ms: Callable[[], float]
    """Never goes back."""


class IceSocket(StunProtocol):
    """One of our ports: SRTP goes straight to whoever listens, the rest to ICE and DTLS."""

    receiver: IceConnection

    @override
    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:  # type: ignore[override] # sockets give bytes
        """Takes one datagram, told apart by its first byte (RFC 7983): the hot path."""
        if not 1 < len(data) <= MAX_DATAGRAM_BYTES:
            return
        if _FIRST_MEDIA <= data[0] < _AFTER_MEDIA:
            self.receiver.on_media(data)
            return
        if _FIRST_DTLS <= data[0] < _AFTER_DTLS:
            self.receiver.take_handshake(data, addr[:2])
            return
        try:
            super().datagram_received(data, addr)
        except Exception:  # noqa: BLE001 - anybody can send it, and an error would close the socket
            self.receiver.malformed += 1


class IceConnection(Connection):
    """The path to one browser. We are the controlled side, unless the browser is ICE lite."""

    def __init__(
        self, settings: IceSettings, *, controlling: bool, on_silence: Callable[[], None]
    ) -> None:
        super().__init__(ice_controlling=controlling)
        self._settings = settings
        self._on_silence = on_silence
        self._port: int | None = None
        self._proved: set[Address] = set()
        self.on_media: Callable[[bytes], None] = _drop
        """Who takes SRTP and SRTCP."""
        self.heard = 0
        """Grows with everything that only this browser can have sent."""
        self.malformed = 0
        """Datagrams that only looked like STUN or DTLS."""
        self.target: Address = ("", 0)
        """Where the browser is."""
        self.send_media: Callable[[bytes, Address], None] = _send_nowhere
        """Sends to it by the path that was chosen."""
        self.lines: list[str] = []
        """Our candidates as SDP lists them."""

    @override
    async def gather_candidates(self) -> None:
        """Binds our ports; raises NoBrowserPort. The machine is not asked for its addresses."""
        self._local_candidates_start = True
        self._local_candidates = await self.get_component_candidates(1, [])
        self._local_candidates_end = True

    @override
    async def get_component_candidates(
        self, component: int, addresses: list[str], timeout: int = 5
    ) -> list[Candidate]:
        """Binds one port on each of our addresses; raises NoBrowserPort."""
        for _ in range(MAX_BIND_ATTEMPTS):
            port = self._settings.ports.lend()
            sockets = _bind(self._settings.addresses, port)
            if sockets:
                self._port = port
                break
            self._settings.ports.give_back(port)
        else:
            raise NoBrowserPort("other processes hold the ports, or no address is this machine's")
        return [
            await self._listen(bound, address, component, rank)
            for rank, (bound, address) in enumerate(sockets)
        ]

    async def _listen(
        self, bound: socket.socket, address: BrowserAddress, component: int, rank: int
    ) -> Candidate:
        transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: IceSocket(self), sock=bound
        )
        # The standard loop sets 256 KiB aside for each packet unless told; uvloop does not.
        if hasattr(transport, "max_size"):
            transport.max_size = MAX_DATAGRAM_BYTES + 1
        _, port = transport.get_extra_info("sockname")[:2]
        candidate = Candidate(
            foundation=candidate_foundation("host", "udp", address.bound),
            component=component,
            transport="udp",
            priority=_HOST_PREFERENCE << 24 | (0xFFFF - rank) << 8 | (256 - component),
            host=address.bound,
            port=port,
            type="host",
        )
        protocol.local_candidate = candidate
        self._protocols.append(protocol)
        self.lines.append(_line(candidate, address.told))
        return candidate

    def take_handshake(self, data: bytes, source: Address) -> None:
        """Takes DTLS from where the browser has proved to be: a stranger's could end it."""
        if source in self._proved and self._queue.qsize() < MAX_WAITING:
            super().data_received(data, 1)

    @override
    def data_received(self, data: bytes, component: int) -> None:
        """Takes what turned out to be no STUN either."""
        self.malformed += 1

    @override
    def check_complete(self, pair: CandidatePair) -> None:
        """Follows the nominated pair, also when the browser nominates another."""
        super().check_complete(pair)
        if pair.state is CandidatePair.State.SUCCEEDED:
            self._proved.add(pair.remote_addr)
        chosen = self._nominated.get(1)
        if chosen is not None:
            self.target = chosen.remote_addr
            self.send_media = chosen.protocol.transport.sendto

    @override
    def check_incoming(
        self, message: Message, addr: tuple[str, int], protocol: StunProtocol
    ) -> None:
        """A check of the browser, which proved to know our password."""
        if "PRIORITY" not in message.attributes:
            self.malformed += 1
            return
        self.heard += 1
        if addr not in self._proved:
            if len(self._proved) >= MAX_PROVED:
                self.malformed += 1  # each would be remembered, and asked whether it is there
                return
            self._proved.add(addr)
        super().check_incoming(message, addr, protocol)

    @override
    def respond_error(
        self,
        request: Message,
        addr: tuple[str, int],
        protocol: StunProtocol,
        error_code: tuple[int, str],
    ) -> None:
        """Says nothing to who does not know our password.

        The answer would go to whomever a stranger names as sender, twice as long as the question.
        """
        if error_code[0] in _OF_STRANGERS:
            self.malformed += 1
            return
        super().respond_error(request, addr, protocol, error_code)

    @override
    async def query_consent(self) -> None:
        """Asks a quiet browser whether it is there, and tells of its silence, once.

        While this process itself is held up, nobody is called silent for it.
        """
        now_ms = self._settings.clock_ms
        look_ms = self._settings.silence_ms / LOOKS
        heard, heard_ms, agreed_ms = self.heard, now_ms(), now_ms()
        while True:
            due_ms = now_ms() + look_ms
            await asyncio.sleep(look_ms / 1_000)
            late_ms = now_ms() - due_ms
            if late_ms > look_ms:
                heard_ms, agreed_ms = heard_ms + late_ms, agreed_ms + late_ms
            if self.heard != heard:
                heard, heard_ms = self.heard, now_ms()
            quiet_ms, since_ms = now_ms() - heard_ms, now_ms() - agreed_ms
            if quiet_ms >= self._settings.silence_ms or since_ms >= CONSENT_MS:
                break
            asks = quiet_ms >= look_ms or since_ms >= CONSENT_INTERVAL_MS
            if asks and await self._agrees():
                heard_ms = agreed_ms = now_ms()
        self._on_silence()

    async def _agrees(self) -> bool:
        """One question, and half a second for its answer."""
        pair, password = self._nominated.get(1), self.remote_password
        if pair is None or password is None:
            return False
        try:
            await pair.protocol.request(
                self.build_request(pair, nominate=False),
                pair.remote_addr,
                integrity_key=password.encode(),
                retransmissions=0,
            )
        except TransactionError:
            return False
        return True

    @override
    async def close(self) -> None:
        """Ends it; nothing is sent or heard from now on. Closing twice is closing."""
        self.on_media, self.send_media = _drop, _send_nowhere
        try:
            await super().close()
        finally:
            port, self._port = self._port, None
            if port is not None:
                self._settings.ports.give_back(port)


def machine_addresses() -> list[BrowserAddress]:
    """Loopback and this machine's own IPv4 addresses, for browsers on it and near it."""
    own = get_host_addresses(use_ipv4=True, use_ipv6=False)
    texts = dict.fromkeys(["127.0.0.1", *own])
    return [BrowserAddress.parse(text) for text in list(texts)[:MAX_ADDRESSES]]


def _bind(
    addresses: Sequence[BrowserAddress], port: int
) -> list[tuple[socket.socket, BrowserAddress]]:
    """The addresses on which the port is free; an address that this machine lost is left out."""
    with contextlib.ExitStack() as bound:
        found = []
        for address in addresses:
            try:
                found.append((bound.enter_context(_socket(address.bound, port)), address))
            except OSError:
                continue
        bound.pop_all()
        return found


def _socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_DGRAM)
    try:
        bound.settimeout(0)
        if family == socket.AF_INET:
            bound.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _EXPEDITED)
        else:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _EXPEDITED)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def _line(candidate: Candidate, told: str) -> str:
    return (
        f"{candidate.foundation} {candidate.component} udp {candidate.priority} "
        f"{told} {candidate.port} typ host"
    )


def _drop(data: bytes) -> None:
    """Stand in while nobody takes media."""


def _send_nowhere(data: bytes, target: Address) -> None:
    """Stand in until a path is chosen, and after the end."""
