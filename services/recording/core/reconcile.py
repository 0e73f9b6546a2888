"""Answered calls against stored recordings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from services.recording.model.calls import Call, Difference, Pair, Reconciliation
from services.recording.model.evidence import Recording, State

MAX_DIFFERENCES = 1_000


def counted(so_far: Reconciliation, pairs: Iterable[Pair]) -> Reconciliation:
    """The reconciliation with more pairs; at most 1,000 differences are kept."""
    answered, expected, stored = so_far.answered_calls, so_far.expected, so_far.stored
    differences = list(so_far.differences)
    for pair in pairs:
        call = pair.call
        if call is not None and call.bridged:
            answered += 1
            expected += bool(call.consent)
            stored += bool(call.consent) and pair.recording is not None
        found = difference(pair)
        if found is not None and len(differences) < MAX_DIFFERENCES:
            differences.append(found)
    return replace(
        so_far,
        answered_calls=answered,
        expected=expected,
        stored=stored,
        differences=tuple(differences),
    )


def difference(pair: Pair) -> Difference | None:
    """What is wrong with a call's recording; None: nothing."""
    call, recording = pair.call, pair.recording
    if recording is None:
        return None if call is None else _unrecorded(call)
    if call is None or not call.ended_at_ms:
        if recording.state is State.RECORDING:
            return None  # both go on
        return Difference(
            recording.recording_id,
            "orphan",
            recording.started_at_ms,
            "segments of a call whose end nobody told",
        )
    if not call.consent:
        return _unallowed(call, recording)
    if recording.state is not State.COMPLETE:
        return Difference(call.call_id, "incomplete", call.ended_at_ms, _lack(recording))
    return None


def _unallowed(call: Call, recording: Recording) -> Difference | None:
    """A recording that was paused from its beginning to its end has nothing in it."""
    if not recording.segments:
        return None
    detail = "recorded, and nothing says it was allowed"
    return Difference(call.call_id, "unexpected", call.ended_at_ms, detail)


def _unrecorded(call: Call) -> Difference | None:
    if not (call.bridged and call.consent):
        return None
    detail = f"recording failed: {call.trouble}" if call.trouble else "no segment ever came"
    return Difference(call.call_id, "missing", call.ended_at_ms, detail)


def _lack(recording: Recording) -> str:
    if recording.state is State.RECORDING:
        return "the manifest has not come"
    reasons = sorted({gap.reason for gap in recording.gaps})
    return f"{len(recording.gaps)} gaps: {', '.join(reasons)}"
