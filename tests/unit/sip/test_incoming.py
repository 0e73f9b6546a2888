"""Calls that come in: answered, refused, cancelled, acknowledged or not."""

from __future__ import annotations

import pytest

from media_gateway.sip.address import HostPort
from media_gateway.sip.events import (
    CallAcked,
    EndCause,
    InfoReceived,
    ReinviteCancelled,
    ReinviteReceived,
    SessionId,
)
from media_gateway.sip.limits import Limits
from media_gateway.sip.message import Request, Response
from media_gateway.sip.stack import NoSuchSession, UnsafeHeader, WrongState, WrongStatus
from tests.unit.sip.calls import ANSWER, Incoming
from tests.unit.sip.wire import SDP, THERE, request


def test_the_owner_learns_who_calls() -> None:
    call = Incoming(
        request(
            uri="sip:+12025550100@192.0.2.2",
            body=SDP,
            extra=["P-Asserted-Identity: <sip:+12025550111@edge>", "X-Ref: a\u0007b"],
        )
    )
    event = call.event
    assert event.request_uri.user == "+12025550100"
    assert event.from_.uri.user == "alice"
    assert event.headers.get("p-asserted-identity") == "<sip:+12025550111@edge>"
    assert event.headers.get("x-ref") == "a b"
    assert (event.sdp, event.source, event.max_forwards) == (SDP, THERE, 70)


def test_ringing_answered_acknowledged_hung_up() -> None:
    call = Incoming()
    call.stack.progress(call.sid, 180, None, 0)
    call.stack.progress(call.sid, 183, SDP, 0, headers=[("X-Wait", "20")])
    ringing, early = call.sent()
    assert isinstance(ringing, Response)
    assert isinstance(early, Response)
    assert (ringing.status, early.status, early.sdp) == (180, 183, SDP)
    assert early.headers.get("x-wait") == "20"
    ok = call.accepted()
    assert (ok.status, ok.sdp, ok.to.tag) == (200, ANSWER, ringing.to.tag)
    assert ok.headers.get("contact") == "<sip:192.0.2.2:5060>"
    call.give(request("ACK", branch="z9hG4bKack", to_tag=call.tag))
    assert call.events() == [CallAcked(call.sid, None)]
    assert call.wait(60_000) == []
    extra = ['Reason: Q.850;cause=16;text="bye"']
    assert call.statuses(call.within("BYE", extra=extra)) == [200]
    end = call.end()
    assert (end.cause, end.reason) == (EndCause.THEY_LEFT, 'Q.850;cause=16;text="bye"')
    call.assert_idle()


def test_a_repeated_invite_gets_the_last_answer_and_makes_no_second_call() -> None:
    call = Incoming()
    call.stack.progress(call.sid, 180, None, 0)
    (ringing,) = call.sent()
    assert call.give(call.invite) == [ringing]
    call.accepted()
    assert call.give(call.invite) == []
    assert call.events() == []


def test_a_late_offer_is_answered_in_the_ack() -> None:
    call = Incoming(request())
    assert call.event.sdp is None
    ok = call.accepted()
    assert ok.sdp == ANSWER
    call.give(request("ACK", branch="z9hG4bKack", to_tag=call.tag, body=SDP))
    assert call.events() == [CallAcked(call.sid, SDP)]


def test_the_answer_is_repeated_until_given_up() -> None:
    call = Incoming()
    ok = call.accepted()
    sent = call.wait(31_999)
    assert sent == [ok] * 10
    (bye,) = call.wait(1)[-1:]
    assert isinstance(bye, Request)
    assert bye.method == "BYE"
    assert call.end().cause is EndCause.ACK_MISSING
    call.assert_idle()


def test_an_ack_of_another_number_acknowledges_nothing() -> None:
    call = Incoming()
    call.accepted()
    call.give(request("ACK", branch="z9hG4bKack", to_tag=call.tag, number=9))
    call.give(request("ACK", branch="z9hG4bKack", to_tag=call.tag, from_tag="stranger"))
    assert call.events() == []
    assert len(call.wait(600)) == 1


def test_refused() -> None:
    call = Incoming()
    call.stack.refuse(call.sid, 503, "Draining", 0, headers=[("Retry-After", "10")])
    (answer,) = call.sent()
    assert isinstance(answer, Response)
    assert (answer.status, answer.reason) == (503, "Draining")
    assert answer.headers.get("retry-after") == "10"
    assert call.give(request("ACK", to_tag=answer.to.tag)) == []
    end = call.end()
    assert (end.cause, end.status, end.phrase) == (EndCause.REFUSED, 503, "Draining")
    call.assert_idle()


def test_cancelled() -> None:
    call = Incoming()
    cancel = request("CANCEL", extra=["Reason: SIP;cause=200"])
    ok, terminated = call.give(cancel)
    assert isinstance(ok, Response)
    assert isinstance(terminated, Response)
    assert (ok.status, ok.cseq.method) == (200, "CANCEL")
    assert (terminated.status, terminated.cseq.method) == (487, "INVITE")
    assert ok.to.tag == terminated.to.tag
    end = call.end()
    assert (end.cause, end.reason) == (EndCause.CALLER_CANCELLED, "SIP;cause=200")
    assert call.statuses(cancel) == [200]
    call.assert_idle()


def test_a_cancel_that_comes_after_the_answer_changes_nothing() -> None:
    call = Incoming()
    call.accepted()
    assert call.statuses(request("CANCEL")) == [200]
    assert call.events() == []
    assert call.stack.active_sessions == 1


def test_a_bye_before_the_answer_ends_the_invite() -> None:
    call = Incoming()
    call.stack.progress(call.sid, 180, None, 0)
    (ringing,) = call.sent()
    assert isinstance(ringing, Response)
    call.tag = ringing.to.tag
    assert call.statuses(call.within("BYE")) == [200, 487]
    assert call.end().cause is EndCause.THEY_LEFT
    call.assert_idle()


def test_a_bye_before_the_ack_ends_the_call() -> None:
    call = Incoming()
    call.accepted()
    assert call.statuses(call.within("BYE")) == [200]
    assert call.wait(5_000) == []
    assert call.end().cause is EndCause.THEY_LEFT
    call.assert_idle()


def test_our_bye_waits_for_the_ack() -> None:
    call = Incoming()
    ok = call.accepted()
    call.stack.bye(call.sid, 0, reason="Q.850;cause=31")
    assert call.end().cause is EndCause.WE_LEFT
    assert call.wait(500) == [ok]
    (bye,) = call.give(request("ACK", branch="z9hG4bKack", to_tag=call.tag))
    assert isinstance(bye, Request)
    assert (bye.method, bye.headers.get("reason")) == ("BYE", "Q.850;cause=31")
    assert call.events() == []
    call.assert_idle()


def test_our_bye_goes_out_when_the_ack_never_comes() -> None:
    call = Incoming()
    call.accepted()
    call.stack.hang_up(call.sid, 0)
    call.end()
    byes = [m for m in call.wait(33_000) if isinstance(m, Request)]
    assert byes[0].method == "BYE"
    call.assert_idle()


def test_byes_that_cross() -> None:
    call = Incoming().acked()
    call.stack.bye(call.sid, call.now_ms)
    (bye,) = call.requests()
    assert call.end().cause is EndCause.WE_LEFT
    assert call.statuses(call.within("BYE")) == [200]
    assert bye.method == "BYE"
    assert call.events() == []
    assert call.statuses(call.within("INFO", 3)) == [481]
    call.assert_idle()


def test_nobody_answers() -> None:
    call = Incoming(limits=Limits(ringing_ms=10_000))
    sent = call.wait(10_000)
    assert isinstance(sent[-1], Response)
    assert sent[-1].status == 480
    end = call.end()
    assert (end.cause, end.status) == (EndCause.NOBODY_ANSWERED, 480)
    call.assert_idle()


def test_ringing_is_repeated_each_minute() -> None:
    call = Incoming()
    call.stack.progress(call.sid, 180, None, 0)
    (ringing,) = call.sent()
    assert call.wait(59_999) == []
    assert call.wait(60_002) == [ringing, ringing]


def test_no_call_lasts_for_ever() -> None:
    call = Incoming(limits=Limits(session_ms=3_600_000)).acked()
    byes = [m for m in call.wait(3_600_000) if isinstance(m, Request)]
    assert [bye.method for bye in byes] == ["BYE"]
    assert call.end().cause is EndCause.TOO_LONG
    call.assert_idle()


def test_keys_pressed_come_by_info() -> None:
    call = Incoming().acked()
    info = call.within("INFO", body=b"Signal=5\r\n", content_type="application/dtmf-relay; x=y")
    assert call.statuses(info) == [200]
    assert call.events() == [InfoReceived(call.sid, "application/dtmf-relay", b"Signal=5\r\n")]
    # The same again is a repeat, not a second key.
    assert call.statuses(info) == [200]
    straggler = info.replace(b"z9hG4bKINFO2", b"z9hG4bKother")
    assert call.statuses(straggler) == [500]
    assert call.statuses(call.within("INFO", 3)) == [200]
    assert call.events() == []


def test_other_infos_are_refused() -> None:
    call = Incoming().acked()
    picture = call.within("INFO", body=b"x", content_type="image/png")
    assert call.statuses(picture) == [415]
    package = call.within("INFO", 3, extra=["Info-Package: foo"])
    assert call.statuses(package) == [469]
    assert call.statuses(call.within("OPTIONS", 4)) == [200]
    assert call.statuses(call.within("UPDATE", 5)) == [405]
    assert call.events() == []


def test_requests_with_a_low_number_are_out_of_order() -> None:
    call = Incoming().acked()
    assert call.statuses(call.within("INFO", 7)) == [200]
    assert call.statuses(call.within("INVITE", 6, body=SDP)) == [500]
    assert call.events() == []


def test_hold_and_resume() -> None:
    call = Incoming().acked()
    moved = ["Contact: <sip:alice@192.0.2.77:5099>"]
    reinvite = call.within("INVITE", body=SDP, leave_out=["Contact"], extra=moved)
    assert call.statuses(reinvite) == [100]
    assert call.events() == [ReinviteReceived(call.sid, SDP)]
    call.stack.answer_reinvite(call.sid, ANSWER, 0)
    (ok,) = call.sent()
    assert isinstance(ok, Response)
    assert (ok.status, ok.sdp) == (200, ANSWER)
    assert call.wait(500) == [ok]
    call.give(call.within("ACK"))
    assert call.events() == [CallAcked(call.sid, None)]
    # The other side has moved: our BYE follows it.
    call.stack.bye(call.sid, call.now_ms)
    (datagram,) = call.stack.take_output()
    assert datagram.destination == HostPort("192.0.2.77", 5099)
    assert datagram.data.startswith(b"BYE sip:alice@192.0.2.77:5099 SIP/2.0")


def test_a_reinvite_may_be_refused() -> None:
    call = Incoming().acked()
    call.give(call.within("INVITE", body=SDP))
    call.events()
    call.stack.refuse_reinvite(call.sid, 488, "", 0)
    (refusal,) = call.sent()
    assert isinstance(refusal, Response)
    assert (refusal.status, refusal.reason) == (488, "Not Acceptable Here")
    with pytest.raises(WrongState):
        call.stack.answer_reinvite(call.sid, ANSWER, 0)
    assert call.stack.active_sessions == 1


def test_a_reinvite_may_be_withdrawn() -> None:
    call = Incoming().acked()
    call.give(call.within("INVITE", body=SDP))
    call.events()
    cancel = call.within("INVITE").replace(b"INVITE", b"CANCEL").replace(b"CANCEL2", b"INVITE2")
    assert call.statuses(cancel) == [200, 487]
    assert call.events() == [ReinviteCancelled(call.sid)]
    assert call.stack.active_sessions == 1


def test_an_owner_who_does_not_answer_a_reinvite_is_spoken_for() -> None:
    call = Incoming(limits=Limits(reinvite_ms=2_000)).acked()
    call.give(call.within("INVITE", body=SDP))
    call.events()
    sent = call.wait(2_000)
    assert [m.status for m in sent if isinstance(m, Response)] == [500]
    assert call.events() == [ReinviteCancelled(call.sid)]


def test_a_second_reinvite_waits_for_the_first() -> None:
    call = Incoming().acked()
    call.give(call.within("INVITE", body=SDP))
    answer = call.answer(call.within("INVITE", 3, body=SDP))
    assert answer.status == 500
    assert 0 <= int(answer.headers.get("retry-after")) <= 10


def test_a_reinvite_before_the_ack_waits() -> None:
    call = Incoming()
    call.accepted()
    assert call.statuses(call.within("INVITE", body=SDP)) == [491]


def test_a_reinvite_never_acknowledged_ends_the_call() -> None:
    call = Incoming().acked()
    call.give(call.within("INVITE", body=SDP))
    call.events()
    call.stack.answer_reinvite(call.sid, ANSWER, 0)
    sent = call.wait(32_000)
    assert isinstance(sent[-1], Request)
    assert sent[-1].method == "BYE"
    assert call.end().cause is EndCause.ACK_MISSING
    call.assert_idle()


def test_a_bye_answers_a_pending_reinvite_too() -> None:
    call = Incoming().acked()
    call.give(call.within("INVITE", body=SDP))
    call.events()
    assert call.statuses(call.within("BYE", 3)) == [200, 487]
    call.end()
    call.assert_idle()


def test_routes_are_kept_in_order() -> None:
    extra = ["Record-Route: <sip:near;lr>, <sip:mid:5070;lr>", "Record-Route: <sip:far;lr>"]
    call = Incoming(request(body=SDP, extra=extra))
    ok = call.accepted()
    assert ok.headers.all("record-route") == ["<sip:near;lr>, <sip:mid:5070;lr>", "<sip:far;lr>"]
    call.give(request("ACK", branch="z9hG4bKack", to_tag=call.tag))
    call.stack.info(call.sid, "application/dtmf-relay", b"Signal=1", 0)
    (datagram,) = call.stack.take_output()
    assert datagram.destination == HostPort("near", 5060)
    call.stack.undeliverable(datagram, 0)
    call.stack.bye(call.sid, 0)
    (bye,) = call.requests()
    assert bye.headers.all("route") == ["<sip:near;lr>", "<sip:mid:5070;lr>", "<sip:far;lr>"]
    assert bye.uri == "sip:alice@192.0.2.1"
    assert (bye.from_.tag, bye.to.tag, bye.cseq.number) == (call.tag, "theirs", 2)


def test_a_strict_router_is_obeyed() -> None:
    extra = ["Record-Route: <sip:strict:5080>, <sip:loose;lr>"]
    call = Incoming(request(body=SDP, extra=extra)).acked()
    call.stack.bye(call.sid, 0)
    (datagram,) = call.stack.take_output()
    assert datagram.destination == HostPort("strict", 5080)
    assert datagram.data.startswith(b"BYE sip:strict:5080 SIP/2.0")
    assert b"Route: <sip:loose;lr>\r\nRoute: <sip:alice@192.0.2.1>\r\n" in datagram.data


def test_what_an_owner_may_not_do() -> None:
    call = Incoming(contact_user="gw-7")
    with pytest.raises(NoSuchSession):
        call.stack.accept(SessionId(99), ANSWER, 0)
    with pytest.raises(WrongState):
        call.stack.bye(call.sid, 0)
    with pytest.raises(WrongState):
        call.stack.cancel(call.sid, 0)
    with pytest.raises(WrongState):
        call.stack.reinvite(call.sid, SDP, 0)
    with pytest.raises(WrongStatus):
        call.stack.progress(call.sid, 200, None, 0)
    with pytest.raises(WrongStatus):
        call.stack.refuse(call.sid, 200, "", 0)
    with pytest.raises(UnsafeHeader):
        call.stack.refuse(call.sid, 486, "Busy\r\nX: y", 0)
    with pytest.raises(UnsafeHeader):
        call.stack.accept(call.sid, ANSWER, 0, headers=[("X", "a\nb")])
    assert call.sent() == []
    assert call.events() == []
    assert call.accepted().headers.get("contact") == "<sip:gw-7@192.0.2.2:5060>"
    with pytest.raises(WrongState):
        call.stack.accept(call.sid, ANSWER, 0)


def test_hanging_up_an_unanswered_call_refuses_it() -> None:
    call = Incoming()
    call.stack.hang_up(call.sid, 0, status=486, reason="Q.850;cause=17")
    (busy,) = call.sent()
    assert isinstance(busy, Response)
    assert (busy.status, busy.headers.get("reason")) == (486, "Q.850;cause=17")
    assert call.end().cause is EndCause.REFUSED


def test_an_answer_that_cannot_be_sent_is_left_to_the_caller() -> None:
    call = Incoming()
    call.stack.progress(call.sid, 180, None, 0)
    (datagram,) = call.stack.take_output()
    call.stack.undeliverable(datagram, 0)
    assert call.events() == []
    assert call.stack.active_sessions == 1
