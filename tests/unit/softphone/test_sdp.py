import pytest

from tests.softphone.errors import BadSDP
from tests.softphone.sdp import (
    Description,
    Direction,
    agree,
    answer_faults,
    answer_sdp,
    build_sdp,
    offer_codecs,
    parse_sdp,
    revision_faults,
)

US, THEM = ("127.0.0.1", 4000), ("127.0.0.2", 6000)
BROWSER_LIKE = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\n"
    "m=audio 6000 RTP/AVP 9 8 0 96\r\na=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:96 telephone-event/8000\r\na=rtcp:6009\r\n"
    "m=video 6002 RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\n"
)


def offer(*, direction: Direction = "sendrecv", version: int = 1) -> Description:
    codecs = offer_codecs(("PCMU", "PCMA"))
    return parse_sdp(build_sdp(local=US, version=version, codecs=codecs, direction=direction))


def answer(to: Description, *, holding: bool = False) -> Description:
    text = answer_sdp(to, local=THEM, version=1, codecs=("PCMA", "PCMU"), holding=holding)
    return parse_sdp(text)


def changed(text: str, old: str, new: str) -> Description:
    assert old in text
    return parse_sdp(text.replace(old, new).encode())


def test_an_offer_names_codecs_and_events() -> None:
    audio = offer().audio()
    assert audio is not None
    assert audio.codecs() == {0: "PCMU", 8: "PCMA", 101: "telephone-event"}
    assert (audio.port, audio.host, audio.direction, audio.rtcp_port()) == (
        4000,
        "127.0.0.1",
        "sendrecv",
        4001,
    )


def test_an_answer_keeps_the_offers_numbers_and_order_and_refuses_video() -> None:
    asked = parse_sdp(BROWSER_LIKE.encode())
    given = answer_sdp(asked, local=US, version=1, codecs=("PCMU", "PCMA"), holding=False)
    audio, video = parse_sdp(given).media
    assert audio.codecs() == {8: "PCMA", 0: "PCMU", 96: "telephone-event"}
    assert (video.kind, video.port) == ("video", 0)
    assert answer_faults(asked, parse_sdp(given)) == []
    flow = agree(parse_sdp(given), asked, offered=False)
    assert (flow.codec, flow.payload_type, flow.event_payload_type) == ("PCMA", 8, 96)
    assert (flow.to, flow.rtcp_to) == (("127.0.0.2", 6000), ("127.0.0.2", 6009))


@pytest.mark.parametrize(
    ("direction", "holding", "answered", "they_send", "they_receive"),
    [
        ("sendrecv", False, "sendrecv", True, True),
        ("sendonly", False, "recvonly", False, True),
        ("recvonly", False, "sendonly", True, False),
        ("inactive", False, "inactive", False, False),
        ("sendrecv", True, "sendonly", True, False),
        ("recvonly", True, "sendonly", True, False),
        ("sendonly", True, "inactive", False, False),
        ("inactive", True, "inactive", False, False),
    ],
)
def test_directions_are_answered_as_rfc_3264_says(
    *, direction: Direction, holding: bool, answered: str, they_send: bool, they_receive: bool
) -> None:
    asked = offer(direction=direction)
    given = answer(asked, holding=holding)
    audio = given.audio()
    assert audio is not None
    assert audio.direction == answered
    assert answer_faults(asked, given) == []
    theirs, ours = agree(given, asked, offered=False), agree(asked, given, offered=True)
    assert (theirs.may_send, theirs.may_receive) == (they_send, they_receive)
    assert (ours.may_send, ours.may_receive) == (they_receive, they_send)


def test_the_old_hold_address_stops_sending() -> None:
    text = BROWSER_LIKE.replace("c=IN IP4 127.0.0.2", "c=IN IP4 0.0.0.0")
    asked = parse_sdp(text.encode())
    flow = agree(answer(asked), asked, offered=False)
    assert not flow.may_send


def test_no_common_codec_is_refused() -> None:
    asked = changed(BROWSER_LIKE, "RTP/AVP 9 8 0 96", "RTP/AVP 9 96")
    with pytest.raises(BadSDP, match="no common codec"):
        answer(asked)
    with pytest.raises(BadSDP, match="no RTP/AVP audio"):
        answer(changed(BROWSER_LIKE, "audio 6000 RTP/AVP", "audio 6000 RTP/SAVP"))
    with pytest.raises(BadSDP, match="was refused"):
        agree(offer(), changed(BROWSER_LIKE, "audio 6000", "audio 0"), offered=True)


def test_a_dynamic_number_is_only_what_its_rtpmap_says() -> None:
    asked = changed(BROWSER_LIKE, "RTP/AVP 9 8 0 96", "RTP/AVP 98 96")
    with pytest.raises(BadSDP):
        answer(asked)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("v=0", "v=1"),
        ("t=0 0\r\n", ""),
        ("o=- 1 1 IN IP4 127.0.0.2", "o=- 1 IN IP4 127.0.0.2"),
        ("o=- 1 1", "o=- 1 x"),
        ("c=IN IP4 127.0.0.2\r\n", ""),
        ("c=IN IP4 127.0.0.2", "c=IN IP4"),
        ("m=audio 6000 RTP/AVP 9 8 0 96", "m=audio 6000"),
        ("s=-", "s"),
    ],
)
def test_what_is_no_description_is_refused(old: str, new: str) -> None:
    with pytest.raises(BadSDP):
        changed(BROWSER_LIKE, old, new)


def test_octets_that_are_no_text_are_refused() -> None:
    with pytest.raises(BadSDP):
        parse_sdp(b"v=0\r\n\xff=\r\n")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("m=audio 6000 RTP/AVP", "m=audio 6000 RTP/SAVP", "answers audio RTP/AVP"),
        ("RTP/AVP 0 8 101", "RTP/AVP 9", "formats"),
        ("a=sendrecv", "a=sendrecv\r\nm=audio 7000 RTP/AVP 0", "2 streams answer 1"),
    ],
)
def test_an_answer_that_breaks_the_offer_is_judged(old: str, new: str, fault: str) -> None:
    text = answer_sdp(offer(), local=THEM, version=1, codecs=("PCMU", "PCMA"), holding=False)
    given = changed(text.decode(), old, new)
    assert fault in " ".join(answer_faults(offer(), given))


def test_an_answer_that_sends_to_a_sender_is_judged() -> None:
    given = answer(offer())
    assert answer_faults(offer(direction="sendonly"), given) == ["sendrecv answers sendonly"]
    assert answer_faults(offer(direction="recvonly"), given) == ["sendrecv answers recvonly"]


def test_revisions_count_their_versions() -> None:
    first = offer()
    assert revision_faults(first, offer()) == []
    assert revision_faults(first, offer(direction="sendonly", version=2)) == []
    assert "version 1 became 1" in revision_faults(first, offer(direction="sendonly"))[0]
    assert "version 1 became 7" in revision_faults(first, offer(version=7))[0]
    assert "origin" in revision_faults(first, parse_sdp(BROWSER_LIKE.encode()))[0]
    one = changed(BROWSER_LIKE, BROWSER_LIKE[BROWSER_LIKE.index("m=video") :], "")
    assert revision_faults(parse_sdp(BROWSER_LIKE.encode()), one)[-1] == "a stream disappeared"
