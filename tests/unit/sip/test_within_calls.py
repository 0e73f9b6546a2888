"""Within a call that we made: hold, crossing changes, keys sent, a dialog that is lost."""

from __future__ import annotations

import pytest

from media_gateway.sip.events import (
    CallAcked,
    EndCause,
    InfoDone,
    ReinviteDone,
    ReinviteReceived,
    SessionEnded,
)
from media_gateway.sip.message import Request
from media_gateway.sip.stack import WrongState
from tests.unit.sip.calls import ALICE, ANSWER, Outgoing
from tests.unit.sip.wire import SDP, request, response


def test_hold() -> None:
    call = Outgoing().confirmed()
    again = call.reinvited()
    assert (again.to.tag, again.cseq.number) == ("theirs", 2)
    (ack,) = call.hear(200, body=ANSWER, extra=[])
    assert isinstance(ack, Request)
    assert (ack.method, ack.cseq.number) == ("ACK", 2)
    assert call.events() == [ReinviteDone(call.sid, 200, "Whatever", ANSWER)]
    assert call.hear(200, body=ANSWER) == [ack]


def test_a_refused_reinvite_leaves_the_call() -> None:
    call = Outgoing().confirmed()
    call.reinvited()
    call.hear(180)
    call.hear(488)
    assert call.events() == [ReinviteDone(call.sid, 488, "Whatever", None)]
    assert call.stack.active_sessions == 1
    call.reinvited()


def test_reinvites_that_cross_are_tried_again() -> None:
    call = Outgoing().confirmed()
    first = call.reinvited()
    theirs = request(
        call_id=first.call_id, to_tag=first.from_.tag, branch="z9hG4bKx", body=SDP, number=1
    )
    assert call.statuses(theirs) == [491]
    call.give(theirs.replace(b"INVITE", b"ACK"))
    call.hear(491)
    assert call.events() == []
    with pytest.raises(WrongState):
        call.stack.reinvite(call.sid, SDP, 0)
    # Whoever made the Call-ID waits 2.1 to 4 s.
    assert call.wait(2_090) == []
    again = call.wait(1_910)[0]
    assert isinstance(again, Request)
    assert (again.method, again.body, again.cseq.number) == ("INVITE", SDP, 3)


def test_a_reinvite_that_always_crosses_is_given_up() -> None:
    call = Outgoing().confirmed()
    call.reinvited()
    for _ in range(3):
        call.hear(491)
        again = call.wait(4_000)[0]
        assert isinstance(again, Request)
        call.invite = again
    call.hear(491)
    assert call.events() == [ReinviteDone(call.sid, 491, "Whatever", None)]
    assert call.stack.active_sessions == 1


def test_the_other_sides_change_comes_first() -> None:
    call = Outgoing().confirmed()
    first = call.reinvited()
    call.hear(491)
    theirs = request(
        call_id=first.call_id, to_tag=first.from_.tag, branch="z9hG4bKx", body=SDP, number=1
    )
    call.give(theirs)
    assert call.events() == [ReinviteReceived(call.sid, SDP)]
    # Ours must not go out while theirs is pending.
    assert call.wait(4_100) == []
    call.stack.answer_reinvite(call.sid, ANSWER, call.now_ms)
    assert call.events() == [ReinviteDone(call.sid, 491, "Request Pending", None)]


def test_a_reinvite_waits_until_theirs_is_acknowledged() -> None:
    call = Outgoing().confirmed()
    to_tag, call_id = call.invite.from_.tag, call.invite.call_id
    call.give(request(call_id=call_id, to_tag=to_tag, branch="z9hG4bKx", body=SDP))
    call.events()
    call.stack.answer_reinvite(call.sid, ANSWER, 0)
    call.sent()
    call.stack.reinvite(call.sid, SDP, 0)
    assert call.sent() == []
    call.give(request("ACK", call_id=call_id, to_tag=to_tag, branch="z9hG4bKy"))
    assert call.events() == [CallAcked(call.sid, None)]
    (again,) = call.wait(500)
    assert isinstance(again, Request)
    assert again.method == "INVITE"


@pytest.mark.parametrize("status", [481, 408])
def test_a_lost_dialog_ends_the_call(status: int) -> None:
    call = Outgoing().confirmed()
    call.reinvited()
    sent = call.hear(status)
    assert [m.method for m in sent if isinstance(m, Request)] == ["ACK", "BYE"]
    end = call.end()
    assert (end.cause, end.status) == (EndCause.DIALOG_LOST, status)
    call.assert_idle()


def test_a_reinvite_that_rings_for_ever_is_cancelled_and_the_call_ended() -> None:
    call = Outgoing().confirmed()
    call.reinvited()
    call.hear(180)
    sent = call.wait(30_000)
    assert [m.method for m in sent if isinstance(m, Request)] == ["CANCEL"]
    methods = {m.method for m in call.wait(32_000) if isinstance(m, Request)}
    assert methods == {"CANCEL", "BYE"}
    assert call.end().cause is EndCause.DIALOG_LOST
    call.assert_idle()


def test_a_reinvite_pending_at_the_end_is_cleared_away() -> None:
    call = Outgoing().confirmed()
    call.reinvited()
    call.hear(180)
    call.stack.bye(call.sid, 0)
    (bye,) = call.requests()
    call.end()
    (ack,) = call.hear(200, body=ANSWER)
    assert isinstance(ack, Request)
    assert ack.method == "ACK"
    call.give(response(bye, 200))
    assert call.events() == []
    call.assert_idle()


def test_info() -> None:
    call = Outgoing(credentials=ALICE).confirmed()
    call.stack.info(call.sid, "application/dtmf-relay", b"Signal=1", 0)
    (info,) = call.requests()
    assert (info.method, info.content_type, info.body) == (
        *("INFO", "application/dtmf-relay", b"Signal=1"),
    )
    (again,) = call.give(
        response(info, 407, extra=['Proxy-Authenticate: Digest realm="r", nonce="n"'])
    )
    assert isinstance(again, Request)
    assert again.body == b"Signal=1"
    call.give(response(again, 100))
    call.give(response(again, 200))
    assert call.events() == [InfoDone(call.sid, 200)]


def test_an_info_ignored_does_not_end_the_call() -> None:
    call = Outgoing().confirmed()
    call.stack.info(call.sid, "application/dtmf-relay", b"Signal=1", 0)
    call.wait(32_000)
    assert call.events() == [InfoDone(call.sid, 408)]
    assert call.stack.active_sessions == 1


def test_an_info_to_no_dialog_ends_the_call() -> None:
    call = Outgoing().confirmed()
    call.stack.info(call.sid, "application/dtmf-relay", b"Signal=1", 0)
    (info,) = call.requests()
    (bye,) = call.give(response(info, 481))
    assert isinstance(bye, Request)
    assert bye.method == "BYE"
    done, ended = call.events()
    assert done == InfoDone(call.sid, 481)
    assert isinstance(ended, SessionEnded)
    call.assert_idle()


def test_an_answer_from_another_dialog_is_not_acknowledged() -> None:
    call = Outgoing().confirmed()
    again = call.reinvited()
    stranger = response(again, 200, body=ANSWER).replace(b"tag=theirs", b"tag=stranger")
    assert call.give(stranger) == []
    assert call.events() == []


def test_a_reinvite_may_be_challenged() -> None:
    call = Outgoing(credentials=ALICE).confirmed()
    call.reinvited()
    challenge = ['WWW-Authenticate: Digest realm="r", nonce="n", opaque="o"']
    _, again = call.hear(401, extra=challenge)
    assert isinstance(again, Request)
    assert (again.method, again.cseq.number) == ("INVITE", 3)
    assert 'opaque="o"' in again.headers.get("authorization")
    call.invite = again
    call.hear(200, body=ANSWER)
    assert call.events() == [ReinviteDone(call.sid, 200, "Whatever", ANSWER)]


def test_what_becomes_of_a_reinvite_after_the_call_concerns_nobody() -> None:
    call = Outgoing().confirmed()
    call.reinvited()
    call.stack.bye(call.sid, 0)
    call.end()
    call.hear(487)
    assert call.events() == []
    call.assert_idle()


def test_between_our_bye_and_its_answer_only_bye_is_served() -> None:
    call = Outgoing().confirmed()
    call.stack.bye(call.sid, 0)
    call.end()
    call.sent()
    call_id, tag = call.invite.call_id, call.invite.from_.tag
    info = request("INFO", branch="z9hG4bK5", number=5, call_id=call_id, to_tag=tag)
    assert call.statuses(info) == [481]
    bye = request("BYE", branch="z9hG4bK6", number=6, call_id=call_id, to_tag=tag)
    assert call.statuses(bye) == [200]
    assert call.events() == []
    call.assert_idle()


def test_a_reinvite_that_nobody_hears_ends_the_call() -> None:
    call = Outgoing().confirmed()
    call.reinvited()
    methods = {m.method for m in call.wait(32_000) if isinstance(m, Request)}
    assert methods == {"INVITE", "BYE"}
    assert call.end().cause is EndCause.DIALOG_LOST
    call.assert_idle()


def test_an_info_answered_after_the_call_concerns_nobody() -> None:
    call = Outgoing().confirmed()
    call.stack.info(call.sid, "application/dtmf-relay", b"Signal=1", 0)
    (info,) = call.requests()
    call.stack.bye(call.sid, 0)
    call.end()
    call.give(response(info, 200))
    assert call.events() == []
    call.assert_idle()
