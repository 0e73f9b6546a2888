"""One leg's audio: its port, its negotiation, and what plays to it."""

from __future__ import annotations

from typing import Literal

from media_gateway.adapters.prompts import PromptShelf
from media_gateway.adapters.sound_player import MediaEvents, SoundPlayer
from media_gateway.core.events import StartSound
from media_gateway.model import BadKeys, KeysNotHeard
from media_gateway.rtp.errors import MediaError, NoTelephoneEvent
from media_gateway.rtp.model import Codec as RtpCodec
from media_gateway.rtp.model import MediaStats, RemoteMedia
from media_gateway.rtp.port import MediaPort
from media_gateway.sip.address import HostPort
from media_gateway.sip.offer_answer import G711, Agreement, AudioNegotiation, Codec, NoCommonCodec
from media_gateway.sip.sdp import Direction
from services.chassis.ids import CallId, LegId
from services.chassis.log import get_logger
from services.chassis.tasks import Tasks

log = get_logger("media")


class PortListener:
    """Passes on what the ports of one call tell, under the legs' own names."""

    def __init__(self, events: MediaEvents) -> None:
        self._events = events

    def digit(self, leg_id: str, digit: str, how: Literal["rfc4733"]) -> None:
        """A key was pressed."""
        self._events.key_pressed(_leg_of(leg_id), digit, how)

    def play_ended(self, leg_id: str, operation: str, reason: Literal["complete"]) -> None:
        """What played came to its end."""
        self._events.sound_ended(_leg_of(leg_id), operation, failed=reason != "complete")

    def media_started(self, leg_id: str) -> None:
        """The first packet came."""
        self._events.media_heard(_leg_of(leg_id))

    def media_timed_out(self, leg_id: str) -> None:
        """None came for too long."""
        self._events.media_lost(_leg_of(leg_id))


def port_name(call_id: CallId, leg_id: LegId) -> str:
    """What the engine calls a leg's port: unique in the process."""
    return f"{call_id}.{leg_id}"


def _leg_of(name: str) -> LegId:
    return LegId(name.rpartition(".")[2])


def press_keys(port: MediaPort, keys: str) -> None:
    """Sends keys to a leg's far end; KeysNotHeard or BadKeys."""
    try:
        port.send_digits(keys)
    except NoTelephoneEvent as error:
        raise KeysNotHeard("the other side negotiated no telephone-event") from error
    except MediaError as error:
        raise BadKeys(str(error)) from error


def codecs_beginning_with(codec: str) -> tuple[Codec, ...]:
    """What the gateway speaks, the given codec first: one codec from end to end where possible."""
    return tuple(sorted(G711, key=lambda known: known.name != codec))


class LegMedia:
    """Made when the leg's port is open; closed with the leg."""

    def __init__(
        self,
        leg_id: LegId,
        port: MediaPort,
        *,
        local_host: str,
        sdp_session_id: int,
        shelf: PromptShelf,
        events: MediaEvents,
        tasks: Tasks,
    ) -> None:
        self.leg_id = leg_id
        self.port = port
        self.direction = Direction.SENDRECV
        """What the gateway wants of the leg: `sendonly` while it holds it."""
        self.offered = Direction.SENDRECV
        """What it said last."""
        self._local = HostPort(local_host, port.rtp_port)
        self._sdp_session_id = sdp_session_id
        self._negotiation = AudioNegotiation(local=self._local, session_id=sdp_session_id)
        self._player = SoundPlayer(leg_id, port, shelf=shelf, events=events, tasks=tasks)
        self._remote: RemoteMedia | None = None
        self._begun = False

    @property
    def agreed(self) -> Agreement | None:
        """The agreement in force; None before the first."""
        return self._negotiation.agreed

    def prefer(self, codec: str) -> None:
        """Asks for a codec first; before the first offer only."""
        self._negotiation = AudioNegotiation(
            local=self._local,
            session_id=self._sdp_session_id,
            codecs=codecs_beginning_with(codec),
        )

    def offer(self) -> bytes:
        """An sdp_offer of what is wanted of the leg now."""
        self.offered = self.direction
        return self._negotiation.offer(self.direction)

    def answer(self, sdp_offer: bytes) -> tuple[Agreement, bytes]:
        """Takes an sdp_offer; MalformedSDP or NoCommonCodec leave all as it was."""
        self.offered = self.direction
        agreement, sdp_answer = self._negotiation.answer(sdp_offer, self.direction)
        self._take(agreement)
        return agreement, sdp_answer

    def complete(self, sdp_answer: bytes | None) -> Agreement:
        """Takes the sdp_answer to the last offer; None: the one that came earlier stands."""
        if sdp_answer is None:
            if self._negotiation.agreed is None:
                raise NoCommonCodec("no answer to our offer ever came")
            return self._negotiation.agreed
        agreement = self._negotiation.complete(sdp_answer)
        self._take(agreement)
        return agreement

    def begin(self) -> None:
        """Lets audio flow: the far end knows by now where it goes."""
        self._begun = True
        self._apply()

    def start(self, sound: StartSound) -> None:
        """Plays something, at once if it is at hand, else as soon as it is fetched."""
        self._player.start(sound)

    def stop(self) -> None:
        """Plays nothing."""
        self._player.stop()

    def close(self) -> MediaStats:
        """Ends the audio; its last numbers."""
        self._player.close()
        return self.port.close()

    def _take(self, agreement: Agreement) -> None:
        codec: RtpCodec = "PCMU" if agreement.codec is Codec.PCMU else "PCMA"
        self._remote = RemoteMedia(
            host=agreement.remote.host,
            port=agreement.remote.port,
            rtcp_port=agreement.remote_rtcp.port,
            payload_type=agreement.payload_type,
            codec=codec,
            event_payload_type=agreement.event_payload_type,
            ptime_ms=agreement.ptime_ms,
            sends=agreement.direction.receives,
            receives=agreement.direction.sends,
        )
        if self._begun:
            self._apply()

    def _apply(self) -> None:
        if self._remote is None:
            return  # a late offer: its answer comes with the ACK
        try:
            self.port.negotiate(self._remote)
        except MediaError as error:
            # Signalling goes on; a far end that cannot be sent to ends by its silence.
            log.warning("media cannot reach", leg=self.port.leg_id, code=error.code)
        self._player.ready(self._remote.codec)


def common_codec(sdp_offer: bytes, local_host: str) -> str:
    """The codec that an offer and the gateway agree on; MalformedSDP or NoCommonCodec."""
    probe = AudioNegotiation(local=HostPort(local_host, 9), session_id=1)
    return probe.answer(sdp_offer)[0].codec.name
