"""Skills, and how demands relax with time."""

from __future__ import annotations

import pytest

from services.acd import model
from services.acd.core.skills import proficiency, satisfies
from services.acd.model import (
    ANY_AGENT,
    AgentConfig,
    Attribute,
    Comparison,
    ExprKind,
    Plan,
    PlanEnd,
    PlanStep,
    QueueId,
    SkillExpr,
    SkillLevel,
    SkipIf,
)
from tests.unit.acd.desk import A, B, Desk, one

OTHER = QueueId("other")
ANNA = AgentConfig(
    agent_id=A,
    skills=(SkillLevel("de", 5), SkillLevel("en", 2)),
    attributes=(Attribute("site", "bonn"),),
)


def skill(name: str, level: int = 1, comparison: Comparison = Comparison.GE) -> SkillExpr:
    return SkillExpr(ExprKind.SKILL, name=name, level=level, comparison=comparison)


def attribute(value: str, comparison: Comparison = Comparison.EQ) -> SkillExpr:
    return SkillExpr(ExprKind.ATTRIBUTE, name="site", value=value, comparison=comparison)


def expr(kind: ExprKind, *of: SkillExpr) -> SkillExpr:
    return SkillExpr(kind, of=of)


@pytest.mark.parametrize(
    ("wanted", "meets", "how_well"),
    [
        (ANY_AGENT, True, 0),
        (skill("de", 5), True, 5),
        (skill("de", 6), False, 5),
        (skill("de", 5, Comparison.EQ), True, 5),
        (skill("de", 5, Comparison.NE), False, 5),
        (skill("de", 6, Comparison.LT), True, 5),
        (skill("de", 4, Comparison.LE), False, 5),
        (skill("de", 4, Comparison.GT), True, 5),
        (skill("fr", 9, Comparison.LT), False, 0),
        (attribute("bonn"), True, 0),
        (attribute("bonn", Comparison.NE), False, 0),
        (attribute("kiel", Comparison.NE), True, 0),
        (SkillExpr(ExprKind.AGENT, value=A), True, 0),
        (SkillExpr(ExprKind.AGENT, value=B), False, 0),
        (expr(ExprKind.AND, skill("de"), skill("en")), True, 7),
        (expr(ExprKind.AND, skill("de"), skill("fr")), False, 5),
        (expr(ExprKind.OR, skill("en"), skill("de"), skill("fr")), True, 5),
        (expr(ExprKind.NOT, skill("fr")), True, 0),
    ],
)
def test_expressions(wanted: SkillExpr, meets: bool, how_well: int) -> None:  # a table's column
    assert satisfies(ANNA, wanted) == meets
    assert proficiency(ANNA, wanted) == how_well


def waiting(plan: Plan, *agents: str) -> Desk:
    desk = Desk()
    desk.queue()
    for i, skills in enumerate(agents):
        desk.agent(model.AgentId("abc"[i]), skills=skills)
    desk.enqueue("e", plan=plan)
    return desk


def step_of(desk: Desk) -> int:
    (row,) = desk.core.snapshot().entries
    return row.step


def test_a_step_widens_the_circle_and_keeps_the_earlier_one() -> None:
    plan = Plan((PlanStep(skill("de", 8), 10), PlanStep(skill("en", 5), 10)), PlanEnd.STAY)
    desk = waiting(plan)
    desk.agent(A, skills="en:1")
    desk.wait(10_000)
    assert (desk.rung(), step_of(desk)) == (None, 1)
    desk.agent(B, skills="de:8")
    assert desk.rung() == B


def test_a_step_that_replaces_forgets_the_earlier_one() -> None:
    plan = Plan((PlanStep(skill("de"), 10), PlanStep(skill("en"), 10, replaces=True)), PlanEnd.STAY)
    desk = waiting(plan)
    desk.wait(10_000)
    desk.agent(A, skills="de:9")
    assert desk.rung() is None
    desk.agent(B, skills="en:1")
    assert desk.rung() == B


def test_the_next_step_takes_an_idle_agent_at_once() -> None:
    plan = Plan((PlanStep(skill("de", 8), 10), PlanStep(skill("de", 2), 10)))
    desk = waiting(plan, "de:5")
    assert desk.rung() is None
    desk.wait(9_999)
    assert desk.rung() is None
    events = desk.wait(1)
    assert one(events, model.ContactReserved).receipt.plan_step == 1


def test_any_agent_takes_it_in_the_end() -> None:
    desk = waiting(Plan((PlanStep(skill("de"), 10),)), "")
    desk.wait(10_000)
    assert (desk.rung(), step_of(desk)) == (A, 1)


def test_it_overflows_in_the_end() -> None:
    desk = waiting(Plan((PlanStep(skill("de"), 10),), PlanEnd.OVERFLOW, OTHER))
    gone = one(desk.wait(10_000), model.ContactExited)
    assert (gone.exit, gone.target, gone.wait_ms) == (model.Exit.OVERFLOWED, OTHER, 10_000)


def test_it_stays_in_the_end() -> None:
    desk = waiting(Plan((PlanStep(skill("de"), 10),), PlanEnd.STAY))
    assert desk.core.deadline_ms() is None
    desk.wait(10**7)
    assert step_of(desk) == 0


@pytest.mark.parametrize(
    ("skip_if", "there", "step"),
    [
        (SkipIf.NOBODY_SIGNED_IN, False, 1),
        (SkipIf.NOBODY_SIGNED_IN, True, 0),
        (SkipIf.NOBODY_READY, False, 1),
        (SkipIf.NOBODY_READY, True, 1),
    ],
)
def test_a_step_is_passed_over_when_it_is_pointless(
    skip_if: SkipIf,
    there: bool,  # a table's column
    step: int,
) -> None:
    desk = Desk()
    desk.queue()
    desk.agent(A, skills="de:5", ready=False)
    if there:
        desk.do(model.SetPresence(A, model.Presence.BREAK))
    plan = Plan((PlanStep(skill("de"), 10, skip_if), PlanStep(skill("en"), 10)))
    desk.enqueue("e", plan=plan)
    assert step_of(desk) == step


def test_a_busy_agent_counts_as_ready_for_the_plan() -> None:
    desk = waiting(Plan(), "de:5")
    plan = Plan((PlanStep(skill("de"), 10, SkipIf.NOBODY_READY),))
    desk.enqueue("2", plan=plan)
    (_, second) = sorted(desk.core.snapshot().entries, key=lambda e: e.contact.entry_id != "e")
    assert second.step == 0


@pytest.mark.parametrize(
    ("end", "step", "left"),
    [
        (PlanEnd.STAY, 0, None),
        (PlanEnd.ANY, 1, None),
        (PlanEnd.OVERFLOW, None, model.Exit.OVERFLOWED),
    ],
)
def test_a_plan_of_pointless_steps_alone(
    end: PlanEnd, step: int | None, left: model.Exit | None
) -> None:
    pointless = PlanStep(skill("de"), 10, SkipIf.NOBODY_SIGNED_IN)
    target = OTHER if end is PlanEnd.OVERFLOW else None
    desk = waiting(Plan((pointless,), end, target))
    assert desk.exit() == left
    if step is not None:
        assert step_of(desk) == step


def test_a_contact_stays_where_it_is_when_the_rest_is_pointless() -> None:
    first = PlanStep(skill("de"), 10)
    pointless = PlanStep(skill("en"), 10, SkipIf.NOBODY_SIGNED_IN)
    desk = waiting(Plan((first, pointless), PlanEnd.STAY))
    desk.wait(10_000)
    (row,) = desk.core.snapshot().entries
    assert (row.step, row.expr, row.step_until_ms) == (0, first.expr, None)


def test_the_queue_lends_its_plan() -> None:
    desk = Desk()
    desk.queue(plan=Plan((PlanStep(skill("de"), 10),)))
    desk.agent(A)
    desk.enqueue("e")
    assert desk.rung() is None
    desk.wait(10_000)
    assert desk.rung() == A


def test_a_ring_outlasts_its_step() -> None:
    desk = waiting(Plan((PlanStep(skill("de"), 5), PlanStep(skill("en"), 60))), "de:1")
    desk.ring()
    desk.wait(19_000)
    assert step_of(desk) == 0
    desk.fail(model.Outcome.REJECT)
    desk.tick()
    assert step_of(desk) == 1


def test_a_repeated_step_changes_nobody() -> None:
    desk = waiting(Plan((PlanStep(skill("de"), 5), PlanStep(skill("de"), 5)), PlanEnd.STAY))
    desk.wait(5_000)
    (row,) = desk.core.snapshot().entries
    assert (row.step, row.expr) == (1, skill("de"))


def test_a_step_for_anybody_ends_all_demands() -> None:
    desk = waiting(Plan((PlanStep(skill("de"), 5), PlanStep(ANY_AGENT, 5)), PlanEnd.STAY), "")
    desk.wait(5_000)
    (row,) = desk.core.snapshot().entries
    assert (row.expr, desk.rung()) == (ANY_AGENT, A)
