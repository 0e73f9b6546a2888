"""Whom a gateway may ring."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from media_gateway.core.policy import OutboundPolicy, SipTarget, parse_target, plain_number
from media_gateway.model import TargetRefused

POLICY = OutboundPolicy(
    networks=(ip_network("127.0.0.0/8"), ip_network("2001:db8::/32")),
    hosts=frozenset({"phones.example"}),
    dial_patterns=("+1202555*", "sip:*@partner.example", "112"),
    outbound_proxy="127.0.0.1:5080",
)


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("sip:100@127.0.0.1", SipTarget("100", "127.0.0.1", 5060)),
        ("sip:127.0.0.1:5070", SipTarget("", "127.0.0.1", 5070)),
        ("sip:100@[2001:db8::1]:5070;transport=udp", SipTarget("100", "2001:db8::1", 5070)),
        ("sip:100@[::1]:9;x=y;Transport=tcp", SipTarget("100", "::1", 9, "TCP")),
        ("sip:a%20b@phones.example", SipTarget("a%20b", "phones.example", 5060)),
    ],
)
def test_a_uri_is_taken_apart(uri: str, target: SipTarget) -> None:
    assert parse_target(uri) == target


@pytest.mark.parametrize(
    "uri",
    ["", "sip:", "sip:a@", "sips:a@b", "tel:+1", "sip:a@b:0", "sip:a@b:65536", "sip:a b@c",
     "sip:a@b;transport=tls", "sip:a@b;transport=",
     "sip:a@b\r\nX: y", "sip:a@b?Subject=x", "sip:a@b;" + "p" * 70, "sip:" + "a" * 300 + "@b"],
)  # fmt: skip
def test_what_is_no_plain_sip_uri_is_refused(uri: str) -> None:
    with pytest.raises(TargetRefused):
        parse_target(uri)


@pytest.mark.parametrize(
    "endpoint",
    ["sip:100@127.0.0.1:5070", "sip:100@[2001:db8::9]", "sip:100@Phones.Example"],
)
def test_endpoints_where_policy_allows_may_be_rung(endpoint: str) -> None:
    assert POLICY.agent_target(endpoint) == endpoint


@pytest.mark.parametrize(
    "endpoint", ["sip:100@192.0.2.1", "sip:100@elsewhere.example", "sip:100@[2001:db9::1]"]
)
def test_endpoints_elsewhere_may_not(endpoint: str) -> None:
    with pytest.raises(TargetRefused):
        POLICY.agent_target(endpoint)


@pytest.mark.parametrize(
    ("target", "uri"),
    [
        ("+12025550199", "sip:+12025550199@127.0.0.1:5080"),
        ("+1 (202) 555-0199", "sip:+12025550199@127.0.0.1:5080"),
        ("sip:desk@partner.example", "sip:desk@partner.example"),
        ("112", "sip:112@127.0.0.1:5080"),
    ],
)
def test_what_a_pattern_allows_may_be_dialled(target: str, uri: str) -> None:
    assert POLICY.dial_target(target) == uri


@pytest.mark.parametrize("target", ["+13105550199", "sip:desk@192.0.2.1", "desk", "", "+", "9"])
def test_what_no_pattern_allows_may_not(target: str) -> None:
    with pytest.raises(TargetRefused):
        POLICY.dial_target(target)


@pytest.mark.parametrize("target", ["911", "+112", "112", "sip:911@partner.example"])
def test_a_wildcard_never_reaches_an_emergency_number(target: str) -> None:
    policy = OutboundPolicy(networks=(), dial_patterns=("*",), outbound_proxy="127.0.0.1")
    with pytest.raises(TargetRefused):
        policy.dial_target(target)


def test_without_a_trunk_numbers_cannot_be_dialled() -> None:
    policy = OutboundPolicy(networks=(), dial_patterns=("*",))
    with pytest.raises(TargetRefused, match="trunk"):
        policy.dial_target("+12025550199")


@pytest.mark.parametrize(
    ("user", "number"),
    [
        ("+1-202-555-0100", "+12025550100"),
        ("(202) 555.0100", "2025550100"),
        ("*67#", "*67#"),
        ("john.doe", "john.doe"),
        ("", ""),
    ],
)
def test_visual_separators_are_taken_out_of_numbers_only(user: str, number: str) -> None:
    assert plain_number(user) == number
