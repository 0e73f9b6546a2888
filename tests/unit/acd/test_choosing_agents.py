"""Who is reserved when several agents are free."""

from __future__ import annotations

from collections import Counter

import pytest

from services.acd import model
from services.acd.model import AgentId, ExprKind, Plan, QueueMembership, SkillExpr
from tests.unit.acd.desk import A, B, C, Desk, Q


def three(*strategies: str) -> Desk:
    desk = Desk()
    desk.queue(strategies=strategies, wrap_up=model.WrapUpPolicy(model.WrapUpMode.NONE))
    desk.agent(A, skills="de:3")
    desk.agent(B, skills="de:9 en:2")
    desk.agent(C, skills="de:5 en:9")
    return desk


def serve(desk: Desk, entry_id: str, talk_ms: int = 1_000) -> AgentId | None:
    desk.enqueue(entry_id)
    agent_id = desk.rung(entry_id)
    desk.answer(entry_id)
    desk.now_ms += talk_ms
    desk.complete(entry_id)
    return agent_id


def test_longest_idle_takes_turns_by_the_end_of_the_last_contact() -> None:
    desk = three("longest_idle")
    assert [serve(desk, str(i)) for i in range(4)] == [A, B, C, A]


def test_a_short_break_does_not_reset_the_idle_time() -> None:
    desk = three("longest_idle")
    desk.now_ms += 1_000
    desk.do(model.SetPresence(A, model.Presence.BREAK, "tea"))
    desk.now_ms += 1_000
    desk.do(model.SetPresence(A, model.Presence.READY))
    assert serve(desk, "1") == A


def test_a_break_resets_the_idle_time_where_that_is_the_rule() -> None:
    desk = three("longest_idle")
    desk.do(model.SetTenantDefaults(model.TenantDefaults(break_resets_idle=True)))
    desk.now_ms += 1_000
    desk.do(model.SetPresence(A, model.Presence.BREAK, "tea"))
    desk.do(model.SetPresence(A, model.Presence.READY))
    assert serve(desk, "1") == B


def test_an_unanswered_reservation_does_not_reset_the_idle_time() -> None:
    desk = three("longest_idle")
    desk.enqueue("1")
    desk.ring("1")
    desk.wait(20_000)
    assert desk.rung("1") == B
    desk.wait(5_000)
    desk.enqueue("2")
    assert desk.rung("2") == A


def test_most_skilled_takes_the_expert_for_what_is_asked() -> None:
    desk = three("most_skilled")
    german = SkillExpr(ExprKind.SKILL, name="de")
    english = SkillExpr(ExprKind.SKILL, name="en")
    both = SkillExpr(ExprKind.AND, of=(german, english))
    either = SkillExpr(ExprKind.OR, of=(SkillExpr(ExprKind.AGENT, value=A), english))
    asked = [german, english, both, either, SkillExpr(ExprKind.NOT, of=(german,))]
    rung = []
    for i, expr in enumerate(asked):
        desk.enqueue(str(i), plan=Plan((model.PlanStep(expr, 60),)))
        rung.append(desk.rung(str(i)))
        desk.do(model.LeaveQueue(model.EntryId(str(i)), model.Exit.ABANDONED))
    assert rung == [B, C, C, C, None]


def test_least_talk_time_counts_conversation() -> None:
    desk = three("least_talk_time")
    assert serve(desk, "1", talk_ms=9_000) == A
    assert serve(desk, "2", talk_ms=500) == B
    assert serve(desk, "3", talk_ms=5_000) == C
    assert serve(desk, "4", talk_ms=1) == B


def test_fewest_contacts_counts_answers_since_the_sign_in() -> None:
    desk = three("fewest_contacts")
    assert [serve(desk, str(i)) for i in range(4)] == [A, B, C, A]
    desk.do(model.SetPresence(A, model.Presence.SIGNED_OUT))
    desk.do(model.SetPresence(A, model.Presence.READY))
    assert [serve(desk, str(i)) for i in range(4, 6)] == [A, A]


def test_round_robin_goes_on_where_it_was_whoever_is_away() -> None:
    desk = three("round_robin")
    assert serve(desk, "1") == A
    desk.do(model.SetPresence(B, model.Presence.BREAK))
    assert serve(desk, "2") == C
    desk.do(model.SetPresence(B, model.Presence.READY))
    assert [serve(desk, str(i)) for i in (3, 4, 5)] == [B, A, C]


def test_top_down_keeps_to_its_list() -> None:
    desk = Desk()
    desk.queue(strategies=("top_down",))
    for agent_id, position in ((A, 3), (B, 1), (C, 2)):
        desk.agent(agent_id, queues=(QueueMembership(Q, position=position),))
    rung = []
    for i in range(3):
        desk.enqueue(str(i))
        rung.append(desk.rung(str(i)))
    assert rung == [B, C, A]


def test_least_flexible_spares_those_who_serve_more_queues() -> None:
    desk = Desk()
    desk.queue(strategies=("least_flexible",))
    desk.agent(A, queues=(QueueMembership(Q), QueueMembership(model.QueueId("other"))))
    desk.agent(B)
    desk.enqueue("1")
    assert desk.rung("1") == B


def test_comparators_decide_in_their_order_and_the_id_last() -> None:
    desk = three("fewest_contacts", "most_skilled")
    asked = Plan((model.PlanStep(SkillExpr(ExprKind.SKILL, name="de"), 60),))
    desk.enqueue("1", plan=asked)
    assert desk.rung("1") == B


def test_random_is_drawn_from_the_command_and_reaches_everybody() -> None:
    rung: list[AgentId | None] = []
    for _ in range(2):
        desk = three("random")
        for i in range(40):
            desk.enqueue(str(i), seed=i)
            rung.append(desk.rung(str(i)))
            desk.do(model.LeaveQueue(model.EntryId(str(i)), model.Exit.ABANDONED))
    assert rung[:40] == rung[40:]
    assert min(Counter(rung).values()) > 10


@pytest.mark.parametrize(
    "strategies",
    [
        (),
        ("ring_all",),
        ("sticky",),
        ("fqr",),
        ("no such",),
        ("random", "top_down"),
        ("top_down", "top_down"),
    ],
)
def test_an_unknown_strategy_is_an_error_and_never_a_silent_default(
    strategies: tuple[str, ...],
) -> None:
    desk = Desk()
    with pytest.raises(model.UnknownStrategyError):
        desk.queue(strategies=strategies)


def test_editing_the_strategies_takes_effect_at_once() -> None:
    desk = three("longest_idle")
    desk.queue(strategies=("most_skilled",), wrap_up=None)
    asked = Plan((model.PlanStep(SkillExpr(ExprKind.SKILL, name="en"), 60),))
    desk.enqueue("1", plan=asked)
    assert desk.rung("1") == C
