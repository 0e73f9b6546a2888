"""URIs, name-addresses and Via: read, refused, and written back letter for letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_gateway.sip.address import URI, HostPort, NameAddr
from media_gateway.sip.grammar import (
    MAX_PARAMS,
    MalformedField,
    Params,
    presentable,
    quote,
    split_list,
    unquote,
)
from media_gateway.sip.via import Via

THERE = HostPort("198.51.100.9", 6060)


@pytest.mark.parametrize(
    "text",
    [
        "sip:atlanta.example.com",
        "sip:alice@atlanta.example.com:5061;transport=tcp;lr",
        "sip:alice:secret@192.0.2.4",
        "sips:1212@gateway.example.com",
        "sip:+1-212-555-1212:1234@gateway.example.com;user=phone",
        "sip:alice@[2001:db8::9:1]:5070",
        "sip:user;par=u%40example.net@example.com",
        "sip:null-%00-null@example.com",
        "sip:*72#@pbx",
        "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.@h",
        "sip:alice@h;maddr=239.255.255.1;ttl=15?subject=project%20x",
        "tel:+1-201-555-0123;phone-context=example.com",
        "nobodyKnowsThisScheme:totallyopaquecontent",
        "soap.beep://192.0.2.103:3002",
    ],
)
def test_uris_are_written_back_as_they_came(text: str) -> None:
    uri = URI.parse(text)
    assert str(uri).lower() == text.lower()
    assert URI.parse(str(uri)) == uri


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alice",
        "sip:",
        "sip:alice@",
        "sip:a b@h",
        "sip:alice@h:0",
        "sip:alice@h:65536",
        "sip:alice@h:x",
        "sip:alice@h?a b",
        "sip:alice@h;x=\udcff",
        "http:\udcff",
        "sip:alice@h ",
        "sip:alice@h;",
        "sip:alice@h;=x",
        "sip:a%4@h",
        "sip:a@b@h",
        "<sip:alice@h>",
        "sip:alice@h\r\nX: y",
        "tel:",
        "tel:abc xyz",
        "tel:{12}",
        "1ab:opaque",
        "http: space",
        "sip:alice@[::1",
        "sip:h;" + ";".join(f"p{n}" for n in range(MAX_PARAMS + 1)),
    ],
)
def test_what_is_no_uri_is_refused(text: str) -> None:
    with pytest.raises(MalformedField):
        URI.parse(text)


def test_users_are_decoded_but_never_into_control_characters() -> None:
    assert URI.parse("sip:sips%3Auser%40example.com@example.net").user == "sips:user@example.com"
    assert URI.parse("sip:null-%00-null@h").user == "null-%00-null"
    assert URI.parse("sip:alice:password@h").user == "alice"
    assert URI.parse("tel:+12025550100").user == "+12025550100"


def test_the_next_hop_obeys_port_and_maddr() -> None:
    assert URI.parse("sip:a@h").next_hop == HostPort("h", 5060)
    assert URI.parse("sip:a@h:5070").next_hop == HostPort("h", 5070)
    assert URI.parse("sip:a@h;maddr=[2001:db8::1]").next_hop == HostPort("2001:db8::1", 5060)


@pytest.mark.parametrize(
    ("text", "display", "tag"),
    [
        ('"A. G. Bell" <sip:agb@bell-telephone.com> ;tag=a48s', "A. G. Bell", "a48s"),
        ("Anonymous <sip:c8oqz84zk7z@privacy.org>;tag=hyh8", "Anonymous", "hyh8"),
        ("sip:+12125551212@server.phone2net.com;tag=887s", "", "887s"),
        ("caller<sip:caller@example.com>;tag=323", "caller", "323"),
        (r'"Quoted \"string\" \\ <x>" <sip:a@h> ; TAG = 1a+b!', r'Quoted "string" \ <x>', "1a+b!"),
        ("<sip:a@h;tag=inner>", "", ""),
        (
            "token1~` token2'+_ token3*%!.- <sip:mundane@example.com>",
            "token1~` token2'+_ token3*%!.-",
            "",
        ),
        ('"" < sip:a@h >', "", ""),
    ],
)
def test_addresses(text: str, display: str, tag: str) -> None:
    address = NameAddr.parse(text)
    assert (address.display, address.tag) == (display, tag)
    again = NameAddr.parse(str(address))
    assert again == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        '"Mr. J. User <sip:j.user@example.com>',
        "<sip:a@h",
        '"A" sip:a@h',
        "A > <sip:a@h>",
        "<sip:a@h> tag=x",
        "<sip:a@h>;tag=",
        '<sip:a@h>;tag="a',
        "sip:a@h?x=y",
        "sip:a@h,sip:b@h",
        "*",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(MalformedField):
        NameAddr.parse(text)


def test_latin_1_names_become_readable() -> None:
    raw = b'"M\xfcller\x07" <sip:a@h>'.decode("utf-8", "surrogateescape")
    assert NameAddr.parse(raw).display == "Müller "
    assert presentable("Grüße, 世界") == "Grüße, 世界"


def test_tags_are_put_and_dropped_without_touching_the_rest() -> None:
    address = NameAddr.parse("<sip:a@h>;x=1;tag=old")
    assert str(address.tagged("new")) == "<sip:a@h>;x=1;tag=new"
    assert str(address.untagged()) == "<sip:a@h>;x=1"


@given(st.text())
def test_quoting_is_undone_by_unquoting(text: str) -> None:
    assert unquote(quote(text)) == text


@given(st.text(max_size=300))
def test_no_text_makes_a_reader_fail_otherwise_than_by_name(text: str) -> None:
    for read in (URI.parse, NameAddr.parse, Via.parse, Params.parse, split_list):
        try:
            read(text)
        except MalformedField:
            continue


def test_lists_are_split_outside_quotes_and_brackets() -> None:
    assert split_list('"a,b" <sip:a@h,x>;p="c,d" , <sip:b@h>') == [
        '"a,b" <sip:a@h,x>;p="c,d"',
        "<sip:b@h>",
    ]
    with pytest.raises(MalformedField):
        split_list("a,,b")


@pytest.mark.parametrize(
    ("text", "host", "port", "branch"),
    [
        ("SIP/2.0/UDP 192.0.2.2;branch=390skdjuw", "192.0.2.2", None, "390skdjuw"),
        (
            "SIP  / 2.0  / TCP     spindle.example.com   ; branch  =   z9hG4bK9ikj8",
            *("spindle.example.com", None, "z9hG4bK9ikj8"),
        ),
        ("SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3", "2001:db8::9:1", 6050, "z9hG4bKas3"),
        ("SIP/2.0/TLS host : 5061;branch=z9hG4bK1", "host", 5061, "z9hG4bK1"),
        ("SIP/2.0/UNKNOWN h", "h", None, ""),
    ],
)
def test_vias(text: str, host: str, port: int | None, branch: str) -> None:
    via = Via.parse(text)
    assert (via.host, via.port, via.branch) == (host, port, branch)
    assert Via.parse(str(via)) == via


@pytest.mark.parametrize(
    "text",
    ["", "SIP/2.0/UDP", "SIP/3.0/UDP h", "HTTP/2.0/UDP h", "SIP/2.0/UDP h;;,;", "SIP/2.0/U DP h"],
)
def test_what_is_no_via_is_refused(text: str) -> None:
    with pytest.raises(MalformedField):
        Via.parse(text)


def test_responses_go_back_to_where_the_request_came_from() -> None:
    plain = Via.parse("SIP/2.0/UDP 10.1.1.1:5080;branch=z9hG4bK1")
    asked = Via.parse("SIP/2.0/UDP 10.1.1.1:5080;rport;branch=z9hG4bK1")
    assert plain.reply_address(THERE) == HostPort(THERE.host, 5080)
    assert asked.reply_address(THERE) == THERE
    assert str(plain.stamped(THERE)).endswith(";branch=z9hG4bK1;received=198.51.100.9")
    assert str(asked.stamped(THERE)).endswith(";rport=6060;received=198.51.100.9")
    true = Via.parse("SIP/2.0/UDP 198.51.100.9;branch=z9hG4bK1")
    assert true.stamped(THERE) is true


def test_maddr_in_a_via_reaches_no_third_party() -> None:
    via = Via.parse("SIP/2.0/UDP 10.1.1.1;maddr=203.0.113.1;branch=z9hG4bK1")
    assert via.reply_address(THERE).host == THERE.host


def test_an_old_branch_is_not_unique() -> None:
    assert not Via.parse("SIP/2.0/UDP h;branch=1").is_unique
    assert not Via.parse("SIP/2.0/UDP h;branch=z9hG4bK").is_unique
