"""Time in which nothing could be decided counts for no deadline, and for everything else."""

from __future__ import annotations

from itertools import pairwise

import pytest

from services.acd import model
from services.acd.model import (
    AgentId,
    ClockStopped,
    EntryId,
    Exit,
    Link,
    Outcome,
    Plan,
    PlanEnd,
    PlanStep,
    Presence,
    ResumeClock,
    WrapUpCause,
    WrapUpMode,
    WrapUpPolicy,
)
from tests.unit.acd.desk import A, Desk, none, one

GAP_MS = 3_600_000


def stand_still(desk: Desk, gap_ms: int = GAP_MS) -> None:
    """The clock of the world goes on while the shard's does not."""
    due_ms = desk.core.deadline_ms()
    assert due_ms is not None
    desk.now_ms += gap_ms
    assert one(desk.do(ResumeClock(gap_ms)), ClockStopped).gap_ms == gap_ms
    assert desk.core.deadline_ms() == due_ms + gap_ms
    assert desk.tick() == []


def test_a_reservation_has_its_whole_time_in_every_stage() -> None:
    desk = Desk()
    desk.queue(ring_timeout_ms=20_000)
    desk.agent()
    desk.enqueue()
    desk.wait(2_000)
    stand_still(desk)
    desk.wait(999)
    desk.ring()
    desk.wait(19_000)
    stand_still(desk)
    desk.wait(999)
    row = desk.reservation()
    desk.do(model.AcceptReservation(row.reservation_id, row.agent_id))
    stand_still(desk)
    desk.wait(2_999)
    desk.do(model.ConfirmBridged(row.reservation_id))
    assert desk.exit() is Exit.ANSWERED


@pytest.mark.parametrize(
    ("stage", "outcome"),
    [(0, Outcome.UNDELIVERED), (1, Outcome.NO_ANSWER), (2, Outcome.CONNECT_FAILED)],
)
def test_a_stage_still_ends_once_its_own_time_is_over(stage: int, outcome: Outcome) -> None:
    desk = Desk()
    desk.queue(ring_timeout_ms=20_000)
    desk.agent()
    desk.enqueue()
    if stage:
        row_id = desk.ring()
    if stage == 2:
        desk.do(model.AcceptReservation(row_id, A))
    stand_still(desk)
    due_ms = desk.core.deadline_ms()
    assert due_ms is not None
    assert one(desk.wait(due_ms - desk.now_ms), model.ReservationEnded).outcome is outcome


def test_nobody_is_struck_for_an_outage() -> None:
    desk = Desk()
    desk.queue(ring_timeout_ms=20_000)
    desk.agent()
    desk.enqueue()
    desk.ring()
    for _ in range(5):
        stand_still(desk)
    assert desk.core.snapshot().agents[0].strikes_at_ms == ()


def test_a_lost_flow_has_its_whole_grace() -> None:
    desk = Desk()
    desk.queue()
    desk.enqueue()
    desk.do(model.DetachEntry(EntryId("e")))
    desk.wait(29_000)
    stand_still(desk)
    desk.wait(999)
    desk.do(model.AttachEntry(EntryId("e")))
    view = desk.core.entry(EntryId("e"), desk.now_ms)
    assert view.stage is model.ContactStage.WAITING
    assert view.wait_ms == GAP_MS + 29_999, "what was waited was waited"


def test_the_plan_and_the_longest_wait_stand_still_too() -> None:
    desk = Desk()
    rare = model.SkillExpr(model.ExprKind.SKILL, name="rare", level=1)
    plan = Plan((PlanStep(rare, 10),), PlanEnd.ANY)
    desk.queue(max_wait_ms=60_000)
    desk.enqueue(plan=plan)
    desk.wait(9_000)
    stand_still(desk)
    assert none(desk.wait(999), model.StepEntered)
    assert one(desk.wait(1), model.StepEntered).step == 1
    assert none(desk.wait(49_999), model.ContactExited)
    assert one(desk.wait(1), model.ContactExited).exit is Exit.TIMEOUT


def test_a_rest_and_a_spared_contact_stand_still() -> None:
    desk = Desk()
    rule = model.RingRule(Outcome.REJECT, rest_ms=10_000, exclude_ms=20_000)
    desk.queue(ring_rules=(rule,))
    desk.agent()
    desk.enqueue()
    desk.fail(Outcome.REJECT)
    stand_still(desk)
    assert none(desk.wait(9_999), model.AgentRested)
    assert one(desk.wait(1), model.AgentRested).agent_id == A
    assert one(desk.wait(10_000), model.ContactReserved).agent_id == A


def test_wrap_up_is_longer_by_the_time_and_is_measured_as_it_was() -> None:
    desk = Desk()
    desk.queue(wrap_up=WrapUpPolicy(WrapUpMode.TIMED, max_ms=30_000))
    desk.agent()
    desk.enqueue()
    desk.answer()
    desk.complete()
    desk.wait(29_000)
    stand_still(desk)
    assert none(desk.wait(999), model.WrapUpEnded)
    ended = one(desk.wait(1), model.WrapUpEnded)
    assert (ended.cause, ended.wrap_up_ms) == (WrapUpCause.TIMEOUT, GAP_MS + 30_000)


def test_a_code_that_ends_wrap_up_is_still_its_cause_after_an_outage() -> None:
    desk = Desk()
    policy = WrapUpPolicy(WrapUpMode.TIMED, min_ms=5_000, max_ms=30_000, code_ends=True)
    desk.queue(wrap_up=policy)
    desk.agent()
    desk.enqueue()
    row_id = desk.answer()
    desk.complete()
    desk.do(model.SetWrapUpCode(row_id, "sold"))
    stand_still(desk)
    ended = one(desk.wait(5_000), model.WrapUpEnded)
    assert (ended.cause, ended.code) == (WrapUpCause.CODE, "sold")


def test_a_conversation_has_no_deadline_to_move() -> None:
    desk = Desk()
    desk.queue()
    desk.agent()
    desk.enqueue()
    desk.answer()
    before = desk.core.snapshot()
    assert desk.do(ResumeClock(GAP_MS)) == []
    assert desk.core.snapshot() == before


@pytest.mark.parametrize("gap_ms", [0, -5])
def test_no_gap_is_no_event(gap_ms: int) -> None:
    desk = Desk()
    desk.queue(max_wait_ms=60_000)
    desk.enqueue()
    assert desk.do(ResumeClock(gap_ms)) == []


def test_contacts_do_not_all_fall_due_at_once() -> None:
    desk = Desk(watch=False)
    desk.queue(max_wait_ms=60_000)
    for i in range(50):
        desk.now_ms += 1_000
        desk.enqueue(str(i))
    stand_still(desk)
    exits = [e.at_ms for e in desk.wait(60_000) if isinstance(e, model.ContactExited)]
    assert len(exits) == 50
    assert {later - earlier for earlier, later in pairwise(exits)} == {1_000}


def test_an_agent_without_rest_is_left_alone() -> None:
    desk = Desk()
    desk.queue(max_wait_ms=60_000)
    desk.agent(AgentId("idle"), ready=False)
    desk.enqueue()
    row = desk.core.snapshot().agents[0]
    stand_still(desk)
    assert desk.core.snapshot().agents[0] == row
    desk.do(model.ReportLink(AgentId("idle"), Link.REACHABLE))
    desk.do(model.SetPresence(AgentId("idle"), Presence.READY))
    assert desk.rung() == AgentId("idle")
