"""What the gateway shows of itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from media_gateway.adapters.sip_endpoint import SipEndpoint
from media_gateway.adapters.switchboard import Switchboard
from media_gateway.rtp.engine import MediaEngine
from protos.common.v1 import common_pb2
from protos.gateway.v1.events_pb2 import CallFact
from services.chassis.metrics import Places, Reading
from services.chassis.request import PLATFORM

MAX_TENANTS = 200
"""Tenants that are told one by one; all further ones together."""
_CLASS_PREFIX = "TERMINATION_CLASS_"


class Tally:
    """Sees every fact, and counts."""

    def __init__(self) -> None:
        self.ended: Counter[str] = Counter()
        """Calls that ended, by the class of their termination."""
        self.recordings_failed = 0
        """Recordings that failed, each time that one began to."""
        self.browsers_lost = 0
        """Times that an agent's browser lost its connection."""
        self._detached: set[str] = set()
        self.ended_of: Counter[tuple[str, str]] = Counter()
        """Calls that ended, by tenant and class."""
        self.places = Places(MAX_TENANTS)
        """Tenants that have a label of their own."""

    @property
    def detached(self) -> int:
        """Calls that no interpreter carries now."""
        return len(self._detached)

    def see(self, fact: CallFact) -> None:
        """Takes a fact."""
        match fact.WhichOneof("body"):
            case "call_ended":
                name = common_pb2.TerminationClass.Name(
                    fact.call_ended.termination.termination_class
                )
                ended = name.removeprefix(_CLASS_PREFIX).lower()
                self.ended[ended] += 1
                if fact.tenant_id:
                    self.ended_of[self.places.of(fact.tenant_id), ended] += 1
                self._detached.discard(fact.call_id)
            case "flow_detached":
                self._detached.add(fact.call_id)
            case "flow_attached":
                self._detached.discard(fact.call_id)
            case "recording_changed":
                self.recordings_failed += fact.recording_changed.state == "failed"
            case "leg_connection_changed":
                self.browsers_lost += fact.leg_connection_changed.state == "lost"
            case _:
                pass  # nothing that is counted


def of_calls(switchboard: Switchboard, tally: Tally) -> Iterator[Reading]:
    """Calls, and how they fare."""
    yield Reading("carillon_gateway_calls", "Calls in progress.", len(switchboard))
    yield Reading(
        "carillon_gateway_calls_limit", "Calls at once; further ones get 503.", switchboard.limit
    )
    yield Reading(
        "carillon_gateway_draining",
        "Whether new calls are refused because the process is to end.",
        float(switchboard.draining),
    )
    yield Reading(
        "carillon_gateway_calls_detached",
        "Calls that no interpreter carries now.",
        tally.detached,
    )
    for termination, count in sorted(tally.ended.items()):
        yield Reading(
            "carillon_gateway_calls_ended_total",
            "Calls that ended, by whom the end is laid to.",
            count,
            (("class", termination),),
            "counter",
        )
    yield from _by_tenant(switchboard, tally)
    for name, text, count in (
        ("recordings_failed", "Times that a recording began to fail.", tally.recordings_failed),
        ("browsers_lost", "Times that an agent's browser was lost.", tally.browsers_lost),
    ):
        yield Reading(f"carillon_gateway_{name}_total", text, count, kind="counter")


def _by_tenant(switchboard: Switchboard, tally: Tally) -> Iterator[Reading]:
    calls = Counter(
        tally.places.of(shell.call.flow.tenant_id)
        for shell in switchboard.calls(PLATFORM)
        if shell.call.flow.tenant_id
    )
    for tenant, count in sorted(calls.items()):
        yield Reading(
            "carillon_gateway_tenant_calls",
            "Calls in progress, by tenant.",
            count,
            (("tenant", tenant),),
        )
    for (tenant, ended), count in sorted(tally.ended_of.items()):
        yield Reading(
            "carillon_gateway_tenant_calls_ended_total",
            "Calls that ended, by tenant and by whom the end is laid to.",
            count,
            (("tenant", tenant), ("class", ended)),
            "counter",
        )


def of_sip(endpoint: SipEndpoint) -> Iterator[Reading]:
    """Signalling."""
    yield Reading("carillon_gateway_sip_connections", "TCP connections open.", endpoint.connections)
    yield Reading(
        "carillon_gateway_sip_malformed_total",
        "Messages that were no SIP.",
        endpoint.malformed,
        kind="counter",
    )


def of_edges(edges: Sequence[str], answering: int) -> Iterator[Reading]:
    """The edges in front."""
    for state, number in (("answering", answering), ("away", len(edges) - answering)):
        yield Reading(
            "carillon_gateway_edges",
            "Edges that this gateway announces itself to, by whether they take it.",
            number,
            (("state", state),),
        )


def of_media(engine: MediaEngine) -> Iterator[Reading]:
    """Audio."""
    browsers = engine.browsers
    for kind, count in (("sip", len(engine) - browsers), ("webrtc", browsers)):
        yield Reading("carillon_gateway_legs", "Legs with media.", count, (("kind", kind),))
    traffic = engine.traffic
    for name, text, count in (
        (
            "frames_skipped",
            "Frames of audio left out because this process was too late to send them.",
            engine.frames_skipped,
        ),
        ("rtp_packets_received", "RTP packets accepted from far ends.", traffic.received),
        ("rtp_packets_sent", "RTP packets sent to far ends.", traffic.sent),
        (
            "packets_from_strangers",
            "Media packets from addresses that nobody negotiated; dropped.",
            traffic.strangers,
        ),
        ("media_malformed", "Datagrams that were no media; dropped.", traffic.malformed),
    ):
        yield Reading(f"carillon_gateway_{name}_total", text, count, kind="counter")
