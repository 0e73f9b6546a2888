"""A call, from either side: its description, its dialog's requests, and how it ends."""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
from dataclasses import dataclass
from typing import Any, Final, Literal

from tests.softphone import audio
from tests.softphone.dialog import Dialog
from tests.softphone.errors import BadSDP, CallOver, CallRefused, NotInTime
from tests.softphone.hearing import Audible, DTMFHow
from tests.softphone.line import ALLOW, Line
from tests.softphone.media import MediaSession
from tests.softphone.message import Headers, Request, Response
from tests.softphone.rtp import RTPPacket
from tests.softphone.sdp import (
    Description,
    Direction,
    agree,
    answer_faults,
    answer_sdp,
    build_sdp,
    offer_codecs,
    parse_sdp,
    revision_faults,
)
from tests.softphone.sender import FRAME_S
from tests.softphone.transaction import ServerTransaction

REINVITE_ATTEMPTS: Final = 3
"""After a 491 the request is tried again, this often at most (RFC 3261 section 14.1)."""
DEFAULT_WAIT_S: Final = 10.0

_SIGNAL = re.compile(r"Signal\s*=\s*([0-9A-D*#])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended."""

    by: Literal["us", "peer", "network"]
    """`network` when nobody answered: a timer ran out."""
    how: Literal["bye", "cancel", "refused", "timeout"]
    status: int | None = None
    """The final response to the INVITE, if it was not a 2xx."""
    phrase: str = ""
    reason: str | None = None
    """The Reason header of the message that ended it (RFC 3326)."""
    contacts: tuple[str, ...] = ()
    """Where a 3xx says to go instead."""


class Call(Audible):
    """What outgoing and incoming calls share; SoftPhone makes them."""

    def __init__(
        self, *, line: Line, dialog: Dialog, media: MediaSession, codecs: tuple[str, ...]
    ) -> None:
        super().__init__(media)
        self.dialog = dialog
        self.early_media = False
        """Whether a description came before the answer."""
        self.rang_after_s: float | None = None
        self.answered_after_s: float | None = None
        """Both since the INVITE was sent or received."""
        self.local_sdp: Description | None = None
        self.remote_sdp: Description | None = None
        self._line = line
        self._codecs = codecs
        self._loop = asyncio.get_running_loop()
        self._began_at_s = self._loop.time()
        self._up: asyncio.Future[None] = self._loop.create_future()
        self._over: asyncio.Future[Ended] = self._loop.create_future()
        self._sdp_version = 0
        self._sdp_bytes = b""
        self._holding: Direction | None = None
        self._reinviting = False
        self._unacknowledged: dict[int, ServerTransaction] = {}
        """INVITEs that we accepted, by CSeq, until their ACK."""
        self._info_digits = ""
        self._gone = False

    @property
    def call_id(self) -> str:
        return self.dialog.call_id

    @property
    def is_up(self) -> bool:
        return self._up.done() and not self._over.done()

    @property
    def is_over(self) -> bool:
        """Whether it has ended and the far end knows."""
        return self._over.done() and self._gone

    @property
    def ended_already(self) -> Ended | None:
        """How it ended, once it has."""
        return self._over.result() if self._over.done() else None

    @property
    def on_hold_by_peer(self) -> bool:
        return self.media.flow is not None and not self.media.flow.may_send

    async def answered(self, timeout_s: float = DEFAULT_WAIT_S) -> None:
        """Wait for the answer; raises CallRefused, CallOver or NotInTime."""
        await self._first(self._up, timeout_s, "an answer")

    async def ended(self, timeout_s: float = DEFAULT_WAIT_S) -> Ended:
        """Wait for the end; raises NotInTime."""
        await asyncio.wait({self._over}, timeout=timeout_s)
        if not self._over.done():
            raise NotInTime(f"the call did not end within {timeout_s} s\n{self.story()}")
        return self._over.result()

    async def hangup(self, *, reason: str | None = None) -> None:
        """BYE, optionally with a Reason header; returns once it is answered."""
        self._demand_up()
        headers: Headers = () if reason is None else (("Reason", reason),)
        bye = self.dialog.request(self._line, "BYE", headers=headers)
        self._end(Ended(by="us", how="bye", reason=reason))
        try:
            response = await self._ask(bye)
        finally:
            self._gone = True
        if response.status != 200:
            self._line.fault("BYE", [f"was answered {response.status}"])

    async def hold(self, *, direction: Direction = "sendonly") -> None:
        """Re-INVITE so that the peer stops sending (`inactive`: neither sends)."""
        await self._reinvite(direction)

    async def unhold(self) -> None:
        await self._reinvite("sendrecv")

    async def send_dtmf(
        self, digits: str, *, how: DTMFHow = "rfc4733", duration_ms: int = 100
    ) -> None:
        """Press keys one after the other; returns when the last is sent (INFO: answered)."""
        self._demand_up()
        for digit in digits:
            if how == "rfc4733":
                await self.media.press(digit, duration_ms)
            elif how == "inband":
                self.say(audio.dtmf(digit, duration_ms / 1000))
                self.say(audio.silence(0.06))
                await self.said()
            else:
                await self.send_info(f"Signal={digit}\r\nDuration={duration_ms}\r\n".encode())

    async def send_info(
        self, body: bytes, *, content_type: str = "application/dtmf-relay"
    ) -> Response:
        """INFO in the dialog; returns its final response, whatever it is."""
        self._demand_up()
        info = self.dialog.request(self._line, "INFO", content_type=content_type, body=body)
        return await self._ask(info)

    async def send_rtp_from_stranger(
        self, freq_hz: float, seconds: float = 1.0, *, as_us: bool = False
    ) -> None:
        """Play a tone to the peer's media address from another socket: it must not be heard.

        `as_us` forges our SSRC as well.
        """
        flow = self.media.flow
        if flow is None:
            raise CallOver("there is no media address yet")
        ssrc = self.media.sender.ssrc if as_us else secrets.randbits(32)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind((self.media.local[0], 0))
            for number in range(round(seconds / FRAME_S)):
                pcm = audio.tone(freq_hz, FRAME_S, start=number * audio.FRAME_SAMPLES)
                timestamp = self.media.sender.timestamp if as_us else number * audio.FRAME_SAMPLES
                payload = audio.encode(flow.codec, pcm)
                packet = RTPPacket(flow.payload_type, number, timestamp, ssrc, payload)
                stranger.sendto(packet.encode(), flow.to)
                await asyncio.sleep(FRAME_S)

    def digits(self, how: DTMFHow = "rfc4733") -> str:
        return self._info_digits if how == "info" else super().digits(how)

    def ladder(self) -> str:
        """This call's messages, one a line."""
        return self._line.ladder.text(self.call_id)

    def story(self) -> str:
        faults = "\n".join(self._line.faults) or "none"
        return f"{self.ladder()}\nmedia: {self.stats()}\nfaults of the far end: {faults}"

    def receive(self, transaction: ServerTransaction) -> None:
        """A request within this call's dialog."""
        request = transaction.request
        number = request.cseq[0]
        if number <= self.dialog.remote_cseq:
            self._line.fault(request.first_line, [f"CSeq {number} after {self.dialog.remote_cseq}"])
            transaction.respond(self._line.response(request, 500))
            return
        self.dialog.remote_cseq = number
        match request.method:
            case "BYE":
                transaction.respond(self._line.response(request, 200))
                self._end(Ended(by="peer", how="bye", reason=request.header("Reason")))
                self._gone = True
            case "INVITE":
                self._receive_reinvite(transaction)
            case "INFO":
                self._receive_info(request)
                transaction.respond(self._line.response(request, 200))
            case "OPTIONS":
                able = (("Allow", ALLOW), ("Accept", "application/sdp"))
                transaction.respond(self._line.response(request, 200, headers=able))
            case _:
                allow = (("Allow", ALLOW),)
                transaction.respond(self._line.response(request, 405, headers=allow))

    def receive_ack(self, ack: Request) -> None:
        """The ACK to a 2xx of ours; with a late offer it carries the answer."""
        transaction = self._unacknowledged.pop(ack.cseq[0], None)
        if transaction is None:
            return
        transaction.acknowledge()
        if transaction.request.body:
            return
        try:
            self._accept_sdp(ack, offered=True)
        except BadSDP as error:
            self._line.fault(ack.first_line, [f"the answer to our offer: {error}"])

    def abandon(self) -> None:
        """Forget the call, as a phone that loses its power does."""
        self._end(Ended(by="us", how="timeout"))
        self._gone = True

    def _demand_up(self) -> None:
        if not self.is_up:
            raise CallOver(f"the call is not up\n{self.story()}")

    def _end(self, ended: Ended) -> None:
        if not self._over.done():
            self._over.set_result(ended)
            self.media.close()

    async def _first(self, wanted: asyncio.Future[None], timeout_s: float, what: str) -> None:
        either: set[asyncio.Future[Any]] = {wanted, self._over}
        await asyncio.wait(either, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if wanted.done():
            return
        if not self._over.done():
            raise NotInTime(f"{what} did not come within {timeout_s} s\n{self.story()}")
        ended = self._over.result()
        if ended.how == "refused" and ended.status is not None:
            raise CallRefused(ended.status, ended.phrase, ended.contacts)
        raise CallOver(f"{ended}\n{self.story()}")

    async def _ask(self, request: Request) -> Response:
        """Send a request in the dialog and await its final response."""
        number = request.cseq[0]

        def heard(response: Response) -> None:
            if request.method == "INVITE" and 200 <= response.status < 300:
                ack = self.dialog.request(self._line, "ACK", cseq=number)
                self._line.send(ack, self.dialog.next_hop)

        return await self._line.ask(request, self.dialog.next_hop, heard=heard)

    async def _reinvite(self, direction: Direction) -> None:
        self._demand_up()
        self._reinviting = True
        try:
            for attempt in range(1, REINVITE_ATTEMPTS + 1):
                offer = self._build_offer(direction)
                invite = self.dialog.request(self._line, "INVITE", body=offer)
                response = await self._ask(invite)
                if response.status != 491 or attempt == REINVITE_ATTEMPTS:
                    break
                self._reinviting = False
                await asyncio.sleep(self._glare_wait_s())
                self._reinviting = True
        finally:
            self._reinviting = False
        if response.status >= 300:
            raise CallRefused(response.status, response.reason)
        self._holding = None if direction == "sendrecv" else direction
        self._accept_sdp(response, offered=True)

    def _glare_wait_s(self) -> float:
        """RFC 3261 section 14.1, scaled with the timers: the maker of the Call-ID waits longer."""
        unit_s = self._line.timers.t1_s / 0.5
        whole = 2.1 + secrets.randbelow(190) / 100 if self._owns_call_id else 0.0
        return unit_s * (whole or secrets.randbelow(200) / 100)

    @property
    def _owns_call_id(self) -> bool:
        return False

    def _receive_reinvite(self, transaction: ServerTransaction) -> None:
        invite = transaction.request
        if self._reinviting:
            transaction.respond(self._line.response(invite, 491))
            return
        try:
            body = self._describe_for(invite)
        except BadSDP as error:
            self._line.fault(invite.first_line, [str(error)])
            transaction.respond(self._line.response(invite, 488))
            return
        self._accept(transaction, body)

    def _describe_for(self, invite: Request) -> bytes:
        """Our answer to its offer, or our offer if it came without one. Raises BadSDP."""
        if not invite.body:
            return self._build_offer(self._holding or "sendrecv")
        offered = parse_sdp(invite.body)

        def answer(version: int) -> bytes:
            return answer_sdp(
                offered,
                local=self.media.local,
                version=version,
                codecs=self._codecs,
                holding=self._holding is not None,
            )

        body = answer(self._sdp_version)
        if body != self._sdp_bytes:
            self._sdp_version += 1
            body = answer(self._sdp_version)
        self._set_local(body)
        self._accept_sdp(invite, offered=False)
        return body

    def _accept(self, transaction: ServerTransaction, body: bytes) -> None:
        """Answer 200 with a description, repeated until the ACK comes."""
        headers: Headers = (("Contact", self._line.contact), ("Allow", ALLOW))
        transaction.unacknowledged = self._hang_up_unacknowledged
        self._unacknowledged[transaction.request.cseq[0]] = transaction
        transaction.respond(
            self._line.response(
                transaction.request, 200, to_tag=self.dialog.local_tag, headers=headers, body=body
            )
        )

    def _hang_up_unacknowledged(self) -> None:
        """RFC 3261 section 13.3.1.4: no ACK for 64*T1 ends the session by BYE."""
        if not self._over.done():
            bye = self.dialog.request(self._line, "BYE")
            self._line.request(bye, self.dialog.next_hop, heard=_hear_nothing, expired=_nothing)
            self._end(Ended(by="network", how="timeout"))
        self._gone = True

    def _build_offer(self, direction: Direction) -> bytes:
        self._sdp_version += 1
        body = build_sdp(
            local=self.media.local,
            version=self._sdp_version,
            codecs=offer_codecs(self._codecs),
            direction=direction,
        )
        self._set_local(body)
        return body

    def _set_local(self, body: bytes) -> None:
        self.local_sdp, self._sdp_bytes = parse_sdp(body), body

    def _accept_sdp(self, message: Request | Response, *, offered: bool) -> None:
        """Take the far end's description; raises BadSDP if it cannot be used."""
        remote = parse_sdp(message.body)
        local = self.local_sdp
        assert local is not None
        faults = answer_faults(local, remote) if offered else []
        if self.remote_sdp is not None:
            faults += revision_faults(self.remote_sdp, remote)
        if message.header("Content-Type") != "application/sdp":
            faults.append(f"Content-Type {message.header('Content-Type')}")
        self._line.fault(message.first_line, faults)
        self.remote_sdp = remote
        self.media.connect(agree(local, remote, offered=offered))

    def _receive_info(self, request: Request) -> None:
        signal = _SIGNAL.search(request.body.decode(errors="replace"))
        if signal is not None and request.header("Content-Type") == "application/dtmf-relay":
            self._info_digits = (self._info_digits + signal[1].upper())[-1000:]


def _hear_nothing(_response: Response) -> None:
    """A BYE sent into silence is not waited for."""


def _nothing() -> None:
    """The same, when it runs out."""
