"""Calls that go out: answered, refused, redirected, challenged, forked, cancelled."""

from __future__ import annotations

import pytest

from media_gateway.sip.address import HostPort
from media_gateway.sip.auth import Challenge, digest
from media_gateway.sip.events import (
    EndCause,
    InviteAccepted,
    ProvisionalReceived,
    SessionEnded,
)
from media_gateway.sip.grammar import MalformedField
from media_gateway.sip.limits import Limits
from media_gateway.sip.message import Request
from media_gateway.sip.stack import StackFull, TooManyHops, UnsafeHeader
from tests.unit.sip.calls import ALICE, ANSWER, Outgoing
from tests.unit.sip.network import FROM, TO
from tests.unit.sip.wire import SDP, THERE, Bench, request, response


def test_what_an_invite_carries() -> None:
    call = Outgoing(
        headers=[("P-Asserted-Identity", "<sip:+12025550100@x>")],
        contact_user="gw-7",
        max_forwards=12,
    )
    invite = call.invite
    assert (invite.uri, invite.sdp, invite.max_forwards) == ("sip:bob@192.0.2.1:5070", SDP, 12)
    assert invite.from_.display == "Alice"
    assert invite.from_.tag
    assert invite.to.tag == ""
    assert invite.headers.get("contact") == "<sip:gw-7@192.0.2.2:5060>"
    assert invite.headers.get("p-asserted-identity") == "<sip:+12025550100@x>"
    assert invite.top_via.params.has("rport")
    assert invite.top_via.is_unique


def test_ringing_answered_acknowledged_hung_up() -> None:
    call = Outgoing()
    assert call.hear(100, tag="") == []
    assert call.events() == []
    call.hear(180)
    call.hear(183, body=ANSWER)
    assert call.events() == [
        ProvisionalReceived(call.sid, 180, "Whatever", None, "theirs"),
        ProvisionalReceived(call.sid, 183, "Whatever", ANSWER, "theirs"),
    ]
    ack = call.answered()
    assert (ack.method, ack.uri, ack.cseq.number) == ("ACK", "sip:bob@192.0.2.1:5070", 1)
    assert ack.to.tag == "theirs"
    (event,) = call.events()
    assert isinstance(event, InviteAccepted)
    assert (event.sdp, event.to_tag) == (ANSWER, "theirs")
    call.stack.bye(call.sid, 10)
    assert call.end().cause is EndCause.WE_LEFT
    (bye,) = call.requests()
    assert (bye.method, bye.cseq.number) == ("BYE", 2)
    call.give(response(bye, 200))
    assert call.events() == []
    call.assert_idle()


def test_an_answer_that_comes_again_is_acknowledged_again() -> None:
    call = Outgoing()
    ack = call.answered()
    assert call.answered() == ack
    call.stack.bye(call.sid, 0)
    call.sent()
    assert call.answered() == ack


def test_a_call_may_be_given_a_way_to_begin_with() -> None:
    call = Outgoing(routes=("<sip:edge:5060;lr>",))
    assert call.invite.headers.all("route") == ["<sip:edge:5060;lr>"]
    assert call.invite.uri == "sip:bob@192.0.2.1:5070"
    call.hear(180, tag="")
    call.stack.cancel(call.sid, 10)
    (cancel,) = call.requests()
    assert (cancel.method, cancel.headers.all("route")) == ("CANCEL", ["<sip:edge:5060;lr>"])
    (ack,) = call.hear(487)
    assert isinstance(ack, Request)
    assert (ack.method, ack.headers.all("route")) == ("ACK", ["<sip:edge:5060;lr>"])


def test_whoever_answers_says_the_way_from_then_on() -> None:
    call = Outgoing(routes=("<sip:edge:5060;lr>",))
    (ack,) = call.hear(200, extra=["Record-Route: <sip:other:5080;lr>"])
    assert isinstance(ack, Request)
    assert ack.headers.all("route") == ["<sip:other:5080;lr>"]
    direct = Outgoing(routes=("<sip:edge:5060;lr>",))
    (ack,) = direct.hear(200)
    assert isinstance(ack, Request)
    assert ack.headers.all("route") == []


def test_requests_follow_the_reversed_route() -> None:
    call = Outgoing()
    (ack,) = call.hear(200, extra=["Record-Route: <sip:far;lr>, <sip:near:5080;lr>"])
    assert isinstance(ack, Request)
    assert ack.headers.all("route") == ["<sip:near:5080;lr>", "<sip:far;lr>"]
    assert ack.uri == "sip:bob@192.0.2.1:5070"
    call.stack.bye(call.sid, 0)
    (datagram,) = call.stack.take_output()
    assert datagram.destination == HostPort("near", 5080)


def test_refused() -> None:
    call = Outgoing()
    extra = ["Reason: Q.850;cause=17", "Retry-After: 18000 (in a meeting);duration=60"]
    (ack,) = call.hear(486, reason="Busy Here", extra=extra)
    assert isinstance(ack, Request)
    assert (ack.method, ack.top_via, ack.to.tag) == ("ACK", call.invite.top_via, "theirs")
    end = call.end()
    assert (end.cause, end.status, end.phrase) == (EndCause.FAILED, 486, "Busy Here")
    assert (end.reason, end.retry_after_s) == ("Q.850;cause=17", 18_000)
    assert call.hear(486) == [ack]
    assert call.events() == []
    call.assert_idle()


def test_redirected() -> None:
    call = Outgoing()
    contacts = "Contact: <sip:b@two>;q=0.5, <sip:a@one>;q=0.9, sip:c@three;q=x, <sip:d@four>"
    call.hear(302, extra=[contacts])
    end = call.end()
    assert end.contacts == ("sip:d@four", "sip:a@one", "sip:b@two")
    assert end.status == 302


def test_redirected_to_nowhere() -> None:
    call = Outgoing()
    call.hear(302, extra=["Contact: <sip:a@one>,,<sip:b@two>"])
    end = call.end()
    assert (end.status, end.contacts) == (302, ())


def test_an_answer_with_an_unreadable_contact_keeps_the_address_called() -> None:
    call = Outgoing()
    data = response(call.invite, 200).replace(b"Contact: <sip:bob@192.0.2.1:5070>", b"m: <")
    (ack,) = call.give(data)
    assert isinstance(ack, Request)
    assert ack.uri == call.invite.uri


def test_nobody_there() -> None:
    call = Outgoing()
    call.wait(32_000)
    end = call.end()
    assert (end.cause, end.status, end.phrase) == (EndCause.FAILED, 408, "Request Timeout")
    call.assert_idle()


def test_unreachable() -> None:
    bench = Bench()
    bench.stack.invite(
        "sip:bob@nowhere.invalid",
        from_=FROM,
        to=TO,
        sdp=SDP,
        destination=HostPort("nowhere.invalid", 5060),
        now_ms=0,
    )
    (datagram,) = bench.stack.take_output()
    bench.stack.undeliverable(datagram, 0)
    (event,) = bench.events()
    assert isinstance(event, SessionEnded)
    assert (event.cause, event.status) == (EndCause.FAILED, 503)
    bench.stack.undeliverable(datagram, 0)
    assert bench.events() == []
    bench.assert_idle()


def test_rings_too_long() -> None:
    call = Outgoing(limits=Limits(ringing_ms=30_000))
    call.hear(180)
    call.events()
    (cancel,) = call.wait(30_000)
    assert isinstance(cancel, Request)
    assert cancel.method == "CANCEL"
    end = call.end()
    assert (end.cause, end.status) == (EndCause.NOBODY_ANSWERED, 408)
    call.hear(487)
    call.assert_idle()


def test_cancelled_while_ringing() -> None:
    call = Outgoing()
    call.hear(180)
    call.events()
    call.stack.cancel(call.sid, 0, reason='SIP;cause=200;text="Call completed elsewhere"')
    (cancel,) = call.requests()
    assert cancel.method == "CANCEL"
    assert (cancel.top_via, cancel.uri) == (call.invite.top_via, call.invite.uri)
    assert (cancel.cseq.number, cancel.to.tag) == (1, "")
    assert "completed elsewhere" in cancel.headers.get("reason")
    assert call.end().cause is EndCause.CANCELLED
    call.give(response(cancel, 200))
    (ack,) = call.hear(487)
    assert isinstance(ack, Request)
    assert ack.method == "ACK"
    assert call.events() == []
    call.assert_idle()


def test_a_cancel_waits_for_the_first_provisional_answer() -> None:
    call = Outgoing()
    call.stack.cancel(call.sid, 0)
    assert call.sent() == []
    assert call.end().cause is EndCause.CANCELLED
    (cancel,) = call.hear(100, tag="")
    assert isinstance(cancel, Request)
    assert cancel.method == "CANCEL"
    call.hear(180)
    call.hear(487)
    assert call.events() == []
    call.assert_idle()


def test_a_cancel_never_sent_ends_with_the_invite() -> None:
    call = Outgoing()
    call.stack.cancel(call.sid, 0)
    call.end()
    sent = call.wait(40_000)
    assert {m.method for m in sent if isinstance(m, Request)} == {"INVITE"}
    call.assert_idle()


@pytest.mark.parametrize("rings_first", [True, False])
def test_an_answer_that_crosses_a_cancel_is_ended_by_bye(rings_first: bool) -> None:
    call = Outgoing()
    if rings_first:
        call.hear(180)
        call.events()
    call.stack.cancel(call.sid, 0)
    call.sent()
    assert call.end().cause is EndCause.CANCELLED
    ack, bye = call.hear(200, body=ANSWER)
    assert isinstance(ack, Request)
    assert isinstance(bye, Request)
    assert (ack.method, bye.method) == ("ACK", "BYE")
    assert call.events() == []
    call.give(response(bye, 200))
    call.assert_idle()


def test_a_cancelled_invite_that_is_never_answered_is_abandoned() -> None:
    call = Outgoing()
    call.hear(180)
    call.stack.cancel(call.sid, 0)
    call.wait(32_000)
    assert call.stack.active_sessions == 0
    call.assert_idle()


def test_a_second_branch_that_answers_is_acknowledged_and_sent_away() -> None:
    call = Outgoing()
    call.hear(180, tag="one")
    call.hear(180, tag="two")
    assert len(call.events()) == 2
    call.answered(tag="one")
    call.events()
    ack, bye = call.hear(200, tag="two", body=ANSWER)
    assert isinstance(ack, Request)
    assert isinstance(bye, Request)
    assert (ack.method, ack.to.tag) == ("ACK", "two")
    assert (bye.method, bye.to.tag) == ("BYE", "two")
    assert call.hear(200, tag="two", body=ANSWER) == [ack]
    call.give(response(bye, 401))
    assert call.events() == []
    assert call.stack.active_sessions == 1


def test_no_end_of_branches() -> None:
    call = Outgoing()
    for number in range(40):
        call.hear(180, tag=f"early{number}")
    assert len(call.events()) == 40
    sent = [message for number in range(40) for message in call.hear(200, tag=f"b{number}")]
    assert len(sent) == 2 * 16 - 1


def test_a_bye_from_a_branch_that_rang() -> None:
    call = Outgoing()
    call.hear(180)
    call.events()
    bye = request("BYE", call_id=call.invite.call_id, to_tag=call.invite.from_.tag)
    assert call.statuses(bye) == [200]
    assert call.end().cause is EndCause.THEY_LEFT
    call.assert_idle()


def test_an_answer_whose_way_back_cannot_be_read() -> None:
    call = Outgoing()
    assert call.hear(183, extra=["Record-Route: <tel:+1>"]) == []
    assert call.events() == []
    assert call.hear(200, extra=["Record-Route: <tel:+1>"]) == []
    end = call.end()
    assert (end.cause, end.status) == (EndCause.FAILED, 502)
    call.assert_idle()


def test_an_unreadable_answer_that_crosses_a_cancel() -> None:
    call = Outgoing()
    call.stack.cancel(call.sid, 0)
    call.end()
    assert call.hear(200, extra=["Record-Route: <tel:+1>"]) == []
    call.assert_idle()


def test_an_unreadable_answer_of_a_second_branch() -> None:
    call = Outgoing().confirmed()
    assert call.hear(200, tag="two", extra=["Record-Route: <tel:+1>"]) == []
    assert call.events() == []
    assert call.stack.active_sessions == 1


def test_a_challenge_is_answered_once() -> None:
    call = Outgoing(credentials=ALICE)
    challenge = 'Digest realm="edge", nonce="n1", qop="auth", algorithm=SHA-256'
    ack, again = call.hear(407, extra=[f"Proxy-Authenticate: {challenge}"])
    assert isinstance(ack, Request)
    assert isinstance(again, Request)
    assert (ack.method, again.method) == ("ACK", "INVITE")
    assert (again.call_id, again.from_.tag) == (call.invite.call_id, call.invite.from_.tag)
    assert again.cseq.number == 2
    assert again.top_via.branch != call.invite.top_via.branch
    proof = again.headers.get("proxy-authorization")
    cnonce = proof.split('cnonce="')[1].split('"')[0]
    expected = digest(
        Challenge.parse(challenge), ALICE, method="INVITE", uri=again.uri, cnonce=cnonce
    )
    assert f'response="{expected}"' in proof
    call.invite = again
    ack = call.answered()
    # The ACK repeats what let the INVITE pass; the BYE proves itself anew.
    assert ack.headers.get("proxy-authorization") == proof
    call.stack.bye(call.sid, 0)
    (bye,) = call.requests()
    assert "nc=00000002" in bye.headers.get("proxy-authorization")


def test_wrong_credentials_fail() -> None:
    call = Outgoing(credentials=ALICE)
    challenge = ['WWW-Authenticate: Digest realm="r", nonce="n"']
    call.hear(180)
    call.events()
    _, call.invite = call.hear(401, extra=challenge)  # type: ignore[assignment]  # an INVITE, as above
    call.hear(401, extra=challenge)
    assert call.end().status == 401
    call.assert_idle()


def test_without_credentials_a_challenge_is_a_refusal() -> None:
    call = Outgoing()
    call.hear(401, extra=['WWW-Authenticate: Digest realm="r", nonce="n"'])
    assert call.end().status == 401


def test_a_bye_may_be_challenged() -> None:
    call = Outgoing(credentials=ALICE).confirmed()
    call.stack.bye(call.sid, 0)
    (bye,) = call.requests()
    call.end()
    (again,) = call.give(
        response(bye, 401, extra=['WWW-Authenticate: Digest realm="r", nonce="n"'])
    )
    assert isinstance(again, Request)
    assert (again.method, again.cseq.number) == ("BYE", 3)
    assert "authorization" in again.headers
    call.give(response(again, 481))
    assert call.events() == []
    call.assert_idle()


@pytest.mark.parametrize(
    ("find", "put"),
    [
        (b"192.0.2.2:5060;branch", b"192.0.2.255:5060;branch"),
        (b"From:", b"Via: SIP/2.0/UDP x;branch=z9hG4bK9\r\nFrom:"),
        (b"branch=z9hG4bK", b"branch=z9hG4bKno"),
        (b"1 INVITE", b"1 BYE"),
        (b"SIP/2.0 486", b"SIP/2.0 999"),
    ],
)
def test_answers_that_are_not_ours_are_dropped(find: bytes, put: bytes) -> None:
    call = Outgoing()
    data = response(call.invite, 486)
    assert find in data
    assert call.give(data.replace(find, put, 1)) == []
    assert call.events() == []


def test_what_an_owner_may_not_do() -> None:
    bench = Bench(limits=Limits(sessions=1))

    def invite(target: str = "sip:bob@h", **options: object) -> None:
        bench.stack.invite(
            target,
            from_=FROM,
            to=TO,
            sdp=SDP,
            destination=THERE,
            now_ms=0,
            **options,  # type: ignore[arg-type]  # each line names one of `invite`'s options
        )

    with pytest.raises(MalformedField):
        invite("tel:+12025550100")
    with pytest.raises(MalformedField):
        invite("sip:bob@h?X=y")
    with pytest.raises(MalformedField):
        invite(contact_user="a b")
    with pytest.raises(UnsafeHeader):
        invite(headers=[("X", "a\r\nVia: b")])
    with pytest.raises(TooManyHops):
        invite(max_forwards=0)
    assert bench.sent() == []
    assert bench.stack.is_idle
    invite()
    with pytest.raises(StackFull):
        invite()
    assert len(bench.sent()) == 1
