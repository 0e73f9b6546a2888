"""The core as its shell sees it: deciding changes nothing, applying does."""

from __future__ import annotations

from typing import Any

import pytest

from services.acd import model
from services.acd.core.evolve import evolve
from services.acd.core.shard import ShardCore
from services.acd.core.state import State
from services.acd.core.watching import oldest_matchable_ms
from services.acd.model import AgentId, EntryId, ExprKind, Plan, PlanStep, Presence, SkillExpr
from tests.unit.acd.desk import T0, A, B, Desk, Q


def busy_desk() -> Desk:
    desk = Desk()
    desk.queue(strategies=("round_robin",))
    desk.agent(A)
    desk.agent(B)
    for entry_id in ("1", "2", "3"):
        desk.enqueue(entry_id)
    desk.answer("1")
    desk.do(model.LeaveQueue(EntryId("2"), model.Exit.ABANDONED))
    return desk


def test_deciding_changes_nothing() -> None:
    desk = busy_desk()
    before, due_ms = desk.core.snapshot(), desk.core.deadline_ms()
    command = model.CompleteContact(model.ReservationId("1.1"), model.BridgeEnder.CALLER)
    first = desk.core.handle(command, desk.now_ms)
    assert desk.core.snapshot() == before
    assert desk.core.deadline_ms() == due_ms
    assert desk.core.handle(command, desk.now_ms) == first


def test_a_decision_may_become_true_in_part() -> None:
    desk = busy_desk()
    events = desk.core.handle(model.SetPresence(B, Presence.BREAK), desk.now_ms)
    events += desk.core.tick(desk.now_ms + 100_000)
    assert len(events) > 2
    twin = ShardCore()
    twin.restore(desk.core.snapshot())
    desk.core.tick(desk.now_ms + 100_000)
    part = desk.core.tick(desk.now_ms + 100_000)[:2]
    for event in part:
        desk.core.apply(event)
        twin.apply(event)
    assert desk.core.snapshot() == twin.snapshot()


def test_an_equal_event_from_elsewhere_is_as_good() -> None:
    desk = busy_desk()
    twin = ShardCore()
    twin.restore(desk.core.snapshot())
    command = model.LeaveQueue(EntryId("3"), model.Exit.ABANDONED)
    for event in desk.core.handle(command, desk.now_ms):
        copy: Any = evolve(event)
        desk.core.apply(copy)
        twin.apply(copy)
    assert desk.core.snapshot() == twin.snapshot()


def test_a_successor_decides_the_same() -> None:
    desk = busy_desk()
    successor = ShardCore()
    successor.restore(desk.core.snapshot())
    assert successor.snapshot() == desk.core.snapshot()
    for at_ms in (desk.now_ms, desk.now_ms + 5_000, desk.now_ms + 60_000):
        events = desk.core.tick(at_ms)
        assert successor.tick(at_ms) == events
        for event in events:
            desk.core.apply(event)
            successor.apply(event)
    assert successor.snapshot() == desk.core.snapshot()


def test_restoring_forgets_what_was_before() -> None:
    desk = busy_desk()
    empty = ShardCore().snapshot()
    desk.core.restore(empty)
    assert desk.core.snapshot() == empty
    assert desk.core.deadline_ms() is None
    assert list(desk.core.agent_ids()) == []


def test_a_command_of_no_known_kind_is_a_mistake_and_changes_nothing() -> None:
    desk = busy_desk()
    before = desk.core.snapshot()
    with pytest.raises(KeyError):
        desk.core.handle("nonsense", desk.now_ms)  # type: ignore[arg-type]  # that is the point
    assert desk.core.snapshot() == before


def test_a_tick_before_its_time_does_nothing() -> None:
    desk = busy_desk()
    assert desk.core.tick(desk.now_ms) == []


def test_the_watchdog_would_bark() -> None:
    """Only a broken core leaves a pair unmatched, so the state is broken by hand."""
    desk = Desk()
    desk.queue()
    desk.agent(A)
    desk.enqueue()
    snapshot = desk.core.snapshot()
    state = State()
    entry = evolve(snapshot.entries[0], reservation_id=None)
    agent = evolve(snapshot.agents[0], work=())
    state.restore(evolve(snapshot, entries=(entry,), agents=(agent,), reservations=()))
    assert oldest_matchable_ms(state, T0 + 7_000) == 7_000


def test_demands_that_nobody_has_any_more_are_forgotten_without_effect() -> None:
    desk = Desk(watch=False)
    desk.queue()
    desk.agent(A, skills="de:10", ready=False)
    for i in range(200):
        asked = SkillExpr(ExprKind.OR, of=(SkillExpr(ExprKind.SKILL, name=f"s{i}"),))
        desk.enqueue(str(i), plan=Plan((PlanStep(asked, 60),)))
        desk.do(model.LeaveQueue(EntryId(str(i)), model.Exit.ABANDONED))
    german = SkillExpr(ExprKind.SKILL, name="de")
    desk.enqueue("e", plan=Plan((PlanStep(german, 60),)))
    desk.agent(A, skills="de:10")
    assert desk.rung() == A


def test_as_many_demands_as_contacts_wait_with_are_kept() -> None:
    desk = Desk(watch=False)
    desk.queue()
    for i in range(100):
        asked = SkillExpr(ExprKind.SKILL, name=f"s{i}")
        desk.enqueue(str(i), plan=Plan((PlanStep(asked, 60),)))
    desk.agent(A, skills="s99:1")
    assert desk.rung("99") == A


def test_timers_forget_what_no_longer_holds() -> None:
    desk = Desk(watch=False)
    desk.queue(scoring=model.Scoring(wait_cap_ms=1_000_000))
    desk.agent(A)
    for i in range(1_200):
        desk.now_ms += 1
        desk.enqueue(str(i))
        desk.do(model.LeaveQueue(EntryId(str(i)), model.Exit.ABANDONED))
    desk.enqueue("last")
    assert desk.core.deadline_ms() == desk.now_ms + 3_000


def test_a_contact_that_comes_back_often_reaches_its_cap_once() -> None:
    desk = Desk(watch=False)
    rule = model.RingRule(model.Outcome.REJECT)
    desk.queue(ring_rules=(rule,), scoring=model.Scoring(wait_cap_ms=50))
    desk.agent(A)
    desk.enqueue()
    for _ in range(100):
        desk.fail(model.Outcome.REJECT)
    desk.do(model.SetPresence(A, Presence.BREAK))
    desk.fail(model.Outcome.REJECT)
    desk.now_ms += 100
    desk.enqueue("young")
    desk.now_ms += 50
    assert desk.core.entry(EntryId("e"), desk.now_ms).position == 1
    assert desk.core.entry(EntryId("young"), desk.now_ms).position == 2


def test_a_hundred_thousand_deadlines_are_not_handled_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.acd.core.due.DUE_AT_ONCE", 2)
    desk = Desk(watch=False)
    desk.queue(max_wait_ms=1_000)
    for i in range(3):
        desk.enqueue(str(i))
    desk.now_ms += 1_000
    for event in desk.core.tick(desk.now_ms):
        desk.core.apply(event)
    assert desk.core.deadline_ms() == desk.now_ms, "what is left is still due"
    assert len(desk.core.snapshot().entries) == 1


def test_views_are_of_this_moment() -> None:
    desk = busy_desk()
    assert desk.core.agent_ids() == {A, B}
    assert desk.core.queue_ids() == {Q}
    with pytest.raises(model.NoSuchAgentError):
        desk.core.agent(AgentId("x"), desk.now_ms)
