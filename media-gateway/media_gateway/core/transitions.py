"""Rules as a table: where a machine goes from a state by what happened.

Every machine of a call (call, leg, bridge, gather) is one such table. A pair that the table does
not list is illegal: it raises and changes nothing, so a machine cannot be in a state that nobody
thought of.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from media_gateway.model import IllegalTransition

State = TypeVar("State", bound=StrEnum)
Happening = TypeVar("Happening", bound=StrEnum)


class Transitions(Generic[State, Happening]):
    """One machine's table."""

    def __init__(self, name: str, table: Mapping[State, Mapping[Happening, State]]) -> None:
        self.name = name
        """What the machine is of, for the words of an error."""
        self.table = table
        """Each state with its ways out."""

    def next(self, state: State, happening: Happening) -> State:
        """Where it goes; IllegalTransition when it goes nowhere."""
        try:
            return self.table[state][happening]
        except KeyError:
            raise IllegalTransition(f"{self.name}: {happening} while {state}") from None

    def allows(self, state: State, happening: Happening) -> bool:
        """Whether there is a way."""
        return happening in self.table[state]
