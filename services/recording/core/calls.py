"""What is known of a call, as news of it come in; the same news again change nothing."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import assert_never

from services.recording.model.calls import (
    MAX_ATTRIBUTES,
    MAX_PEOPLE,
    AgentTookPart,
    Call,
    CallNote,
    CallOver,
    ContactKnown,
    DispositionGiven,
    LegKnown,
    LegsHeard,
    RecordingAllowed,
    RecordingFailed,
)


def noted(call: Call, note: CallNote) -> Call:
    """The call with what the note tells."""
    match note:
        case ContactKnown():
            attributes = dict(
                islice({**call.attributes, **note.attributes}.items(), MAX_ATTRIBUTES)
            )
            external_ref = note.external_ref or call.external_ref
            return replace(call, attributes=attributes, external_ref=external_ref)
        case AgentTookPart():
            return replace(
                call,
                agent_ids=_with(call.agent_ids, note.agent_id),
                queue_ids=_with(call.queue_ids, note.queue_id),
            )
        case DispositionGiven():
            return replace(call, dispositions=_with(call.dispositions, note.disposition))
        case LegKnown():
            legs = dict(islice({**call.legs, note.leg_id: note.leg}.items(), MAX_PEOPLE))
            return replace(call, legs=legs)
        case LegsHeard():
            return _heard(call, note)
        case RecordingAllowed():
            return replace(call, consent=note.consent or call.consent)
        case RecordingFailed():
            return replace(call, trouble=note.reason)
        case CallOver():
            return replace(call, ended_at_ms=note.at_ms)
        case _:
            assert_never(note)


def _heard(call: Call, note: LegsHeard) -> Call:
    agents = call.agent_ids
    for leg_id in note.leg_ids:
        leg = call.legs.get(leg_id)
        agents = _with(agents, leg.agent_id if leg is not None else "")
    return replace(call, bridged=True, agent_ids=agents)


def _with(known: tuple[str, ...], new: str) -> tuple[str, ...]:
    if not new or new in known or len(known) >= MAX_PEOPLE:
        return known
    return (*known, new)
