"""The one contract between deciding and doing."""

from __future__ import annotations

from typing import Protocol, TypeVar

Command_contra = TypeVar("Command_contra", contravariant=True)
Event = TypeVar("Event")
Snapshot = TypeVar("Snapshot")


class Core(Protocol[Command_contra, Event, Snapshot]):
    """A pure decider: no clock, socket, log or random number inside.

    `handle` and `tick` only decide and leave the state as it was; `apply` alone changes it. An
    illegal command raises a named error and changes nothing. `now_ms` is UTC milliseconds and
    never less than in the call before.
    """

    def handle(self, command: Command_contra, now_ms: int) -> list[Event]:
        """What follows from a command."""

    def tick(self, now_ms: int) -> list[Event]:
        """What follows from time alone."""

    def apply(self, event: Event) -> None:
        """Takes an event into the state."""

    def deadline_ms(self) -> int | None:
        """When `tick` should be called next; None: not before another command."""

    def snapshot(self) -> Snapshot:
        """The whole state as frozen data."""

    def restore(self, snapshot: Snapshot) -> None:
        """Replaces the state by a snapshot's."""
