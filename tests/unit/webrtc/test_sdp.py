"""What is read in a browser's offer, and what is refused in which words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_gateway.model import BadSdpOffer
from media_gateway.webrtc.sdp import (
    MAX_CANDIDATES,
    MAX_FORMATS,
    Fingerprint,
    RemoteCandidate,
    parse_offer,
)
from tests.unit.webrtc.offers import CHROME, FIREFOX


def test_chromes_offer_is_read() -> None:
    offer = parse_offer(CHROME)
    assert (offer.username, offer.password) == ("Oe3t", "rFNIXhnWjK3OOZoAkZ6/q9bM")
    assert offer.payload_types == {"PCMU": 0, "PCMA": 8}
    assert offer.event_type == 126
    assert (offer.sends, offer.receives) == (True, True)
    assert (offer.setup, offer.ice_lite, offer.bundled) == ("active", False, True)
    (fingerprint,) = offer.fingerprints
    assert fingerprint.algorithm == "sha-256"
    assert fingerprint.value.startswith("7A:18:9A:")
    (section,) = offer.sections
    assert (section.media, section.mid, section.protocol) == ("audio", "0", "UDP/TLS/RTP/SAVPF")


def test_a_line_of_more_formats_than_there_are_is_refused() -> None:
    line = next(line for line in CHROME.split("\r\n") if line.startswith("m=audio"))
    with pytest.raises(BadSdpOffer, match="formats"):
        parse_offer(CHROME.replace(line, line + " 1" * MAX_FORMATS))


def test_names_and_tcp_are_left_out_of_the_candidates() -> None:
    assert parse_offer(CHROME).candidates == (
        RemoteCandidate("842163049", 1_677_729_535, "198.51.100.7", 58_779, "srflx"),
        RemoteCandidate("1467250027", 2_122_260_223, "192.0.2.17", 58_779, "host"),
        RemoteCandidate("1467250029", 2_122_194_000, "2001:db8::17", 51_001, "host"),
    )
    assert parse_offer(FIREFOX).candidates == ()


def test_firefoxs_offer_is_read_its_fingerprint_from_the_session() -> None:
    offer = parse_offer(FIREFOX)
    assert offer.fingerprints[0].value.endswith(":F5:8B")
    assert offer.event_type == 101
    assert [section.media for section in offer.sections] == ["audio", "application"]
    assert offer.audio == 0


def test_audio_is_found_behind_what_is_not_wanted() -> None:
    video = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:v\r\n"
    spurned = "m=audio 0 UDP/TLS/RTP/SAVPF 0\r\na=mid:x\r\n"
    offer = parse_offer(CHROME.replace("m=audio", f"{video}{spurned}m=audio"))
    assert offer.audio == 2
    assert offer.sections[2].mid == "0"


def test_a_section_that_takes_part_only_in_a_bundle_counts() -> None:
    offer = parse_offer(
        CHROME.replace("m=audio 58779", "m=audio 0").replace("a=mid:0", "a=bundle-only\r\na=mid:0")
    )
    assert offer.audio == 0


@pytest.mark.parametrize(
    ("line", "sends", "receives"),
    [
        ("a=sendonly", True, False),
        ("a=recvonly", False, True),
        ("a=inactive", False, False),
        ("a=x", True, True),
    ],
)
def test_directions(line: str, sends: bool, receives: bool) -> None:
    offer = parse_offer(CHROME.replace("a=sendrecv", line))
    assert (offer.sends, offer.receives) == (sends, receives)


def test_a_direction_for_the_whole_session_counts() -> None:
    text = CHROME.replace("a=sendrecv\r\n", "").replace("t=0 0\r\n", "t=0 0\r\na=recvonly\r\n")
    assert not parse_offer(text).sends


@pytest.mark.parametrize(
    ("offered", "ours"), [("actpass", "active"), ("active", "passive"), ("passive", "active")]
)
def test_the_part_in_the_handshake(offered: str, ours: str) -> None:
    assert parse_offer(CHROME.replace("a=setup:actpass", f"a=setup:{offered}")).setup == ours


def test_ice_lite_is_noticed() -> None:
    assert parse_offer(CHROME.replace("t=0 0", "t=0 0\r\na=ice-lite")).ice_lite


def test_static_payload_types_need_no_name_and_others_may_have_one() -> None:
    plain = CHROME.replace("a=rtpmap:0 PCMU/8000\r\n", "").replace("a=rtpmap:8 PCMA/8000\r\n", "")
    assert parse_offer(plain).payload_types == {"PCMU": 0, "PCMA": 8}
    dynamic = CHROME.replace(" 0 8 13", " 96 13").replace("a=rtpmap:0 PCMU", "a=rtpmap:96 pcmu")
    assert parse_offer(dynamic).payload_types == {"PCMU": 96}


def test_without_telephone_event_there_are_no_keys() -> None:
    assert parse_offer(CHROME.replace("telephone-event/8000", "x/8000")).event_type is None


def test_the_callers_codec_is_chosen_where_it_is_offered() -> None:
    offer = parse_offer(CHROME)
    assert [offer.choose_codec(codec) for codec in ("PCMU", "PCMA", "")] == ["PCMU", "PCMA", "PCMU"]
    assert parse_offer(CHROME.replace(" 0 8 ", " 8 ")).choose_codec("PCMU") == "PCMA"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("v=0", "", "not SDP"),
        ("m=audio", "m=video", "no audio"),
        ("m=audio 58779", "m=audio 0", "no audio"),
        ("UDP/TLS/RTP/SAVPF", "RTP/AVP", "no audio"),
        ("m=audio 58779 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126", "m=audio", "malformed"),
        ("a=mid:0", "a=mid:<0>", "malformed"),
        ("a=rtcp-mux", "a=x", "rtcp-mux"),
        ("a=ice-ufrag:Oe3t", "a=x", "ice-ufrag"),
        ("a=ice-ufrag:Oe3t", "a=ice-ufrag:O t", "ice-ufrag"),
        ("a=ice-pwd:rFNIXhnWjK3OOZoAkZ6/q9bM", "a=ice-pwd:short", "ice-pwd"),
        ("a=fingerprint:sha-256", "a=fingerprint:sha-1", "fingerprint"),
        ("a=fingerprint:sha-256 7A", "a=fingerprint:sha-256 XY", "fingerprint"),
        ("a=fingerprint:sha-256 7A:", "a=fingerprint:sha-256 ", "fingerprint"),
        ("a=setup:actpass", "a=setup:holdconn", "setup"),
        ("111 63 9 0 8 13 110 126", "111 63 9 13 110 126", "neither PCMU nor PCMA"),
    ],
)
def test_what_is_missing_is_said(old: str, new: str, words: str) -> None:
    with pytest.raises(BadSdpOffer, match=words):
        parse_offer(CHROME.replace(old, new, 1))


def test_sizes_are_limited() -> None:
    for text in ("v=0\n" + "a=x\n" * 2_001, "v=0\n" + "x" * 65_536):
        with pytest.raises(BadSdpOffer, match="more than"):
            parse_offer(text)
    with pytest.raises(BadSdpOffer, match="17 media sections"):
        parse_offer(CHROME + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" * 16)


def test_candidates_that_cannot_be_sent_to_are_left_out() -> None:
    lines = [
        "1 1 udp 1 192.0.2.1 0 typ host",
        "1 1 udp 1 192.0.2.1 70000 typ host",
        "1 1 udp x 192.0.2.1 9 typ host",
        "1 1 udp 99999999999 192.0.2.1 9 typ host",
        "1 2 udp 1 192.0.2.1 9 typ host",
        "1 1 udp 1 224.0.0.1 9 typ host",
        "1 1 udp 1 255.255.255.255 9 typ host",
        "1 1 udp 1 0.0.0.0 9 typ host",
        "1 1 udp 1 fe80::1%lo 9 typ host",
        "1 1 udp 1 192.0.2.1 9 typ odd",
        "1 1 udp 1 192.0.2.1 9 was host",
        "1 1 udp",
        "",
    ]
    text = "".join(f"a=candidate:{line}\r\n" for line in lines)
    assert parse_offer(FIREFOX.replace("a=sendrecv\r\n", text)).candidates == ()


def test_candidates_are_limited() -> None:
    many = "".join(f"a=candidate:1 1 udp 1 192.0.2.1 {n} typ host\r\n" for n in range(1, 100))
    offer = parse_offer(FIREFOX.replace("a=candidate:0", f"{many}a=candidate:0"))
    assert len(offer.candidates) == MAX_CANDIDATES


def test_fingerprints_of_unknown_kinds_are_passed_over() -> None:
    value = ":".join(["0F"] * 64)
    offer = parse_offer(
        CHROME.replace(
            "a=fingerprint:", f"a=fingerprint:md5 00\r\na=fingerprint:SHA-512 {value}\r\na=was:"
        )
    )
    assert offer.fingerprints == (Fingerprint("sha-512", value),)


@given(st.text(max_size=400))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(BadSdpOffer):
        parse_offer(text)


@given(
    st.sampled_from([CHROME, FIREFOX]),
    st.lists(
        st.tuples(st.integers(0, 60), st.sampled_from(["drop", "twice", "cut", "junk"]), st.text()),
        min_size=1,
        max_size=6,
    ),
)
def test_a_damaged_offer_is_read_or_refused(
    offer: str, damages: list[tuple[int, str, str]]
) -> None:
    lines = offer.split("\r\n")
    for place, how, text in damages:
        at = place % len(lines)
        match how:
            case "drop":
                lines[at] = ""
            case "twice":
                lines.insert(at, lines[at])
            case "cut":
                lines[at] = lines[at][: len(lines[at]) // 2]
            case _:
                lines[at] = lines[at][:4] + text
    try:
        parsed = parse_offer("\r\n".join(lines))
    except BadSdpOffer:
        return
    assert parsed.payload_types
    assert parsed.fingerprints
