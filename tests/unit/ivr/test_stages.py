"""The table of stages and events is total, and every reaction in it is known."""

from __future__ import annotations

import itertools
from typing import get_args

from services.ivr.core.interpreter import REACTIONS
from services.ivr.core.stages import TABLE, Ignored, Kind, Reaction, kind_of
from services.ivr.model import call
from services.ivr.model.call import LegRole
from services.ivr.model.checkpoint import Stage


def test_every_event_has_its_cell_in_every_stage() -> None:
    cells = {(stage, kind) for stage, row in TABLE.items() for kind in row}
    assert cells == set(itertools.product(Stage, Kind))


def test_every_reaction_is_carried_out_and_used() -> None:
    used = {cell for row in TABLE.values() for cell in row.values() if isinstance(cell, Reaction)}
    assert used == set(Reaction) == set(REACTIONS)


def test_every_reason_to_ignore_is_used() -> None:
    used = {cell for row in TABLE.values() for cell in row.values() if isinstance(cell, Ignored)}
    assert used == set(Ignored)


def test_every_event_has_a_kind() -> None:
    for event in set(get_args(call.Event)) - {call.LegEnded}:
        assert kind_of(object.__new__(event)) in Kind
    assert kind_of(call.LegEnded("l", LegRole.CALLER)) is Kind.CALLER_GONE
    assert kind_of(call.LegEnded("l", LegRole.EXTERNAL)) is Kind.FAR_END_GONE


def test_the_caller_may_go_at_any_stage_and_nothing_comes_after_the_end() -> None:
    for stage in set(Stage) - {Stage.ENDED}:
        assert TABLE[stage][Kind.CALLER_GONE] is Reaction.END_CALL
    assert set(TABLE[Stage.ENDED].values()) == {Ignored.CALL_IS_OVER}


def test_acd_is_never_believed_about_somebody_who_talks() -> None:
    for kind in (Kind.QUEUE_LEFT, Kind.RESERVATION_RELEASED, Kind.QUEUE_UNAVAILABLE):
        assert TABLE[Stage.TALKING][kind] is Ignored.TALKING
