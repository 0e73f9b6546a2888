"""Offer and answer: one codec for both, directions mirrored, no line ever lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_gateway.sip.address import HostPort
from media_gateway.sip.offer_answer import (
    G711,
    Agreement,
    AudioNegotiation,
    Codec,
    NoCommonCodec,
)
from media_gateway.sip.sdp import Direction, MalformedSDP, parse
from tests.unit.sip.test_sdp import described

OURS = HostPort("192.0.2.2", 40_000)
THEIRS = HostPort("192.0.2.1", 50_000)
BOTH, SEND, RECEIVE, NEITHER = (
    Direction.SENDRECV,
    Direction.SENDONLY,
    Direction.RECVONLY,
    Direction.INACTIVE,
)


def ours(**options: object) -> AudioNegotiation:
    return AudioNegotiation(
        local=OURS,
        session_id=7,
        **options,  # type: ignore[arg-type]  # each test names the constructor's own options
    )


def agreed_on(*lines: str, **options: object) -> Agreement:
    return ours(**options).answer(described(*lines))[0]


def test_the_usual_offer() -> None:
    agreement, answer = ours().answer(
        described(
            "m=audio 50000 RTP/AVP 8 0 9 96",
            "a=rtpmap:96 telephone-event/8000",
            "a=fmtp:96 0-16",
            "a=ptime:30",
        )
    )
    assert agreement == Agreement(
        codec=Codec.PCMU,
        payload_type=0,
        receivable=((0, Codec.PCMU),),
        event_payload_type=96,
        remote=THEIRS,
        remote_rtcp=HostPort("192.0.2.1", 50_001),
        direction=BOTH,
        ptime_ms=30,
    )
    assert answer.decode() == (
        "v=0\r\n"
        "o=- 7 1 IN IP4 192.0.2.2\r\n"
        "s=-\r\n"
        "c=IN IP4 192.0.2.2\r\n"
        "t=0 0\r\n"
        "m=audio 40000 RTP/AVP 0 96\r\n"
        "a=rtpmap:0 PCMU/8000\r\n"
        "a=rtpmap:96 telephone-event/8000\r\n"
        "a=fmtp:96 0-15\r\n"
        "a=ptime:30\r\n"
        "a=sendrecv\r\n"
    )


def test_our_preference_decides() -> None:
    offer = ("m=audio 4000 RTP/AVP 0 8",)
    assert agreed_on(*offer).codec is Codec.PCMU
    assert agreed_on(*offer, codecs=(Codec.PCMA, Codec.PCMU)).codec is Codec.PCMA
    assert agreed_on("m=audio 4000 RTP/AVP 8").codec is Codec.PCMA
    assert agreed_on("m=audio 4000 RTP/AVP 8").event_payload_type is None


def test_a_codec_may_come_under_any_number() -> None:
    agreement = agreed_on("m=audio 4000 RTP/AVP 97", "a=rtpmap:97 PCMA/8000")
    assert (agreement.codec, agreement.payload_type) == (Codec.PCMA, 97)


@pytest.mark.parametrize(
    "lines",
    [
        ("m=audio 4000 RTP/SAVP 0",),
        ("m=audio 4000 UDP/TLS/RTP/SAVPF 0",),
        ("m=audio 0 RTP/AVP 0",),
        ("m=video 4000 RTP/AVP 0",),
        ("m=audio 4000 RTP/AVP 9 18",),
        ("m=audio 4000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"),
        ("m=audio 4000 RTP/AVP 96", "a=rtpmap:96 PCMU/16000"),
        ("m=audio 4000 RTP/AVP 96", "a=rtpmap:96 PCMU/8000/2"),
        ("m=audio 4000 RTP/AVP 0", "c=IN IP6 2001:db8::1"),
        ("m=audio 4000 RTP/AVP 0", "c=IN IP4 media.example.org"),
        (),
    ],
)
def test_offers_without_a_codec_in_common(lines: tuple[str, ...]) -> None:
    with pytest.raises(NoCommonCodec):
        agreed_on(*lines)


@pytest.mark.parametrize("host", ["fe80::1%lo", "::1%\u00e9"])
def test_the_zone_of_an_address_is_nowhere_to_send_to(host: str) -> None:
    """To some of them a send raises, out of the ticker that all legs share."""
    negotiation = AudioNegotiation(local=HostPort("2001:db8::2", 40_000), session_id=7)
    offer = described("m=audio 4000 RTP/AVP 0", f"c=IN IP6 {host}")
    with pytest.raises(NoCommonCodec):
        negotiation.answer(offer)


def test_every_other_line_is_refused_and_keeps_its_place() -> None:
    negotiation = ours()
    _, answer = negotiation.answer(
        described(
            "m=audio 4000 RTP/SAVP 0",
            "m=video 4002 RTP/AVP 31 32",
            "m=audio 4004 RTP/AVP 0",
            "m=audio 4006 RTP/AVP 0",
        )
    )
    media = parse(answer).media
    assert [(line.kind, line.port, line.protocol) for line in media] == [
        ("audio", 0, "RTP/SAVP"),
        ("video", 0, "RTP/AVP"),
        ("audio", 40_000, "RTP/AVP"),
        ("audio", 0, "RTP/AVP"),
    ]
    again = parse(negotiation.offer(SEND)).media
    assert [line.port for line in again] == [0, 0, 40_000, 0]
    agreement = negotiation.complete(
        described(
            *("m=audio 0 RTP/SAVP 0", "m=video 0 RTP/AVP 31"),
            *("m=audio 4004 RTP/AVP 0", "a=recvonly", "m=audio 0 RTP/AVP 0"),
        )
    )
    assert agreement.remote == HostPort("192.0.2.1", 4_004)


@pytest.mark.parametrize(
    ("theirs", "wish", "answered"),
    [
        (BOTH, BOTH, BOTH),
        (BOTH, SEND, SEND),
        (BOTH, NEITHER, NEITHER),
        (SEND, BOTH, RECEIVE),
        (SEND, SEND, NEITHER),
        (RECEIVE, BOTH, SEND),
        (RECEIVE, RECEIVE, NEITHER),
        (NEITHER, BOTH, NEITHER),
    ],
)
def test_directions_are_mirrored(theirs: Direction, wish: Direction, answered: Direction) -> None:
    offer = described("m=audio 50000 RTP/AVP 0", f"a={theirs.value}")
    agreement, answer = ours().answer(offer, wish)
    assert agreement.direction is answered
    assert agreement.is_held is not answered.sends
    assert parse(answer).media[0].direction is answered


def test_the_old_hold_is_answered_like_the_new() -> None:
    agreement = agreed_on("m=audio 4000 RTP/AVP 0", "c=IN IP4 0.0.0.0")
    assert agreement.direction is RECEIVE
    assert agreement.is_held


def test_versions_rise_only_with_changes() -> None:
    negotiation = ours()
    offer = described("m=audio 50000 RTP/AVP 0")
    held = described("m=audio 50000 RTP/AVP 0", "a=sendonly")
    versions = [
        parse(negotiation.answer(data)[1]).origin.split()[2] for data in (offer, offer, held, offer)
    ]
    assert versions == ["1", "1", "2", "3"]


def test_a_refused_offer_changes_nothing() -> None:
    negotiation = ours()
    before, answer = negotiation.answer(described("m=audio 50000 RTP/AVP 0"))
    with pytest.raises(NoCommonCodec):
        negotiation.answer(described("m=audio 50000 RTP/AVP 18"))
    with pytest.raises(MalformedSDP):
        negotiation.answer(b"nonsense")
    assert negotiation.agreed == before
    assert negotiation.answer(described("m=audio 50000 RTP/AVP 0"))[1] == answer


def test_we_offer_both_laws_and_events() -> None:
    offer = parse(ours().offer()).media[0]
    assert offer.formats == ("0", "8", "101")
    assert [item.name for item in offer.rtpmaps] == ["PCMU", "PCMA", "TELEPHONE-EVENT"]


def test_the_answer_to_our_offer() -> None:
    negotiation = ours()
    assert negotiation.agreed is None
    negotiation.offer()
    agreement = negotiation.complete(
        described("m=audio 50000 RTP/AVP 8 100", "a=rtpmap:100 telephone-event/8000")
    )
    assert (agreement.codec, agreement.payload_type) == (Codec.PCMA, 8)
    assert agreement.event_payload_type == 100
    assert agreement.receivable == ((0, Codec.PCMU), (8, Codec.PCMA))
    assert negotiation.agreed == agreement
    # From now on we offer what is in use.
    assert parse(negotiation.offer(SEND)).media[0].formats == ("8", "100")


def test_holding_by_our_offer() -> None:
    negotiation = ours()
    negotiation.offer(SEND)
    agreement = negotiation.complete(described("m=audio 50000 RTP/AVP 0", "a=recvonly"))
    assert agreement.direction is SEND
    negotiation.offer(SEND)
    # A far end that forgets the direction does not resume what we hold.
    assert negotiation.complete(described("m=audio 50000 RTP/AVP 0")).direction is SEND


@pytest.mark.parametrize(
    "lines",
    [
        ("m=audio 0 RTP/AVP 0",),
        ("m=audio 50000 RTP/AVP 18",),
        ("m=audio 50000 RTP/SAVP 0",),
    ],
)
def test_answers_that_refuse(lines: tuple[str, ...]) -> None:
    negotiation = ours()
    negotiation.offer()
    with pytest.raises(NoCommonCodec):
        negotiation.complete(described(*lines))
    assert negotiation.agreed is None


def test_an_answer_has_a_line_for_each_of_the_offers() -> None:
    negotiation = ours()
    negotiation.offer()
    with pytest.raises(MalformedSDP):
        negotiation.complete(described("m=audio 1 RTP/AVP 0", "m=audio 2 RTP/AVP 0"))
    with pytest.raises(NoCommonCodec):
        ours().complete(described())


def test_the_event_number_gives_way_to_a_codec() -> None:
    negotiation = ours()
    negotiation.answer(described("m=audio 50000 RTP/AVP 101", "a=rtpmap:101 PCMU/8000"))
    assert parse(negotiation.offer()).media[0].formats == ("101",)


def test_ipv6() -> None:
    six = HostPort("2001:db8::2", 40_000)
    negotiation = AudioNegotiation(local=six, session_id=1)
    assert "c=IN IP6 2001:db8::2\r\n" in negotiation.offer().decode()
    named = AudioNegotiation(local=HostPort("gateway.example", 40_000), session_id=1)
    assert "c=IN IP4 gateway.example\r\n" in named.offer().decode()


@given(
    first=st.permutations(G711).map(tuple),
    second=st.permutations(G711).map(tuple),
    moves=st.lists(st.tuples(st.booleans(), st.sampled_from(Direction)), max_size=6),
)
def test_two_of_us_always_agree(
    first: tuple[Codec, ...],
    second: tuple[Codec, ...],
    moves: list[tuple[bool, Direction]],
) -> None:
    a = AudioNegotiation(local=OURS, session_id=1, codecs=first)
    b = AudioNegotiation(local=THEIRS, session_id=2, codecs=second)
    for a_asks, direction in [(True, BOTH), *moves]:
        asker, answerer = (a, b) if a_asks else (b, a)
        theirs, answer = answerer.answer(asker.offer(direction))
        mine = asker.complete(answer)
        assert mine.codec is theirs.codec
        assert mine.event_payload_type == theirs.event_payload_type == 101
        assert mine.direction is theirs.direction.reversed
        assert mine.direction is direction
        assert theirs.payload_type in dict(mine.receivable)
        assert mine.payload_type in dict(theirs.receivable)
