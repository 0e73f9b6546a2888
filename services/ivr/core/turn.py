"""One turn of a call: what is decided about one event, collected until it is whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from services.ivr.core.limits import MAX_NOTE_CHARS
from services.ivr.model.actions import AnswerCall, Command, Effect, Note
from services.ivr.model.checkpoint import Checkpoint, Purpose, Ring, Stay
from services.ivr.model.flow import Flow, Node


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows from an event."""

    checkpoint: Checkpoint
    """Where the call stands now."""
    commands: tuple[Command, ...] = ()
    """For the gateway, in order."""
    effects: tuple[Effect, ...] = ()
    """For the shell, in order."""
    ignored: str = ""
    """Why the event changed nothing; empty when it did or might have."""


class Turn:
    """The state of deciding: the one mutable thing in this core, alive for one event."""

    def __init__(self, *, flow: Flow, at: Checkpoint, now_ms: int) -> None:
        self.flow = flow
        self.at = at
        self.now_ms = now_ms
        self.target: str | None = None
        """The node to enter next."""
        self._commands: list[Command] = []
        self._effects: list[Effect] = []

    def change(self, **changes: Any) -> None:
        """Puts new values into the checkpoint."""
        self.at = replace(self.at, **changes)

    def command(self, *commands: Command) -> None:
        """For the gateway, after what is there already."""
        self._commands += commands

    def effect(self, *effects: Effect) -> None:
        """For the shell, after what is there already."""
        self._effects += effects

    def note(self, kind: str, **values: str) -> None:
        """For the record of the call."""
        self.command(
            Note(kind, tuple((name, text[:MAX_NOTE_CHARS]) for name, text in values.items()))
        )

    def answer(self) -> None:
        """Answers the caller, once."""
        if not self.at.answered:
            self.command(AnswerCall())
            self.change(answered=True)

    def new_operation(self, purpose: Purpose) -> str:
        """Names an operation that takes the place of what is heard now."""
        number = self.at.operations + 1
        self.change(operations=number, operation=f"o{number}", purpose=purpose)
        return self.at.operation

    @property
    def node(self) -> Node:
        """Where the call is."""
        node = self.flow.node(self.at.node)
        assert node is not None, f"entered {self.at.node}, which is no node"
        return node

    @property
    def stay(self) -> Stay:
        """The stay in a queue of a call that has one."""
        assert self.at.stay is not None, f"no stay in stage {self.at.stage}"
        return self.at.stay

    @property
    def ring(self) -> Ring:
        """The far end of a call that has one."""
        assert self.at.ring is not None, f"no ring in stage {self.at.stage}"
        return self.at.ring

    def outcome(self, ignored: str = "") -> Outcome:
        """All of it."""
        return Outcome(self.at, tuple(self._commands), tuple(self._effects), ignored)
