"""The answer to a browser, read by another's parser."""

from __future__ import annotations

from dataclasses import replace

import pytest
from aiortc.sdp import SessionDescription

from media_gateway.webrtc.sdp import Codec, Fingerprint, parse_offer
from media_gateway.webrtc.sdp_answer import LocalMedia, build_answer
from tests.unit.webrtc.offers import CHROME, FIREFOX

LOCAL = LocalMedia(
    session_id=77,
    codec="PCMA",
    username="abcd",
    password="a" * 22,
    fingerprint=Fingerprint("sha-256", ":".join(["AB"] * 32)),
    candidates=[
        "f1 1 udp 2130706431 127.0.0.1 20000 typ host",
        "f2 1 udp 2130706175 192.0.2.9 20000 typ host",
    ],
    host="127.0.0.1",
    port=20_000,
    ssrc=123_456,
    cname="who",
)


def test_one_codec_and_its_keys_are_answered() -> None:
    (audio,) = SessionDescription.parse(build_answer(parse_offer(CHROME), LOCAL)).media
    assert [(codec.mimeType, codec.payloadType) for codec in audio.rtp.codecs] == [
        ("audio/PCMA", 8),
        ("audio/telephone-event", 126),
    ]
    assert (audio.port, audio.profile, audio.direction) == (20_000, "UDP/TLS/RTP/SAVPF", "sendrecv")
    assert audio.rtp.muxId == "0"
    assert audio.rtcp_mux
    assert audio.ice is not None
    assert (audio.ice.usernameFragment, audio.ice.password) == ("abcd", "a" * 22)
    assert audio.dtls is not None
    assert audio.dtls.role == "client"
    assert audio.dtls.fingerprints[0].value == LOCAL.fingerprint.value
    assert [(c.ip, c.port, c.type) for c in audio.ice_candidates] == [
        ("127.0.0.1", 20_000, "host"),
        ("192.0.2.9", 20_000, "host"),
    ]
    assert audio.ice_candidates_complete
    assert [(ssrc.ssrc, ssrc.cname) for ssrc in audio.ssrc] == [(123_456, "who")]
    assert audio.msid == "carillon audio"


def test_the_rest_is_declined_in_its_place() -> None:
    answer = SessionDescription.parse(build_answer(parse_offer(FIREFOX), LOCAL))
    assert [(media.kind, media.port) for media in answer.media] == [
        ("audio", 20_000),
        ("application", 0),
    ]
    assert [group.items for group in answer.group] == [["0"]]


@pytest.mark.parametrize(
    ("offered", "answered"),
    [("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")],
)
def test_the_direction_is_the_other_side_of_theirs(offered: str, answered: str) -> None:
    offer = parse_offer(CHROME.replace("a=sendrecv", f"a={offered}"))
    text = build_answer(offer, LOCAL)
    assert f"a={answered}\r\n" in text
    assert ("a=ssrc:" in text) == (answered == "sendonly")


def test_without_names_bundle_and_keys_the_answer_has_none() -> None:
    bare = (
        CHROME.replace("a=mid:0\r\n", "")
        .replace("a=group:BUNDLE 0\r\n", "")
        .replace("telephone-event/8000", "x/8000")
    )
    text = build_answer(parse_offer(bare + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"), LOCAL)
    assert "mid" not in text
    assert "BUNDLE" not in text
    assert "telephone-event" not in text


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_the_browsers_own_numbers_are_kept(codec: Codec) -> None:
    offer = parse_offer(
        CHROME.replace("a=rtpmap:13 CN", "a=rtpmap:13 PCMU").replace(" 0 8 13", " 13 8")
    )
    text = build_answer(offer, replace(LOCAL, codec=codec))
    assert f"a=rtpmap:{offer.payload_types[codec]} {codec}/8000\r\n" in text


def test_an_ipv6_address_is_called_one() -> None:
    text = build_answer(parse_offer(CHROME), replace(LOCAL, host="2001:db8::1"))
    assert "c=IN IP6 2001:db8::1\r\n" in text
    assert "o=- 77 1 IN IP6 2001:db8::1\r\n" in text
