"""After the answer: hold, the end of the conversation, wrap-up."""

from __future__ import annotations

import pytest

from services.acd import model
from services.acd.model import (
    AgentState,
    BridgeEnder,
    ReservationId,
    WrapUpCause,
    WrapUpMode,
    WrapUpPolicy,
)
from tests.unit.acd.desk import A, Desk, none, one

R = ReservationId("e.1")


def talking(policy: WrapUpPolicy | None = None) -> Desk:
    desk = Desk()
    desk.queue(wrap_up=policy)
    desk.agent(A)
    desk.enqueue()
    desk.answer()
    return desk


def wrapping(**policy: object) -> Desk:
    desk = talking(WrapUpPolicy(**policy))  # type: ignore[arg-type]  # any rule
    desk.complete()
    return desk


def test_talk_and_hold_are_told_apart() -> None:
    desk = talking()
    for holding, after_ms in ((True, 1_000), (False, 300), (True, 70)):
        desk.now_ms += after_ms
        command = model.SetHold(R, holding=holding)
        desk.do(command)
        assert desk.do(command) == []
        assert desk.state() is (AgentState.HOLDING if holding else AgentState.TALKING)
    desk.now_ms += 5
    done = one(desk.do(model.CompleteContact(R, BridgeEnder.AGENT)), model.ContactCompleted)
    assert (done.talk_ms, done.hold_ms, done.ended_by) == (1_070, 305, BridgeEnder.AGENT)
    assert desk.do(model.CompleteContact(R, BridgeEnder.CALLER)) == []
    (agent,) = desk.core.snapshot().agents
    assert (agent.talk_ms, agent.contacts) == (1_070, 1)


def test_what_makes_no_sense_before_the_answer() -> None:
    desk = Desk()
    desk.queue()
    desk.agent(A)
    desk.enqueue()
    for command in (
        model.SetHold(R, holding=True),
        model.SetHold(R, holding=False),
        model.CompleteContact(R, BridgeEnder.AGENT),
        model.SetWrapUpCode(R, "x"),
        model.FinishWrapUp(R),
        model.ExtendWrapUp(R),
    ):
        with pytest.raises(model.IllegalTransitionError):
            desk.do(command)


def test_none_frees_the_agent_at_once() -> None:
    desk = talking(WrapUpPolicy(WrapUpMode.NONE))
    desk.now_ms += 100
    desk.enqueue("2")
    ended = one(desk.complete(), model.WrapUpEnded)
    assert (ended.cause, ended.handle_ms, ended.code) == (WrapUpCause.SKIPPED, 100, "")
    assert desk.rung("2") == A


def test_timed_ends_by_itself_with_the_default_code() -> None:
    desk = wrapping(max_ms=10_000, default_code="none given", code_required=True)
    assert none(desk.wait(9_999), model.WrapUpEnded)
    ended = one(desk.wait(1), model.WrapUpEnded)
    assert (ended.cause, ended.code, ended.wrap_up_ms) == ("timeout", "none given", 10_000)
    assert desk.state() is AgentState.READY


def test_timed_may_be_left_early_but_not_at_once() -> None:
    desk = wrapping(min_ms=2_000)
    with pytest.raises(model.WrapUpTooEarlyError):
        desk.do(model.FinishWrapUp(R))
    desk.now_ms += 2_000
    ended = one(desk.do(model.FinishWrapUp(R, "sold")), model.WrapUpEnded)
    assert (ended.cause, ended.code, ended.wrap_up_ms) == ("finished", "sold", 2_000)
    with pytest.raises(model.NoSuchReservationError):
        desk.do(model.FinishWrapUp(R))


def test_a_conversation_is_completed_once_however_often_that_is_said() -> None:
    desk = wrapping(min_ms=0)
    again = model.CompleteContact(R, model.BridgeEnder.SYSTEM)
    assert desk.do(again) == []
    desk.do(model.FinishWrapUp(R))
    assert desk.do(again) == []
    with pytest.raises(model.NoSuchReservationError):
        desk.do(model.CompleteContact(model.ReservationId("e.9"), model.BridgeEnder.SYSTEM))


def test_optional_is_left_whenever_the_agent_likes() -> None:
    desk = wrapping(mode=WrapUpMode.OPTIONAL, min_ms=2_000)
    assert one(desk.do(model.FinishWrapUp(R)), model.WrapUpEnded).cause is WrapUpCause.FINISHED


def test_forced_is_not_left_at_all() -> None:
    desk = wrapping(mode=WrapUpMode.FORCED, max_ms=5_000, code_ends=True)
    desk.do(model.SetWrapUpCode(R, "sold"))
    desk.now_ms += 4_000
    with pytest.raises(model.WrapUpTooEarlyError):
        desk.do(model.FinishWrapUp(R, "sold"))
    ended = one(desk.wait(1_000), model.WrapUpEnded)
    assert (ended.cause, ended.code) == (WrapUpCause.TIMEOUT, "sold")


def test_a_code_can_be_required() -> None:
    desk = wrapping(code_required=True)
    with pytest.raises(model.CodeRequiredError):
        desk.do(model.FinishWrapUp(R))
    desk.do(model.SetWrapUpCode(R, "sold"))
    assert one(desk.do(model.FinishWrapUp(R)), model.WrapUpEnded).code == "sold"


def test_a_code_given_while_talking_stays() -> None:
    desk = talking(WrapUpPolicy(code_required=True, code_ends=True))
    desk.do(model.SetWrapUpCode(R, "sold"))
    assert desk.state() is AgentState.TALKING
    desk.complete()
    assert desk.state() is AgentState.WRAP_UP
    assert one(desk.do(model.FinishWrapUp(R)), model.WrapUpEnded).code == "sold"


def test_a_code_can_end_wrap_up() -> None:
    desk = wrapping(code_ends=True)
    ended = one(desk.do(model.SetWrapUpCode(R, "sold")), model.WrapUpEnded)
    assert (ended.cause, ended.code) == (WrapUpCause.CODE, "sold")


def test_a_code_given_too_early_ends_wrap_up_as_soon_as_it_may() -> None:
    desk = wrapping(code_ends=True, min_ms=2_000)
    assert none(desk.do(model.SetWrapUpCode(R, "sold")), model.WrapUpEnded)
    ended = one(desk.wait(2_000), model.WrapUpEnded)
    assert (ended.cause, ended.wrap_up_ms) == (WrapUpCause.CODE, 2_000)


def test_more_time_as_often_as_allowed() -> None:
    desk = wrapping(max_ms=10_000, extensions=2, extension_ms=5_000)
    for _ in range(2):
        desk.do(model.ExtendWrapUp(R))
    with pytest.raises(model.NoExtensionLeftError):
        desk.do(model.ExtendWrapUp(R))
    assert one(desk.wait(20_000), model.WrapUpEnded).wrap_up_ms == 20_000


def test_the_tenants_policy_holds_where_the_queue_has_none() -> None:
    desk = talking(None)
    policy = WrapUpPolicy(WrapUpMode.FORCED, max_ms=1_000)
    desk.do(model.SetTenantDefaults(model.TenantDefaults(wrap_up=policy)))
    done = one(desk.complete(), model.ContactCompleted)
    assert (done.wrap_up.policy, done.deadline_ms) == (policy, desk.now_ms + 1_000)
    desk.do(model.SetTenantDefaults(model.TenantDefaults()))
    assert one(desk.wait(1_000), model.WrapUpEnded), "a running wrap-up keeps its rules"


def test_each_agent_has_a_timer_of_their_own() -> None:
    desk = wrapping(max_ms=10_000)
    desk.agent(model.AgentId("b"))
    desk.enqueue("2")
    desk.answer("2")
    desk.now_ms += 4_000
    desk.complete("2")
    assert one(desk.wait(6_000), model.WrapUpEnded).entry_id == "e"
    assert one(desk.wait(4_000), model.WrapUpEnded).entry_id == "2"


@pytest.mark.parametrize("code", ["", "x" * 101])
def test_codes_have_limits(code: str) -> None:
    desk = wrapping()
    with pytest.raises(model.InvalidTextError):
        desk.do(model.SetWrapUpCode(R, code))
    if code:
        with pytest.raises(model.InvalidTextError):
            desk.do(model.FinishWrapUp(R, code))
