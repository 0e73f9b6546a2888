"""Facts as carillon.gateway.v1 publishes them."""

from __future__ import annotations

from typing import assert_never

from media_gateway.adapters.flow_wire import termination_to_wire
from media_gateway.core import facts
from media_gateway.core.facts import FactBody
from media_gateway.core.ladder import Ladder, LadderStep
from media_gateway.rtp.model import MediaStats
from protos.gateway.v1 import events_pb2, gateway_pb2


def fact_message(
    *,
    event_id: str,
    call_id: str,
    tenant_id: str,
    seq: int,
    at_ms: int,
    body: FactBody,
    media: MediaStats | None = None,
    ladder: Ladder | None = None,
) -> events_pb2.CallFact:
    """A fact; `media` are the last numbers of a leg that ended, `ladder` a call's messages."""
    message = events_pb2.CallFact(
        event_id=event_id, call_id=call_id, tenant_id=tenant_id, seq=seq, at_ms=at_ms
    )
    _fill(message, body)
    if media is not None and isinstance(body, facts.LegEnded):
        message.leg_ended.packets_received = media.packets_received
        message.leg_ended.packets_sent = media.packets_sent
        message.leg_ended.packets_lost = max(0, media.packets_lost)
        message.leg_ended.jitter_ms = media.jitter_ms
    if ladder is not None and isinstance(body, facts.LadderNoted):
        message.ladder_noted.steps.extend(map(_step_message, ladder.steps))
        message.ladder_noted.dropped = ladder.dropped
    return message


def media_report(media: MediaStats) -> gateway_pb2.MediaReport:
    """A leg's numbers so far."""
    return gateway_pb2.MediaReport(
        packets_received=media.packets_received,
        packets_sent=media.packets_sent,
        packets_lost=max(0, media.packets_lost),
        jitter_ms=media.jitter_ms,
        far_loss_percent=-1.0 if media.far_loss is None else 100.0 * media.far_loss,
        round_trip_ms=-1.0 if media.rtt_ms is None else media.rtt_ms,
        packets_from_strangers=media.strangers,
        first_packet_ms=-1.0 if media.first_packet_ms is None else media.first_packet_ms,
    )


def _step_message(step: LadderStep) -> events_pb2.LadderStep:
    return events_pb2.LadderStep(
        at_ms=step.at_ms,
        leg_id=step.leg_id,
        sent=step.sent,
        peer=step.peer,
        line=step.line,
        cseq=step.cseq,
        times=step.times,
    )


def _fill(message: events_pb2.CallFact, body: FactBody) -> None:  # noqa: C901, PLR0912 - one arm per fact, as many as there are
    match body:
        case facts.CallStarted():
            message.call_started.CopyFrom(
                events_pb2.CallStarted(**{"from": body.caller}, to=body.called, trunk=body.trunk)
            )
        case facts.LegStarted():
            message.leg_started.CopyFrom(
                events_pb2.LegStarted(
                    leg_id=body.leg_id,
                    role=body.role.value,
                    agent_id=body.agent_id,
                    ring_id=body.ring_id,
                )
            )
        case facts.LegStateChanged():
            message.leg_state_changed.CopyFrom(
                events_pb2.LegStateChanged(
                    leg_id=body.leg_id, state=body.state.value, codec=body.codec
                )
            )
        case facts.FlowNoted(kind=kind, values=values):
            message.flow_noted.CopyFrom(events_pb2.FlowNoted(kind=kind, values=values))
        case facts.DigitsReceived():
            message.digits_received.CopyFrom(
                events_pb2.DigitsReceived(leg_id=body.leg_id, count=body.count, how=body.how)
            )
        case facts.PlayStarted():
            message.play_started.CopyFrom(
                events_pb2.PlayStarted(leg_id=body.leg_id, prompts=body.prompts, loop=body.loop)
            )
        case facts.LegsBridged():
            message.legs_bridged.CopyFrom(
                events_pb2.LegsBridged(
                    leg_id=body.leg_id,
                    peer_leg_id=body.peer_leg_id,
                    took_ms=body.took_ms,
                    silent_leg_ids=body.silent_leg_ids,
                )
            )
        case facts.LegHoldChanged(leg_id=leg_id, held=held):
            message.leg_hold_changed.CopyFrom(events_pb2.LegHoldChanged(leg_id=leg_id, held=held))
        case facts.LegMuteChanged(leg_id=leg_id, muted=muted):
            message.leg_mute_changed.CopyFrom(events_pb2.LegMuteChanged(leg_id=leg_id, muted=muted))
        case facts.LegEnded():
            message.leg_ended.CopyFrom(
                events_pb2.LegEnded(
                    leg_id=body.leg_id,
                    role=body.role.value,
                    reason=body.reason.value,
                    sip_status=body.sip_status,
                )
            )
        case facts.FlowDetached(reason=reason):
            message.flow_detached.CopyFrom(events_pb2.FlowDetached(reason=reason))
        case facts.FlowAttached(epoch=epoch):
            message.flow_attached.CopyFrom(events_pb2.FlowAttached(epoch=epoch))
        case facts.LegConnectionChanged():
            message.leg_connection_changed.CopyFrom(
                events_pb2.LegConnectionChanged(
                    leg_id=body.leg_id,
                    state="connected" if body.connected else "lost",
                    took_ms=body.took_ms,
                )
            )
        case facts.RecordingChanged():
            message.recording_changed.CopyFrom(
                events_pb2.RecordingChanged(state=body.state.value, reason=body.reason, by=body.by)
            )
        case facts.TransferRequested(leg_id=leg_id, transfer=transfer):
            message.transfer_requested.CopyFrom(
                events_pb2.TransferRequested(
                    leg_id=leg_id,
                    kind=transfer.kind.value,
                    target=transfer.target,
                    reason=transfer.reason,
                    by=transfer.by,
                )
            )
        case facts.DigitsSent(leg_id=leg_id, count=count):
            message.digits_sent.CopyFrom(events_pb2.DigitsSent(leg_id=leg_id, count=count))
        case facts.LadderNoted():
            message.ladder_noted.SetInParent()
        case facts.CallEnded(termination=termination, duration_ms=duration_ms):
            message.call_ended.CopyFrom(
                events_pb2.CallEnded(
                    termination=termination_to_wire(termination), duration_ms=duration_ms
                )
            )
        case _:
            assert_never(body)
