"""Between SIP's words and the call's."""

from __future__ import annotations

import pytest

from media_gateway.adapters.sip_words import (
    invitation_of,
    key_in,
    next_hop,
    parties,
    reason_header,
)
from media_gateway.model import Leg, LegRole, TargetRefused
from media_gateway.sip.address import URI, HostPort, NameAddr
from media_gateway.sip.events import InviteReceived, SessionId
from media_gateway.sip.headers import Headers
from services.chassis.ids import LegId

HERE = HostPort("127.0.0.1", 5060)


def _invite(
    *headers: tuple[str, str], uri: str = "sip:+12025550100@h", from_: str = "<sip:+1@h>"
) -> InviteReceived:
    return InviteReceived(
        session_id=SessionId(1),
        call_id="c",
        request_uri=URI.parse(uri),
        from_=NameAddr.parse(from_),
        to=NameAddr.parse("<sip:x@h>"),
        headers=Headers(headers),
        sdp=None,
        source=HERE,
        max_forwards=70,
    )


@pytest.mark.parametrize(
    ("uri", "called"),
    [
        ("sip:+1-202-555-0100@h;user=phone", "+12025550100"),
        ("sip:2025550100@h", "2025550100"),
        ("tel:+1(202)555-0100", "+12025550100"),
        ("sip:sales@h", "sales"),
        ("sip:h", ""),
    ],
)
def test_the_number_called_is_the_request_uris_user(uri: str, called: str) -> None:
    assert invitation_of(_invite(uri=uri), trusted=False).called == called


@pytest.mark.parametrize(
    ("from_", "caller", "name"),
    [
        ('"Ann Example" <sip:+1-202-555-0123@h>', "+12025550123", "Ann Example"),
        ("<sip:anonymous@anonymous.invalid>", "", ""),
        ('"Anonymous" <sip:Anonymous@h>', "", "Anonymous"),
        ("<sip:x@anonymous.invalid>", "", ""),
    ],
)
def test_a_withheld_number_is_empty(from_: str, caller: str, name: str) -> None:
    said = invitation_of(_invite(from_=from_), trusted=False)
    assert (said.caller, said.display_name) == (caller, name)


ASSERTED = (
    ("X-Carillon-Trunk", "east"),
    ("P-Asserted-Identity", '"Bank" <sip:+15@h>, <tel:+16>'),
    ("Diversion", "<sip:+17@h>;reason=busy"),
)


def test_only_an_edge_may_assert() -> None:
    stranger = invitation_of(_invite(*ASSERTED), trusted=False)
    assert (stranger.trunk, stranger.asserted_identity) == ("local", "")
    edge = invitation_of(_invite(*ASSERTED), trusted=True)
    assert (edge.trunk, edge.asserted_identity, edge.diversion) == ("east", "+15", "+17")
    assert "X-Carillon-Trunk" not in edge.headers
    assert invitation_of(_invite(), trusted=True).trunk == "local"


def test_a_broken_identity_is_none() -> None:
    said = invitation_of(_invite(("P-Asserted-Identity", "<sip:")), trusted=True)
    assert said.asserted_identity == ""


def test_only_so_many_headers_of_only_so_much_pass() -> None:
    many = [(f"X-{n}", "v" * 300) for n in range(20)]
    passed = invitation_of(_invite(("Subject", "s"), ("x-a", "1"), ("x-a", "2"), *many),
                           trusted=False).headers  # fmt: skip
    assert len(passed) == 16
    assert passed["x-a"] == "1"
    assert max(map(len, passed.values())) == 256


@pytest.mark.parametrize(
    ("content_type", "body", "key"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", "5"),
        ("application/dtmf-relay", b"signal = *\n", "*"),
        ("application/dtmf-relay", b"Signal=11", "#"),
        ("application/dtmf-relay", b"Signal=a", "A"),
        ("application/dtmf-relay", b"Duration=5", ""),
        ("application/dtmf-relay", b"Signal=flash", ""),
        ("application/dtmf", b"7\r\n", "7"),
        ("application/dtmf", b"\xff\xfe", ""),
        ("text/plain", b"5", ""),
    ],
)
def test_a_key_in_an_info(content_type: str, body: bytes, key: str) -> None:
    assert key_in(content_type, body) == key


def test_an_outgoing_call_shows_the_caller() -> None:
    leg = Leg(
        LegId("2"),
        LegRole.AGENT,
        target="sip:100@127.0.0.1:5070",
        shown="+12025550123",
        display="Ann",
    )
    from_, to = parties(leg, HERE)
    assert str(from_) == "Ann <sip:+12025550123@127.0.0.1:5060>"
    assert str(to) == "<sip:100@127.0.0.1:5070>"
    assert next_hop(leg.target) == HostPort("127.0.0.1", 5070)


@pytest.mark.parametrize("shown", ["", "a b", "a@b\r\nEvil: 1"])
def test_what_cannot_be_shown_is_anonymous(shown: str) -> None:
    leg = Leg(LegId("2"), LegRole.AGENT, target="sip:1@h", shown=shown)
    from_, _ = parties(leg, HostPort("::1", 5060))
    assert str(from_) == "<sip:anonymous@[::1]:5060>"


def test_a_next_hop_is_reached_as_its_uri_asks() -> None:
    assert next_hop("sip:a@127.0.0.1:5070;transport=tcp") == HostPort("127.0.0.1", 5070, "TCP")


def test_a_next_hop_needs_a_sip_uri() -> None:
    with pytest.raises(TargetRefused):
        next_hop("tel:+1")


def test_reasons_are_told_where_somebody_needs_them() -> None:
    assert reason_header("answered-elsewhere") == 'SIP;cause=200;text="Call completed elsewhere"'
    assert reason_header("handled") == ""
