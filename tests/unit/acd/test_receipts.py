"""Receipts say why, and the checker believes none of it."""

from __future__ import annotations

import pytest

from services.acd import model
from services.acd.core.checker import check, matchable
from services.acd.core.evolve import evolve
from services.acd.model import (
    AgentId,
    ContactReserved,
    EntryId,
    ExcludedAgent,
    Exclusion,
    ExprKind,
    Plan,
    PlanStep,
    Presence,
    Receipt,
    SkillExpr,
    Snapshot,
)
from tests.unit.acd.desk import A, B, C, Desk, one

E = EntryId("e")
GERMAN = SkillExpr(ExprKind.SKILL, name="de", level=3)
PLAN = Plan((PlanStep(GERMAN, 60),))


def decided() -> tuple[Snapshot, Receipt]:
    """A decision with candidates, exclusions and rivals, and the state it was made on."""
    desk = Desk()
    desk.queue(strategies=("most_skilled", "longest_idle"))
    desk.queue(model.QueueId("other"))
    both = (
        model.QueueMembership(model.QueueId("q")),
        model.QueueMembership(model.QueueId("other")),
    )
    desk.agent(A, skills="de:5", queues=both, ready=False)
    desk.agent(B, skills="de:4")
    desk.agent(C, skills="de:1")
    desk.do(model.SetPresence(B, Presence.BREAK))
    desk.do(model.ReportLink(A, model.Link.REACHABLE))
    desk.enqueue("rival", model.QueueId("other"))
    desk.enqueue("e", plan=PLAN, priority=1)
    desk.now_ms += 10
    events = desk.core.handle(model.SetPresence(A, Presence.READY), desk.now_ms)
    before = [e for e in events if not isinstance(e, ContactReserved)][:1]
    for event in before:
        desk.core.apply(event)
    return desk.core.snapshot(), one(events, ContactReserved).receipt


def test_a_reservation_says_why() -> None:
    snapshot, receipt = decided()
    assert check(snapshot, receipt) == ()
    assert (receipt.winner, receipt.waker, receipt.weight) == (A, model.Waker.AGENT, 100)
    assert [c.agent_id for c in receipt.candidates] == [A]
    assert receipt.candidates[0].values[0] == -5
    assert receipt.exclusions == (ExcludedAgent(B, Exclusion.ON_BREAK),)
    assert (receipt.candidate_count, receipt.excluded_count, receipt.qualified_count) == (1, 2, 2)
    assert [rival.entry_id for rival in receipt.rivals] == ["rival"]
    assert receipt.score == 60_000 + 10


@pytest.mark.parametrize(
    "lie",
    [
        {"seq": 0},
        {"queue_id": model.QueueId("other")},
        {"winner": B},
        {"plan_step": 1},
        {"expr": model.ANY_AGENT},
        {"strategies": ("random",)},
        {"score": 1},
        {"weight": 1},
        {"candidates": ()},
        {"candidate_count": 2},
        {"exclusions": ()},
        {"excluded_count": 1},
        {"qualified_count": 3},
        {"rivals": ()},
        {"deadline_ms": 1},
        {"step_until_ms": None},
        {"timeout_at_ms": 1},
        {"blocked": "detached"},
        {"entry_id": EntryId("nobody")},
        {"entry_id": EntryId("rival"), "queue_id": model.QueueId("other")},
    ],
)
def test_the_checker_finds_every_lie(lie: dict[str, object]) -> None:
    snapshot, receipt = decided()
    assert check(snapshot, evolve(receipt, **lie)) != ()


@pytest.mark.parametrize("comparison", [model.Comparison.EQ, model.Comparison.NE])
def test_the_checker_judges_attributes_itself(comparison: model.Comparison) -> None:
    desk = Desk()
    desk.queue()
    desk.agent(A, attributes=(model.Attribute("site", "bonn"),))
    desk.agent(B, attributes=(model.Attribute("site", "kiel"),))
    bonn = SkillExpr(ExprKind.ATTRIBUTE, name="site", value="bonn", comparison=comparison)
    desk.enqueue(plan=Plan((PlanStep(bonn, 60),)))
    assert desk.rung() == (A if comparison is model.Comparison.EQ else B)


def test_the_checker_knows_who_should_have_been_matched() -> None:
    snapshot, _ = decided()
    pairs = {(e.contact.entry_id, a.config.agent_id) for e, a in matchable(snapshot)}
    assert pairs == {("e", A), ("rival", A)}


def test_an_explanation_names_everybodys_reason() -> None:
    desk = Desk()
    desk.queue()
    reasons = {
        "a-busy": Exclusion.AT_CAPACITY,
        "b-break": Exclusion.ON_BREAK,
        "c-away": Exclusion.SIGNED_OUT,
        "d-unskilled": Exclusion.LACKS_SKILL,
        "e-rests": Exclusion.RESTING,
    }
    for name in reasons:
        desk.agent(AgentId(name), skills="" if "unskilled" in name else "de:5", ready=False)
    for name in ("e-rests", "a-busy", "b-break"):
        desk.do(model.ReportLink(AgentId(name), model.Link.REACHABLE))
        desk.do(model.SetPresence(AgentId(name), Presence.READY))
        if name == "e-rests":
            desk.enqueue("1", plan=PLAN)
            desk.fail(model.Outcome.BUSY, "1")
    desk.do(model.SetPresence(AgentId("b-break"), Presence.BREAK))
    desk.enqueue("e", plan=PLAN)
    receipt = desk.core.explain(E, desk.now_ms)
    assert {x.agent_id: x.reason for x in receipt.exclusions} == reasons
    assert receipt.exclusions[-1].agent_id == "d-unskilled"
    assert (receipt.winner, receipt.candidate_count, receipt.qualified_count) == (None, 0, 4)
    assert check(desk.core.snapshot(), receipt) == ()


def test_an_explanation_of_a_reserved_contact_says_that_it_is() -> None:
    desk = Desk()
    desk.queue(strategies=("longest_idle", "random"))
    desk.agent(A)
    desk.enqueue()
    for agent_id in (B, C):
        desk.agent(agent_id)
    receipt = desk.core.explain(E, desk.now_ms)
    assert receipt.blocked == "reserved"
    assert {c.agent_id for c in receipt.candidates} == {B, C}
    assert check(desk.core.snapshot(), receipt) == ()


def test_an_explanation_in_a_queue_without_agents() -> None:
    desk = Desk()
    desk.queue()
    desk.enqueue()
    assert desk.core.explain(E, desk.now_ms).exclusions == ()


def test_lists_are_bounded_and_counts_are_not() -> None:
    desk = Desk()
    desk.queue()
    for i in range(60):
        desk.agent(AgentId(f"a{i:02}"), ready=i >= 50)
    receipt = one(desk.enqueue(), ContactReserved).receipt
    assert (len(receipt.candidates), receipt.candidate_count) == (5, 10)
    assert (len(receipt.exclusions), receipt.excluded_count) == (5, 50)
    for i in range(50, 60):
        desk.do(model.SetPresence(AgentId(f"a{i}"), Presence.BREAK))
    desk.do(model.LeaveQueue(E, model.Exit.ABANDONED))
    desk.enqueue("2")
    explained = desk.core.explain(EntryId("2"), desk.now_ms)
    assert (len(explained.exclusions), explained.excluded_count) == (50, 60)


def test_the_watchdog_is_silent() -> None:
    desk = Desk()
    desk.queue()
    desk.enqueue(plan=PLAN)
    desk.agent(A)
    desk.now_ms += 1_000
    assert desk.core.oldest_matchable_ms(desk.now_ms) is None
