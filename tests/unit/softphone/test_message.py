import pytest

from tests.softphone.errors import NotSip
from tests.softphone.judge import request_faults, response_faults
from tests.softphone.message import (
    Request,
    Response,
    parse_message,
    parse_name_addr,
    parse_uri,
    parse_via,
    replaced,
    split_list,
)

INVITE = (
    "INVITE sip:100@127.0.0.1 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:5071;branch=z9hG4bK1;rport\r\n"
    "Max-Forwards: 70\r\n"
    'From: "Ann, the caller" <sip:ann@127.0.0.1>;tag=a\r\n'
    "To: <sip:100@127.0.0.1>\r\n"
    "Call-ID: c1\r\n"
    "CSeq: 1 INVITE\r\n"
    "Contact: <sip:ann@127.0.0.1:5071>\r\n"
    "Content-Length: 0\r\n\r\n"
)
OK = (
    "SIP/2.0 200 OK\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:5071;branch=z9hG4bK1;rport=5071;received=127.0.0.1\r\n"
    'From: "Ann, the caller" <sip:ann@127.0.0.1>;tag=a\r\n'
    "To: <sip:100@127.0.0.1>;tag=b\r\n"
    "Call-ID: c1\r\n"
    "CSeq: 1 INVITE\r\n"
    "Contact: <sip:127.0.0.1:5060>\r\n"
    "Content-Length: 0\r\n\r\n"
)


def request(text: str) -> Request:
    message = parse_message(text.encode())
    assert isinstance(message, Request)
    return message


def response(text: str) -> Response:
    message = parse_message(text.encode())
    assert isinstance(message, Response)
    return message


def test_a_request_is_read() -> None:
    invite = request(INVITE)
    assert (invite.method, invite.uri) == ("INVITE", "sip:100@127.0.0.1")
    assert (invite.from_tag, invite.to_tag, invite.cseq) == ("a", "", (1, "INVITE"))
    assert (invite.via.host, invite.via.port, invite.via.branch) == ("127.0.0.1", 5071, "z9hG4bK1")
    assert request_faults(invite) == []


def test_what_is_built_is_read_again() -> None:
    built = Request(
        method="INFO",
        uri="sip:a@b",
        headers=(("Call-ID", "x"), ("Content-Type", "text/plain")),
        body=b"hello",
    )
    read = parse_message(built.encode())
    assert isinstance(read, Request)
    assert (read.first_line, read.body) == ("INFO sip:a@b SIP/2.0", b"hello")
    assert read.headers == (*built.headers, ("Content-Length", "5"))


def test_compact_folded_and_oddly_cased_headers_are_the_same_headers() -> None:
    text = "OPTIONS sip:a@b SIP/2.0\r\ni : c9\r\nSUBJECT: one\r\n  two\r\nl: 0\r\n\r\n"
    options = request(text)
    assert options.call_id == "c9"
    assert options.header("s") is None
    assert options.header("Subject") == "one two"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "INVITE sip:a@b SIP/2.0\r\n",
        INVITE.replace("SIP/2.0\r\n", "SIP/3.0\r\n", 1),
        INVITE.replace("INVITE sip:100@127.0.0.1", "INVITE  sip:100@127.0.0.1"),
        INVITE.replace("Content-Length: 0", "Content-Length: 9"),
        INVITE.replace("Content-Length: 0", "Content-Length: none"),
        INVITE.replace("Max-Forwards: 70", "Max-Forwards 70"),
        OK.replace("200 OK", "2000 OK"),
        OK.replace("200 OK", "099 OK"),
    ],
)
def test_what_the_grammar_forbids_is_refused(text: str) -> None:
    with pytest.raises(NotSip):
        parse_message(text.encode())


def test_octets_that_are_no_text_are_refused() -> None:
    with pytest.raises(NotSip):
        parse_message(b"\xff\xfe\r\n\r\n")


def test_lists_split_only_outside_quotes_and_brackets() -> None:
    value = '"Ann, \\"A\\"" <sip:a,b@c>;x=1, <sip:d@e>'
    assert list(split_list(value)) == ['"Ann, \\"A\\"" <sip:a,b@c>;x=1', "<sip:d@e>"]


def test_addresses_are_taken_apart() -> None:
    address = parse_name_addr('"Ann" <sip:a@h:5070;lr>;tag=7;Q="0.5"')
    assert (address.display, address.uri) == ("Ann", "sip:a@h:5070;lr")
    assert address.parameters == {"tag": "7", "q": "0.5"}
    assert parse_name_addr("sip:a@h;tag=7").parameters == {"tag": "7"}
    assert parse_name_addr("sip:a@h;tag=7").uri == "sip:a@h"


def test_uris_are_taken_apart() -> None:
    uri = parse_uri("sip:+1202;phone-context=x@10.0.0.1:5070;transport=udp;lr?Reason=x")
    assert (uri.user, uri.host, uri.port) == ("+1202;phone-context=x", "10.0.0.1", 5070)
    assert uri.parameters == {"transport": "udp", "lr": ""}
    assert parse_uri("sip:[::1]").port == 5060


@pytest.mark.parametrize("text", ["tel:+1202", "sip:", "sip:a@b:port", "a@b"])
def test_what_is_no_sip_uri_is_refused(text: str) -> None:
    with pytest.raises(NotSip):
        parse_uri(text)


def test_a_spaced_via_is_the_same_via() -> None:
    via = parse_via("SIP / 2.0 / UDP host : 5070 ; branch = z9hG4bK7")
    assert (via.transport, via.host, via.port, via.branch) == ("UDP", "host", 5070, "z9hG4bK7")


def test_a_test_may_replace_headers() -> None:
    headers = replaced((("From", "a"), ("User-Agent", "x")), {"user-agent": "y", "X-Extra": "1"})
    assert headers == (("From", "a"), ("user-agent", "y"), ("X-Extra", "1"))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("CSeq: 1 INVITE", "CSeq: 1 BYE", "CSeq names"),
        ("CSeq: 1 INVITE", "CSeq: 2147483648 INVITE", "CSeq: 2147483648"),
        ("z9hG4bK1", "1", "magic cookie"),
        ("Max-Forwards: 70\r\n", "", "Max-Forwards"),
        ("Max-Forwards: 70", "Max-Forwards: 256", "Max-Forwards"),
        (";tag=a", "", "no From tag"),
        ("Call-ID: c1\r\n", "", "0 Call-ID"),
        ("Call-ID: c1", "Call-ID: c1\r\nCall-ID: c2", "2 Call-ID"),
        ("Contact: <sip:ann@127.0.0.1:5071>\r\n", "", "0 Contacts"),
        ("<sip:ann@127.0.0.1:5071>", "<tel:5>", "Contact"),
        ("Content-Length: 0\r\n\r\n", "Content-Length: 1\r\n\r\nx", "without Content-Type"),
        ("Content-Length: 0\r\n\r\n", "Content-Type: a/b\r\n\r\nx", "without Content-Length"),
    ],
)
def test_a_faulty_request_is_judged(old: str, new: str, fault: str) -> None:
    assert old in INVITE
    assert fault in " ".join(request_faults(request(INVITE.replace(old, new))))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("CSeq: 1 INVITE", "CSeq: 2 INVITE", "CSeq differ"),
        ("Call-ID: c1", "Call-ID: c2", "Call-ID"),
        (";tag=a", ";tag=z", "From differs"),
        ("To: <sip:100@127.0.0.1>", "To: <sip:101@127.0.0.1>", "To differs"),
        (";tag=b", "", "no To tag"),
        (";rport=5071;received=127.0.0.1", ";rport", "rport"),
        ("5071;branch", "5072;branch", "Via differs"),
        ("Via:", "Via: SIP/2.0/UDP other;branch=z9hG4bK0\r\nVia:", "2 Vias for 1"),
        ("Contact: <sip:127.0.0.1:5060>\r\n", "", "0 Contacts"),
        ("Contact:", "Record-Route: <sip:proxy>\r\nContact:", "strict route"),
        ("200 OK", "420 Bad", "no Unsupported"),
        ("200 OK", "405 No", "no Allow"),
        ("200 OK", "407 Who", "no Proxy-Authenticate"),
    ],
)
def test_a_faulty_response_is_judged(old: str, new: str, fault: str) -> None:
    assert old in OK
    faults = response_faults(response(OK.replace(old, new)), request(INVITE))
    assert fault in " ".join(faults)


def test_flawless_responses_have_no_faults() -> None:
    trying = OK.replace("200 OK", "100 Trying").replace(";tag=b", "")
    routed = OK.replace("Contact:", "Record-Route: <sip:10.0.0.1;lr>\r\nContact:")
    for text in (OK, trying, routed):
        assert response_faults(response(text), request(INVITE)) == []
