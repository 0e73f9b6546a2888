"""Session descriptions: what is read from them, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_gateway.sip.address import HostPort
from media_gateway.sip.sdp import (
    MAX_LINES,
    MAX_MEDIA,
    MAX_SDP_BYTES,
    Direction,
    MalformedSDP,
    parse,
)

HEAD = "v=0\r\no=alice 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"


def described(*lines: str, head: str = HEAD) -> bytes:
    return (head + "".join(f"{line}\r\n" for line in lines)).encode()


def test_a_phone_of_the_field() -> None:
    description = parse(
        described(
            "a=sendonly",
            "a=ptime:30",
            "m=audio 49170/2 RTP/AVP 0 18 96 101 300 x",
            "c=IN IP4 192.0.2.9/127",
            "a=rtpmap:0 pcmu/8000/1",
            "a=rtpmap:96 opus/48000/2",
            "a=fmtp:96 useinbandfec=1",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-16",
            "a=rtcp:53020 IN IP4 192.0.2.10",
            "a=rtpmap:nonsense",
            "a=unknown:thing",
            "m=video 0 RTP/SAVP 31",
            "a=recvonly",
        )
    )
    audio, video = description.media
    assert (audio.kind, audio.port, audio.protocol) == ("audio", 49_170, "RTP/AVP")
    assert audio.host == "192.0.2.9"
    assert audio.rtcp == HostPort("192.0.2.10", 53_020)
    assert audio.direction is Direction.SENDONLY
    assert audio.ptime_ms == 30
    assert audio.formats == ("0", "18", "96", "101", "300", "x")
    assert [(item.payload_type, item.name, item.clock_hz) for item in audio.rtpmaps] == [
        (0, "PCMU", 8_000),
        (18, "", 0),
        (96, "OPUS", 48_000),
        (101, "TELEPHONE-EVENT", 8_000),
    ]
    assert audio.rtpmaps[2].channels == 2
    assert audio.rtpmaps[3].fmtp == "0-16"
    assert video.port == 0
    assert video.direction is Direction.RECVONLY
    assert not video.is_plain_audio


def test_static_payload_types_may_be_given_another_meaning() -> None:
    (media,) = parse(described("m=audio 4000 RTP/AVP 0 8", "a=rtpmap:0 G729/8000")).media
    assert [item.name for item in media.rtpmaps] == ["G729", "PCMA"]


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("a=sendrecv", Direction.SENDONLY),
        ("a=recvonly", Direction.INACTIVE),
        ("a=sendonly", Direction.SENDONLY),
        ("a=inactive", Direction.INACTIVE),
    ],
)
def test_the_old_hold_receives_nothing(attribute: str, expected: Direction) -> None:
    data = described("m=audio 4000 RTP/AVP 0", "c=IN IP4 0.0.0.0", attribute)
    assert parse(data).media[0].direction is expected


def test_an_rtcp_attribute_may_name_only_a_port_or_nonsense() -> None:
    port = parse(described("m=audio 4000 RTP/AVP 0", "a=rtcp:4005")).media[0]
    assert port.rtcp == HostPort("192.0.2.1", 4_005)
    nonsense = parse(described("m=audio 4000 RTP/AVP 0", "a=rtcp:x")).media[0]
    assert nonsense.rtcp is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"v=1\r\n",
        described(head="v=0\r\n"),
        described(head="v=0\r\no=alice 1\r\n"),
        described("m=audio x RTP/AVP 0"),
        described("m=audio 65536 RTP/AVP 0"),
        described("m=audio -1 RTP/AVP 0"),
        described("m=audio 4000"),
        described("m=audio 4000 RTP/AVP"),
        described("m=audio 4000 RTP/AVP 0", head=HEAD.replace("c=IN IP4 192.0.2.1\r\n", "")),
        described("c=IN IP4"),
        described("c=ATM IP4 x"),
        described("nonsense"),
        described("=x"),
        described("a=x\ry"),
        described(*["m=audio 0 RTP/AVP 0"] * (MAX_MEDIA + 1)),
        described(*["a=x"] * MAX_LINES),
        described("a=" + "x" * MAX_SDP_BYTES),
    ],
)
def test_what_is_no_description_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedSDP):
        parse(data)


def test_bare_line_feeds_are_forgiven() -> None:
    assert len(parse(described("m=audio 4000 RTP/AVP 0").replace(b"\r\n", b"\n")).media) == 1


@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.sampled_from(
                [
                    *("m=audio 4000 RTP/AVP 0 8 101", "m=audio 0 RTP/AVP 0", "m=video 1 x y"),
                    *("c=IN IP4 0.0.0.0", "c=IN IP6 ::1", "a=rtpmap:101 telephone-event/8000"),
                    *("a=rtpmap:8 X/99999999/999", "a=ptime:9999", "a=rtcp:1", "a=fmtp:101"),
                    *("a=inactive", "a=", "b=AS:64", "m= 1 2 3", "o=x"),
                ]
            ),
            max_size=20,
        ).map(lambda lines: described(*lines)),
    )
)
def test_no_bytes_make_the_reader_fail_otherwise_than_by_name(data: bytes) -> None:
    try:
        parse(data)
    except MalformedSDP:
        return
