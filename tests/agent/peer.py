"""One agent's peer connection: offers, is answered, speaks and hears; may fall silent or leave."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Any, Final, Self, cast

import numpy as np
from aioice.ice import Connection
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

from tests.agent.keys import Keypad, with_events
from tests.agent.voice import Ear, Mouth
from tests.softphone.errors import NotInTime
from tests.softphone.hearing import Audible
from tests.softphone.media import MediaSession

LOOPBACK: Final = "127.0.0.1"


class _Sound:
    """The peer's tracks, in the shape in which a softphone's media are listened to."""

    def __init__(self) -> None:
        self.sender = Mouth()
        self.reception = Ear()
        self.keys: list[Any] = []

    @property
    def now_s(self) -> float:
        """Now, on the clock of this machine."""
        return time.monotonic()

    def stats(self) -> str:
        """For the text of a failure."""
        return f"{self.reception.frames_in} frames came"


class Peer(Audible):
    """`microphone=False` only listens; `codecs` are offered in their order; `host` is its own."""

    def __init__(
        self,
        *,
        microphone: bool = True,
        codecs: tuple[str, ...] = ("PCMU", "PCMA"),
        host: str = LOOPBACK,
    ) -> None:
        self._sound = _Sound()
        super().__init__(cast("MediaSession", self._sound))
        # The default asks a public STUN server.
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._changed = asyncio.Event()
        self._ears: list[asyncio.Task[None]] = []
        self._pc.on("track", self._listen)
        self._pc.on("connectionstatechange", self._changed.set)
        transceiver = (
            self._pc.addTransceiver(self._sound.sender)
            if microphone
            else self._pc.addTransceiver("audio", direction="recvonly")
        )
        known = RTCRtpSender.getCapabilities("audio").codecs
        transceiver.setCodecPreferences(
            [codec for name in codecs for codec in known if codec.mimeType == f"audio/{name}"]
        )
        self._dtls = transceiver.sender.transport
        self._ice: Connection = self._dtls.transport.iceGatherer._connection
        offer_only(self._ice, host)
        self._keypad = Keypad(self._dtls._send_rtp)
        self._dtls._send_rtp = self._keypad.send  # type: ignore[method-assign,assignment] # keys go between

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def offer(self) -> str:
        """An sdp_offer with all candidates."""
        await self._pc.setLocalDescription(await self._pc.createOffer())
        return with_events(self._pc.localDescription.sdp)

    async def accept_answer(self, sdp: str) -> None:
        """Takes the sdp_answer and begins to connect."""
        await self._pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    @property
    def state(self) -> str:
        """new, connecting, connected, failed or closed."""
        return str(self._pc.connectionState)

    async def connected(self, within_s: float = 3.0) -> None:
        """Waits until audio can flow."""
        await self._until_state("connected", within_s)

    async def closed(self, within_s: float = 3.0) -> None:
        """Waits until the far end has said goodbye."""
        await self._until_state("closed", within_s)

    async def send_dtmf(self, keys: str) -> None:
        """Presses keys, 180 ms each."""
        self._keypad.press(keys)

    def digits(self, how: str = "rfc4733") -> str:
        """The stock receiver knows no telephone events."""
        return ""

    def drop(self) -> None:
        """Falls silent and deaf like a lost network, without a word."""
        for protocol in self._ice._protocols:
            protocol.datagram_received = _deaf  # type: ignore[method-assign,assignment]  # cut
            protocol.send_stun = _deaf  # type: ignore[method-assign,assignment]  # cut
            protocol.send_data = _lost  # type: ignore[method-assign]  # cut

    async def close(self) -> None:
        """Leaves as a page that is closed does. Closing twice is closing."""
        await self._pc.close()
        for ear in self._ears:
            ear.cancel()
        await asyncio.gather(*self._ears, return_exceptions=True)

    def _listen(self, track: MediaStreamTrack) -> None:
        self._ears.append(asyncio.ensure_future(self._hear(track)))

    async def _hear(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame: Any = await track.recv()
            except MediaStreamError:
                return
            pcm = np.asarray(frame.to_ndarray()).reshape(-1).astype(np.int16)
            self._sound.reception.hear(pcm, time.monotonic())

    async def _until_state(self, state: str, within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                while self.state != state:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            text = f"the peer is {self.state}, not {state}, after {within_s} s"
            raise NotInTime(text) from None


def offer_only(ice: Connection, host: str = LOOPBACK) -> None:
    """One address alone: the stock connection leaves loopback out, and a test uses no other."""
    gather = ice.get_component_candidates

    async def on_host(component: int, addresses: list[str]) -> Any:
        return await gather(component, [host])

    ice.get_component_candidates = on_host  # type: ignore[method-assign,assignment]  # wrapped


def _deaf(_data: object, _addr: object) -> None:
    """Neither hears nor answers."""


async def _lost(data: bytes, addr: tuple[str, int]) -> None:
    """Goes nowhere."""
