"""Requests too long for UDP: by TCP where that is to be had, else by UDP all the same."""

from __future__ import annotations

import pytest

from media_gateway.sip.address import HostPort
from media_gateway.sip.events import SessionEnded
from media_gateway.sip.message import Request, parse
from media_gateway.sip.stack import Datagram, SipStack
from media_gateway.sip.transactions.layer import MAX_HELD_BYTES, MAX_UDP_REQUEST_BYTES
from tests.unit.sip.network import FROM, TO, stack_at
from tests.unit.sip.wire import HERE, SDP, THERE, Bench, request, response

BY_TCP = HostPort(THERE.host, THERE.port, "TCP")


def called(extra: int) -> tuple[SipStack, Datagram]:
    """A stack and its INVITE, so many bytes longer than usual."""
    stack = stack_at(HERE)
    stack.invite(
        "sip:bob@192.0.2.1",
        from_=FROM,
        to=TO,
        sdp=SDP,
        destination=THERE,
        now_ms=0,
        headers=[("X-Long", "x" * extra)],
    )
    (sent,) = stack.take_output()
    return stack, sent


def read(datagram: Datagram) -> Request:
    message = parse(datagram.data)
    assert isinstance(message, Request)
    return message


def test_the_longest_that_fits_goes_by_udp() -> None:
    short = len(called(0)[1].data)
    _, fits = called(MAX_UDP_REQUEST_BYTES - short)
    assert (len(fits.data), fits.destination) == (MAX_UDP_REQUEST_BYTES, THERE)
    _, longer = called(MAX_UDP_REQUEST_BYTES - short + 1)
    assert longer.destination == BY_TCP


def test_a_longer_one_goes_by_tcp_says_so_and_is_not_repeated() -> None:
    stack, sent = called(2_000)
    invite = read(sent)
    assert (sent.destination, invite.top_via.transport) == (BY_TCP, "TCP")
    assert [name for name, _ in invite.headers].count("Via") == 1
    stack.tick(10_000)
    assert stack.take_output() == []
    # What belongs to its transaction goes the same way.
    stack.receive(response(invite, 486), BY_TCP, 10_000)
    (ack,) = stack.take_output()
    assert (ack.destination, read(ack).top_via) == (BY_TCP, invite.top_via)


def test_where_there_is_no_tcp_it_goes_by_udp_and_is_repeated() -> None:
    stack, sent = called(2_000)
    stack.undeliverable(sent, 100)
    (again,) = stack.take_output()
    assert again.destination == THERE
    assert read(again).top_via.transport == "UDP"
    assert read(again).top_via.branch == read(sent).top_via.branch
    stack.tick(600)
    assert stack.take_output() == [again]
    assert stack.take_events() == []
    stack.undeliverable(again, 700)
    (ended,) = stack.take_events()
    assert isinstance(ended, SessionEnded)
    assert ended.status == 503


def test_a_late_failure_of_tcp_changes_nothing_once_it_was_answered() -> None:
    stack, sent = called(2_000)
    stack.receive(response(read(sent), 180), BY_TCP, 50)
    stack.take_events()
    stack.undeliverable(sent, 100)
    assert stack.take_output() == []
    assert stack.take_events() == []


def test_what_is_kept_to_absorb_repeats_is_bounded_in_bytes() -> None:
    bench = Bench()
    body = b"x" * 60_000
    many = MAX_HELD_BYTES // len(body) + 2
    for number in range(many):
        refused = request(
            branch=f"z9hG4bK{number}", call_id=f"c{number}", body=body, content_type="text/plain"
        )
        assert bench.statuses(refused) == [415]
    assert bench.stack.active_transactions < many
    assert bench.statuses(request(branch="z9hG4bKmore", call_id="more", body=SDP)) == [503]
    bench.wait(60_000)
    assert bench.statuses(request(branch="z9hG4bKlater", call_id="later", body=SDP)) == [100]
    bench.events()


@pytest.mark.parametrize("method", ["BYE", "OPTIONS"])
def test_a_bound_in_bytes_is_for_new_requests_only(method: str) -> None:
    bench = Bench()
    assert bench.statuses(request(method, body=b"x" * 60_000)) != [503]
