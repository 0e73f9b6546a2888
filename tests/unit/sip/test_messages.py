"""Messages in the spirit of RFC 4475: tortuous ones are read, wrong ones named."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_gateway.sip.headers import (
    MAX_HEADER_CHARS,
    MAX_HEADERS,
    Headers,
    UnsafeHeader,
    checked,
)
from media_gateway.sip.message import (
    MAX_MESSAGE_BYTES,
    MalformedMessage,
    Request,
    Response,
    parse,
)
from tests.unit.sip.wire import request

TORTUOUS = (
    b"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
    b"TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
    b'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n'
    b"MaX-fOrWaRdS: 0068\r\n"
    b"Call-ID: wsinv.ndaksdj@192.0.2.1\r\n"
    b"Content-Length   : 3\r\n"
    b"cseq: 0009\r\n  INVITE\r\n"
    b"Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\n"
    b"s :\r\n"
    b"NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
    b"UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Route:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n"
    b"v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
    b" SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
    b'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n'
    b"  secondparam ; q = 0.33\r\n"
    b"\r\nv=0and what follows the length"
)


def test_a_tortuous_request_is_understood() -> None:
    message = parse(TORTUOUS)
    assert isinstance(message, Request)
    assert message.to.tag == "1918181833n"
    assert message.from_.display == 'J Rosenberg \\"'
    assert message.from_.tag == "98asjd8"
    assert message.max_forwards == 68
    assert (message.cseq.number, message.cseq.method) == (9, "INVITE")
    assert message.headers.get("newfangledheader") == "newfangled value continued newfangled value"
    assert len(message.vias) == 3
    assert message.top_via.branch == "390skdjuw"
    assert message.contact is not None
    assert message.contact.params.get("q") == "0.33"
    assert message.body == b"v=0"
    assert message.sdp == b"v=0"


@pytest.mark.parametrize(
    "data",
    [
        request("!interesting-Method0123456789_*+`.%indeed'~"),
        request("RE%47IST%45R"),
        request("OPTIONS", uri="sip:user;par=u%40example.net@example.com"),
        request("OPTIONS", uri="nobodyKnowsThisScheme:totallyopaquecontent"),
        request("OPTIONS", extra=["Via: SIP/2.0/UNKNOWN t5.example.com;branch=z9hG4bKkdjuw"]),
        request("INVITE", extra=["Date: Fri, 01 Jan 2010 16:00:00 EST"]),
        request("INVITE", extra=[f"X-{'long' * 500}: {'value' * 1000}"]),
        request("OPTIONS", leave_out=["Max-Forwards"]),
        request("OPTIONS", leave_out=["Contact"], extra=["Contact: *"]),
    ],
)
def test_unusual_requests_are_valid(data: bytes) -> None:
    assert isinstance(parse(data), Request)


BAD = {
    "Malformed Request Line": [
        request("OPTIONS", uri="sip:a@h; lr"),
        request("OPTIONS", uri=" sip:a@h"),
        request("OPTIONS", version="SIP/2.0 "),
        request("OPTIONS", version="HTTP/1.1"),
        request("OPT{ONS"),
        request("OPTIONS", uri="sip:a\th"),
    ],
    "Version Not Supported": [request("OPTIONS", version="SIP/7.0")],
    "Content-Length Exceeds Body": [request(extra=["X: y"]).replace(b"Length: 0", b"Length: 9")],
    "Not A Number": [
        request().replace(b"Content-Length: 0", b"Content-Length: -999"),
        request().replace(b"Content-Length: 0", "Content-Length: ٣".encode()),
    ],
    "Bad CSeq (Number Out Of Range)": [request(number=2**31), request(number=36893488147419103232)],
    "Bad Max-Forwards (Number Out Of Range)": [
        request(leave_out=["Max-Forwards"], extra=["Max-Forwards: 300"])
    ],
    "Bad To (Unbalanced Quotes)": [
        request(leave_out=["To"], extra=['To: "Mr. J. User <sip:j.user@example.com>'])
    ],
    "Bad Via (Empty List Element)": [
        request(leave_out=["Via"], extra=["Via: SIP/2.0/UDP 192.0.2.15;;,;,,"])
    ],
    "CSeq Method Does Not Match": [request("OPTIONS", cseq_method="INVITE")],
    "Missing From": [request(leave_out=["From"])],
    "Missing Call-ID": [request(leave_out=["Call-ID"])],
    "Repeated From": [request(extra=["f: <sip:mallory@example.org>;tag=2"])],
    "Repeated Content-Length": [request(extra=["Content-Length: 0"])],
    "Repeated CSeq": [request(extra=["CSeq: 8 INVITE"])],
    "Bad Contact (Bad URI)": [request(leave_out=["Contact"], extra=["Contact: <nothing>"])],
    "Bare Line Break": [request(extra=["X: a\nVia: SIP/2.0/UDP h"]), request(extra=["X: a\rb"])],
    "Malformed Header": [request(extra=["no colon here"]), request(extra=["a b: c"])],
    "Too Many Headers": [request(extra=[f"X-{n}: y" for n in range(MAX_HEADERS)])],
    "Header Too Long": [request(extra=["X: " + "y" * (MAX_HEADER_CHARS + 1)])],
    "Folded First Line": [request().replace(b"Via:", b" Via:", 1)],
    "No End Of Headers": [b"INVITE sip:a@h SIP/2.0\r\nVia: x\r\n", b"\x00\x01\x02", b"hello"],
    "Message Too Large": [request(body=b"x" * MAX_MESSAGE_BYTES)],
}


@pytest.mark.parametrize(
    ("reason", "data"), [(reason, data) for reason, many in BAD.items() for data in many]
)
def test_wrong_requests_are_named(reason: str, data: bytes) -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse(data)
    assert caught.value.reason.startswith(reason)


RESPONSE = (
    "SIP/2.0 {status}\r\nVia: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe\r\n"
    "Call-ID: 1\r\nCSeq: 35 INVITE\r\nFrom: <sip:u@h>;tag=1\r\nTo: <sip:w@h>;tag=2\r\n{more}\r\n"
)


def response_with(status: str, more: str = "") -> bytes:
    return RESPONSE.format(status=status, more=more).encode()


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (
            "200 = 2**3 * 5**2 но сто девяносто девять - простое",
            200,
            "= 2**3 * 5**2 но сто девяносто девять - простое",
        ),
        ("100 ", 100, ""),
        ("699 x", 699, "x"),
    ],
)
def test_status_lines(status: str, code: int, reason: str) -> None:
    message = parse(response_with(status))
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (code, reason)


@pytest.mark.parametrize(
    "status", ["4294967301 big", "99 low", "700 high", "abc x", "2000", "٣٣٣ x"]
)
def test_impossible_statuses_are_dropped(status: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse(response_with(status))
    assert caught.value.refusable is None


def test_a_response_with_an_overlarge_number_is_dropped() -> None:
    data = response_with("200 OK").replace(b"35 INVITE", b"99999999999999999999 INVITE")
    with pytest.raises(MalformedMessage):
        parse(data)


names = st.from_regex(r"X-[A-Za-z0-9]{1,12}", fullmatch=True)
values = st.text(
    st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]), max_size=60
).map(lambda text: text.strip(" \t"))


@given(
    method=st.from_regex(r"[A-Z]{3,9}", fullmatch=True),
    fields=st.lists(st.tuples(names, values), max_size=12),
    body=st.binary(max_size=300),
)
def test_what_is_written_is_read_back(
    method: str, fields: list[tuple[str, str]], body: bytes
) -> None:
    needed = [
        ("Via", "SIP/2.0/UDP h;branch=z9hG4bK1"),
        ("From", "<sip:a@h>;tag=1"),
        ("To", "<sip:b@h>"),
        ("Call-ID", "x"),
        ("CSeq", f"1 {method}"),
    ]
    before = Request(method, "sip:b@h", Headers([*needed, *fields]), body)
    after = parse(before.encode())
    assert isinstance(after, Request)
    assert (after.method, after.uri, after.body) == (method, "sip:b@h", body)
    assert list(after.headers)[:-1] == list(before.headers)
    assert parse(after.encode()) == after


@given(st.binary(max_size=200))
def test_bytes_that_are_no_text_survive(value: bytes) -> None:
    value = value.replace(b"\r", b"").replace(b"\n", b"").strip(b" \t")
    data = request(extra=["X: @@"]).replace(b"@@", value)
    message = parse(data)
    assert message.encode() == data.replace(b"X: \r", b"X: \r")
    text = message.headers.presentable().get("x")
    text.encode()
    assert not any(ord(char) < 32 or ord(char) == 127 for char in text)


@pytest.mark.parametrize(
    "data",
    [
        request(extra=["X: " + " " * 8_000 + "y"]),
        request(leave_out=["To"], extra=["To: " + '"' + "\\" * 8_000]),
        request(leave_out=["To"], extra=["To: " + '\\"' * 4_000]),
        request(leave_out=["To"], extra=["To: <sip:" + "a" * 8_000]),
        request(leave_out=["To"], extra=["To: <sip:+" + "1" * 8_000 + "x @h>"]),
        request(leave_out=["To"], extra=["To: <sip:a@h>" + ";a" * 4_000]),
        request(leave_out=["Via"], extra=["Via: " + "," * 8_000]),
        request(leave_out=["Via"], extra=["Via: " + '"<>",' * 1_600]),
        request(leave_out=["CSeq"], extra=["CSeq: " + "0" * 8_000 + " INVITE"]),
        request(extra=[" " + "fold" * 20] * 5_000),
    ],
)
def test_hostile_lengths_cost_little(data: bytes) -> None:
    started = time.process_time()
    for _ in range(3):
        try:
            parse(data)
        except MalformedMessage:
            continue
    # Anything quadratic takes whole seconds here; this is no benchmark.
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "fields",
    [
        [("X", "a\r\nVia: b")],
        [("X", "a\nb")],
        [("X", "\0")],
        [("X Y", "a")],
        [("", "a")],
        [("X", "y" * (MAX_HEADER_CHARS + 1))],
        [("X", "y")] * (MAX_HEADERS + 1),
    ],
)
def test_an_owner_cannot_inject_headers(fields: list[tuple[str, str]]) -> None:
    with pytest.raises(UnsafeHeader):
        checked(fields)


def test_names_are_found_in_any_case_and_form() -> None:
    headers = Headers([("f", "1"), ("FROM", "2"), ("X-Own", "3"), ("Allow", "INVITE, BYE")])
    assert headers.all("from") == ["1", "2"]
    assert headers.get("x-own") == "3"
    assert headers.get("to", "none") == "none"
    assert headers.values("allow") == ["INVITE", "BYE"]
    assert "from" in headers
    assert len(headers) == 4
    assert headers == Headers(list(headers))
    assert hash(headers) == hash(Headers(list(headers)))
    assert "X-Own" in repr(headers)
