"""A stack, an endpoint and a port that keep what they are told and do nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from media_gateway.adapters.sip_ladders import SipLadders
from media_gateway.rtp.model import MediaStats, RemoteMedia
from media_gateway.sip import events as sip
from media_gateway.sip.address import URI, HostPort, NameAddr
from media_gateway.sip.events import SessionId
from media_gateway.sip.headers import Headers

HERE = HostPort("127.0.0.1", 5060)
RUNG = SessionId(2)
"""The session that every INVITE of ours gets."""


def invite(
    session_id: SessionId, *, offer: bytes | None, max_forwards: int = 70
) -> sip.InviteReceived:
    return sip.InviteReceived(
        session_id=session_id,
        call_id="c",
        request_uri=URI.parse("sip:+1@h"),
        from_=NameAddr.parse("<sip:+2@h>"),
        to=NameAddr.parse("<sip:+1@h>"),
        headers=Headers(),
        sdp=offer,
        source=HERE,
        max_forwards=max_forwards,
    )


@dataclass
class ListeningStack:
    """Keeps what it is told; raises what it is set to raise."""

    told: list[tuple[Any, ...]] = field(default_factory=list)
    error: Exception | None = None

    def __getattr__(self, verb: str) -> Any:
        def take(*args: Any, **kwargs: Any) -> SessionId:
            if self.error:
                raise self.error
            self.told.append((verb, args, kwargs))
            return RUNG

        return take

    def call_id_of(self, session_id: SessionId) -> str:
        return f"{session_id}@here"

    def verbs(self) -> list[str]:
        return [verb for verb, _, _ in self.told]

    def last(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        _, args, kwargs = self.told[-1]
        return args, kwargs


@dataclass
class Endpoint:
    stack: ListeningStack
    local: HostPort = HERE
    ladders: SipLadders = field(default_factory=SipLadders)

    def now_ms(self) -> int:
        return 1

    def flush(self) -> None:
        """Nothing waits here."""


@dataclass
class SilentPort:
    rtp_port: int = 20_000
    leg_id: str = "call.leg"
    negotiated: list[RemoteMedia] = field(default_factory=list)
    closed: int = 0

    def negotiate(self, remote: RemoteMedia) -> None:
        self.negotiated.append(remote)

    def close(self) -> MediaStats | None:
        self.closed += 1
        return None
