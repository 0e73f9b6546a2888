"""What a listener wants to find in a recording: holds, mutes, keys and transfers."""

from __future__ import annotations

from media_gateway.core import facts as f
from protos.recording.v1 import recording_pb2
from services.chassis.ids import LegId

MAX_MARKERS = 1_000
"""Of one recording; what happens after that many is left out."""
SAME_KEYS_MS = 5_000
"""Keys that follow each other within this time are one marker: a number that is keyed in."""
HOLD, MUTE, KEYS, TRANSFER = "hold", "mute", "keys", "transfer"
_LASTING = frozenset({HOLD, MUTE})


def note_marker(manifest: recording_pb2.Manifest, body: f.FactBody, *, at_ms: int) -> bool:
    """Adds what a fact says to the markers; False: it says nothing of the kind."""
    match body:
        case f.LegHoldChanged(leg_id=leg_id, held=held):
            return _note_lasting(manifest, HOLD, leg_id, at_ms, begins=held)
        case f.LegMuteChanged(leg_id=leg_id, muted=muted):
            return _note_lasting(manifest, MUTE, leg_id, at_ms, begins=muted)
        case (
            f.DigitsReceived(leg_id=leg_id, count=count) | f.DigitsSent(leg_id=leg_id, count=count)
        ):
            return _note_keys(manifest, leg_id, at_ms, count)
        case f.TransferRequested(leg_id=leg_id):
            return _add(manifest, TRANSFER, leg_id, at_ms)
        case _:
            return False


def end_markers(manifest: recording_pb2.Manifest, *, at_ms: int, leg_id: str = "") -> None:
    """Ends the holds and mutes that still last: those of one leg, or all."""
    for marker in manifest.markers:
        if marker.kind in _LASTING and not marker.to_ms and leg_id in {"", marker.leg_id}:
            marker.to_ms = at_ms


def _note_lasting(
    manifest: recording_pb2.Manifest, kind: str, leg_id: LegId, at_ms: int, *, begins: bool
) -> bool:
    if begins:
        return _add(manifest, kind, leg_id, at_ms)
    for marker in reversed(manifest.markers):
        if (marker.kind, marker.leg_id, marker.to_ms) == (kind, leg_id, 0):
            marker.to_ms = at_ms
            return True
    return False


def _note_keys(manifest: recording_pb2.Manifest, leg_id: LegId, at_ms: int, count: int) -> bool:
    for marker in reversed(manifest.markers):
        if (marker.kind, marker.leg_id) != (KEYS, leg_id):
            continue
        if at_ms - (marker.to_ms or marker.from_ms) > SAME_KEYS_MS:
            break
        marker.to_ms = at_ms
        marker.count += count
        return True
    return _add(manifest, KEYS, leg_id, at_ms, count=count)


def _add(
    manifest: recording_pb2.Manifest, kind: str, leg_id: LegId, at_ms: int, *, count: int = 0
) -> bool:
    if len(manifest.markers) >= MAX_MARKERS:
        return False
    manifest.markers.add(kind=kind, from_ms=at_ms, leg_id=leg_id, count=count)
    return True
