"""Whatever the network does: one call at most, both sides see its end, nothing is left."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_gateway.sip.events import (
    CallAcked,
    EndCause,
    InviteAccepted,
    InviteReceived,
    ReinviteDone,
    ReinviteReceived,
    SessionEnded,
    SessionId,
    SipEvent,
)
from tests.unit.sip.network import (
    ANSWER,
    CALLEE,
    CALLER,
    FROM,
    OFFER,
    TO,
    Faults,
    Network,
    Phone,
)

ENOUGH_MS = 30 * 60_000
"""Longer than any timer of the stack but the limit on whole calls."""

VARIANTS = ("talk", "cancel", "refuse", "both leave", "callee leaves", "glare", "nobody")


def faults_of(seed: int, *, loss: float) -> Faults:
    """A network's faults, up to this loss; delays reorder whatever is sent within them."""
    rng = random.Random(seed)
    return Faults(
        loss=rng.uniform(0, loss),
        duplication=rng.uniform(0, 0.4),
        longest_delay_ms=rng.choice((5, 50, 500, 1_500, 3_000)),
    )


class Play:
    """One call over one network, its moments drawn from the seed."""

    def __init__(self, seed: int, variant: str, faults: Faults) -> None:
        self.random = random.Random(seed)
        self.variant = variant
        self.network = Network(seed, faults)
        self.caller = self.network.join(CALLER)
        self.callee = self.network.join(CALLEE)
        self.callee.react = self._callee
        self.caller.react = self._caller
        self.session_id = self.caller.stack.invite(
            "sip:bob@192.0.2.2",
            from_=FROM,
            to=TO,
            sdp=OFFER,
            destination=CALLEE,
            now_ms=0,
        )
        if variant == "cancel":
            self._soon(lambda: self.caller.stack.cancel(self.session_id, self.network.now_ms))
        if variant == "callee leaves":
            self._soon(self._callee_leaves)
        # Whatever became of it, the owners hang up in the end.
        self.network.plan(90_000, self._caller_leaves)
        if variant != "cancel":  # There the caller alone must bring about the end.
            self.network.plan(91_000, self._callee_leaves)

    def run(self) -> None:
        self.network.run(ENOUGH_MS)

    def _soon(self, action: Callable[[], object], within_ms: int = 4_000) -> None:
        self.network.plan(self.random.randint(0, within_ms), lambda: self.network.try_(action))

    def _callee(self, event: SipEvent) -> None:
        stack, network = self.callee.stack, self.network
        match event:
            case InviteReceived(session_id=sid):
                self._soon(lambda: stack.progress(sid, 180, None, network.now_ms), 300)
                if self.variant == "refuse":
                    self._soon(lambda: stack.refuse(sid, 486, "", network.now_ms))
                elif self.variant != "nobody":
                    self._soon(lambda: stack.accept(sid, ANSWER, network.now_ms))
            case CallAcked(session_id=sid) if self.variant == "glare":
                self._soon(lambda: stack.reinvite(sid, OFFER, network.now_ms), 50)
            case ReinviteReceived():
                self._answer(self.callee, event)
            case _:
                pass

    def _caller(self, event: SipEvent) -> None:
        stack, network = self.caller.stack, self.network
        match event:
            case InviteAccepted(session_id=sid):
                within_ms = 50 if self.variant == "glare" else 5_000
                self._soon(lambda: stack.reinvite(sid, OFFER, network.now_ms), within_ms)
                if self.variant == "both leave":
                    network.plan(6_000, self._caller_leaves)
                    network.plan(6_000, self._callee_leaves)
            case ReinviteReceived():
                self._answer(self.caller, event)
            case _:
                pass

    def _answer(self, phone: Phone, event: ReinviteReceived) -> None:
        sid = event.session_id
        self._soon(lambda: phone.stack.answer_reinvite(sid, ANSWER, self.network.now_ms), 1_000)

    def _caller_leaves(self) -> None:
        self._hang_up(self.caller, self.session_id)

    def _callee_leaves(self) -> None:
        for event in self.callee.of(InviteReceived):
            self._hang_up(self.callee, event.session_id)

    def _hang_up(self, phone: Phone, sid: SessionId) -> None:
        self.network.try_(lambda: phone.stack.hang_up(sid, self.network.now_ms))


def check(play: Play) -> None:
    invites = play.callee.of(InviteReceived)
    log = "\n".join(play.network.log)
    assert len(invites) <= 1, log
    assert play.caller.ended() == {play.session_id: 1}, log
    assert play.callee.ended() == {event.session_id: 1 for event in invites}, log
    for phone in (play.caller, play.callee):
        assert phone.stack.active_sessions == 0, log
        assert phone.stack.active_transactions == 0, log
        assert phone.stack.is_idle, log
        for sid in phone.ended():
            mine = [event for event in phone.events if event.session_id == sid]
            assert isinstance(mine[-1], SessionEnded), log


@pytest.mark.parametrize("variant", VARIANTS)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_one_call_that_both_sides_see_end(variant: str, seed: int) -> None:
    # Where one side alone ends the call, some of its BYEs must arrive.
    play = Play(seed, variant, faults_of(seed, loss=0.3 if variant == "cancel" else 0.6))
    play.run()
    check(play)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_a_bad_network_still_carries_a_call(seed: int) -> None:
    play = Play(seed, "talk", faults_of(seed, loss=0.2))
    play.run()
    check(play)
    log = "\n".join(play.network.log)
    assert len(play.caller.of(InviteAccepted)) == 1, log
    (done,) = play.caller.of(ReinviteDone)
    assert isinstance(done, ReinviteDone)
    assert done.status == 200, log
    # Nothing that was repeated, late or twice there ended it before somebody hung up.
    (ended,) = play.caller.of(SessionEnded)
    assert isinstance(ended, SessionEnded)
    assert ended.cause is EndCause.WE_LEFT, log


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_quiet_network_needs_no_repeats(variant: str) -> None:
    play = Play(1, variant, Faults(longest_delay_ms=5))
    play.run()
    check(play)
    sent = [line.split(" ", 2)[2] for line in play.network.log if " sent " in line]
    invites = [line for line in sent if line.startswith("sent INVITE sip:bob@")]
    assert len(invites) == 1


def test_a_dead_callee_ends_the_call_by_408() -> None:
    play = Play(3, "talk", Faults(loss=1.0))
    play.run()
    check(play)
    (ended,) = play.caller.of(SessionEnded)
    assert isinstance(ended, SessionEnded)
    assert ended.status == 408
