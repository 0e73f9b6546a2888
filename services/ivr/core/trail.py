"""The questions that a caller was asked on the way, and what they answered."""

from __future__ import annotations

from services.ivr.core.limits import MAX_KEYED_BYTES, MAX_PATH_BYTES
from services.ivr.core.turn import Turn

MASKED = "•••"
"""Stands for digits that the flow does not name safe, however many they are."""
_THEN = " > "
_AND = ", "
_LEFT_OUT = "… > "


def note_answer(turn: Turn, node_id: str, answer: str) -> None:
    """A question was answered, or left unanswered for good."""
    turn.change(path=_appended(turn.at.path, f"{node_id}: {answer}", _THEN, MAX_PATH_BYTES))


def note_digits(turn: Turn, node_id: str, digits: str, *, safe: bool) -> None:
    """Digits were keyed into a variable."""
    note_answer(turn, node_id, "gather")
    shown = f"{node_id}: {digits if safe else MASKED}"
    turn.change(keyed=_appended(turn.at.keyed, shown, _AND, MAX_KEYED_BYTES))


def _appended(before: str, added: str, between: str, most_bytes: int) -> str:
    """The list with one more; the oldest are left out for which there is no room."""
    parts = [*before.removeprefix(_LEFT_OUT).split(between), added] if before else [added]
    whole = len(parts)
    while len(between.join(parts).encode()) > most_bytes - len(_LEFT_OUT.encode()):
        parts = parts[1:]
    cut = before.startswith(_LEFT_OUT) or len(parts) < whole
    return (_LEFT_OUT if cut else "") + between.join(parts)
