"""Requests that no call comes of: refused as the RFC asks, and nothing stays behind."""

from __future__ import annotations

import pytest

from media_gateway.sip.address import HostPort
from media_gateway.sip.limits import Limits
from media_gateway.sip.message import Response
from media_gateway.sip.stack import Health
from tests.unit.sip.wire import HERE, SDP, Bench, request

ACCEPTED_METHODS = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO"


def refused(data: bytes) -> Response:
    """The final response to a request that makes no call."""
    bench = Bench()
    answers = bench.give(data)
    assert bench.events() == []
    final = answers[-1]
    assert isinstance(final, Response)
    assert final.to.tag
    bench.assert_idle()
    return final


@pytest.mark.parametrize(
    "method",
    [*("REGISTER", "REFER", "SUBSCRIBE", "NOTIFY", "MESSAGE", "PUBLISH", "UPDATE", "PRACK")],
)
def test_methods_not_served(method: str) -> None:
    answer = refused(request(method))
    assert answer.status == 405
    assert answer.headers.get("allow") == ACCEPTED_METHODS


def test_methods_that_do_not_exist() -> None:
    assert refused(request("RE%47IST%45R")).status == 501
    assert refused(request("invite")).status == 501


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
@pytest.mark.parametrize(
    ("uri", "status"),
    [
        ("nobodyKnowsThisScheme:totallyopaquecontent", 416),
        ("sips:bob@192.0.2.2", 416),
        ("<sip:bob@192.0.2.2>", 400),
        ("sip:bob@192.0.2.2?Route=%3Csip:x%3E", 400),
        ("bob", 400),
    ],
)
def test_addresses_not_served(method: str, uri: str, status: int) -> None:
    assert refused(request(method, uri=uri)).status == status


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_extensions_not_served(method: str) -> None:
    extra = ["Require: 100rel, timer", "Proxy-Require: privacy", "require: 100rel"]
    answer = refused(request(method, extra=extra))
    assert answer.status == 420
    assert answer.headers.get("unsupported") == "100rel, timer, privacy"


def test_a_require_that_cannot_be_read() -> None:
    assert refused(request(extra=["Require: a b"])).status == 400


def test_content_not_served() -> None:
    text = refused(request(body=b"hello", content_type="text/plain"))
    assert (text.status, text.headers.get("accept")) == (415, "application/sdp")
    zipped = refused(request(body=SDP, extra=["Content-Encoding: gzip"]))
    assert (zipped.status, zipped.headers.get("accept-encoding")) == (415, "identity")
    unnamed = refused(request(body=SDP, content_type=""))
    assert unnamed.status == 400


def test_identity_is_no_encoding() -> None:
    bench = Bench()
    bench.give(request(body=SDP, extra=["e: identity"]))
    assert len(bench.events()) == 1


@pytest.mark.parametrize("method", ["BYE", "INFO"])
@pytest.mark.parametrize("to_tag", ["", "unknown"])
def test_requests_for_no_dialog(method: str, to_tag: str) -> None:
    assert refused(request(method, to_tag=to_tag)).status == 481


def test_a_reinvite_for_no_dialog() -> None:
    assert refused(request(to_tag="unknown", body=SDP)).status == 481


def test_a_cancel_for_nothing() -> None:
    assert refused(request("CANCEL")).status == 481


def test_an_invite_without_contact() -> None:
    assert refused(request(leave_out=["Contact"])).reason == "Missing Contact"
    tel = request(leave_out=["Contact"], extra=["Contact: <tel:+12025550100>"])
    assert refused(tel).status == 400


def test_an_invite_with_a_broken_route() -> None:
    assert refused(request(extra=["Record-Route: <tel:+1>"])).status == 400
    many = ", ".join(["<sip:p;lr>"] * 40)
    assert refused(request(extra=[f"Record-Route: {many}"])).status == 400


@pytest.mark.parametrize(
    "data",
    [
        request("ACK"),
        request("ACK", to_tag="unknown"),
        request("ACK", leave_out=["CSeq"]),
        request("ACK", version="SIP/7.0"),
        request(leave_out=["Via"]),
        request(leave_out=["Call-ID"]),
        request(leave_out=["Via"], extra=["Via: nonsense"]),
        b"",
        b"\r\n\r\n",
        b"\0",
        b"\x00\x01\x00\x08!\x12\xa4B",
        b"SIP/2.0 200 OK\r\n\r\n",
        b"SIP/2.0 abc\r\nVia: x\r\n\r\n",
    ],
)
def test_what_gets_silence(data: bytes) -> None:
    bench = Bench()
    assert bench.give(data) == []
    assert bench.events() == []
    bench.assert_idle()


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (request(version="SIP/7.0"), 505, "Version Not Supported"),
        (request("OPTIONS", uri="sip:a@h; lr"), 400, "Malformed Request Line"),
        (request(number=2**31), 400, "Bad CSeq (Number Out Of Range)"),
        (
            request().replace(b"Content-Length: 0", b"Content-Length: 5"),
            *(400, "Content-Length Exceeds Body"),
        ),
        (request(cseq_method="BYE"), 400, "CSeq Method Does Not Match"),
        (request(leave_out=["To"], extra=['To: "x <sip:a@h>']), 400, "Bad To (Unbalanced Quotes)"),
        (request(leave_out=["Contact"], extra=["m: <>"]), 400, "Bad Contact (Bad URI)"),
    ],
)
def test_malformed_requests_are_told_why(data: bytes, status: int, reason: str) -> None:
    bench = Bench()
    bench.stack.receive(data, HostPort("192.0.2.1", 5060), 0)
    (datagram,) = bench.stack.take_output()
    first = datagram.data.split(b"\r\n")[0].decode()
    assert first == f"SIP/2.0 {status} {reason}"
    assert b"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n" in datagram.data
    assert bench.stack.malformed == 1
    assert bench.events() == []
    bench.assert_idle()


def test_a_refusal_is_the_same_each_time_it_is_asked_for() -> None:
    bench = Bench()
    assert bench.answer(request("OPTIONS")) == bench.answer(request("OPTIONS"))
    assert bench.answer(request("REFER")) == bench.answer(request("REFER"))


def test_options_tell_health() -> None:
    bench = Bench()
    well = bench.answer(request("OPTIONS"))
    assert (well.status, well.headers.get("allow")) == (200, ACCEPTED_METHODS)
    assert well.headers.get("accept") == "application/sdp"
    assert "supported" in well.headers
    bench.stack.health = Health(accepting=False, retry_after_s=30)
    assert bench.stack.health.retry_after_s == 30
    draining = bench.answer(request("OPTIONS"))
    assert (draining.status, draining.headers.get("retry-after")) == (503, "30")
    bench.stack.health = Health(accepting=False)
    assert "retry-after" not in bench.answer(request("OPTIONS")).headers
    # Nothing is kept for a question that the edge asks every few seconds.
    assert bench.stack.active_transactions == 0


def test_a_request_at_its_last_hop_has_arrived() -> None:
    options = request("OPTIONS", leave_out=["Max-Forwards"], extra=["Max-Forwards: 0"])
    assert Bench().answer(options).status == 200


def test_a_refused_invite_is_repeated_until_acknowledged() -> None:
    bench = Bench()
    invite = request(extra=["Require: x"])
    first = bench.answer(invite)
    assert bench.give(invite) == [first]
    assert bench.wait(600) == [first]
    assert bench.give(request("ACK", to_tag=first.to.tag)) == []
    assert bench.wait(60_000) == []
    bench.assert_idle()


def test_the_same_invite_by_another_way_is_merged() -> None:
    bench = Bench()
    bench.give(request(branch="z9hG4bKone"))
    assert len(bench.events()) == 1
    assert bench.statuses(request(branch="z9hG4bKtwo")) == [482]
    assert bench.events() == []


def test_a_straggler_of_a_finished_invite_makes_no_second_call() -> None:
    bench = Bench()
    bench.give(request())
    (event,) = bench.events()
    bench.stack.refuse(event.session_id, 486, "", 0)  # type: ignore[attr-defined]  # InviteReceived
    (busy,) = bench.sent()
    assert isinstance(busy, Response)
    bench.give(request("ACK", to_tag=busy.to.tag))
    bench.wait(30_000)
    assert bench.stack.active_transactions == 0
    bench.events()
    assert bench.give(request()) == []
    assert bench.statuses(request(branch="z9hG4bKtwo")) == [482]
    assert bench.events() == []
    bench.wait(30_000)
    bench.give(request())
    assert len(bench.events()) == 1


def test_an_old_branch_still_finds_its_transaction() -> None:
    bench = Bench()
    bench.give(request(branch="1"))
    assert len(bench.give(request(branch="1"))) == 1
    bench.give(request(branch="1", call_id="other"))
    assert len(bench.events()) == 2


def test_responses_follow_rport() -> None:
    bench = Bench()
    asked = request("OPTIONS").replace(b";branch", b";rport;branch")
    source = HostPort("203.0.113.5", 61_000)
    bench.stack.receive(asked, source, 0)
    (datagram,) = bench.stack.take_output()
    assert datagram.destination == source
    assert b"rport=61000;received=203.0.113.5" in datagram.data
    bench.stack.receive(request("OPTIONS"), source, 0)
    (datagram,) = bench.stack.take_output()
    assert datagram.destination == HostPort("203.0.113.5", 5060)


def test_beyond_its_sessions_the_stack_says_503() -> None:
    bench = Bench(limits=Limits(sessions=1, overload_retry_after_s=7))
    bench.give(request(call_id="1", branch="z9hG4bK1"))
    answer = bench.answer(request(call_id="2", branch="z9hG4bK2"))
    assert (answer.status, answer.headers.get("retry-after")) == (503, "7")
    assert len(bench.events()) == 1
    assert bench.stack.active_sessions == 1
    bench.assert_idle()


def test_beyond_its_transactions_the_stack_keeps_nothing() -> None:
    bench = Bench(limits=Limits(transactions=1))
    bench.give(request(call_id="1", branch="z9hG4bK1"))
    answer = bench.answer(request(call_id="2", branch="z9hG4bK2"))
    assert (answer.status, answer.headers.get("retry-after")) == (503, "5")
    assert bench.answer(request(call_id="3", branch="z9hG4bK3", uri="x:y")).status == 416
    assert bench.stack.active_transactions == 1


def test_every_via_and_the_asker_are_handed_back() -> None:
    bench = Bench()
    extra = ["Via: SIP/2.0/TCP one, SIP/2.0/UDP two;branch=x", "Record-Route: <sip:edge;lr>"]
    ok = bench.answer(request("OPTIONS", extra=extra))
    assert [via.partition(";")[0] for via in ok.vias] == [
        *("SIP/2.0/UDP 192.0.2.1", "SIP/2.0/TCP one", "SIP/2.0/UDP two")
    ]
    assert ok.call_id == "call-1"
    assert ok.from_.tag == "theirs"
    assert "record-route" not in ok.headers
    assert HERE.port == 5060
