"""Which recordings a search means."""

from __future__ import annotations

from services.recording.model.calls import Call, Search
from services.recording.model.evidence import Recording

MIN_LAST_DIGITS = 4
"""Fewer digits than this must be the whole number."""


def matches(search: Search, recording: Recording, call: Call) -> bool:
    """Whether a recording is meant."""
    return (
        all(
            not agent_id or agent_id in call.agent_ids
            for agent_id in (search.agent_id, search.own_agent_id)
        )
        and (not search.queue_id or search.queue_id in call.queue_ids)
        and (not search.number or _either_side(search.number, recording))
        and search.from_ms <= recording.started_at_ms
        and (not search.to_ms or recording.started_at_ms < search.to_ms)
        and search.attributes.items() <= call.attributes.items()
        and (not search.external_ref or search.external_ref == call.external_ref)
        and (not search.state or search.state == recording.state)
    )


def _either_side(number: str, recording: Recording) -> bool:
    sides = (recording.from_number, recording.to_number)
    if number in sides:
        return True
    return len(number) >= MIN_LAST_DIGITS and any(side.endswith(number) for side in sides)
