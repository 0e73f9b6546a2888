"""Events of a decision that is being made, tried on the state and taken back when not wanted."""

from __future__ import annotations

from services.acd.core.apply import apply_event
from services.acd.core.state import Mark, State
from services.acd.model import Event


class Draft:
    """What a command or the time leads to.

    A decision goes on from what it has decided already, so each event is tried on the state at
    once. The state's owner takes the whole draft back, or lets it become true event by event.
    """

    def __init__(self, state: State, now_ms: int) -> None:
        self.state = state
        self.now_ms = now_ms
        self.events: list[Event] = []
        self._marks: list[Mark] = []
        self._confirmed = 0

    def emit(self, event: Event) -> None:
        """Decides an event."""
        self._marks.append(self.state.mark())
        self.events.append(event)
        apply_event(self.state, event)

    def confirm(self, event: Event) -> bool:
        """Whether `event` is the next one decided here; if so it has become true."""
        if self._confirmed == len(self.events) or self.events[self._confirmed] is not event:
            return False
        self._confirmed += 1
        return True

    def take_back(self) -> None:
        """Undoes every event that has not become true."""
        if self._confirmed < len(self.events):
            self.state.roll_back(self._marks[self._confirmed])
        self.state.commit()
        self.state.settle()
