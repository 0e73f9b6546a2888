"""Which contact a freed agent gets."""

from __future__ import annotations

from services.acd import model
from services.acd.model import (
    AgentId,
    EntryId,
    ExprKind,
    Plan,
    PlanStep,
    QueueId,
    QueueMembership,
    Scoring,
    SkillExpr,
)
from tests.unit.acd.desk import A, B, Desk, Q

OTHER = QueueId("other")


def closed_desk(**scoring: int) -> Desk:
    """A queue whose only agent is not there yet."""
    desk = Desk()
    desk.queue(scoring=Scoring(**scoring))
    desk.agent(A, ready=False)
    desk.do(model.ReportLink(A, model.Link.REACHABLE))
    return desk


def order(desk: Desk, agent_id: AgentId = A) -> list[str]:
    """The ids of contacts in the order in which the agent would get them."""
    taken: list[str] = []
    desk.do(model.SetPresence(agent_id, model.Presence.READY))
    while work := desk.core.agent(agent_id, desk.now_ms).work:
        taken.append(work[0].entry_id)
        desk.do(model.LeaveQueue(work[0].entry_id, model.Exit.ABANDONED))
    return taken


def test_the_longest_wait_is_first_and_then_the_id() -> None:
    desk = closed_desk()
    desk.enqueue("b")
    desk.enqueue("a")
    desk.now_ms += 1
    desk.enqueue("0")
    assert order(desk) == ["a", "b", "0"]


def test_a_level_of_priority_is_worth_its_weight_in_waiting() -> None:
    desk = closed_desk(priority_weight=1_000, accel=1)
    desk.enqueue("old")
    desk.now_ms += 900
    desk.enqueue("new", priority=1)
    desk.now_ms += 50
    desk.enqueue("low", priority=-1)
    assert order(desk) == ["new", "old", "low"]


def test_waiting_counts_up_to_the_cap() -> None:
    desk = closed_desk(priority_weight=1_000, accel=1, wait_cap_ms=5_000)
    desk.enqueue("old")
    desk.now_ms += 60_000
    desk.enqueue("urgent", priority=6)
    desk.enqueue("new", priority=4)
    assert order(desk) == ["urgent", "old", "new"]


def test_those_past_the_cap_stay_in_order_of_arrival() -> None:
    desk = closed_desk(wait_cap_ms=10)
    for name in ("x", "m", "a"):
        desk.enqueue(name)
        desk.now_ms += 100
    assert order(desk) == ["x", "m", "a"]


def test_without_acceleration_priority_alone_decides() -> None:
    desk = closed_desk(accel=0)
    desk.enqueue("old")
    desk.now_ms += 10**7
    desk.enqueue("new", priority=1)
    assert order(desk) == ["new", "old"]


def test_credits_and_a_kept_place_count() -> None:
    desk = closed_desk()
    desk.now_ms += 100_000
    desk.enqueue("plain")
    desk.enqueue("credit", credits=40_000)
    desk.enqueue("kept", waiting_since_ms=desk.now_ms - 90_000)
    assert order(desk) == ["kept", "credit", "plain"]


def test_a_priority_changes_at_once() -> None:
    desk = closed_desk()
    desk.enqueue("1")
    desk.enqueue("2")
    desk.do(model.ChangePriority(EntryId("2"), 1))
    assert desk.do(model.ChangePriority(EntryId("2"), 1)) == []
    desk.do(model.ChangePriority(EntryId("1"), 0, credits=-5))
    assert order(desk) == ["2", "1"]


def test_with_acceleration_nobody_starves() -> None:
    desk = closed_desk(priority_weight=1_000, accel=1)
    desk.enqueue("patient", priority=-5)
    desk.enqueue("vip", priority=5)
    desk.do(model.SetPresence(A, model.Presence.READY))
    for i in range(20):
        desk.enqueue(f"vip{i}", priority=5)
        desk.now_ms += 500
        (work,) = desk.core.agent(A, desk.now_ms).work
        assert work.entry_id != "patient"
        desk.do(model.LeaveQueue(work.entry_id, model.Exit.ABANDONED))
    assert desk.rung("patient") is None, "somebody more urgent came each time"
    desk.enqueue("last", priority=5)
    desk.now_ms += 501
    (work,) = desk.core.agent(A, desk.now_ms).work
    desk.do(model.LeaveQueue(work.entry_id, model.Exit.ABANDONED))
    assert desk.rung("patient") == A


def test_an_agent_of_several_queues_weighs_them() -> None:
    desk = closed_desk()
    desk.queue(OTHER)
    weights = (QueueMembership(Q, weight=100), QueueMembership(OTHER, weight=300))
    desk.agent(A, queues=weights, ready=False)
    desk.enqueue("q")
    desk.now_ms += 10_000
    desk.enqueue("other", OTHER)
    desk.now_ms += 10_000
    assert order(desk) == ["other", "q"]


def test_a_contact_that_the_agent_cannot_serve_does_not_hold_up_the_next() -> None:
    desk = closed_desk()
    nobody = Plan((PlanStep(SkillExpr(ExprKind.SKILL, name="xx"), 60),))
    desk.enqueue("rare", plan=nobody)
    desk.now_ms += 1
    desk.enqueue("plain")
    assert order(desk) == ["plain"]
    assert desk.exit("rare") is None


def test_several_freed_at_once_serve_the_best_contact_best() -> None:
    desk = closed_desk()
    desk.agent(B, ready=False, skills="de:5")
    desk.do(model.ReportLink(B, model.Link.REACHABLE))
    german = Plan((PlanStep(SkillExpr(ExprKind.SKILL, name="de"), 60),))
    pair = [desk.reservation(e) for e in ("1", "2") if desk.enqueue(e) and desk.rung(e)]
    assert pair == []
    desk.enqueue("german", plan=german, priority=9)
    for agent_id in (A, B):
        desk.do(model.SetPresence(agent_id, model.Presence.READY))
    assert (desk.rung("german"), desk.rung("1"), desk.rung("2")) == (B, A, None)


def test_agents_whose_pauses_end_together_share_out_the_contacts() -> None:
    desk = closed_desk()
    desk.agent(B, ready=False)
    desk.do(model.ReportLink(B, model.Link.REACHABLE))
    for entry_id in ("1", "2"):
        desk.enqueue(entry_id)
    for agent_id in (A, B):
        desk.do(model.SetPresence(agent_id, model.Presence.READY))
    for entry_id in ("1", "2"):
        desk.fail(model.Outcome.REJECT, entry_id)
    desk.wait(10_000)
    assert (desk.rung("1"), desk.rung("2")) == (B, A)
