"""Every payload has a limit."""

from __future__ import annotations

from typing import Any

import pytest

from services.acd import model
from services.acd.model import (
    AgentConfig,
    Attribute,
    Capacity,
    Channel,
    ChannelBlock,
    Comparison,
    EntryId,
    ExprKind,
    Outcome,
    Plan,
    PlanEnd,
    PlanStep,
    QueueConfig,
    QueueId,
    QueueMembership,
    RingRule,
    RonaRule,
    Scoring,
    SkillExpr,
    SkillLevel,
    TenantDefaults,
    WrapUpMode,
    WrapUpPolicy,
)
from tests.unit.acd.desk import A, Desk, Q

LONG = "x" * 257
GOOD = SkillExpr(ExprKind.SKILL, name="de")


def deep(levels: int) -> SkillExpr:
    expr = GOOD
    for _ in range(levels):
        expr = SkillExpr(ExprKind.NOT, of=(expr,))
    return expr


@pytest.mark.parametrize(
    "rules",
    [
        {"queue_id": QueueId("")},
        {"queue_id": QueueId(LONG)},
        {"name": LONG},
        {"max_waiting": 0},
        {"max_waiting": 10_001},
        {"ring_timeout_ms": 0},
        {"max_wait_ms": 0},
        {"scoring": Scoring(priority_weight=-1)},
        {"scoring": Scoring(accel=-1)},
        {"scoring": Scoring(wait_cap_ms=0)},
        {"scoring": Scoring(return_credit=-1)},
        {"assumed_handle_s": 0},
        {"min_sample": 0},
        {"announce_rise_s": -1},
        {"service_level_percent": 0},
        {"service_level_percent": 101},
        {"wrap_up": WrapUpPolicy(max_ms=0)},
        {"wrap_up": WrapUpPolicy(min_ms=2, max_ms=1)},
        {"wrap_up": WrapUpPolicy(extensions=101)},
        {"wrap_up": WrapUpPolicy(extension_ms=-1)},
        {"wrap_up": WrapUpPolicy(default_code=LONG)},
        {"ring_rules": (RingRule(Outcome.BUSY), RingRule(Outcome.BUSY))},
        {"ring_rules": (RingRule(Outcome.BUSY, rest_ms=-1),)},
        {"ring_rules": (RingRule(Outcome.BUSY, exclude_ms=86_400_001),)},
        {"plan": Plan((PlanStep(GOOD, 1),) * 17)},
        {"plan": Plan((PlanStep(GOOD, 0),))},
        {"plan": Plan(end=PlanEnd.STAY)},
        {"plan": Plan((PlanStep(GOOD, 1),), PlanEnd.OVERFLOW)},
        {"plan": Plan((PlanStep(GOOD, 1),), PlanEnd.ANY, QueueId("other"))},
    ],
)
def test_queues_are_refused(rules: dict[str, Any]) -> None:
    desk = Desk()
    with pytest.raises(model.InvalidConfigurationError):
        desk.do(model.PutQueue(QueueConfig(**{"queue_id": Q} | rules)))


def test_a_queue_without_wrap_up_needs_no_limit_for_it() -> None:
    Desk().queue(wrap_up=WrapUpPolicy(WrapUpMode.NONE, max_ms=0))


@pytest.mark.parametrize(
    "expr",
    [
        SkillExpr(ExprKind.SKILL),
        SkillExpr(ExprKind.SKILL, name="de", level=0),
        SkillExpr(ExprKind.SKILL, name="de", level=11),
        SkillExpr(ExprKind.SKILL, name=LONG),
        SkillExpr(ExprKind.SKILL, name="de", of=(GOOD,)),
        SkillExpr(ExprKind.ATTRIBUTE, name="site"),
        SkillExpr(ExprKind.ATTRIBUTE, comparison=Comparison.EQ),
        SkillExpr(ExprKind.ATTRIBUTE, name="site", value=LONG, comparison=Comparison.EQ),
        SkillExpr(ExprKind.AGENT),
        SkillExpr(ExprKind.ANY, of=(GOOD,)),
        SkillExpr(ExprKind.AND),
        SkillExpr(ExprKind.OR),
        SkillExpr(ExprKind.NOT),
        SkillExpr(ExprKind.NOT, of=(GOOD, GOOD)),
        SkillExpr(ExprKind.OR, of=(GOOD,) * 65),
        SkillExpr(ExprKind.OR, of=(SkillExpr(ExprKind.AND, of=(GOOD,) * 40),) * 2),
        deep(8),
    ],
)
def test_expressions_are_refused(expr: SkillExpr) -> None:
    desk = Desk()
    with pytest.raises(model.InvalidExpressionError):
        desk.queue(plan=Plan((PlanStep(expr, 1),)))


@pytest.mark.parametrize(
    "expr",
    [
        SkillExpr(ExprKind.ANY),
        SkillExpr(ExprKind.AGENT, value="a"),
        SkillExpr(ExprKind.ATTRIBUTE, name="site", comparison=Comparison.NE),
        SkillExpr(ExprKind.OR, of=(GOOD,) * 63),
        deep(7),
    ],
)
def test_expressions_are_let_in(expr: SkillExpr) -> None:
    desk = Desk()
    desk.queue(plan=Plan((PlanStep(expr, 86_400),)))
    (queue,) = desk.core.snapshot().queues
    assert queue.config.plan.steps[0].expr == expr


@pytest.mark.parametrize(
    "rules",
    [
        {"agent_id": ""},
        {"name": LONG},
        {"endpoint": LONG},
        {"skills": (SkillLevel("", 1),)},
        {"skills": (SkillLevel("de", 0),)},
        {"skills": (SkillLevel("de", 11),)},
        {"skills": (SkillLevel("de", 1), SkillLevel("de", 2))},
        {"skills": tuple(SkillLevel(f"s{i}", 1) for i in range(101))},
        {"attributes": (Attribute("", "x"),)},
        {"attributes": (Attribute("site", LONG),)},
        {"attributes": (Attribute("site", "a"), Attribute("site", "b"))},
        {"queues": (QueueMembership(QueueId("")),)},
        {"queues": (QueueMembership(Q, weight=0),)},
        {"queues": (QueueMembership(Q, position=-1),)},
        {"queues": (QueueMembership(Q), QueueMembership(Q))},
        {"queues": tuple(QueueMembership(QueueId(f"q{i}")) for i in range(201))},
        {"capacities": (Capacity(Channel.CHAT, -1),)},
        {"capacities": (Capacity(Channel.CHAT, 51),)},
        {"capacities": (Capacity(Channel.CHAT, 1), Capacity(Channel.CHAT, 2))},
    ],
)
def test_agents_are_refused(rules: dict[str, Any]) -> None:
    desk = Desk()
    with pytest.raises(model.InvalidConfigurationError):
        desk.do(model.PutAgent(AgentConfig(**{"agent_id": A} | rules)))


@pytest.mark.parametrize(
    "defaults",
    [
        TenantDefaults(wrap_up=WrapUpPolicy(max_ms=-1)),
        TenantDefaults(ring_rules=(RingRule(Outcome.BUSY, rest_ms=-1),)),
        TenantDefaults(rona=RonaRule(limit=0)),
        TenantDefaults(rona=RonaRule(limit=11)),
        TenantDefaults(rona=RonaRule(window_ms=0)),
        TenantDefaults(delivery_ms=0),
        TenantDefaults(connect_ms=0),
        TenantDefaults(detach_grace_ms=0),
        TenantDefaults(service_level_percent=101),
        TenantDefaults(blocks=(ChannelBlock(Channel.CHAT, ()), ChannelBlock(Channel.CHAT, ()))),
        TenantDefaults(blocks=(ChannelBlock(Channel.CHAT, (Channel.CHAT,)),)),
    ],
)
def test_defaults_are_refused(defaults: TenantDefaults) -> None:
    desk = Desk()
    with pytest.raises(model.InvalidConfigurationError):
        desk.do(model.SetTenantDefaults(defaults))


@pytest.mark.parametrize(
    "fields",
    [
        {"entry_id": ""},
        {"entry_id": LONG},
        {"priority": 101},
        {"credits": -(10**12) - 1},
        {"waiting_since_ms": 10**15},
        {"waiting_since_ms": -1},
        {"attributes": tuple(Attribute(str(i), "") for i in range(33))},
        {"attributes": (Attribute("note", "ü" * 2_048),)},
        {"external_ref": LONG},
    ],
)
def test_contacts_are_refused(fields: dict[str, Any]) -> None:
    desk = Desk()
    desk.queue()
    with pytest.raises(model.InvalidContactError):
        desk.enqueue(**{"entry_id": "e"} | fields)


def test_a_contacts_own_plan_is_judged_as_a_queues() -> None:
    desk = Desk()
    desk.queue()
    with pytest.raises(model.InvalidConfigurationError):
        desk.enqueue(plan=Plan((PlanStep(GOOD, 0),)))


def test_texts_have_limits() -> None:
    desk = Desk()
    desk.queue()
    for command in (
        model.SetEmergency(Q, active=True, message="x" * 1_001),
        model.LeaveQueue(EntryId("e"), model.Exit.ABANDONED, reason="x" * 101),
        model.CompleteContact(model.ReservationId("r"), model.BridgeEnder.AGENT, "x" * 101),
    ):
        with pytest.raises(model.InvalidTextError):
            desk.do(command)
    desk.enqueue()
    with pytest.raises(model.InvalidContactError):
        desk.do(model.ChangePriority(EntryId("e"), 101))


def test_a_contact_at_its_limits_is_let_in() -> None:
    desk = Desk()
    desk.queue()
    desk.enqueue(attributes=(Attribute("n", "ü" * 2_047),), priority=-100, credits=10**12)
    (row,) = desk.core.snapshot().entries
    assert row.credits == 10**12
