"""The command that follows a time in which nothing could be decided."""

from __future__ import annotations

from services.acd.core.draft import Draft
from services.acd.model import ClockStopped, ResumeClock


def resume_clock(draft: Draft, command: ResumeClock) -> None:
    """Time goes on where it stood; without a running deadline that makes no difference."""
    if command.gap_ms > 0 and draft.state.timers.first() is not None:
        draft.emit(ClockStopped(gap_ms=command.gap_ms, at_ms=draft.now_ms))
