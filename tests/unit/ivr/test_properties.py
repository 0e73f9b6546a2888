"""Whatever happens in whatever order: no error, no silence, always an end, and one call story."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from services.ivr.core import interpreter
from services.ivr.core.codec import decode, encode
from services.ivr.core.parsing import parse_flow, problems_of
from services.ivr.core.resuming import resume
from services.ivr.core.turn import Outcome
from services.ivr.model import actions, call
from services.ivr.model.call import Event, LegRole, LegView, OperationResult, RingOutcome
from services.ivr.model.checkpoint import Checkpoint, Stage
from services.ivr.model.flow import Flow
from tests.unit.ivr.calls import HANGUP, INVITED, NOW_MS, definition, flow_of

pytestmark = pytest.mark.timeout(600)
"""Hundreds of stories each, on a machine that may have much else to do."""

DEMO = parse_flow(Path("services/launcher/main-menu.json").read_text())
GUIDED = flow_of(
    {
        "begin": {
            "kind": "branch",
            "cases": [{"when": "customer.segment == 'vip'", "next": "hello"}],
            "else": "ask",
        },
        "hello": {"kind": "say", "text": "Hello {customer.name}.", "next": "ask"},
        "ask": {"kind": "consent", "mode": "ask", "prompts": ["May we?"], "next": "queue"},
        "queue": {"kind": "enqueue", "queue": "support", "on_exit": {"timeout": "end"}},
        "end": HANGUP,
    },
    recording="policy",
)
TRANSFER = flow_of(
    {
        "begin": {
            "kind": "gather",
            "prompts": ["?"],
            "into": "number",
            "next": "dial",
            "on_timeout": "queue",
        },
        "dial": {"kind": "transfer", "to": "{number}", "on_failed": "queue"},
        "queue": {
            "kind": "enqueue",
            "queue": "support",
            "on_exit": {"timeout": "end", "closed": "end"},
            "after_agent": "begin",
        },
        "end": HANGUP,
    },
    variables={"number": ""},
)
FLOWS = st.sampled_from([DEMO, TRANSFER, GUIDED])

# An event is drawn as a recipe, for what it names depends on where the call stands by then.
RESULTS = st.sampled_from(OperationResult)
DIGITS = st.sampled_from(["", "1", "2", "7", "9", "*", "123"])
STALE = st.integers(0, 9).map(lambda number: number == 0)
RECIPES = st.one_of(
    st.tuples(st.just("operation"), RESULTS, DIGITS, STALE),
    st.tuples(
        st.just("operation"), st.just(OperationResult.COMPLETE), DIGITS, st.just(value=False)
    ),
    st.tuples(st.just("ringing"), STALE),
    st.tuples(st.just("answered"), STALE),
    st.tuples(st.just("failed"), st.sampled_from(RingOutcome), STALE),
    st.tuples(st.just("bridged"), STALE),
    st.tuples(st.just("bridge_failed"), STALE),
    st.tuples(st.just("far_end_gone"), st.sampled_from(["hung-up", "connection-lost"]), STALE),
    st.tuples(st.just("hold"), st.booleans(), STALE),
    st.tuples(st.just("mute"), st.booleans(), STALE),
    st.tuples(st.just("position"), st.integers(0, 3), st.none() | st.integers(0, 200_000), STALE),
    st.tuples(st.just("reserved"), st.integers(1, 4), STALE),
    st.tuples(st.just("released"), STALE),
    st.tuples(st.just("accepted"), STALE),
    st.tuples(
        st.just("left"), st.sampled_from(["timeout", "closed", "overflowed", "failed"]), STALE
    ),
    st.tuples(st.just("unavailable"), STALE),
    st.tuples(st.just("accept_refused"), STALE),
    st.tuples(st.just("hand_on"), st.sampled_from(call.TransferKind), STALE),
    st.tuples(st.just("customer"), st.booleans()),
    st.tuples(
        st.just("time"),
    ),
)
DELAYS = st.sampled_from([0, 20, 1_000, 9_000, 40_000])
COMPLETE = OperationResult.COMPLETE

# Chance alone hardly ever reaches a conversation: most steps are what calls are made of.
_RINGING = (
    ("ringing", False),
    ("answered", False),
    ("answered", False),
    ("accepted", False),
    ("failed", RingOutcome.REJECT, False),
    ("time",),
)
USUAL: dict[Stage, tuple[tuple[Any, ...], ...]] = {
    Stage.LOOKING_UP: (("customer", True), ("customer", False), ("time",)),
    Stage.IN_NODE: (
        ("operation", COMPLETE, "1", False),
        ("operation", COMPLETE, "2", False),
        ("operation", OperationResult.TIMEOUT, "", False),
    ),
    Stage.DIALLING: (("ringing", False), ("answered", False), ("failed", RingOutcome.BUSY, False)),
    Stage.JOINING: (("position", 2, 60_000, False), ("reserved", 1, False)),
    Stage.QUEUED: (
        ("time",),
        ("operation", COMPLETE, "", False),
        ("operation", COMPLETE, "*", False),
        ("reserved", 1, False),
        ("reserved", 2, False),
        ("left", "overflowed", False),
    ),
    Stage.RINGING: _RINGING,
    Stage.ANSWERED: (("accepted", False), ("accepted", False), ("accept_refused", False)),
    Stage.ACCEPTED: (("answered", False), ("answered", False), ("failed", RingOutcome.BUSY, False)),
    Stage.BRIDGING: (
        ("bridged", False),
        ("bridged", False),
        ("operation", OperationResult.STOPPED, "", False),
        ("bridge_failed", False),
    ),
    Stage.TALKING: (
        ("hold", True, False),
        ("far_end_gone", "media-timeout", False),
        ("far_end_gone", "hung-up", False),
        ("reserved", 3, False),
        ("hand_on", call.TransferKind.QUEUE, False),
        ("hand_on", call.TransferKind.NUMBER, False),
    ),
    Stage.APOLOGISING: (("operation", COMPLETE, "", False), ("time",)),
    Stage.ENDED: (("bridged", False),),
}
CHOICES = st.tuples(RECIPES, st.integers(0, 5), st.sampled_from([True, True, True, False]))
STEPS = st.lists(st.tuples(CHOICES, DELAYS), min_size=10, max_size=40)


def chosen(choice: tuple[tuple[Any, ...], int, bool], at: Checkpoint) -> Event:
    wild, number, usual = choice
    likely = USUAL[at.stage]
    return made(likely[number % len(likely)] if usual else wild, at)


def made(recipe: tuple[Any, ...], at: Checkpoint) -> Event:  # noqa: C901, PLR0911, PLR0912 - one event per recipe
    stale = recipe[-1] is True
    ring = "other" if stale or at.ring is None else at.ring.ring_id
    entry = "other" if stale or at.stay is None else at.stay.entry_id
    match recipe:
        case ("operation", result, digits, _):
            return call.OperationEnded("o0" if stale else at.operation, result, digits)
        case ("ringing", _):
            return call.LegRinging(ring, "l2")
        case ("answered", _):
            return call.LegAnswered(ring, "l2")
        case ("failed", outcome, _):
            return call.LegFailed(ring, outcome)
        case ("bridged", _):
            return call.Bridged(ring)
        case ("bridge_failed", _):
            return call.BridgeFailed(ring, "leg-gone")
        case ("far_end_gone", reason, _):
            return call.LegEnded("l2", LegRole.AGENT, ring, reason)
        case ("hold", held, _):
            return call.HoldChanged(ring, held)
        case ("mute", muted, _):
            return call.MuteChanged(ring, muted)
        case ("position", position, wait_ms, _):
            return call.PositionChanged(entry, position, wait_ms)
        case ("reserved", number, _):
            endpoint = "sip:a@x" if number % 2 else "webrtc:"
            return call.AgentReserved(entry, f"{entry}.{number}", "anna", endpoint, 20_000)
        case ("released", _):
            return call.ReservationReleased(ring, "busy")
        case ("accepted", _):
            return call.ReservationAccepted(ring)
        case ("left", exit_name, _):
            return call.QueueLeft(entry, exit_name, "backup", "Sorry." * (exit_name == "closed"))
        case ("unavailable", _):
            return call.QueueUnavailable(entry, "acd-away")
        case ("customer", found):
            return call.CustomerFound("c1", "Anna", "vip") if found else call.CustomerUnknown()
        case ("hand_on", kind, _):
            return call.TransferRequested(ring, kind, "x", "why", "Ann", "elsewhere")
        case ("accept_refused", _):
            return call.AcceptRefused(ring, "answered-elsewhere")
        case _:
            return call.TimePassed()


def begun(flow: Flow) -> Outcome:
    return interpreter.start(flow, flow_id="f", version=1, invited=INVITED, now_ms=NOW_MS)


def hang_ups(outcome: Outcome) -> int:
    return sum(isinstance(command, actions.HangUpCall) for command in outcome.commands)


@settings(max_examples=300, deadline=None)
@given(FLOWS, STEPS)
def test_any_story_is_told_without_error_or_silence_and_comes_to_one_end(
    flow: Flow, steps: list[tuple[Any, int]]
) -> None:
    outcome = begun(flow)
    now_ms, ended = NOW_MS, hang_ups(outcome)
    for choice, after_ms in steps:
        now_ms += after_ms
        before = outcome.checkpoint
        outcome = interpreter.advance(flow, before, chosen(choice, before), now_ms)
        event(f"reaches {outcome.checkpoint.stage}")
        ended += hang_ups(outcome)
        assert interpreter.is_heard(outcome.checkpoint)
        assert decode(encode(outcome.checkpoint)) == outcome.checkpoint
        if outcome.ignored:
            assert outcome == Outcome(before, ignored=outcome.ignored)
        assert (outcome.checkpoint.stage is Stage.ENDED) == (ended == 1)
    gone = call.LegEnded("l1", LegRole.CALLER)
    outcome = interpreter.advance(flow, outcome.checkpoint, gone, now_ms)
    assert ended + hang_ups(outcome) == 1
    assert outcome.checkpoint.stage is Stage.ENDED


@settings(max_examples=200, deadline=None)
@given(st.lists(CHOICES, min_size=10, max_size=40))
def test_before_the_answer_nothing_on_an_agents_leg_ends_the_callers(
    choices: list[tuple[tuple[Any, ...], int, bool]],
) -> None:
    flow = flow_of({"begin": {"kind": "enqueue", "queue": "support"}})
    at = begun(flow).checkpoint
    # All but the answer itself, the caller's own doings, and the end of the queue.
    others = (call.Bridged, call.OperationEnded, call.QueueLeft, call.QueueUnavailable)
    for choice in choices:
        happened = chosen(choice, at)
        if isinstance(happened, others):
            continue
        outcome = interpreter.advance(flow, at, happened, NOW_MS)
        at = outcome.checkpoint
        event(f"reaches {at.stage}")
        assert hang_ups(outcome) == 0
        assert at.stage in {
            Stage.LOOKING_UP,
            Stage.JOINING,
            Stage.QUEUED,
            Stage.RINGING,
            Stage.ANSWERED,
            Stage.ACCEPTED,
            Stage.BRIDGING,
        }


def legs_of(at: Checkpoint) -> tuple[LegView, ...]:
    """The legs as a gateway that executed every command would see them."""
    caller = LegView("l1", LegRole.CALLER, "", "answered")
    if at.ring is None:
        return (caller,)
    state = {Stage.ANSWERED: "answered", Stage.BRIDGING: "answered", Stage.TALKING: "bridged"}
    role = LegRole.AGENT if at.ring.agent else LegRole.EXTERNAL
    return (caller, LegView("l2", role, at.ring.ring_id, state.get(at.stage, "ringing")))


@settings(max_examples=200, deadline=None)
@given(FLOWS, STEPS, st.data())
def test_cutting_a_call_anywhere_and_going_on_elsewhere_tells_the_same_story(
    flow: Flow, steps: list[tuple[Any, int]], data: st.DataObject
) -> None:
    outcomes, events, times = [begun(flow)], [], [NOW_MS]
    for choice, after_ms in steps:
        at = outcomes[-1].checkpoint
        events.append(chosen(choice, at))
        times.append(times[-1] + after_ms)
        outcomes.append(interpreter.advance(flow, at, events[-1], times[-1]))
    kept = data.draw(st.integers(0, len(events)), label="last step kept")
    cut = data.draw(st.integers(kept, len(events)), label="cut before")
    # What happened between the last step kept and the cut comes again, all at one time.
    at = decode(encode(outcomes[kept].checkpoint))
    uncut = [outcomes[kept]]
    for happened in events[kept:cut]:
        at_before = uncut[-1].checkpoint
        uncut.append(interpreter.advance(flow, at_before, happened, times[cut]))
    expected = uncut[-1].checkpoint
    resumed = resume(
        flow,
        at,
        legs=legs_of(expected),
        events=tuple(events[kept:cut]),
        operation=expected.operation,
        now_ms=times[cut],
    )
    assert resumed.checkpoint == expected
    assert resumed.commands == tuple(
        command for outcome in uncut[1:] for command in outcome.commands
    )
    told = [effect for outcome in uncut[1:] for effect in outcome.effects]
    assert list(resumed.effects[: len(told)]) == told
    if kept != cut:
        return
    at = resumed.checkpoint
    for happened, now_ms, outcome in zip(
        events[cut:], times[cut + 1 :], outcomes[cut + 1 :], strict=True
    ):
        again = interpreter.advance(flow, at, happened, now_ms)
        assert again == outcome
        at = decode(encode(again.checkpoint))


WORDS = st.sampled_from(["say", "menu", "enqueue", "hangup", "n0", "n1", "", "*", "next", "kind"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["n0", "n1", "n2"]), JSON, max_size=3), JSON)
def test_any_json_is_a_flow_or_has_problems(nodes: dict[str, Any], treatment: Any) -> None:
    value = definition(nodes, start="n0") | {"default_treatment": treatment}
    for problem in problems_of(json.dumps(value)):
        assert problem.code
        assert problem.message
